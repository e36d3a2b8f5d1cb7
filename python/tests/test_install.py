"""Installing, uninstalling, and what `status` says."""

from __future__ import annotations

import builtins
import logging
import os
import stat
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
import tacenda
from cases import EMAIL, SSN, Case


def hooked() -> list[object]:
    return [
        logging.Logger.handle,
        logging.Handler.format,
        sys.stdout,
        sys.stderr,
        os.write,
        threading.Thread.start,
        os.environ.get("TMPDIR"),
        os.environ.get("PYTHONPATH"),
        os.environ.get("TACENDA_POLICY"),
        list(sys.meta_path),
        builtins.print,
    ]


def test_uninstall_puts_everything_back() -> None:
    before = hooked()
    umask = os.umask(0o022)
    guard = tacenda.install()
    assert tacenda.install() is guard, "a second call changes nothing"
    assert hooked() != before
    tacenda.uninstall()
    tacenda.uninstall()
    assert hooked() == before
    assert os.umask(umask) == 0o022
    assert not tacenda.status().installed


def test_status_names_what_is_covered_and_what_is_not() -> None:
    with tacenda.install():
        status = tacenda.status()
        states = {item.channel: item.state for item in status.coverage}
        assert states["logging records"] == "covered"
        assert states["http.server requests"] in ("covered", "waiting")
        assert status.environment == "production"
        assert any("files" in name for name in status.not_covered)
        assert "covered" in str(status)
    assert "not installed" in str(tacenda.status())


def test_a_wrong_policy_file_installs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tacenda.toml"
    path.write_text("[actions]\npersonl = 'mask'\n")
    before = hooked()
    with pytest.raises(tacenda.PolicyError) as raised:
        tacenda.install(config=path)
    assert hooked() == before
    what, where, hint = str(raised.value).splitlines()
    assert "`personl`" in what
    assert where.endswith("tacenda.toml:2:1")
    assert hint == "hint: did you mean `personal`?"


@pytest.mark.parametrize(
    "policy", ["[detectors]\ndisable = ['emial']\n", "[keys]\nfile = 'nowhere'\n"]
)
def test_a_name_that_leads_nowhere_is_an_error(tmp_path: Path, policy: str) -> None:
    path = tmp_path / "tacenda.toml"
    path.write_text(policy)
    with pytest.raises(tacenda.PolicyError, match=r"emial|nowhere"):
        tacenda.install(config=path)


@pytest.mark.parametrize(
    "end",
    ["os._exit(0)", "os.kill(os.getpid(), signal.SIGTERM)", "os.kill(os.getpid(), signal.SIGKILL)"],
)
def test_temporary_files_go_however_the_process_ends(case: Case, end: str) -> None:
    code = f"""
import os, pathlib, signal, sys, tempfile
pathlib.Path(tempfile.gettempdir(), "left").write_text("x")
print(tempfile.gettempdir(), flush=True)
{end}
"""
    tmpdir = Path(case.run(code, guard=True).stdout.strip())
    # Whoever reads the output sees its end when the filter has ended, which removes it last.
    deadline = time.monotonic() + 10
    while tmpdir.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tmpdir.name.startswith("tacenda-")
    assert not tmpdir.exists()


def test_redact_takes_text() -> None:
    with pytest.raises(TypeError, match="takes text, not int"):
        tacenda.redact(3)  # type: ignore[arg-type]
    assert tacenda.redact(EMAIL) == tacenda.redact(EMAIL), "one key, installed or not"


def test_the_policy_decides(tmp_path: Path) -> None:
    path = tmp_path / "tacenda.toml"
    path.write_text("[actions]\npersonal = 'partial'\n")
    with tacenda.install(config=path):
        assert tacenda.redact(f"mail {EMAIL}") == "mail [email …@example.com]"


def test_files_are_private(case: Case) -> None:
    code = """
import os, pathlib, tempfile
pathlib.Path("cache.safetensors").write_text("x")
print(oct(os.stat("cache.safetensors").st_mode & 0o777), tempfile.gettempdir())
pathlib.Path(tempfile.gettempdir(), "left").write_text("x")
"""
    mode, tmpdir = case.run(code, guard=True).stdout.split()
    assert mode == "0o600"
    assert tmpdir != tempfile.gettempdir()
    assert not Path(tmpdir).exists(), "removed at exit"
    assert stat.S_IMODE(Path(tempfile.gettempdir()).stat().st_mode) != 0


def test_an_unknown_release_is_reported_and_breaks_nothing(case: Case) -> None:
    code = """
import sys, types
for name in ("mlx", "mlx.core", "mlx_lm", "mlx_lm.tokenizer_utils", "mlx_lm.generate",
             "transformers", "transformers.tokenization_utils_base"):
    sys.modules[name] = types.ModuleType(name)
import tacenda
tacenda.install()
print([item.channel for item in tacenda.status().missing])
"""
    output = case.run(code, guard=False)
    assert output.returncode == 0, output.text
    for channel in (
        "mlx.core.array",
        "mlx-lm completions",
        "mlx-lm prompts",
        "transformers tokenizers",
    ):
        assert channel in output.stdout


@pytest.mark.parametrize(
    "start",
    [
        "import multiprocessing as m; p = m.get_context('fork').Process(target=work); p.start(); p.join()",
        "import multiprocessing as m; p = m.get_context('spawn').Process(target=work); p.start(); p.join()",
        "import multiprocessing as m; p = m.get_context('forkserver').Process(target=work); p.start(); p.join()",
        "import concurrent.futures as f; f.ProcessPoolExecutor(1).submit(work).result()",
        "import os; pid = os.fork()\n    if pid == 0: work(); sys.stdout.flush(); os._exit(0)\n    os.waitpid(pid, 0)",
        "import subprocess; subprocess.run([sys.executable, '-c', f'print({EMAIL!r})'])",
        "import os; os.execv(sys.executable, [sys.executable, '-c', f'import sys; print({EMAIL!r}, file=sys.stderr)'])",
    ],
)
def test_python_children_are_guarded(case: Case, start: str) -> None:
    code = f"""
import logging, sys
def work():
    print("child says", EMAIL, flush=True)
    logging.error("child logs %s", EMAIL)
if __name__ == "__main__":
    {start}
"""
    case.leak(code, EMAIL)


def test_a_project_sitecustomize_still_runs(case: Case, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("print('project site')\n")
    code = """
import os, subprocess, sys
path = os.environ.get("PYTHONPATH")
env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [path, "site"]))}
subprocess.run([sys.executable, "-c", "print('main', EMAIL)".replace("EMAIL", repr(SSN))], env=env)
"""
    output = case.run(code, guard=True)
    assert "project site" in output.stdout
    assert "main" in output.stdout
    assert SSN not in output.stdout


def test_threads_that_write_and_forks_do_not_block_each_other(case: Case) -> None:
    code = """
import logging, os, sys, threading, time
logging.basicConfig(level=logging.INFO)
stop = threading.Event()
def write():
    while not stop.is_set():
        print("x", end="", flush=True)
        logging.info("y")
for _ in range(3):
    threading.Thread(target=write, daemon=True).start()
for _ in range(40):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
stop.set()
sys.stderr.write("all forks came back\\n")
os._exit(0)
"""
    output = case.run(code, guard=True)
    assert "all forks came back" in output.stderr


def test_there_is_no_child_to_wait_for(case: Case) -> None:
    code = """
import os, subprocess, time
subprocess.run(["true"])
try:
    while True:
        os.wait()
except ChildProcessError:
    print("none left")
"""
    assert case.run(code, guard=True).stdout == "none left\n"


def test_redirected_and_closed_descriptors_are_the_applications(case: Case) -> None:
    code = """
import os
os.closerange(3, 256)
with open("data.db", "w") as database:
    fds = [os.open("data.db", os.O_RDWR) for _ in range(20)]
    print("to stdout", flush=True)
log = os.open("moved.log", os.O_WRONLY | os.O_CREAT)
os.dup2(log, 1)
print("mail " + EMAIL, flush=True)
os.write(2, open("data.db", "rb").read() + open("moved.log", "rb").read())
"""
    output = case.run(code, guard=True)
    assert output.stdout == "to stdout\n"
    assert output.stderr.startswith("mail [email #")


def test_a_handler_outlives_the_guard(case: Case) -> None:
    code = """
import logging
tacenda.install()
logging.basicConfig(level=logging.INFO, format="%(message)s")
logging.info("mail %s", EMAIL)
tacenda.uninstall()
logging.info("and after")
"""
    lines = case.run("import tacenda\n" + code, guard=False).stderr.splitlines()
    assert lines[0].startswith("mail [email #")
    assert lines[1:] == ["and after"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("raise KeyboardInterrupt", -2),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15),
        ("import sys; sys.exit(7)", 7),
        ("import os; os._exit(9)", 9),
        ("import os; os.abort()", -6),
    ],
)
def test_the_exit_status_stays(case: Case, code: str, status: int) -> None:
    assert case.run(code, guard=False).returncode == status
    assert case.run(code, guard=True).returncode == status


def test_installing_again_and_again_takes_no_more_descriptors(case: Case) -> None:
    code = """
import gc, logging, os, tacenda
def count():
    gc.collect()
    return len(os.listdir("/dev/fd"))
for turn in range(9):
    with tacenda.install(stdout="log"):
        if turn == 1:
            kept = logging.StreamHandler()
            before = count()
        os.system(f"echo a child says {EMAIL}")
        print("inside", EMAIL, flush=True)
    if turn > 1:
        kept.emit(logging.makeLogRecord({"msg": f"kept {turn}"}))
with tacenda.install(stdout="log"):
    assert count() <= before + 1, (count(), before)
print("outside", flush=True)
"""
    output = case.run(code, guard=False)
    assert output.returncode == 0, output.stderr
    assert EMAIL not in output.text
    assert output.stdout.count("inside [email") == 9
    assert output.stdout.count("a child says [email") == 9
    assert output.stdout.count("outside") == 1
    assert output.stderr.splitlines() == [f"kept {turn}" for turn in range(2, 9)]


def test_without_descriptors_nothing_is_installed(case: Case) -> None:
    code = """
import os, resource, sys, tacenda
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
held = []
try:
    while True: held.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
outcomes = set()
for _ in range(16):
    try:
        with tacenda.install(stdout="log"):
            missing = {item.channel for item in tacenda.status().missing}
            assert not any("native" in channel for channel in missing), missing
            outcomes.add("installed")
    except OSError as error:
        outcomes.add(error.strerror)
    except tacenda.PolicyError:
        outcomes.add("no policy")
    assert not tacenda.status().installed
    os.close(held.pop())
os.write(2, repr(sorted(outcomes)).encode())
"""
    output = case.run(code, guard=False)
    assert output.returncode == 0, output.stderr
    assert "Too many open files" in output.stderr
    assert "installed" in output.stderr


def test_a_directory_for_temporary_files_that_is_none_is_passed_over(case: Case) -> None:
    code = """
import os, tempfile
os.environ["TMPDIR"] = "/nonexistent"
import tacenda
with tacenda.install():
    states = {item.channel: item.state for item in tacenda.status().coverage}
    assert states["temporary files"] == "covered", states
    assert os.path.isdir(os.environ["TMPDIR"])
    assert tempfile.gettempdir() == os.environ["TMPDIR"]
assert os.environ["TMPDIR"] == "/nonexistent"
"""
    output = case.run(code, guard=False)
    assert output.returncode == 0, output.stderr
