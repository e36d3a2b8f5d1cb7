"""Standard streams: print, partial lines, bytes, raw writes."""

from __future__ import annotations

import re
import time

import pytest
from cases import CARD, EMAIL, PROMPT, SSN, Case, Output


@pytest.mark.parametrize(
    "write",
    [
        "print('mail', EMAIL)",
        "print('mail', EMAIL, file=sys.stderr)",
        "print('mail', EMAIL, end='')",
        "print(EMAIL, sep='', end='\\r')",
        "[print(c, end='') for c in EMAIL]",
        "[print(c, end='', flush=True) for c in EMAIL]",
        "sys.stdout.writelines([EMAIL, '\\n'])",
        "sys.stdout.buffer.write(EMAIL.encode() + b'\\n')",
        "[sys.stderr.buffer.write(bytes([b])) for b in EMAIL.encode()]",
        "sys.__stdout__.write(EMAIL + '\\n')",
        "sys.stdout.buffer.raw.write(EMAIL.encode() + b'\\n')",
        "raw = sys.stdout.detach(); sys.stdout = None; raw.write(EMAIL.encode() + b'\\n'); raw.flush()",
        "os.write(1, EMAIL.encode())",
        "os.write(2, EMAIL.encode())",
        "import warnings; warnings.warn(EMAIL)",
        "raise ValueError(EMAIL)",
        "import threading; t = threading.Thread(target=lambda: {}[EMAIL]); t.start(); t.join()",
        "import traceback\ntry: {}[EMAIL]\nexcept KeyError: traceback.print_exc()",
        "import asyncio\nasync def main(): asyncio.get_running_loop().call_soon(lambda: {}[EMAIL]); await asyncio.sleep(0)\nasyncio.run(main())",
        "class D:\n  def __del__(self): {}[EMAIL]\nd = D(); del d",
        "import atexit; atexit.register(lambda: print(EMAIL))",
        "sys.exit(EMAIL)",
        "import logging; h = logging.StreamHandler(sys.stdout); logging.getLogger().addHandler(h); logging.warning(EMAIL)",
    ],
)
def test_every_way_to_write(case: Case, write: str) -> None:
    case.leak("import os, sys\n" + write, EMAIL)


def test_what_is_clean_comes_out_byte_for_byte(case: Case) -> None:
    code = """
import sys
print("Loading model 3/7 ...", end="", flush=True)
print(" done")
for i in range(3):
    print(f"\\r{i}/3 |###   | 12.5it/s", end="", file=sys.stderr, flush=True)
print(file=sys.stderr)
sys.stdout.write("na\\u00efve \\U0001f600 \\x1b[31mred\\x1b[0m\\n")
sys.stdout.flush()
sys.stdout.buffer.write(bytes(range(128, 140)))
"""
    import os
    import subprocess
    import sys

    outputs = []
    for head in ("", "import tacenda; tacenda.install()\n"):
        done = subprocess.run(
            [sys.executable, "-c", head + code],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
        outputs.append((done.stdout, done.stderr))
    assert outputs[0] == outputs[1]


def test_a_prompt_without_a_line_end_is_shown_soon(case: Case) -> None:
    code = """
import io, sys, time
shown = io.StringIO()
sys.stdout = shown
import tacenda
tacenda.install(stdout="log")
print("Your name: ", end="", flush=True)
deadline = time.monotonic() + 10
while not shown.getvalue() and time.monotonic() < deadline:
    time.sleep(0.01)
sys.__stderr__.write(repr(shown.getvalue()))
"""
    assert "'Your name: '" in case.run(code, guard=False).stderr


def test_surrogates_and_odd_text_survive(case: Case) -> None:
    code = """
import sys
sys.stdout.reconfigure(errors="backslashreplace")
print("file \\udcff name")
print("mail", EMAIL, "\\udcfe")
sys.stdout.flush()
"""
    guarded = case.run(code, guard=True)
    assert guarded.returncode == 0, guarded.text
    assert "file \\udcff name" in guarded.stdout
    assert EMAIL not in guarded.text


def test_isinstance_and_attributes_still_work(case: Case) -> None:
    code = """
import io, sys
assert isinstance(sys.stdout, io.TextIOBase)
assert sys.stdout.fileno() == 1 and sys.stdout.encoding and not sys.stdout.isatty()
assert sys.stdout.writable() and not sys.stdout.closed
with_attribute = sys.stdout.reconfigure
sys.stdout.custom = 1
try:
    sys.stdout.write(1)
except TypeError as error:
    print(error)
"""
    assert "must be str" in case.run(code, guard=True).stdout


def test_protected_text_printed_piece_by_piece(case: Case) -> None:
    code = """
import json
tacenda.protect(PROMPT)
for word in PROMPT.split(" "):
    print(word, end=" ", flush=True)
print()
for i in range(0, len(PROMPT), 20):
    print(PROMPT[i:i + 20])
"""
    bare = case.run(code, guard=False)
    assert "canary" in bare.stdout
    guarded = case.run(code, guard=True)
    for word in ("heron", "canary", "wharf"):
        assert word not in guarded.stdout, guarded.stdout


def test_output_of_a_program_is_left_alone_where_the_policy_says_so(case: Case) -> None:
    code = "print(EMAIL); import sys; print(SSN, file=sys.stderr)"
    head = "import tacenda; tacenda.install(stdout='output')\n"
    output = case.run(head + code, guard=False)
    assert EMAIL in output.stdout
    assert SSN not in output.stderr


def test_cards_and_numbers(case: Case) -> None:
    guarded = case.leak("print('card', CARD, 'took 12.5 ms at 2026-11-21 02:37:40,123')", CARD)
    assert "took 12.5 ms at 2026-11-21 02:37:40,123" in guarded.stdout
    assert PROMPT not in guarded.stdout


NATIVE = """
import ctypes, subprocess, sys
libc = ctypes.CDLL(None)
libc.dprintf(2, b"native %s\\n", EMAIL.encode())
libc.printf(b"buffered %s\\n", EMAIL.encode())
subprocess.run(["echo", "other program", EMAIL])
subprocess.run(["sh", "-c", f"echo {EMAIL} >&2"])
subprocess.run([sys.executable, "-c", "import os, sys; os.write(1, sys.argv[1].encode())", EMAIL])
"""


def test_native_writes_and_other_programs(case: Case) -> None:
    guarded = case.leak(NATIVE, EMAIL)
    assert guarded.stdout.count("[email #") == 3
    assert guarded.stderr.count("[email #") == 2


def test_the_last_words_of_a_crash_are_not_lost(case: Case) -> None:
    code = """
import ctypes, os, signal
ctypes.CDLL(None).dprintf(2, b"terminate called: %s\\n", EMAIL.encode())
print("said before", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    guarded = case.leak(code, EMAIL)
    assert "terminate called: [email #" in guarded.stderr
    assert guarded.stdout == "said before\n"


def test_what_another_program_reads_is_left_alone(case: Case) -> None:
    code = """
import subprocess, sys
child = "import sys; print(sys.argv[1]); print(sys.argv[1], file=sys.stderr)"
done = subprocess.run([sys.executable, "-c", child, EMAIL], capture_output=True, text=True)
assert done.stdout == EMAIL + "\\n", done.stdout
print("data arrived:", done.stdout.replace("@", " at "), done.stderr)
"""
    guarded = case.run(code, guard=True)
    assert "data arrived: jane.roe.canary at example.com" in guarded.stdout, guarded.text
    assert EMAIL not in guarded.text


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_closed_descriptor_opens_no_way_round(case: Case, closed: str) -> None:
    code = """
import ctypes, os
libc = ctypes.CDLL(None)
for fd in (1, 2):
    libc.dprintf(fd, b"native %d %s\\n", fd, EMAIL.encode())
os.system("echo other program " + EMAIL)
"""
    bare, guarded = (
        case.run(code, guard=guard, shell=closed).text.replace(EMAIL, "[email]")
        for guard in (False, True)
    )
    lines = [
        re.sub(r"#[0-9a-f]+", "", line).replace("email ", "email") for line in guarded.splitlines()
    ]
    assert sorted(lines) == sorted(bare.splitlines())
    assert EMAIL not in guarded


def test_unbuffered_output_is_there_at_once(case: Case) -> None:
    code = """
import os, signal, sys
print("first", flush=False)
print("second", end="\\n", file=sys.stderr)
os.kill(os.getpid(), signal.SIGKILL)
"""
    guarded = case.run(code, guard=True, options=("-u",))
    assert (guarded.stdout, guarded.stderr) == ("first\n", "second\n")


@pytest.mark.parametrize(
    "end", ["os._exit(0)", "os.execvp('true', ['true'])", "os.fork() or os._exit(0); os.wait()"]
)
def test_flushed_text_is_out_once_however_the_process_ends(case: Case, end: str) -> None:
    code = f"import os; print('partial', end='', flush=True); {end}"
    assert case.run(code, guard=True).stdout == "partial"


def test_a_child_by_fork_can_write_whatever_the_other_threads_were_writing(case: Case) -> None:
    code = """
import os, signal, sys, threading
def noise():
    while True:
        for _ in range(7):
            print("x" * 3000)
        sys.stdout.flush()
for _ in range(4):
    threading.Thread(target=noise, daemon=True).start()
for _ in range(150):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        for _ in range(6):
            print("y" * 3000)
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        print("a child hung", file=sys.stderr)
        break
os._exit(0)
"""
    assert case.run(code, guard=True, shell=">/dev/null").stderr == ""


def test_a_child_by_fork_ends_with_the_thread_that_has_forked_it(case: Case) -> None:
    # Our thread writes what was flushed there, and then does not keep the child.
    code = """
import os, sys, threading, time
def forks():
    child = os.fork()
    if child == 0:
        for part in ("part", "ial"):
            print(part, end="", flush=True, file=sys.stderr)
            time.sleep(0.5)
        return
    for _ in range(600):
        if os.waitpid(child, os.WNOHANG)[0]: break
        time.sleep(0.05)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        print("it hangs", file=sys.stderr)
thread = threading.Thread(target=forks)
thread.start()
thread.join()
"""
    bare, guarded = (case.run(code, guard=guard) for guard in (False, True))
    assert bare == Output("", "partial", 0)
    assert guarded == bare


@pytest.mark.parametrize(
    "number", ["", "def fileno(self): return 1", "def fileno(self): return 'x'"]
)
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_stream_of_the_programs_own_that_was_there_before(
    case: Case, name: str, number: str
) -> None:
    code = f"""
import sys
class Log:
    def __init__(self, stream): self.stream, self.file = stream, open("own.log", "w")
    def write(self, text): self.stream.write(text); self.file.write(text); self.file.flush()
    def flush(self): pass
    {number}
sys.{name} = Log(sys.{name})
if GUARDED:
    import tacenda
    tacenda.install(stdout="log")
print("for", EMAIL, file=sys.{name}, flush=True)
print("and", EMAIL, file=sys.{name})
sys.__{name}__.write(open("own.log").read())
"""
    bare, guarded = (case.run(f"GUARDED = {flag}\n{code}", guard=False) for flag in (False, True))
    assert bare.text.count(EMAIL) >= 3
    assert guarded.returncode == 0, guarded.text
    assert EMAIL not in guarded.text
    assert guarded.text.count("for [email") == 2


def test_a_shell_pipe_is_a_log(case: Case) -> None:
    code = """
import os, sys
child = "import sys; print(sys.argv[1])"
os.system(f"{sys.executable} -c '{child}' {EMAIL} | cat > copy.log")
os.write(1, open("copy.log", "rb").read())
print(open("copy.log").read().replace("@", " at "))
"""
    guarded = case.leak(code, EMAIL)
    assert "canary at" not in guarded.stdout


def test_bytes_stay_bytes(case: Case) -> None:
    code = """
import sys
sys.stdout.reconfigure(encoding="latin-1")
sys.stdout.buffer.write(b"na\\xc3\\xafve\\n")
sys.stdout.flush()
try:
    sys.stdout.buffer.write(3)
except TypeError:
    print("no bytes")
"""
    assert case.run(code, guard=True).stdout == "na\u00efve\nno bytes\n"


def test_a_line_that_has_begun_outlives_no_protection(case: Case) -> None:
    code = """
import sys
with tacenda.protect(PROMPT):
    sys.stderr.write("asked: " + PROMPT)
sys.stderr.write("\\n")
"""
    case.leak(code, "canary wharf")


SLOW_END = """
import io, sys, threading, time
class Slow(io.StringIO):
    def write(self, text):
        time.sleep(0.1)
        return len(text)
class End:
    def __del__(self): self.sleep(0.5)
    sleep = staticmethod(time.sleep)
sys.last = End()
"""


def test_a_thread_that_writes_while_the_interpreter_ends_does_no_harm(case: Case) -> None:
    # The thread waits for the interpreter, which ends it there: below it, nothing may be in the way.
    code = """
import tacenda
sys.stdout = Slow()
tacenda.install(stdout="log")
threading.Thread(target=lambda: [print("tick", flush=True) for _ in range(99)], daemon=True).start()
"""
    for _ in range(3):
        assert case.run(SLOW_END + code, guard=False).returncode == 0


def test_no_thread_of_ours_outlives_the_exit_handlers(case: Case) -> None:
    code = """
import atexit, os, threading
atexit.register(lambda: os.write(2, repr(threading.enumerate()).encode()))
import tacenda
tacenda.install(stdout="log")
print("a line that has begun", end="", flush=True)
assert "tacenda-idle" in repr(threading.enumerate())
"""
    output = case.run(code, guard=False)
    assert "MainThread" in output.stderr
    assert "tacenda-idle" not in output.stderr
    assert output.stdout == "a line that has begun"


def test_raw_writes_take_what_the_original_takes(case: Case) -> None:
    code = """
import os, sys
from array import array
print([os.write(1, data) for data in (b"a\\n", bytearray(b"b\\n"), array("I", [10, 10]))], file=sys.stderr)
for data in (5, [65, 10]):
    try: os.write(1, data)
    except TypeError: print("refused", file=sys.stderr)
os.close(1)
fd = os.open("data.bin", os.O_CREAT | os.O_WRONLY)
assert fd == 1, fd
os.write(fd, b"not for a log\\n")
os.close(fd)
print(open("data.bin").read(), file=sys.stderr)
"""
    bare, guarded = (case.run(code, guard=guard, options=("-u",)) for guard in (False, True))
    assert guarded == bare


def test_raw_writes_from_a_signal_handler_do_not_fail(case: Case) -> None:
    code = """
import os, signal, sys, threading, time
ticks = 0
def on_alarm(*_):
    global ticks
    ticks += 1
    os.write(2, b"tick of " + EMAIL.encode() + b"\\n")
    sys.stderr.buffer.raw.write(b"tock\\n")
signal.signal(signal.SIGALRM, on_alarm)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
end = time.time() + 1.5
while time.time() < end:
    os.write(2, b"a line of the program\\n" * 9)
    sys.stderr.write("and one by its stream\\n")
signal.setitimer(signal.ITIMER_REAL, 0)
assert ticks > 99, ticks
"""
    output = case.run(code.replace("sys.stderr.write(", "print(end="), guard=True)
    assert output.returncode == 0, output.stderr[-2000:]
    output = case.run(code.replace('    sys.stderr.write("', '    ("'), guard=True)
    assert output.returncode == 0, output.stderr[-2000:]
    assert EMAIL not in output.text
    assert output.stderr.count("tick of [email") > 99


@pytest.mark.parametrize(
    "code",
    [
        "print('first'); print('held', end=''); os.write(1, b'raw\\n'); print(' end')",
        "print('first', flush=True); print('more', end='', flush=True); os.write(1, b' raw\\n')",
        "print('held', end=''); os.write(1, b'raw '); time.sleep(0.2); print(' end')",
        "os.write(1, b'raw '); print('then', flush=True); os.write(1, b'again\\n'); print('last')",
        "os.write(2, b'raw '); sys.stderr.write('then\\n'); os.write(2, b'again'); print('last')",
        "sys.stdout.buffer.write(b'held '); os.write(1, b'raw '); sys.stdout.buffer.write(b'end')",
        "os.writev(1, [b'raw ', b'', b'more']); os.writev(1, []); print('end')",
    ],
)
def test_raw_writes_pass_what_is_in_a_buffer(case: Case, code: str) -> None:
    bare, guarded = (case.run("import os, sys, time\n" + code, guard=g) for g in (False, True))
    assert guarded == bare


@pytest.mark.parametrize(
    "code",
    [
        "os.write(1, EMAIL[:9].encode()); print(EMAIL[9:], flush=True)",
        "print(EMAIL[:9], end='', flush=True); os.write(1, EMAIL[9:].encode())",
        "os.write(2, EMAIL[:9].encode()); print(EMAIL[9:], file=sys.stderr)",
        "os.write(1, EMAIL[:9].encode()); sys.stdout.buffer.write(EMAIL[9:].encode())",
    ],
)
def test_a_value_by_two_ways_to_one_descriptor(case: Case, code: str) -> None:
    case.leak("import os, sys\n" + code, EMAIL)


def test_a_raw_write_to_a_full_pipe_that_does_not_block(case: Case) -> None:
    code = """
import os, sys, time
read, write = os.pipe()
os.set_blocking(write, False)
os.dup2(write, 1)
import tacenda
tacenda.install(stdout="log")
taken = 0
try:
    while True:
        taken += os.write(1, b"x" * 999 + b"\\n")
except BlockingIOError:
    pass
os.set_blocking(read, False)
seen = b""
end = time.time() + 20
while time.time() < end and seen.count(b"x") < taken - taken // 1000:
    try:
        seen += os.read(read, 1 << 20)
    except BlockingIOError:
        os.write(1, b"y\\n")
print(seen.count(b"x"), taken - taken // 1000, seen.count(b"x" * 999), file=sys.stderr)
"""
    output = case.run(code, guard=False)
    assert output.returncode == 0, output.stderr
    one, other, lines = output.stderr.split()
    assert one == other
    assert int(lines) * 999 == int(one)


def test_wrong_arguments_are_told_as_the_interpreter_tells_them(case: Case) -> None:
    code = """
import os, sys
tries = (
    *((sys.stdout.write, (data,)) for data in (b"", b"x", 1, None, [])),
    *((sys.stdout.buffer.write, (data,)) for data in ("x", None, 1)),
    *((os.write, args) for args in ((1, "x"), (1, None), (1,), ([], b"x"), ("1", b""), (1.5, b""))),
    (os.write, (1, memoryview(b"abcd")[::2])), (os.write, (1, b"")), (os.writev, (1, 5)),
    (os.writev, (1, ["x"])), (os.writev, (1,)), (os.writev, (1, b"x")), (os.write, (99, b"x")),
)
for function, args in tries:
    try: print(repr(function(*args)), file=sys.stderr)
    except Exception as error: print(repr(error), file=sys.stderr)
"""
    bare, guarded = (case.run(code, guard=guard) for guard in (False, True))
    assert guarded == bare


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.stdout.write('no newline'); sys.stdout.close()",
        "import sys; sys.stdout.write('no newline'); sys.stdout.flush(); import os; os._exit(3)",
        "import sys; print(sys.stdout.name, sys.stdout.mode, sys.stdout.encoding)",
    ],
)
def test_a_stream_is_what_applications_expect(case: Case, code: str) -> None:
    bare, guarded = (case.run(code, guard=guard) for guard in (False, True))
    assert guarded == bare


def test_a_failed_exec_is_not_the_end(case: Case) -> None:
    code = """
import os
try: os.execvp("no-such-program", ["x"])
except OSError: pass
print("mail " + EMAIL[:8], end="", flush=True)
print(EMAIL[8:])
"""
    assert case.leak(code, EMAIL).stdout.startswith("mail [email")


def test_the_streams_are_of_the_class_that_programs_ask_for(case: Case) -> None:
    code = """
import copy, io, sys
for stream in (sys.stdout, sys.stderr):
    assert isinstance(stream, io.TextIOWrapper)
    assert isinstance(stream, io.TextIOBase)
    stream.reconfigure(errors="backslashreplace")
sys.stdout.write("mail " + EMAIL + "\\n")
sys.stdout = io.StringIO()
assert not isinstance(sys.stdout, io.TextIOWrapper)
"""
    output = case.run(code, guard=True)
    assert output.returncode == 0, output.stderr
    assert output.stdout.startswith("mail [email #")


@pytest.mark.parametrize(
    "close",
    [
        "[os.close(fd) for fd in (0, 1, 2)]",
        "os.closerange(0, 3)",
        "os.closerange(0, 256)",
    ],
)
def test_a_daemon_that_closes_its_outputs_holds_nobody_up(case: Case, close: str) -> None:
    code = f"""
import os, sys, time
print("started", flush=True)
print("begun", end="", flush=True)
if os.fork() == 0:
    os.setsid()
    {close}
    time.sleep(20)
    os._exit(0)
"""
    started = time.monotonic()
    guarded = case.run(code, guard=True)
    assert time.monotonic() - started < 15
    assert guarded.stdout == "started\nbegun"


def test_what_python_writes_follows_a_descriptor_that_is_opened_anew(case: Case) -> None:
    code = """
import os, sys
def status(fd):
    channel = f"native writes to fd {fd}"
    return [item.state for item in tacenda.status().coverage if item.channel == channel]
assert status(1) == status(2) == ["covered"]
os.close(1)
assert status(1) == ["off"]
try:
    print("nowhere", flush=True)
except OSError as error:
    print(error, file=sys.stderr)
assert os.open("new.log", os.O_WRONLY | os.O_CREAT) == 1
print("for", EMAIL, flush=True)
saved = os.dup(2)
os.dup2(1, 2)
assert status(2) == ["off"]
os.dup2(saved, 2)
assert status(2) == ["covered"]
sys.stderr.write(open("new.log").read())
"""
    guarded = case.run("import tacenda\ntacenda.install(stdout='log')\n" + code, guard=False)
    assert guarded.returncode == 0, guarded.text
    assert "Bad file descriptor" in guarded.stderr
    assert "for [email" in guarded.stderr
    assert EMAIL not in guarded.text


def test_a_handler_that_fails_while_nobody_waits_ends_no_letting_go(case: Case) -> None:
    code = """
import io, logging, sys, time
shown = io.StringIO()
sys.stdout = shown
import tacenda
tacenda.install(stdout="log")
from tacenda import _protect
class Fails(logging.Filter):
    def filter(self, record):
        raise RuntimeError("its own")
core = _protect.core_in_use()
id = core.open_completion()
core.extend_completion(id, "Hello")
log = logging.getLogger("app")
log.setLevel(logging.DEBUG)
log.debug("Hello")
log.addFilter(Fails())  # the summary of what was logged meets it in a thread of ours
time.sleep(2.5)
print("Your name: ", end="", flush=True)
deadline = time.monotonic() + 10
while not shown.getvalue() and time.monotonic() < deadline:
    time.sleep(0.01)
sys.stderr.write(shown.getvalue())
"""
    output = case.run(code, guard=False)
    assert output.stderr == "Your name: ", output.text


def test_an_array_that_is_printed_over_several_lines(case: Case) -> None:
    pytest.importorskip("numpy")
    code = """
import numpy, sys
values = numpy.arange(40.0) * 1.2345 - 17
ids = numpy.array([151644, 872, 198, 3838, 374, 279, 6722, 315] * 4)
print(values)
print("ids:", ids, file=sys.stderr)
print(values.reshape(4, 10).tolist()[0][:3], "three are none")
print("[" * 100_000)
"""
    guarded = case.run("import tacenda\ntacenda.install(stdout='log')\n" + code, guard=False)
    assert "three are none" in guarded.stdout, guarded.stderr
    assert not re.search(r"3838|6722|\d\.\d{4,}.*\d\.\d{4,}.*\d\.\d{4,}.*\d\.\d{4,}", guarded.text)


def test_a_completion_by_native_code_token_by_token(case: Case) -> None:
    code = """
    import ctypes, time
    tokens = ["My", " heron", " is", " the", " teal", " one", ",", " it", " hums", " at", " dawn"]
    try:
        from tacenda._protect import core_in_use
        core = core_in_use()
    except ImportError:
        core = None
    id = core and core.open_completion()
    write = ctypes.CDLL(None).write
    for token in tokens:
        if core:
            core.extend_completion(id, token)
        write(2, token.encode(), len(token))
        time.sleep(0.07)
    write(2, b"\\n", 1)
    """
    guarded = case.leak(code, "My heron", "is the teal")
    assert "[completion " in guarded.stderr


def test_who_holds_a_line_again_soon_wakes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from tacenda.hooks import idle

    class Held:
        def __init__(self) -> None:
            self.let_go = threading.Event()

        def idle(self) -> bool:
            self.let_go.set()
            return False

    monkeypatch.setattr(idle, "AWAKE", 600.0, raising=False)
    idler = idle.Idler()
    first, second = Held(), Held()
    idler.hold(first)  # type: ignore[arg-type]
    assert first.let_go.wait(60)
    wakes = []
    notify = idler._wake.notify
    monkeypatch.setattr(idler._wake, "notify", lambda: wakes.append(notify()))
    idler.hold(second)  # type: ignore[arg-type]
    assert second.let_go.wait(60)
    assert not wakes
    idler.stop()
