"""The sinks of a log, with `install()` and with `tacenda run`."""

from __future__ import annotations

import gzip
import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cases import EMAIL, PROMPT, Case
from tacenda._command import program_name

TACENDA = Path(sys.executable).with_name("tacenda")

# Through Python, past it, and by another program.
WAYS = """
import ctypes, logging, os, subprocess, sys
libc = ctypes.CDLL(None)
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
try:
    import tacenda
    tacenda.protect(PROMPT)
except ImportError:
    pass
for n in range(3):
    logging.error("python %d: %s %s", n, EMAIL, PROMPT)
    line = f"native {n}: {EMAIL} {PROMPT}\\n".encode()
    libc.write(2, line, len(line))
    subprocess.run(["sh", "-c", f'echo "child {n}: {EMAIL} {PROMPT}"'], check=True)
"""


def policy(folder: Path, sinks: str, more: str = "") -> None:
    (folder / "tacenda.toml").write_text(f"[guard]\nsinks = {sinks}\n{more}")


def test_install_leads_every_way_into_the_file(case: Case, tmp_path: Path) -> None:
    policy(tmp_path, "['file:log/app.log']")
    done = case.run(WAYS, guard=True)
    assert (done.text, done.returncode) == ("", 0)
    log = tmp_path / "log/app.log"
    wait_for_end(log, 9)
    text = log.read_text()
    assert EMAIL not in text
    assert PROMPT not in text
    assert text.count("[email") == text.count("[prompt") == 9
    assert (log.stat().st_mode & 0o777, log.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    # What Python and what C wrote to standard error is in its order.
    errors = [line[:14] for line in text.splitlines() if "child" not in line]
    assert [line.split(":")[0] for line in errors] == [
        word for n in range(3) for word in (f"ERROR python {n}", f"native {n}")
    ]


def wait_for_end(log: Path, lines: int) -> None:
    """The filter outlives the program by as long as it takes to write."""
    for _ in range(1000):
        if log.exists() and log.read_text().count("\n") >= lines:
            return
        threading.Event().wait(0.02)
    raise AssertionError(f"{lines} lines do not come")


def test_with_stdio_the_log_is_in_both(case: Case, tmp_path: Path) -> None:
    policy(tmp_path, "['stdio', 'file:log/app.log']")
    done = case.run(WAYS, guard=True)
    log = tmp_path / "log/app.log"
    wait_for_end(log, 9)
    assert sorted(done.text.splitlines()) == sorted(log.read_text().splitlines())
    assert EMAIL not in done.text


def test_status_tells_of_the_sinks_and_uninstall_puts_everything_back(
    case: Case, tmp_path: Path
) -> None:
    policy(tmp_path, "['file:log/app.log']")
    code = """
import sys
covered = {item.channel for item in tacenda.status().coverage if item.state == "covered"}
print("to the log", file=sys.stderr)
tacenda.uninstall()
print("sinks of the log" in covered)
"""
    done = case.run(code, guard=True)
    assert done.stdout == "True\n"
    wait_for_end(tmp_path / "log/app.log", 1)
    assert (tmp_path / "log/app.log").read_text() == "to the log\n"


def test_sinks_that_cannot_be_opened_stop_the_installation(case: Case, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    policy(tmp_path, "['file:open/app.log']")
    done = case.run("print('it goes on')", guard=True)
    assert done.returncode == 1
    assert "PolicyError: the log cannot be written where the policy says" in done.stderr
    assert "its directory is open to others" in done.stderr
    assert done.stdout == ""


def test_a_child_leaves_the_log_to_its_parent(case: Case, tmp_path: Path) -> None:
    policy(tmp_path, "['file:log/app.log']")
    code = """
import subprocess, sys
with open("own.txt", "w") as own:
    subprocess.run([sys.executable, "-c", "print('to its own place', flush=True)"], stdout=own)
subprocess.run([sys.executable, "-c", "print('to the log', flush=True)"])
"""
    assert case.run(code, guard=True).returncode == 0
    wait_for_end(tmp_path / "log/app.log", 1)
    assert (tmp_path / "own.txt").read_text() == "to its own place\n"
    assert (tmp_path / "log/app.log").read_text() == "to the log\n"


class Receiver(http.server.BaseHTTPRequestHandler):
    """An OTLP/HTTP receiver that is away at first."""

    bodies: list[bytes]
    away: int

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        kind = type(self)
        if kind.away:
            kind.away -= 1
            self.send_response(503)
        else:
            if self.headers["content-encoding"] == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/logs"
            assert self.headers["content-type"] == "application/x-protobuf"
            kind.bodies.append(body)
            self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def receiver(away: int = 0) -> Iterator[tuple[str, list[bytes]]]:
    kind = type("Here", (Receiver,), {"bodies": [], "away": away})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", kind.bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_opentelemetry_reads_what_is_sent(tmp_path: Path, compression: str) -> None:
    logs = pytest.importorskip("opentelemetry.proto.collector.logs.v1.logs_service_pb2")
    variables = {
        "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
    }
    script = f"echo 'WARNING to {EMAIL}' >&2; echo plain"
    with receiver(away=2) as (url, bodies):
        done = subprocess.run(
            [TACENDA, "run", "--quiet", "--sink", f"otlp:{url}", "--", "sh", "-c", script],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=300,
            cwd=tmp_path,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    records = {}
    for body in bodies:
        for resource in logs.ExportLogsServiceRequest.FromString(body).resource_logs:
            attributes = {it.key: it.value.string_value for it in resource.resource.attributes}
            assert attributes["service.name"] == "shop"
            assert attributes["deployment.environment.name"] == "test"
            for scope in resource.scope_logs:
                assert scope.scope.name == "tacenda"
                for record in scope.log_records:
                    output = record.attributes[0].value.string_value
                    assert record.attributes[0].key == "log.iostream"
                    records[output] = record
    warning, plain = records["stderr"], records["stdout"]
    assert warning.body.string_value.startswith("WARNING to [email #")
    assert (warning.severity_text, warning.severity_number) == ("WARNING", 13)
    assert plain.body.string_value == "plain"
    assert warning.time_unix_nano > 1_700_000_000 * 10**9


def test_syslog_of_this_machine_has_what_python_writes(case: Case, tmp_path: Path) -> None:
    # A path of a socket is short.
    place = f"/tmp/tacenda-test-{os.getpid()}.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(place)
        try:
            server.settimeout(60)
            policy(tmp_path, f"['syslog:{place}']", "[sinks]\nsyslog_facility = 'daemon'\n")
            done = case.run("import sys; print('ERROR to', EMAIL, file=sys.stderr)", guard=True)
            assert done.text == ""
            message = server.recv(65536).decode()
        finally:
            Path(place).unlink()
    fields = message.split(" ", 7)
    # daemon is 3, error is 3.
    assert (fields[0], fields[3], fields[5]) == ("<27>1", "case.py", "stderr")
    assert fields[7].startswith("ERROR to [email #")


def test_a_program_without_a_script_is_called_by_its_interpreter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, called in (
        ("/srv/app.py", "app.py"),
        ("-c", Path(sys.executable).name),
        ("-m", Path(sys.executable).name),
        ("", Path(sys.executable).name),
    ):
        monkeypatch.setattr(sys, "argv", [name])
        assert program_name() == called


def test_a_filter_that_dies_at_once_costs_the_program_nothing(case: Case, tmp_path: Path) -> None:
    code = """
import os, sys
from tacenda.hooks import descriptors
import tacenda
descriptors.native_command = lambda: "/bin/false"
tacenda.install()
os.system("echo native")
print("python")
missing = [item.channel for item in tacenda.status().missing]
print(sorted(channel for channel in missing if channel.startswith("native")))
"""
    done = case.run(code, guard=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "native",
        "python",
        "['native writes to fd 1', 'native writes to fd 2']",
    ]


# The filter is who else holds the pipe behind standard output.
KILL_THE_FILTER = """
import glob, os, signal, sys, time
def kill_the_filter():
    pipe = os.readlink("/proc/self/fd/1")
    for link in glob.glob("/proc/[0-9]*/fd/*"):
        pid = int(link.split("/")[2])
        try:
            found = pid != os.getpid() and os.readlink(link) == pipe
        except OSError:
            continue
        if found:
            os.kill(pid, signal.SIGKILL)
            while os.path.exists(link):
                time.sleep(0.02)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is found in /proc")
@pytest.mark.parametrize("options", [(), ("-u",)], ids=["buffered", "unbuffered"])
def test_the_end_of_the_filter_is_no_affair_of_the_program(
    case: Case, tmp_path: Path, options: tuple[str, ...]
) -> None:
    policy(tmp_path, "['file:log/app.log']")
    code = """
print("to the log", flush=True)
while not (os.path.exists("log/app.log") and os.path.getsize("log/app.log")):
    time.sleep(0.02)
kill_the_filter()
print("to", EMAIL, flush=True)
print("on standard error", file=sys.stderr, flush=True)
print("and on", flush=True)
print([item.detail for item in tacenda.status().missing if item.channel == "sinks of the log"])
"""
    done = case.run(KILL_THE_FILTER + code, guard=True, options=options)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("[tacenda: the filter of the sinks has ended")
    assert lines[1].startswith("to [email #")
    assert lines[2:] == ["and on", "['the filter process has ended: redacted, as without sinks']"]
    assert done.stderr.splitlines()[1:] == ["on standard error"]
    assert (tmp_path / "log/app.log").read_text() == "to the log\n"


def test_a_redirected_output_whose_reader_is_gone_is_the_programs_affair(
    case: Case, tmp_path: Path
) -> None:
    policy(tmp_path, "['file:log/app.log']")
    code = """
import os, sys
read, write = os.pipe()
os.dup2(write, 1)
os.close(read)
try:
    print("for nobody", flush=True)
except BrokenPipeError:
    print("its reader is gone", file=sys.stderr, flush=True)
os.dup2(2, 1)
"""
    assert case.run(code, guard=True).text == ""
    wait_for_end(tmp_path / "log/app.log", 1)
    assert (tmp_path / "log/app.log").read_text().startswith("its reader is gone\n")


def test_the_places_of_the_outputs_outlive_a_sweep_of_descriptors(
    case: Case, tmp_path: Path
) -> None:
    policy(tmp_path, "['file:log/app.log']")
    code = """
import os
os.closerange(3, 256)
tacenda.uninstall()
print("back where it was")
"""
    done = case.run(code, guard=True)
    assert (done.stdout, done.stderr, done.returncode) == ("back where it was\n", "", 0)
