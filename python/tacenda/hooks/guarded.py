"""`sys.stdout` and `sys.stderr` as the application sees them."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO

from tacenda._core import Core, StreamFilter

# How long the end of the process waits for a thread that writes: it may be dead.
_PATIENCE = 1.0


class Writer:
    """Writes to a stream what may be written of what it is given.

    The stream is called from here and never from native code: a daemon thread that the interpreter
    ends in such a call unwinds, and native code in its way would abort the process.
    """

    __slots__ = (
        "_filter",
        "_lock",
        "_on_hold",
        "_paused",
        "_unbuffered",
        "stream",
        "write",
    )

    def __init__(self, stream: TextIO, core: Core, on_hold: Callable[[Writer], object]) -> None:
        """Makes the writer of a stream.

        Args:
            stream: What to write to.
            core: What redacts.
            on_hold: Called when a part of a line is held back at a flush: whoever gets the call
                sees to it that `idle()` is called soon.
        """
        self.stream = stream
        self._filter = StreamFilter(core, id(stream), _is_terminal(stream))
        self._on_hold = on_hold
        # An unbuffered stream: what is written is expected to be seen.
        self._unbuffered: bool = getattr(stream, "write_through", False)
        # The filter is watched when `idle()` may come: then what one thread lets out is written
        # before another one lets out more. Else lines of several threads have no order, and no lock
        # is paid for.
        self._lock = threading.RLock()
        # While the process forks: whether the lock was got, and whether it was watched before.
        self._paused: tuple[bool, bool] | None = None
        # Writes text, guarded.
        self.write = self._writing()

    def _writing(self) -> Callable[[str], int]:
        """What writes text, guarded.

        No method: `print` calls it twice, and names of a function are found sooner than those of an
        object.
        """
        begin, end = self._filter.begin, self._filter.end
        emit, unbuffered = self.stream.write, self._unbuffered

        def write(text: str, /) -> int:
            out = begin(text)
            if out is not None:
                if out is True:
                    return self._write_watched(text)
                try:
                    if type(out) is str:
                        emit(out)
                    else:
                        self._emit(out)
                finally:
                    end()
            if unbuffered:
                self._see_to_held()
            return len(text)

        return write

    def _write_watched(self, text: str) -> int:
        with self._lock:
            self._emit(self._filter.push(text))
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:
        """Writes each of them, guarded."""
        for line in lines:
            self.write(line)

    def write_bytes(self, data: bytes) -> int:
        """Writes bytes as `sys.stdout.buffer` takes them, guarded."""
        with self._lock:
            out = self._filter.push_bytes(data)
            if out is not None:
                self._emit_bytes(out)
        return len(data)

    def flush(self) -> None:
        """Flushes the stream. A part of a line is held on for a moment."""
        # The interpreter flushes a last time when it has ended its threads, one of which may have
        # had the lock.
        if sys.is_finalizing():
            self.finish()
            self.stream.flush()
            return
        with self._lock:
            self._emit(self._filter.flush())
        if not self._filter.watched:
            self._see_to_held()
        with self._lock:  # who forks waits for it
            self.stream.flush()

    def idle(self) -> bool:
        """Writes the part of a line that is held, redacted. Tells whether something still is."""
        with self._lock:
            out, holds = self._filter.idle()
            try:
                if out is not None:
                    self._emit(out)
                    self.stream.flush()
            finally:
                self._filter.watched = holds
        return holds

    def finish(self, *, closing: bool = True) -> None:
        """Writes all that is held, redacted. `closing`: from now on every flush does."""
        locked = self._lock.acquire(timeout=_PATIENCE)
        try:
            out = self._filter.finish(closing=closing)
            # In a child by fork, the stream may be locked for ever: not touched in vain.
            if out is not None:
                self._emit(out)
                self.stream.flush()
        finally:
            if locked:
                self._lock.release()

    def pause(self) -> None:
        """Lets no thread write while the process forks.

        In the child, the lock inside the stream would stay with a thread that is not there. Of the
        interpreter's own streams it makes new locks, of what stands in their place it does not.
        """
        locked = self._lock.acquire(timeout=_PATIENCE)
        self._paused = (locked, self._filter.watched)
        self._filter.watched = True
        end = time.monotonic() + _PATIENCE
        while self._filter.writing and time.monotonic() < end:
            time.sleep(0.001)
        with suppress(ValueError, OSError):  # closed, or its reader is gone
            self.stream.flush()

    def resume(self) -> None:
        """Lets them write again, in the parent."""
        if self._paused is not None:
            (locked, self._filter.watched), self._paused = self._paused, None
            if locked:
                self._lock.release()

    def forget(self) -> None:
        """Drops what is held, in a child by fork, whose other threads are gone."""
        self._lock = threading.RLock()
        self._paused = None
        self._filter.forget()

    def _see_to_held(self) -> None:
        if self._filter.holds_anew():
            self._on_hold(self)

    def _emit(self, out: str | bytes | None) -> None:
        if isinstance(out, str):
            self.stream.write(out)
        elif out is not None:
            self._emit_bytes(out)

    def _emit_bytes(self, out: bytes) -> None:
        # As bytes, whatever the encoding of the stream.
        buffer = getattr(self.stream, "buffer", None)
        if buffer is None:
            self.stream.write(out.decode("utf-8", "backslashreplace"))
        else:
            self.stream.flush()
            buffer.write(out)


class GuardedStream:
    """A text stream whose writes go through a writer; all the rest is the wrapped stream's."""

    def __init__(self, writer: Writer, *, fd: int | None = None) -> None:
        """Takes the place of the stream of `writer`.

        Args:
            writer: What writes.
            fd: The descriptor for child processes, where it is not the one of the stream.
        """
        self.writer = writer
        self._fd = fd
        # Not methods: what has `__getattr__` finds its attributes slowly.
        self.write = writer.write
        self.writelines = writer.writelines
        self.flush = writer.flush
        if hasattr(writer.stream, "buffer"):
            self.buffer = GuardedBuffer(self)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The class of the stream, for programs that ask for an `io.TextIOWrapper`."""
        writer = vars(self).get("writer")  # a copy has none yet
        stream = None if writer is None else writer.stream
        return type(stream) if isinstance(stream, io.TextIOWrapper) else GuardedStream

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The descriptor that a child process may write to."""
        return self.writer.stream.fileno() if self._fd is None else self._fd

    def detach(self) -> GuardedBuffer:
        """What is under the stream is guarded as well."""
        return self.buffer

    def close(self) -> None:
        """Writes what is held, and closes the stream."""
        self.writer.finish()
        self.writer.stream.close()

    def __getattr__(self, name: str) -> Any:
        # A copy has no writer yet.
        if name == "writer":
            raise AttributeError(name)
        return getattr(self.writer.stream, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.writer.stream)

    def __enter__(self) -> GuardedStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.flush()


io.TextIOBase.register(GuardedStream)


class GuardedBuffer(io.BufferedIOBase):
    """`sys.stdout.buffer`: bytes take the same way as text."""

    def __init__(self, stream: GuardedStream) -> None:
        self._stream = stream

    @property
    def raw(self) -> GuardedBuffer:
        """What lies below takes the same way, too."""
        return self

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """Writes bytes, guarded."""
        return self._stream.writer.write_bytes(bytes(memoryview(data)))

    def flush(self) -> None:
        """Flushes the guarded stream."""
        self._stream.writer.flush()

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The descriptor under the stream."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream.writer.stream.isatty()

    def close(self) -> None:
        """Only flushes: the stream belongs to the interpreter."""
        self._stream.writer.flush()


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, OSError, ValueError):  # anything with `write` may stand there
        return False
