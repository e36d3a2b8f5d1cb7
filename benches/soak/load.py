"""A program under mixed load. Each record carries a number, and a value that must not get out.

A number stands in the ledger, `ledger.SOURCE.PID` in the working directory, as soon as its record
has been written and flushed: from then on the record has to be found in the log.
"""

from __future__ import annotations

import argparse
import ctypes
import http.client
import http.server
import json
import logging
import logging.handlers
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import count

# Filled in by the soak; no pattern knows the second.
EMAIL, PROMPT = os.environ["SOAK_VALUES"].split("|")

stop = threading.Event()


class Ledger:
    """Numbers of records that have been written."""

    def __init__(self, source: str) -> None:
        self._source = source
        # Unbuffered: what stands in it has happened, whatever happens next.
        self._file = open(f"ledger.{source}.{os.getpid()}", "ab", buffering=0)  # noqa: PTH123, SIM115
        self._numbers = count()

    def record(self, write: Callable[[str], object]) -> None:
        """Writes one record."""
        number = f"seq={self._source}.{os.getpid()}.{next(self._numbers):06d}."
        write(number)
        self._file.write(f"{number}\n".encode())


def flushed(stream: object, text: str) -> None:
    """Writes a line, and has it out."""
    stream.write(text)  # type: ignore[attr-defined]
    stream.flush()  # type: ignore[attr-defined]


class Handler(http.server.BaseHTTPRequestHandler):
    """Logs what it is sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        # In a header: what stands in the body is protected.
        number = self.headers["X-Number"]
        logging.info("%s request %s", number, json.loads(body))
        logging.error("%s raw body: %s", number, body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """No access log: it has no number."""


def logs(number: str) -> None:
    """A record of `logging`, by a handler that flushes."""
    logging.warning("%s mail of %s", number, EMAIL)


def raises(number: str) -> None:
    """An exception that is logged with its traceback."""
    try:
        raise ValueError(f"no such user: {EMAIL}")
    except ValueError:
        logging.exception("%s failed", number)


def to_own_file(number: str) -> None:
    """A log file that rotates."""
    FILE.warning("%s mail of %s", number, EMAIL)


def by_print(number: str) -> None:
    """A line of print, in two parts."""
    if sys.stderr is not None:
        flushed(sys.stderr, f"{number} mail of {EMAIL[:9]}")
        flushed(sys.stderr, f"{EMAIL[9:]} noted\n")


def by_descriptor(number: str) -> None:
    """Past every stream."""
    os.write(2, f"{number} mail of {EMAIL}\n".encode())


def by_c(number: str) -> None:
    """Past Python."""
    libc = ctypes.CDLL(None)
    line = f"{number} mail of {EMAIL}\n".encode()
    libc.write(2, line, len(line))


def by_a_child(number: str) -> None:
    """A program that is no Python."""
    subprocess.run(["sh", "-c", 'echo "$0" >&2', f"{number} mail of {EMAIL}"], check=False)


def by_a_fork(number: str) -> None:
    """A child by fork, while other threads write."""
    pid = os.fork()
    if pid == 0:
        logging.warning("%s mail of %s", number, EMAIL)
        by_print(f"{number}child")
        os._exit(0)
    os.waitpid(pid, 0)


def request(number: str) -> None:
    """A request to the server, which logs it."""
    connection = http.client.HTTPConnection("127.0.0.1", SERVER.server_port, timeout=30)
    body = json.dumps({"prompt": PROMPT, "mail": EMAIL, "seed": time.time()})
    connection.request("POST", "/", body, {"X-Number": number})
    answer = connection.getresponse().read().decode()
    connection.close()
    if answer != body:
        os.write(2, b"SOAK: another answer\n")
        os._exit(70)


def to_stdout(number: str) -> None:
    """Standard output, where there is one."""
    if sys.stdout is not None:
        flushed(sys.stdout, f"{number} mail of {EMAIL}\n")


SOURCES = {
    call.__name__: call
    for call in (
        logs,
        raises,
        to_own_file,
        by_print,
        by_descriptor,
        by_c,
        by_a_child,
        by_a_fork,
        request,
        to_stdout,
    )
}


def work(name: str, pace: float) -> None:
    """One thread: records of one source."""
    ledger = Ledger(name)
    while not stop.is_set():
        try:
            ledger.record(SOURCES[name])
        except OSError:  # nobody reads that stream any more, or it is full
            if name != "to_stdout":
                raise
            return
        time.sleep(pace)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--pace", type=float, required=True)
    parser.add_argument("--without", action="append", default=[], help="a source to leave out")
    args = parser.parse_args()
    # No event: a handler that sets one may wait for the lock that the waiting thread has.
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    server = threading.Thread(target=SERVER.serve_forever, daemon=True)
    server.start()
    sources = [name for name in SOURCES if name not in args.without]
    threads = [threading.Thread(target=work, args=(name, args.pace)) for name in sources]
    for thread in threads:
        thread.start()
    end = time.monotonic() + args.seconds
    while not asked and time.monotonic() < end:
        time.sleep(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    SERVER.shutdown()
    Ledger("end").record(lambda number: logging.warning("%s ended", number))


FILE = logging.getLogger("file")
if __name__ == "__main__":
    SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    FILE.propagate = False
    FILE.addHandler(
        logging.handlers.RotatingFileHandler("own.log", maxBytes=200_000, backupCount=99)
    )
    main()
