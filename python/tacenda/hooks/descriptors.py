"""File descriptors 1 and 2, for what does not pass through Python.

C and C++ code and other programs write to the descriptor itself. It becomes a pipe into a
`tacenda` of its own, which outlives a crash of this process: the last words of a dying
process are not lost. What Python writes goes straight to where the descriptor led before.
"""

from __future__ import annotations

import atexit
import fcntl
import os
from collections.abc import Callable

from tacenda._command import native_command
from tacenda._core import Core
from tacenda._patch import Patches

_CHANNEL = "native writes to fd"


class Descriptors:
    """The descriptors that lead through a filter."""

    def __init__(self, core: Core, patches: Patches, tmpdir: str | None) -> None:
        self._core = core
        self._patches = patches
        # The filter outlives this process, and removes what it has left.
        self._tmpdir = [] if tmpdir is None else [tmpdir]

    def filter(self, fd: int, parent_outputs: frozenset[str]) -> int | None:
        """Leads a descriptor through a filter. Gives another one for where it led before.

        None: it is left as it is, which `status()` tells.
        """
        channel = f"{_CHANNEL} {fd}"
        if identity(fd) in parent_outputs:
            self._patches.cover(channel, "by the process that it comes from")
            return None
        if os.isatty(fd):
            # A program in the terminal would lose it: colours, prompts, an editor.
            self._patches.off(channel, "a terminal keeps no log; tacenda run filters it")
            return None
        command = native_command()
        if command is None:
            self._patches.miss(channel, "the command tacenda is not installed with the package")
            return None
        try:
            before = _high(os.dup(fd))
            read, write = map(_high, os.pipe())
        except OSError as error:
            self._patches.miss(channel, str(error.strerror))
            return None
        try:
            self._spawn(command, read, before)
        except OSError as error:
            os.close(before)
            os.close(write)
            self._patches.miss(channel, str(error.strerror))
            return None
        finally:
            os.close(read)
        os.dup2(write, fd, inheritable=True)
        os.close(write)
        # It stays open: a handler that was made meanwhile may still write there.
        self._patches.on_undo(lambda: os.dup2(before, fd, inheritable=True))
        self._patches.cover(channel, "by a filter process")
        return before

    def _spawn(self, command: str, read: int, write: int) -> None:
        # By way of a shell that ends at once: a child that stays would be one more to wait for.
        shell = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", '"$0" "$@" <&3 3<&- &', command, "__follow", *self._tmpdir],
            {**os.environ, **self._core.handover()},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, read, 3),
                (os.POSIX_SPAWN_DUP2, write, 1),
            ],
        )
        self._patches.on_undo(lambda: _reap(shell))
        atexit.register(_reap, shell)

    def keep(self, before: dict[int, int], settle: Callable[[], None]) -> None:
        """Keeps the private descriptors when the application rearranges its own.

        Args:
            before: Filtered descriptors, and the private ones to where they led before.
            settle: Writes what is held back: it belongs to where the descriptor led.
        """
        if not before:
            return
        dup2, close, closerange = os.dup2, os.close, os.closerange
        private = set(before.values())

        def guarded_dup2(fd: int, fd2: int, inheritable: bool = True) -> int:
            if fd2 in before:
                settle()
            result = dup2(fd, fd2, inheritable)
            if fd2 in before:  # redirected: what Python writes follows
                dup2(fd2, before[fd2], False)
            return result

        def guarded_close(fd: int) -> None:
            if fd not in private:
                close(fd)

        def guarded_closerange(low: int, high: int, /) -> None:
            for fd in sorted(private):
                if low <= fd < high:
                    closerange(low, fd)
                    low = fd + 1
            closerange(low, high)

        self._patches.replace(os, "dup2", guarded_dup2)
        self._patches.replace(os, "close", guarded_close)
        self._patches.replace(os, "closerange", guarded_closerange)


def identity(fd: int) -> str | None:
    """What a descriptor leads to, as `DEV:INO`; None for a closed one."""
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return f"{status.st_dev}:{status.st_ino}"


def _reap(shell: int) -> None:
    try:
        os.waitpid(shell, os.WNOHANG)
    except OSError:  # the application has waited for it, or it is the parent's
        return


def _high(fd: int) -> int:
    """The same descriptor above those that a program closes or expects: daemons close 0 to 2."""
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    finally:
        os.close(fd)
