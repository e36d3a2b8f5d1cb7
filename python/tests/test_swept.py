"""Files in a directory of logs that others write: blanked in place, and nothing else is touched."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from cases import EMAIL, PROMPT, Case

POLICY = 'guard.log_directories = ["kept"]\n'


def write(tmp_path: Path, code: str) -> bytes:
    """Runs code under the policy; gives what is in the file then."""
    (tmp_path / "tacenda.toml").write_text(POLICY)
    (tmp_path / "kept").mkdir()
    head = "import os, subprocess\ntacenda.protect(PROMPT)\n"
    done = Case(tmp_path).run(head + textwrap.dedent(code), guard=True)
    assert done.returncode == 0, done.text
    return (tmp_path / "kept" / "x").read_bytes()


def test_length_and_everything_else_stay(tmp_path: Path) -> None:
    text = f"\x00first\r\n{PROMPT}|{EMAIL}\xff\n".encode("latin-1")
    code = f"subprocess.run(['sh', '-c', 'cat >> kept/x'], input={text!r})"
    kept = write(tmp_path, code)
    value = b"*" * len(PROMPT), b"*" * len(EMAIL)
    assert kept == b"\x00first\r\n%s|%s\xff\n" % value


def test_a_file_that_was_there_before_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "old").write_text(PROMPT)
    code = """
    os.utime("old", (1, 1)); os.rename("old", "kept/x"); os.utime("kept/x", (1, 1))
    subprocess.run(["true"])
    """
    assert write(tmp_path, code).decode() == PROMPT


def test_more_that_is_written_later_is_seen_from_where_it_was_left(tmp_path: Path) -> None:
    code = """
    half = len(PROMPT) // 2
    for part in (PROMPT[:half], PROMPT[half:] + "\\n", "end\\n"):
        subprocess.run(["sh", "-c", "cat >> kept/x"], input=part.encode())
    """
    kept = write(tmp_path, code).decode()
    assert kept.replace(" ", "*") == "*" * len(PROMPT) + "\nend\n"


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    code = """
    subprocess.run(["sh", "-c", "cat > kept/x"], input=b"SQLite format 3\\0" + PROMPT.encode())
    """
    assert PROMPT.encode() in write(tmp_path, code)


@pytest.mark.parametrize("runner", ["install", "run"])
@pytest.mark.parametrize(
    "end",
    [
        "os.kill(os.getpid(), 9)",
        "os.kill(os.getpid(), 15)",
        "os._exit(0)",
        "os.execv('/bin/true', ['true'])",
        "os.execv('/bin/sh', ['sh', '-c', 'cat kept/x >> kept/y; kill -9 $$'])",
    ],
)
def test_a_program_that_has_no_last_look_is_looked_after(
    tmp_path: Path, end: str, runner: str
) -> None:
    (tmp_path / "tacenda.toml").write_text(POLICY)
    (tmp_path / "kept").mkdir()
    code = f"""
import os, tacenda
tacenda.install()
tacenda.protect({PROMPT!r})
file = os.open("kept/x", os.O_CREAT | os.O_WRONLY)
os.write(file, b"{EMAIL} {PROMPT}")
{end}
"""
    head = [str(Path(sys.executable).with_name("tacenda")), "run", "-q", "--"]
    command = [*(head if runner == "run" else []), sys.executable, "-c", code]
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    # What outlives the program ends before its outputs do.
    for path in (tmp_path / "kept").iterdir():
        assert path.read_text().replace(" ", "*") == "*" * len(f"{EMAIL} {PROMPT}"), path.name


def test_what_is_kept_is_clean_before_another_program_takes_over(tmp_path: Path) -> None:
    code = """
    file = os.open("kept/x", os.O_CREAT | os.O_WRONLY)
    os.write(file, EMAIL.encode())
    os.execv("/bin/sh", ["sh", "-c", "cp kept/x copy"])
    """
    write(tmp_path, code)
    assert (tmp_path / "copy").read_text() == "*" * len(EMAIL)
