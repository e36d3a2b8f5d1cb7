"""Protected values in what is written past Python: the filter of the descriptors knows them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cases import PROMPT, Case

TACENDA = Path(sys.executable).with_name("tacenda")

NATIVE = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
def native(text):
    data = text.encode() + b"\\n"
    libc.write(2, data, len(data))
"""


@pytest.mark.parametrize(
    "work",
    [
        "work()",
        "pid = os.fork()\n    if pid == 0: work(); os._exit(0)\n    os.waitpid(pid, 0)",
        "import multiprocessing as m; p = m.get_context('spawn').Process(target=work); p.start(); p.join()",
        "import threading; t = threading.Thread(target=work); t.start(); t.join()",
    ],
)
def test_whoever_protects_a_value_the_filter_finds_it(case: Case, work: str) -> None:
    code = f"""
{NATIVE}
try:
    import tacenda
except ImportError:
    pass
def work():
    tacenda.protect(PROMPT)
    native("it says: " + PROMPT)
if __name__ == "__main__":
    {work}
"""
    assert "[prompt 69 chars" in case.leak(code, PROMPT).stderr


def test_a_value_that_the_parent_let_grow_is_found_in_the_child(case: Case) -> None:
    code = f"""
{NATIVE}
from tacenda import _guard
core = _guard._guard.core
id = core.open_completion()
core.extend_completion(id, PROMPT[:30])
pid = os.fork()
if pid == 0:
    core.extend_completion(id, PROMPT[30:])
    native("child: " + PROMPT)
    os._exit(0)
os.waitpid(pid, 0)
"""
    assert case.run(code, guard=True).stderr == "child: [completion 69 chars, 2 tokens]\n"


def test_a_value_is_known_before_what_follows_is_looked_at(case: Case) -> None:
    code = f"""
{NATIVE}
for n in range(2000):
    text = f"secret number {{n}} is {{n * 7919}} and nobody may read that one"
    tacenda.protect(text)
    native(text)
"""
    guarded = case.run(code, guard=True)
    assert "secret number" not in guarded.stderr
    assert guarded.stderr.count("[prompt") == 2000


def test_it_is_known_to_tacenda_run_as_well(tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text(
        f"{NATIVE}\nimport tacenda\n"
        "for n in range(1000):\n"
        "    text = f'secret number {n} is {n * 7919} and nobody may read that one'\n"
        "    tacenda.protect(text)\n"
        "    native(text)\n"
    )
    done = subprocess.run(
        [TACENDA, "run", "-q", "--", sys.executable, script],
        capture_output=True,
        text=True,
        timeout=300,
        env={k: v for k, v in os.environ.items() if not k.startswith("TACENDA_")},
        check=True,
    )
    assert "secret number" not in done.stderr
    assert done.stderr.count("[prompt") == 1000


def test_after_the_release_it_is_no_secret_any_more_and_before_it_was(
    case: Case, tmp_path: Path
) -> None:
    code = f"""
{NATIVE}
import pathlib, time
log = pathlib.Path("err.log")
for _ in range(20):
    with tacenda.protect(PROMPT):
        native("inside " + PROMPT)
native("done")
deadline = time.monotonic() + 60
while time.monotonic() < deadline and not log.read_text().endswith(PROMPT + "\\n"):
    native("after " + PROMPT)
    time.sleep(0.02)
"""
    case.run(code, guard=True, shell="2>err.log")
    lines = (tmp_path / "err.log").read_text().splitlines()
    before = lines[: lines.index("done")]
    assert len(before) == 20
    assert all(line.startswith("inside [prompt") for line in before)
    assert lines[-1].endswith(PROMPT), "released values are forgotten"


def test_without_the_filter_the_process_goes_on(case: Case) -> None:
    code = f"""
{NATIVE}
tacenda.protect(PROMPT)
def channel():
    return [item for item in tacenda.status().coverage if item.channel.endswith("native writes")]
print(channel()[0].state, flush=True)
os.unlink(os.environ["TACENDA_SHARE"])  # a child finds no filter then
pid = os.fork()
if pid == 0:
    tacenda.protect(PROMPT + " and more of it")
    print(PROMPT + " and more of it")
    print(channel()[0].state, flush=True)
    os._exit(0)
os.waitpid(pid, 0)
"""
    guarded = case.run(code, guard=True)
    assert PROMPT not in guarded.text
    assert [line for line in guarded.stdout.splitlines() if not line.startswith("[")] == [
        "covered",
        "missing",
    ]


def test_descriptors_that_the_application_closes_are_not_written_to(case: Case) -> None:
    code = f"""
{NATIVE}
import socket
tacenda.protect(PROMPT)
for fd in range(3, 200):
    libc.close(fd)
pairs = [socket.socketpair() for _ in range(20)]
tacenda.protect(PROMPT + " once more, and longer than before")
for one, other in pairs:
    for end in (one, other):
        end.setblocking(False)
        try:
            sys.exit(f"somebody else's: {{len(end.recv(9999))}} bytes")
        except BlockingIOError:
            pass
print("went on")
"""
    # Where the streams led before is gone, too: the standard streams are looked at no more.
    script = case.run(code, guard=True)
    assert "somebody else's" not in script.text


def test_the_socket_is_private_and_goes(case: Case) -> None:
    code = """
import os, stat
path = os.environ["TACENDA_SHARE"]
for name in (path, os.path.dirname(path)):
    print(oct(stat.S_IMODE(os.stat(name).st_mode)), end=" ")
print(path)
"""
    one, other, path = case.run(code, guard=True).stdout.split()
    assert (one, other) == ("0o600", "0o700")
    assert not Path(path).parent.exists(), "whoever reads the output to its end finds nothing left"


def test_children_of_a_program_that_has_ended_are_filtered_as_before(tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = tmp_path / "app.py"
    # The child reads the value from its arguments; only the parent has protected it.
    child = f"import os, sys, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
    child += "sys.stderr.write(sys.argv[1])\n"
    script.write_text(
        "import subprocess, sys, tacenda\n"
        f"tacenda.protect({PROMPT!r})\n"
        f"subprocess.Popen([sys.executable, '-I', '-c', {child!r}, {PROMPT!r}])\n"
    )
    process = subprocess.Popen(
        [TACENDA, "run", "-q", "--", sys.executable, script],
        stderr=subprocess.PIPE,
        env={k: v for k, v in os.environ.items() if not k.startswith("TACENDA_")},
        text=True,
    )
    assert process.wait(timeout=300) == 0
    go.write_text("")
    assert process.stderr is not None
    assert process.stderr.read().startswith("[prompt 69 chars")
    process.stderr.close()


@pytest.mark.parametrize("told", [True, False])
def test_a_guard_around_another_one_is_told_as_well(tmp_path: Path, told: bool) -> None:
    script = tmp_path / "app.py"
    script.write_text(
        f"{NATIVE}\nimport tacenda\ntacenda.protect({PROMPT!r})\nnative({PROMPT!r})\n"
    )
    script.write_text(script.read_text().replace("libc.write(2,", "libc.write(1,"))
    run = [str(TACENDA), "run", "--quiet"]
    forgets = [] if told else ["env", "-u", "TACENDA_SHARE"]
    # The inner one leaves standard output alone: only the outer one can find it there.
    inner = [*run, "--stdout", "output", "--", sys.executable, str(script)]
    command = [*run, "--stdout", "log", "--", *forgets, *inner]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert (PROMPT in done.stdout) is not told, done
