"""File descriptors 1 and 2, for what does not pass through Python.

C and C++ code and other programs write to the descriptor itself. It becomes a pipe into a
`tacenda` of its own, which outlives a crash of this process: the last words of a dying
process are not lost. What Python writes goes straight to where the descriptor led before, or into
the filter as well if that writes the sinks of the log. The filter is told of protected values, as
fingerprints.
"""

from __future__ import annotations

import atexit
import errno
import io
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from tacenda._command import native_command, program_name
from tacenda._core import Core, PolicyError
from tacenda._patch import Patches
from tacenda.hooks.copies import copies

_CHANNEL = "native writes to fd"
_COPIES = "copies of descriptors 1 and 2"
_SINKS = "sinks of the log"
# Of the process, and of the system.
_NONE_LEFT = {f"(os error {number})": number for number in (errno.EMFILE, errno.ENFILE)}
_ENDED = b"[tacenda: the filter of the sinks has ended: the log goes on in this place]\n"


class Descriptors:
    """The descriptors that lead through a filter."""

    def __init__(self, core: Core, patches: Patches, tmpdir: str | None) -> None:
        self._core = core
        self._patches = patches
        # The filter outlives this process, and removes what it has left.
        self._tmpdir = tmpdir
        # What is to be filtered.
        self._fds: list[int] = []
        # Where filtered descriptors led before.
        self._before: dict[int, int] = {}

    def start(self, fds: list[int], parent_outputs: frozenset[str]) -> None:
        """Starts the filter of these descriptors, in the background: that takes a while.

        Those that cannot be filtered are left as they are, which `status()` tells.

        Raises:
            PolicyError: The log has sinks, and cannot be written to them.
            OSError: There are no descriptors left.
        """
        self._fds = [fd for fd in fds if self._is_ours(fd, parent_outputs)]
        if not self._fds:
            if self._core.has_sinks:
                self._patches.miss(_SINKS, "no output of this process is a log of its own")
            return
        helper = native_command()
        if helper is None:
            self._miss("the command tacenda is not installed with the package")
            return
        try:
            self._core.start_filter(helper, program_name())
        except OSError as error:
            self._fail(error)
        else:
            # If nothing is led through it after all.
            self._patches.on_undo(self._core.stop_filter)

    def filter(self) -> dict[int, int]:
        """Leads descriptors through the filter. Gives those that Python is to write to itself.

        Raises:
            PolicyError: As above.
            OSError: As above.
        """
        fds = self._fds
        if not fds:
            return {}
        # Not in the private directory: that goes with this process, and others may outlive it.
        base = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - the directory made in it is private
        base = base if self._tmpdir is None else os.path.dirname(self._tmpdir)
        # Before there are copies of ours.
        found, left_alone = copies(fds)
        ours = {fd for fd, _ in _retired.values()}
        found = {fd: original for fd, original in found.items() if fd not in ours}
        left_alone = [fd for fd in left_alone if fd not in ours]
        try:
            before, own, shell, variables = self._core.divert(fds, base=base, remove=self._tmpdir)
        except OSError as error:
            self._fail(error)
            return {}
        before = [_reused(f"{fd}", private) for fd, private in zip(fds, before, strict=True)]
        if self._core.has_sinks:
            own = [
                _reused(f"{fd} into the filter", mine) for fd, mine in zip(fds, own, strict=True)
            ]
        else:
            own = before
        self._patches.on_undo(lambda: _reap(shell))
        atexit.register(_reap, shell)
        for name, value in variables.items():
            self._patches.set_variable(name, value)
        for fd, private in zip(fds, before, strict=True):
            # It stays open: a handler that was made meanwhile may still write there.
            self._patches.on_undo(partial(os.dup2, private, fd, inheritable=True))
            self._patches.on_undo(partial(_retire, f"{fd}", private))
            self._patches.cover(f"{_CHANNEL} {fd}", "by a filter process")
        if self._core.has_sinks:
            self._patches.cover(_SINKS, "by the filter process")
            for fd, private, mine in zip(fds, before, own, strict=True):
                # It is led there first, so that the filter ends.
                self._patches.on_undo(partial(_retire, f"{fd} into the filter", mine))
                self._patches.on_undo(partial(os.dup2, private, mine, inheritable=False))
        self._before = dict(zip(fds, before, strict=True))
        self._lead(found, left_alone)
        return dict(zip(fds, own, strict=True))

    def _lead(self, found: dict[int, int], left_alone: list[int]) -> None:
        """Leads copies through the filter as well."""
        for fd, original in found.items():
            inheritable = os.get_inheritable(fd)
            os.dup2(original, fd, inheritable)
            # If it still leads there when all is put back.
            way = identity(original)
            undo = partial(_put_back, fd, self._before[original], way, inheritable)
            self._patches.on_undo(undo)
        if left_alone:
            numbers = ", ".join(map(str, left_alone))
            self._patches.off(_COPIES, f"{numbers}: can be read, or may be none: left alone")
        elif found:
            self._patches.cover(_COPIES, f"{', '.join(map(str, found))}: by the filter process")

    def raw(self, fd: int, own: int) -> io.FileIO:
        """What Python writes to in place of a filtered descriptor; `own`: as `filter` gave it."""
        before = self._before[fd]
        if own == before:
            return io.FileIO(own, "w", closefd=False)
        return _IntoFilter(own, before, self._filter_is_gone)

    def _filter_is_gone(self) -> None:
        self._patches.miss(_SINKS, "the filter process has ended: redacted, as without sinks")

    def _is_ours(self, fd: int, parent_outputs: frozenset[str]) -> bool:
        channel = f"{_CHANNEL} {fd}"
        if identity(fd) in parent_outputs:
            self._patches.cover(channel, "by the process that it comes from")
            return False
        if os.isatty(fd):
            # A program in the terminal would lose it: colours, prompts, an editor.
            self._patches.off(channel, "a terminal keeps no log; tacenda run filters it")
            return False
        return True

    def _fail(self, error: OSError) -> None:
        # Native code tells the number in the text only. The program lacks descriptors as well, and
        # may have some again: it is not to go on with half a guard.
        for text, number in _NONE_LEFT.items():
            if str(error).endswith(text):
                raise OSError(number, os.strerror(number)) from None
        self._miss(str(error.strerror or error))

    def _miss(self, why: str) -> None:
        if self._core.has_sinks:
            raise PolicyError(f"the log cannot be written where the policy says: {why}")
        for fd in self._fds:
            self._patches.miss(f"{_CHANNEL} {fd}", why)
        self._fds = []

    def keep(self, before: dict[int, int], settle: Callable[[], None]) -> None:
        """Keeps the private descriptors when the application rearranges its own.

        Args:
            before: Filtered descriptors, and the private ones that Python writes to.
            settle: Writes what is held back: it belongs to where the descriptor led.
        """
        private = {*before.values(), *self._before.values()}
        if not private:
            return
        dup2, close, closerange = os.dup2, os.close, os.closerange
        ways = {fd: identity(fd) for fd in before}

        def guarded_dup2(fd: int, fd2: int, inheritable: bool = True) -> int:
            if fd2 in before:
                settle()
            result = dup2(fd, fd2, inheritable)
            if fd2 in before:
                follow(fd2)
            return result

        def follow(fd: int) -> None:
            """The application has led `fd` elsewhere: so goes what Python writes."""
            dup2(fd, before[fd], False)
            if identity(fd) == ways[fd]:
                self._patches.cover(f"{_CHANNEL} {fd}", "by a filter process")
            else:
                self._patches.off(f"{_CHANNEL} {fd}", "the application has redirected it")

        def drop(fd: int) -> None:
            """The application has closed `fd`: nothing is to hold open where it led."""
            # Who writes there is told what he would be told without us.
            nowhere = opens["open"](os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            for place in (before[fd], self._before[fd]):
                dup2(nowhere, place, False)
            close(nowhere)
            self._patches.off(f"{_CHANNEL} {fd}", "the application has closed it")
            for name, original in opens.items():
                if getattr(os, name) is original:
                    self._patches.replace(os, name, opening(original))

        opens: dict[str, Callable[..., int]] = {"open": os.open, "dup": os.dup}

        def opening(original: Callable[..., int]) -> Callable[..., int]:
            """What is opened next has the number that has become free."""

            def guarded_open(*args: Any, **more: Any) -> int:
                fd = original(*args, **more)
                if fd in before:
                    follow(fd)
                return fd

            return guarded_open

        def guarded_close(fd: int) -> None:
            if fd in private:
                return
            if fd in before:
                settle()
            close(fd)
            if fd in before:
                drop(fd)

        def guarded_closerange(low: int, high: int, /) -> None:
            closed = [fd for fd in before if low <= fd < high]
            if closed:
                settle()
            for fd in sorted(private):
                if low <= fd < high:
                    closerange(low, fd)
                    low = fd + 1
            closerange(low, high)
            for fd in closed:
                drop(fd)

        self._patches.replace(os, "dup2", guarded_dup2)
        self._patches.replace(os, "close", guarded_close)
        self._patches.replace(os, "closerange", guarded_closerange)


class _IntoFilter(io.FileIO):
    """A pipe into the filter; once that has ended, where the descriptor led before.

    What Python writes is redacted already, and the end of a process of ours is no affair of the
    application.
    """

    def __init__(self, fd: int, before: int, on_end: Callable[[], object]) -> None:
        super().__init__(fd, "w", closefd=False)
        self._before = before
        self._on_end = on_end
        self._filter = identity(fd)
        self._has_ended = False

    def write(self, data: Any, /) -> int | None:  # type: ignore[override]
        """Writes bytes."""
        try:
            return super().write(data)
        except BrokenPipeError:
            # The application may have redirected the descriptor: then its reader is gone.
            if identity(self.fileno()) == self._filter:
                self._fall_back()
            elif not self._has_ended:
                raise
        return super().write(data)

    def _fall_back(self) -> None:
        self._has_ended = True
        os.dup2(self._before, self.fileno(), inheritable=False)
        self._on_end()
        with suppress(OSError):  # the write that follows says so
            os.write(self._before, _ENDED)


def identity(fd: int) -> str | None:
    """What a descriptor leads to, as `DEV:INO`; None for a closed one."""
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return f"{status.st_dev}:{status.st_ino}"


# Private descriptors of installations that have ended, with what they lead to. The next one takes
# them, or there would be more with each.
_retired: dict[str, tuple[int, str | None]] = {}


def _retire(use: str, fd: int) -> None:
    _retired[use] = fd, identity(fd)


def _reused(use: str, fd: int) -> int:
    """A descriptor like this one, with the number that it had in an earlier installation."""
    old, led_to = _retired.pop(use, (fd, None))
    if led_to is None or identity(old) != led_to:
        return fd  # there was none, or the application has closed it
    os.dup2(fd, old, inheritable=False)
    os.close(fd)
    return old


def _put_back(fd: int, before: int, way: str | None, inheritable: bool) -> None:
    if identity(fd) == way:
        os.dup2(before, fd, inheritable)


def _reap(shell: int) -> None:
    try:
        os.waitpid(shell, os.WNOHANG)
    except OSError:  # the application has waited for it, or it is the parent's
        return
