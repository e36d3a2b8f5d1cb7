"""What the process leaves behind: files, temporary files, children, raw writes."""

from __future__ import annotations

import atexit
import operator
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tacenda._core import Core
from tacenda._patch import Patches
from tacenda.hooks.guarded import Writer

# The directory that is made in one of them is private.
_USUAL = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_BOOTSTRAP = os.path.join(_PACKAGE, "_bootstrap")


def start(
    core: Core,
    patches: Patches,
    writers: dict[int, Writer],
    finish: Callable[[], None],
    settle: Callable[[], None],
) -> None:
    """Makes new files private, hands the guard to children, hooks `os.write` and sudden ends.

    Args:
        core: The core.
        patches: Where replaced attributes are noted.
        writers: What writes to the guarded streams, by their descriptors.
        finish: Writes what is held back, for the last time.
        settle: Writes what is held back.
    """
    _before_sudden_ends(patches, finish, settle)
    _private_files(core, patches)
    _guard_children(core, patches)
    _guard_raw_writes(patches, writers)


def _private_files(core: Core, patches: Patches) -> None:
    bits = core.umask()
    if bits is None:
        patches.off("permissions of new files", "the policy leaves the umask alone")
        return
    old = os.umask(0o077)
    os.umask(old | bits)
    patches.on_undo(lambda: os.umask(old))
    patches.cover("permissions of new files", f"umask {old | bits:03o}")


def private_tmpdir(core: Core, patches: Patches, *, descends: bool) -> str | None:
    """Makes a private directory for temporary files, for this process and those it starts.

    Args:
        core: The core.
        patches: Where replaced attributes are noted.
        descends: Whether a guarded process, which has made one, has started this one.
    """
    channel = "temporary files"
    if descends:
        patches.cover(channel, "in the private directory of the guarded parent")
        return None
    if not core.private_tmpdir():
        patches.off(channel, "the policy leaves TMPDIR alone")
        return None
    # Short: paths of sockets below it have to fit into a hundred bytes.
    name = f"tacenda-{os.urandom(4).hex()}"
    # As `tempfile` looks for one.
    named = (os.environ.get(variable) for variable in ("TMPDIR", "TEMP", "TMP"))
    reasons = []
    for base in (*filter(None, named), *_USUAL):
        path = os.path.join(base, name)
        try:
            os.mkdir(path, 0o700)
            break
        except OSError as error:
            reasons.append(error.strerror)
    else:
        patches.miss(channel, f"no private directory: {reasons[0]}")
        return None
    patches.set_variable("TMPDIR", path)
    tempfile: Any = sys.modules.get("tempfile")
    if tempfile is not None and tempfile.tempdir is not None:
        patches.replace(tempfile, "tempdir", path)
    atexit.register(_remove, path, os.getpid())
    patches.cover(channel, "in a private directory, removed at exit")
    return path


def _remove(path: str, owner: int) -> None:
    if os.getpid() != owner:  # a child by fork
        return
    # Without `shutil`: an import at exit costs more than the directory.
    for directory, folders, files in os.walk(path, topdown=False):
        for name in files:
            _quietly(os.unlink, os.path.join(directory, name))
        for name in folders:
            folder = os.path.join(directory, name)
            _quietly(os.unlink if os.path.islink(folder) else os.rmdir, folder)
    _quietly(os.rmdir, path)


def _quietly(remove: Callable[[str], None], path: str) -> None:
    try:
        remove(path)
    except OSError:  # gone already, or not ours: the filter process tries once more
        return


def _before_sudden_ends(
    patches: Patches, finish: Callable[[], None], settle: Callable[[], None]
) -> None:
    """What was flushed has to be out before the process ends without cleaning up."""
    # An `exec` may fail, and the process goes on.
    for name, before in (
        ("_exit", finish),
        ("abort", finish),
        ("execv", settle),
        ("execve", settle),
    ):
        patches.replace(os, name, _after(before, getattr(os, name)))


def _after(before: Callable[[], None], original: Any) -> Any:
    def end(*args: Any, **kwargs: Any) -> Any:
        before()
        return original(*args, **kwargs)

    return end


def _guard_children(core: Core, patches: Patches) -> None:
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if _BOOTSTRAP not in paths:
        value = os.pathsep.join([_BOOTSTRAP, *(path for path in paths if path)])
        patches.set_variable("PYTHONPATH", value)
    for name, value in core.handover().items():
        patches.set_variable(name, value)
    patches.cover("Python child processes", "by their environment")


def _guard_raw_writes(patches: Patches, writers: dict[int, Writer]) -> None:
    write, writev, close = os.write, os.writev, os.close

    def writer_of(args: tuple[Any, ...], more: dict[str, Any]) -> Writer | None:
        # What is called wrongly is told so by the original.
        if len(args) != 2 or more:
            return None
        try:
            writer = writers.get(operator.index(args[0]))
        except TypeError:
            return None
        return None if writer is None or writer.stream.closed else writer

    def guarded_write(*args: Any, **more: Any) -> int:
        writer = writer_of(args, more)
        if writer is None:
            return write(*args, **more)
        try:
            data = bytes(memoryview(args[1]).cast("B"))
        except (TypeError, BufferError):
            return write(-1, args[1])
        writer.write_raw(data)
        return len(data)

    def guarded_writev(*args: Any, **more: Any) -> int:
        writer = writer_of(args, more)
        if writer is None:
            return writev(*args, **more)
        try:
            data = b"".join(memoryview(part).cast("B") for part in args[1])
        except (TypeError, BufferError):
            return writev(-1, args[1])
        if data:
            writer.write_raw(data)
        return len(data) if data else writev(args[0], args[1])

    def guarded_close(fd: int) -> None:
        # What is opened next has its number, and is something else.
        with suppress(TypeError):
            writers.pop(operator.index(fd), None)
        close(fd)

    patches.replace(os, "close", guarded_close)
    patches.replace(os, "write", guarded_write)
    patches.replace(os, "writev", guarded_writev)
    patches.cover("os.write to standard streams")
