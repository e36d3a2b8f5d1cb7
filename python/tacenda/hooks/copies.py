"""Copies of descriptors 1 and 2 that were made before the guard: `saved = os.dup(1)`.

What is written to one goes where the descriptor led, past the filter. Those that are found are led
into the filter as well. A file that the program has opened itself, though it is the same, is none,
and what can be read is left alone: a pipe into the filter has nothing to read.
"""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from contextlib import suppress

# Descriptors of this process, of Linux and macOS.
_LISTS = ("/proc/self/fd", "/dev/fd")
# The number of `kcmp`, by machine; its type for descriptors of one open file.
_KCMP = {"x86_64": 312, "aarch64": 272}
_KCMP_FILE = 0


def copies(filtered: list[int]) -> tuple[dict[int, int], list[int]]:
    """The copies of descriptors that are to be filtered, with what each is a copy of.

    Beside them those that are left alone: they can be read, or it is not known what they are.
    """
    found: dict[int, int] = {}
    left_alone: list[int] = []
    standard = {fd: os.fstat(fd) for fd in (1, 2) if _is_open(fd)}
    # Where one of the two is left alone, so is what leads to the same place.
    outputs = [status for fd, status in standard.items() if fd not in filtered]
    for fd in _descriptors():
        with suppress(OSError):
            status = os.fstat(fd)
            if any(os.path.samestat(status, other) for other in outputs):
                continue
            for original in filtered:
                if os.path.samestat(status, standard[original]):
                    is_copy = _is_copy(fd, original, status)
                    if is_copy:
                        found[fd] = original
                    elif is_copy is None:
                        left_alone.append(fd)
                    break
    return found, left_alone


def _descriptors() -> list[int]:
    for name in _LISTS:
        with suppress(OSError):
            return [fd for fd in map(int, os.listdir(name)) if fd > 2]
    return []


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _is_copy(fd: int, original: int, status: os.stat_result) -> bool | None:
    """Whether two descriptors of one file are of one open file; None if it is left alone."""
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    # They have these in common: most others are told by that.
    if flags != fcntl.fcntl(original, fcntl.F_GETFL) or stat.S_ISCHR(status.st_mode):
        return False
    if flags & os.O_ACCMODE != os.O_WRONLY:
        return None
    same = _kcmp(fd, original) if sys.platform == "linux" else None
    # Whoever writes to a pipe writes to its reader.
    return True if same is None and stat.S_ISFIFO(status.st_mode) else same


def _kcmp(one: int, other: int) -> bool | None:
    number = _KCMP.get(os.uname().machine)
    if number is None:
        return None
    import ctypes  # costs milliseconds, which only a program with such descriptors has to pay

    pid = os.getpid()
    order = ctypes.CDLL(None).syscall(number, pid, pid, _KCMP_FILE, one, other)
    # Where it is not allowed, as in some containers, that is not known.
    return None if order < 0 else bool(order == 0)
