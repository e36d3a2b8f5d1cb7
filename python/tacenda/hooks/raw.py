"""What is written to a descriptor itself, past the buffers of the stream over it: `os.write`."""

from __future__ import annotations

import errno
import io
import os
import threading
from typing import Any

from tacenda._core import StreamFilter

# How long the end of the process waits for a thread that writes: it may be dead.
_PATIENCE = 1.0


class RawWriter:
    """Writes to a descriptor what may be written of what it is given.

    A signal handler may do so in the midst of a write to the stream, whose buffer would raise then:
    nothing here passes through that buffer, and nothing here waits for who does.
    """

    def __init__(self, file: io.FileIO, filter: StreamFilter) -> None:
        """Makes the writer of a descriptor.

        Args:
            file: The descriptor, with no buffer.
            filter: What redacts.
        """
        self._file = file
        self._filter = filter
        # A signal handler may write while its own thread has it.
        self._lock = threading.RLock()
        self._locked = False
        # Let out, and not taken by a descriptor that does not block.
        self._waiting = b""
        # Whether a part of a line is held.
        self.holds = False

    def take(self, data: str | bytes, filter: StreamFilter | None = None) -> bool:
        """Writes text or bytes, guarded. Tells whether a part of a line is held anew.

        Args:
            data: What to write.
            filter: What holds the beginning of the line, if it is not the own one.

        Raises:
            BlockingIOError: Nothing of it can be written now.
        """
        with self._lock:
            if self._waiting and not self._drain():
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            through = self._filter if filter is None else filter
            push: Any = through.push if isinstance(data, str) else through.push_bytes
            self._write(push(data))
            self._write(through.flush())
            if filter is not None:
                return False
            anew = self._filter.holds_anew()
            self.holds = self.holds or anew
            return anew

    def idle(self) -> bool:
        """Writes the part of a line that is held, redacted. Tells whether something still is."""
        with self._lock:
            out, holds = self._filter.idle()
            self._write(out)
            self._drain()
            self.holds = holds
        return holds or bool(self._waiting)

    def finish(self, *, closing: bool = True) -> None:
        """Writes all that is held, redacted. `closing`: from now on every write does."""
        locked = self._lock.acquire(timeout=_PATIENCE)
        try:
            self._write(self._filter.finish(closing=closing))
            self._drain()
            self.holds = False
        finally:
            if locked:
                self._lock.release()

    def pause(self) -> None:
        """Lets no thread write while the process forks."""
        self._locked = self._lock.acquire(timeout=_PATIENCE)

    def resume(self) -> None:
        """Lets them write again, in the parent."""
        if self._locked:
            self._locked = False
            self._lock.release()

    def forget(self) -> None:
        """Drops what is held, in a child by fork."""
        self._lock = threading.RLock()
        self._locked = self.holds = False
        self._waiting = b""
        self._filter.forget()

    def _drain(self) -> bool:
        """Writes what waits. Tells whether all of it could be written."""
        # A signal handler that comes meanwhile finds nothing that waits.
        waiting, self._waiting = self._waiting, b""
        self._write(waiting)
        return not self._waiting

    def _write(self, out: str | bytes | None) -> None:
        if not out:
            return
        # Lone surrogates came as text.
        data = out.encode("utf-8", "backslashreplace") if isinstance(out, str) else out
        rest = memoryview(data)
        while rest:
            count = self._file.write(rest)
            if count is None:
                self._waiting = bytes(rest) + self._waiting
                return
            rest = rest[count:]


def file_under(stream: Any) -> io.FileIO | None:
    """The descriptor under a stream of the interpreter; None for any other stream."""
    if type(stream) is not io.TextIOWrapper:
        return None
    buffer: Any = stream.buffer
    file = buffer.raw if type(buffer) is io.BufferedWriter else buffer
    return file if isinstance(file, io.FileIO) else None
