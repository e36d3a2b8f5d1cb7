"""Copies of descriptors 1 and 2 that were made before the guard."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cases import EMAIL, PROMPT, Case, Output

# Before the guard, as a capture or a library that becomes a daemon does it.
HEAD = """
import os, sys
saved, other = os.dup(1), os.dup(2)
file = os.fdopen(os.dup(1), "w")
"""
INSTALL = "import tacenda\nguard = tacenda.install()\ntacenda.protect(PROMPT)\n"


def run(case: Case, code: str, shell: str, out: Path) -> tuple[str, str]:
    """What comes out without the guard, and with it."""
    bare = written(case.run(HEAD + code, guard=False, shell=shell), out)
    guarded = written(case.run(HEAD + INSTALL + code, guard=False, shell=shell), out)
    return bare, guarded


def written(output: Output, out: Path) -> str:
    assert output.returncode == 0, output.text
    until = time.monotonic() + 10
    # The filter writes the last of it when the program has ended.
    while not (text := output.text + read(out)) and time.monotonic() < until:
        time.sleep(0.05)
    return text


def read(out: Path) -> str:
    return out.read_text() if out.exists() else ""


@pytest.mark.parametrize(
    "write",
    [
        "os.write(saved, PROMPT.encode()); os.write(other, EMAIL.encode())",
        "print(PROMPT, EMAIL, file=file); file.close()",
        "os.system(f'echo {PROMPT!r} {EMAIL} >&{saved}')"
        " if os.set_inheritable(saved, True) is None else 0",
        "os.dup2(saved, 1); os.system(f'echo {PROMPT!r} {EMAIL}')",
    ],
)
@pytest.mark.parametrize("shell", ["", ">out 2>&1"])
def test_what_is_written_to_a_copy_is_filtered(
    case: Case, tmp_path: Path, write: str, shell: str
) -> None:
    bare, guarded = run(case, write, shell, tmp_path / "out")
    for value in (PROMPT, EMAIL):
        assert value in bare
        assert value not in guarded, guarded


def test_a_file_of_the_program_is_no_copy(case: Case, tmp_path: Path) -> None:
    code = "open('out', 'a').write(EMAIL)"
    run(case, code, ">>out", tmp_path / "out")
    assert (tmp_path / "out").read_text().count(EMAIL) == 2


def test_a_file_that_can_be_read_is_left_alone_and_told(case: Case) -> None:
    # As pytest captures.
    head = """
import os, tempfile
file = tempfile.TemporaryFile("w+")
out = os.dup(1)
os.dup2(file.fileno(), 1)
"""
    code = """
os.write(1, b"said")
os.dup2(out, 1)
file.seek(0)
print(file.read(), *(item for item in tacenda.status().coverage if "copies" in item.channel))
"""
    output = case.run(head + INSTALL + code, guard=False)
    assert output.returncode == 0, output.text
    assert "off" in output.stdout


def test_they_lead_where_they_led_when_the_guard_is_gone(case: Case, tmp_path: Path) -> None:
    code = "tacenda.uninstall() if 'guard' in globals() else 0\nos.write(saved, EMAIL.encode())"
    _, guarded = run(case, code, ">out", tmp_path / "out")
    assert EMAIL in guarded


def test_where_standard_output_is_left_alone_so_are_its_copies(case: Case, tmp_path: Path) -> None:
    install = INSTALL.replace("install()", "install(stdout='output')")
    code = "os.write(saved, EMAIL.encode())"
    output = case.run(HEAD + install + code, guard=False, shell=">out 2>&1")
    assert EMAIL in written(output, tmp_path / "out")
