"""`sys.stdout` and `sys.stderr`, and what already holds them."""

from __future__ import annotations

import io
import logging
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, TextIO, cast

from tacenda._core import Core
from tacenda._patch import Patches
from tacenda.hooks.descriptors import Descriptors, identity
from tacenda.hooks.guarded import Guarded, Writer, over, wait_for_writes
from tacenda.hooks.idle import Idler

# `tacenda run` and `install()` tell children which outputs are filtered already: `FD:DEV:INO`, with
# commas between. Those are logs, whatever they lead to.
RUN_VARIABLE = "TACENDA_RUN"

# Tells a child that a guarded Python process has started it, if that is its parent.
_PARENT_VARIABLE = "TACENDA_PARENT"


class Streams:
    """The guarded standard streams."""

    def __init__(self, core: Core, patches: Patches) -> None:
        self._core = core
        self._patches = patches
        self.idler = Idler()
        self._guarded: list[Guarded] = []
        self._adopted: list[Writer] = []
        self._descriptors = Descriptors(core, patches, None)
        # The standard streams that are logs.
        self._standard: list[tuple[int, TextIO, bool]] = []
        self._parent_outputs: frozenset[str] = frozenset()
        # Whether a guarded process has started this one.
        self.descends = RUN_VARIABLE in os.environ

    def prepare(self, tmpdir: str | None) -> None:
        """Finds which standard streams are logs, and starts the filter that they may need.

        Args:
            tmpdir: The private directory of this process, to be removed when it has ended.
        """
        self._parent_outputs = _outputs()
        self._standard = list(self._logs(self._parent_outputs))
        self._descriptors = Descriptors(self._core, self._patches, tmpdir)
        native = [fd for fd, _, native in self._standard if native]
        self._descriptors.start(native, self._parent_outputs)

    def start(self) -> None:
        """Replaces the standard streams where they are logs."""
        descriptors, logs, parent_outputs = self._descriptors, self._standard, self._parent_outputs
        own = descriptors.filter()
        for fd, stream, _ in logs:
            name = "stdout" if fd == 1 else "stderr"
            inner = stream
            # What the program has put there itself writes elsewhere as well.
            if fd in own and isinstance(stream, io.TextIOWrapper):
                stream.flush()
                inner = _reopened(stream, descriptors.raw(fd, own[fd]))
            # A child that is given this stream has to write through the filter.
            self._guard(name, stream, inner, fd if fd in own else None)
        moved = {fd: to for fd, to in self.descriptors.items() if fd != to}
        descriptors.keep(moved, self.settle)
        self._tell_children(parent_outputs)

    def _logs(self, parent_outputs: frozenset[str]) -> Iterator[tuple[int, TextIO, bool]]:
        """The standard streams that are logs, each with its number and whether it leads there."""
        for fd, name in ((1, "stdout"), (2, "stderr")):
            stream: TextIO | None = getattr(sys, name)
            if stream is None:
                self._patches.off(f"sys.{name}", "the process has none")
                continue
            native = _fd_of(stream) == fd
            if fd == 1 and not self._core.stdout_is_log(list(sys.orig_argv)):
                self._patches.off("sys.stdout", "what the user asked for: left alone")
            elif fd == 1 and native and _is_read_by_parent(parent_outputs):
                # Data for the process that has started this one, which guards what it writes.
                self._patches.off("sys.stdout", "the guarded parent reads it: left alone")
            else:
                if not native:
                    what = f"sys.{name} leads elsewhere: left alone; `tacenda run` covers it"
                    self._patches.off(f"native writes to fd {fd}", what)
                yield fd, stream, native

    @property
    def descriptors(self) -> dict[int, int]:
        """The file descriptors under the guarded streams, with the ones that they write to."""
        found = ((_fd_of(stream), _fd_of(stream.writer.stream)) for stream in self._guarded)
        return {fd: to for fd, to in found if fd is not None and to is not None}

    @property
    def writers(self) -> dict[int, Writer]:
        """What writes to the guarded streams, by their file descriptors."""
        found = ((_fd_of(stream), stream.writer) for stream in self._guarded)
        return {fd: writer for fd, writer in found if fd is not None}

    def adopt(self, stream: Any) -> Writer:
        """A writer to a stream that takes the place of a standard stream."""
        writer = Writer(stream, self._core, self.idler.hold)
        self._adopted.append(writer)
        return writer

    def forget(self) -> None:
        """Drops what is held: in a child by fork it is the parent's to write."""
        for writer in self._all_writers():
            writer.forget()

    def pause(self) -> None:
        """Lets no thread write while the process forks."""
        writers = self._all_writers()
        for writer in writers:
            writer.pause()
        if writers:
            wait_for_writes()
        for writer in writers:
            writer.flush_paused()

    def resume(self) -> None:
        """Lets them write again, in the parent."""
        for writer in self._all_writers():
            writer.resume()

    def settle(self) -> None:
        """Writes what is held, redacted, and goes on as before."""
        _finish(self._all_writers(), closing=False)

    def settle_adopted(self) -> None:
        """The same for streams that have been adopted."""
        _finish(self._adopted, closing=False)

    def _tell_children(self, parent_outputs: frozenset[str]) -> None:
        outputs = [os.environ[RUN_VARIABLE]] if parent_outputs else []
        for fd in self.descriptors:
            output = identity(fd)
            if output is not None and output not in parent_outputs:
                outputs.append(f"{fd}:{output}")
        self._patches.set_variable(RUN_VARIABLE, ",".join(outputs))
        self._patches.set_variable(_PARENT_VARIABLE, str(os.getpid()))

    def finish(self) -> None:
        """Writes what is held, redacted; from now on nothing is held for long."""
        _finish(self._all_writers(), closing=True)

    def _all_writers(self) -> list[Writer]:
        return [stream.writer for stream in self._guarded] + self._adopted

    def _guard(self, name: str, stream: TextIO, inner: TextIO, fd: int | None) -> None:
        guarded = over(stream, Writer(inner, self._core, self.idler.hold), fd=fd)
        self._guarded.append(guarded)
        text = cast(TextIO, guarded)
        for attribute in (name, f"__{name}__"):
            if getattr(sys, attribute) is stream:
                self._patches.replace(sys, attribute, text)
        swapped = 0
        for reference in list(logging._handlerList):  # type: ignore[attr-defined]
            handler = reference()
            if isinstance(handler, logging.StreamHandler) and handler.stream is stream:
                self._patches.replace(handler, "stream", text)
                swapped += 1
        detail = f"and {swapped} handlers that held it" if swapped else ""
        self._patches.cover(f"sys.{name}", detail)


def _finish(writers: list[Writer], *, closing: bool) -> None:
    for writer in writers:
        # Closed by the application, or its reader is gone; one of its own may fail anyhow.
        with suppress(Exception):
            writer.finish(closing=closing)


def _reopened(stream: TextIO, raw: io.FileIO) -> io.TextIOWrapper:
    raw.name = stream.name
    unbuffered = getattr(stream, "write_through", False)  # python -u
    wrapper = io.TextIOWrapper(
        cast(BinaryIO, raw) if unbuffered else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=getattr(stream, "line_buffering", False),
        write_through=unbuffered,
    )
    wrapper.mode = "w"  # type: ignore[misc]
    return wrapper


def _fd_of(stream: Any) -> int | None:
    try:
        fd = stream.fileno()
    except Exception:  # a stream in memory has none, one of the program's own may not know of it
        return None
    return fd if isinstance(fd, int) else None


def _outputs() -> frozenset[str]:
    """The outputs of the guarded process that this one descends from; none if it is the first."""
    outputs = filter(None, os.environ.get(RUN_VARIABLE, "").split(","))
    return frozenset(output.partition(":")[2] for output in outputs)


def _is_read_by_parent(parent_outputs: frozenset[str]) -> bool:
    """Whether stdout is a pipe to the guarded Python process that has started this one.

    A pipe that a shell has made is none: behind `python app.py | tee app.log` lies a log.
    """
    if os.environ.get(_PARENT_VARIABLE) != str(os.getppid()):
        return False
    mode = os.fstat(1).st_mode
    return identity(1) not in parent_outputs and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))
