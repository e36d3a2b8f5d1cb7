"""Files of the program in a directory of logs, written as bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import EMAIL, PROMPT, Case

POLICY = 'guard.log_directories = ["kept"]\n'


@pytest.mark.parametrize("mode", ["wb", "ab", "xb", "w+b"])
@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_value_in_pieces_is_blanked_and_nothing_else_is(
    tmp_path: Path, mode: str, buffering: int
) -> None:
    (tmp_path / "tacenda.toml").write_text(POLICY)
    (tmp_path / "kept").mkdir()
    code = f"""
    import random
    tacenda.protect(PROMPT)
    part = b"twelve plain words 12 " * 300 + f"<{{EMAIL}}|{{PROMPT}}>\\n".encode()
    draw = random.Random(7)
    with open("kept/x", {mode!r}, buffering={buffering}) as file:
        data = part * 5
        while data:
            data = data[file.write(data[:draw.choice((1, 3, 16, 60, 5000))]):]
    """
    done = Case(tmp_path).run(code, guard=True)
    assert done.returncode == 0, done.text
    kept = (tmp_path / "kept" / "x").read_text()
    end = f"<{'*' * len(EMAIL)}|{'*' * len(PROMPT)}>\n"
    expected = ("twelve plain words 12 " * 300 + end) * 5
    assert kept == expected


def test_who_goes_elsewhere_in_a_file_writes_there(tmp_path: Path) -> None:
    (tmp_path / "tacenda.toml").write_text(POLICY)
    (tmp_path / "kept").mkdir()
    code = """
    half = EMAIL.index("@")
    with open("kept/x", "w+b") as file:
        file.write(b"head" + EMAIL[:half].encode())
        file.seek(0)
        file.write(EMAIL[half:].encode())
        file.seek(0, 2)
        file.write(b" end " + EMAIL.encode())
    """
    done = Case(tmp_path).run(code, guard=True)
    assert done.returncode == 0, done.text
    half = EMAIL.index("@")
    begun = (b"head" + EMAIL[:half].encode())[len(EMAIL) - half :]
    kept = (tmp_path / "kept" / "x").read_bytes()
    assert kept == EMAIL[half:].encode() + begun + b" end " + b"*" * len(EMAIL)


def test_a_file_that_has_taken_the_name_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "tacenda.toml").write_text(POLICY)
    (tmp_path / "kept").mkdir()
    code = """
    import os
    half = len(EMAIL) // 2
    file = open("kept/x", "wb")
    file.write(EMAIL[:half].encode())
    os.rename("kept/x", "kept/x.1")
    with open("kept/x", "wb") as other:
        other.write(b"of another" * 9)
    file.write(EMAIL[half:].encode())
    os.remove("kept/x.1")
    file.write(b" and " + EMAIL.encode() + b"\\n")
    file.close()
    """
    done = Case(tmp_path).run(code, guard=True)
    assert done.returncode == 0, done.text
    assert (tmp_path / "kept" / "x").read_bytes() == b"of another" * 9
