"""`sys.stdout` and `sys.stderr` as the application sees them."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import CodeType, FrameType, TracebackType
from typing import Any, Literal, TextIO

from tacenda._core import Core, StreamFilter
from tacenda.hooks.raw import RawWriter, file_under

# How long the end of the process waits for a thread that writes: it may be dead.
_PATIENCE = 1.0

# What writes without a lock: a thread that is in it is told by that, at no cost for who writes.
_lockless: set[CodeType] = set()


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
        "_raw",
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
        interactive = _is_terminal(stream)
        self._filter = StreamFilter(core, id(stream), interactive)
        file = file_under(stream)
        # What writes past the buffers of the stream.
        self._raw: RawWriter | None = None
        if file is not None:
            self._raw = RawWriter(file, StreamFilter(core, id(stream), interactive))
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
        # Few of them, for each costs a little with each call.
        begin, emit, otherwise = self._filter.begin, self.stream.write, self._write_otherwise

        def write(text: str, /) -> int:
            try:
                out = begin(text)
            except TypeError:
                raise _wrong("write() argument must be str, not", text) from None
            if out is not None:
                if type(out) is str:
                    emit(out)
                else:
                    otherwise(text, out)
            return len(text)

        _lockless.add(write.__code__)

        see_to_held = self._see_to_held

        def write_unbuffered(text: str, /) -> int:
            count = write(text)
            see_to_held()
            return count

        return write_unbuffered if self._unbuffered else write

    def _write_otherwise(self, text: str, out: str | bytes | Literal[True]) -> None:
        if out is True:
            self._write_watched(text)
        else:
            self._emit(out)

    def _write_watched(self, text: str) -> None:
        with self._lock:
            if not self._ends_raw(text):
                self._emit(self._filter.push(text))

    def _ends_raw(self, data: str | bytes) -> bool:
        """Writes what goes on in a line that was begun past the buffers; False if there is none."""
        raw = self._raw
        if raw is None or not raw.holds:
            return False
        if self._filter.holds_anew():
            # What is held here was written before, and comes first.
            self._on_hold(self)
            return False
        self.stream.flush()
        if raw.take(data):
            self._on_hold(self)
        return True

    def writelines(self, lines: Iterable[str], /) -> None:
        """Writes each of them, guarded."""
        for line in lines:
            self.write(line)

    def write_bytes(self, data: bytes) -> int:
        """Writes bytes as `sys.stdout.buffer` takes them, guarded."""
        with self._lock:
            if not self._ends_raw(data):
                self._emit(self._filter.push_bytes(data))
        return len(data)

    def write_raw(self, data: bytes) -> None:
        """Writes bytes to the descriptor under the stream, guarded, as `os.write` does."""
        raw = self._raw
        if raw is None:
            self.write_bytes(data)
            self.flush()
            return
        # Then a part of a line that was flushed is held here, after which this comes. Who writes to
        # the stream may be who is interrupted by this, and is not waited for.
        goes_on = self._filter.watched and not raw.holds
        if goes_on and self._lock.acquire(blocking=False):
            try:
                raw.take(data, self._filter)
            finally:
                self._lock.release()
            self._see_to_held()
        elif raw.take(data):
            self._filter.watched = True
            self._on_hold(self)

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
        raw = self._raw
        raw_holds = raw is not None and raw.idle()
        with self._lock:
            out, holds = self._filter.idle()
            try:
                if out is not None:
                    self._emit(out)
                    self.stream.flush()
            finally:
                self._filter.watched = holds = holds or raw_holds
        return holds

    def finish(self, *, closing: bool = True) -> None:
        """Writes all that is held, redacted. `closing`: from now on every flush does."""
        if self._raw is not None:
            self._raw.finish(closing=closing)
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
        """Lets no thread begin to write while the process forks: see `wait_for_writes`."""
        locked = self._lock.acquire(timeout=_PATIENCE)
        self._paused = (locked, self._filter.watched)
        self._filter.watched = True
        if self._raw is not None:
            self._raw.pause()

    def flush_paused(self) -> None:
        """Flushes the stream: what it holds would be the child's, too."""
        with suppress(ValueError, OSError):  # closed, or its reader is gone
            self.stream.flush()

    def resume(self) -> None:
        """Lets them write again, in the parent."""
        if self._raw is not None:
            self._raw.resume()
        if self._paused is not None:
            (locked, self._filter.watched), self._paused = self._paused, None
            if locked:
                self._lock.release()

    def forget(self) -> None:
        """Drops what is held, in a child by fork, whose other threads are gone."""
        self._lock = threading.RLock()
        self._paused = None
        self._filter.forget()
        if self._raw is not None:
            self._raw.forget()

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


def wait_for_writes() -> None:
    """Waits until no other thread writes what a filter has let out, for all writers that pause.

    In a child by fork, the lock inside the stream would stay with a thread that is not there. Of
    the interpreter's own streams it makes new locks, of what stands in their place it does not.
    """
    end = time.monotonic() + _PATIENCE
    while any(_writes(frame) for frame in _other_threads()) and time.monotonic() < end:
        time.sleep(0.001)


def _other_threads() -> list[FrameType]:
    own = threading.get_ident()
    return [frame for thread, frame in sys._current_frames().items() if thread != own]


def _writes(frame: FrameType | None) -> bool:
    """Whether a thread that is at this frame writes without a lock."""
    # One that has found the writer watched waits for its lock, or has it.
    watched = Writer._write_watched.__code__
    while frame is not None and frame.f_code is not watched:
        if frame.f_code in _lockless:
            return True
        frame = frame.f_back
    return False


class Guarded:
    """A text stream whose writes go through a writer."""

    def __init__(self, writer: Writer, *, fd: int | None = None) -> None:
        """Takes the place of the stream of `writer`.

        Args:
            writer: What writes.
            fd: The descriptor for child processes, where it is not the one of the stream.
        """
        self.writer = writer
        self._fd = fd
        # Not methods: those are found more slowly.
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

    def __iter__(self) -> Iterator[str]:
        return iter(self.writer.stream)

    def __enter__(self) -> Guarded:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.flush()


io.TextIOBase.register(Guarded)


class GuardedStream(Guarded):
    """The same over any stream: all the rest is that stream's."""

    def __getattr__(self, name: str) -> Any:
        # A copy has no writer yet.
        if name == "writer":
            raise AttributeError(name)
        return getattr(self.writer.stream, name)


class _Attribute:
    """An attribute of the stream below, unless the guarded one has been given its own."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, guarded: Guarded | None, owner: type) -> Any:
        return self if guarded is None else getattr(guarded.writer.stream, self._name)


class _GuardedText(Guarded):
    """The same over a text stream of the interpreter, whose attributes are known.

    A class with `__getattr__` finds all of its attributes more slowly, `write` as well.
    """


# What is the guarded stream's own is not looked for below it; `mode` each stream has for itself.
_OWN = {*dir(Guarded), "write", "writelines", "flush", "buffer"}
for _name in {"mode", *dir(io.TextIOWrapper)} - _OWN:
    if not _name.startswith("__"):
        setattr(_GuardedText, _name, _Attribute(_name))


def over(stream: TextIO, writer: Writer, *, fd: int | None = None) -> Guarded:
    """What takes the place of a stream.

    Args:
        stream: The stream.
        writer: What writes, to it or to where it led.
        fd: The descriptor for child processes, where it is not the one of the writer's stream.
    """
    is_known = type(writer.stream) is io.TextIOWrapper and vars(stream).keys() <= {"mode"}
    return (_GuardedText if is_known else GuardedStream)(writer, fd=fd)


class GuardedBuffer(io.BufferedIOBase):
    """`sys.stdout.buffer`: bytes take the same way as text."""

    def __init__(self, stream: Guarded) -> None:
        self._stream = stream

    @property
    def raw(self) -> GuardedBuffer:
        """What lies below takes the way of `os.write`."""
        return _GuardedRaw(self._stream)

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """Writes bytes, guarded."""
        try:
            view = memoryview(data)
        except TypeError:
            raise _wrong("a bytes-like object is required, not", data, "'") from None
        return self._write(bytes(view))

    def _write(self, data: bytes) -> int:
        return self._stream.writer.write_bytes(data)

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


class _GuardedRaw(GuardedBuffer):
    """`sys.stdout.buffer.raw`: past the buffers."""

    @property
    def raw(self) -> GuardedBuffer:
        return self

    def _write(self, data: bytes) -> int:
        self._stream.writer.write_raw(data)
        return len(data)


def _wrong(expected: str, given: object, quote: str = "") -> TypeError:
    """The error of the interpreter, for what is no text or no bytes."""
    name = "None" if given is None and not quote else type(given).__name__
    return TypeError(f"{expected} {quote}{name}{quote}")


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, OSError, ValueError):  # anything with `write` may stand there
        return False
