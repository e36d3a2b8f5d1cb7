"""Log records into a sealed journal."""

from __future__ import annotations

import logging
import math
import os
import sys
from typing import TYPE_CHECKING, Any

from tacenda._command import native_command

if TYPE_CHECKING:
    import subprocess


# Readers of JSON end at some depth.
DEEPEST = 64


class JournalHandler(logging.Handler):
    """Hands log records to `tacenda journal append`, which seals them.

    The journal is written by a process of its own: the application holds none of its keys, and what
    was handed over is written also when the application is killed. Many applications may log to one
    journal: one of these processes owns it, the others append through that one. When the journal
    falls behind, logging waits for it. What cannot be handed over is counted in `lost`, and said
    once on standard error, without its text.

    A record may say more of itself, by `extra={"journal": {...}}`: `class` of its fields, `classes`
    of single ones, `kinds`, and any other member as a field.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        class_: str = "confidential",
        level: int | str = logging.NOTSET,
    ) -> None:
        """Opens a journal that `tacenda journal init` has made.

        Args:
            path: The directory of the journal.
            class_: The class of fields that do not say theirs.
            level: The least level of records.

        Raises:
            OSError: The journal cannot be opened; the text says why.
        """
        import tempfile

        super().__init__(level)
        self.lost = 0
        # Time, level and logger are kept apart.
        self.setFormatter(logging.Formatter("%(message)s"))
        self._process = _start(os.fspath(path), class_)
        self._owner = os.getpid()
        self._turn = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the handler

    def emit(self, record: logging.LogRecord) -> None:
        """Hands a record over. Never raises."""
        try:
            self._write(self._line(record))
        except Exception:  # whatever it is, the application goes on
            self.lost += 1
            if self.lost == 1:
                _say("tacenda: the journal takes no records; they are lost\n")

    def _line(self, record: logging.LogRecord) -> bytes:
        import json

        more = getattr(record, "journal", None)
        line: dict[str, Any] = dict(more) if isinstance(more, dict) else {}
        line["time"] = record.created
        line["level"] = record.levelname.lower()
        line["logger"] = record.name
        line["message"] = self.format(record)
        return json.dumps(_plain(line), allow_nan=False).encode() + b"\n"

    def _write(self, line: bytes) -> None:
        import fcntl

        pipe = self._process.stdin
        if pipe is None:
            raise BrokenPipeError
        # Forked children write to the same pipe, and a long line is written in pieces: a short one
        # must not come between them, so all take turns.
        fcntl.lockf(self._turn, fcntl.LOCK_EX)
        try:
            while line:
                line = line[os.write(pipe.fileno(), line) :]
        finally:
            fcntl.lockf(self._turn, fcntl.LOCK_UN)

    def close(self) -> None:
        """Waits until everything is written and sealed."""
        self.acquire()
        try:
            pipe = self._process.stdin
            if pipe is not None and not pipe.closed:
                pipe.close()
                # A forked child has no process to wait for.
                if os.getpid() == self._owner and self._process.wait() != 0:
                    _say("tacenda: the journal was not sealed; it is when it is opened\n")
                self._turn.close()
        finally:
            self.release()
        super().close()


def _plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON that every reader takes: what is not, as its text."""
    if isinstance(value, str):
        # A lone surrogate is no character.
        return str(value).encode(errors="backslashreplace").decode()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 1 << 63:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, dict) and depth < DEEPEST:
        return {_plain(str(name)): _plain(one, depth + 1) for name, one in value.items()}
    if isinstance(value, (list, tuple)) and depth < DEEPEST:
        return [_plain(one, depth + 1) for one in value]
    return _plain(str(value))


def _say(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(text)


def _start(path: str, class_: str) -> subprocess.Popen[bytes]:
    """Starts who writes the journal, and waits until it has opened it."""
    import subprocess

    command = native_command()
    if command is None:
        raise FileNotFoundError("the command `tacenda` is not beside this package")
    arguments = [command, "journal", "append", path, "--class", class_, "--ready"]
    process = subprocess.Popen(  # noqa: S603 - our own command, and no shell
        arguments,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # The end of the application's terminal or session is no end of the journal.
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout as ready, process.stderr as errors:
        if ready.read(1) == b"0":
            return process
        text = errors.read().decode(errors="replace").strip()
    process.wait()
    raise OSError(text.removeprefix("error: "))
