"""Installing the guard in this process."""

from __future__ import annotations

import atexit
import os
import threading
from os import PathLike
from types import TracebackType
from typing import Literal

from tacenda import _describe, _protect
from tacenda._core import MARKER, Core, __version__
from tacenda._patch import ImportWatch, Patches
from tacenda._status import Coverage, Status
from tacenda.hooks import (
    aiohttp_web,
    arrays,
    exceptions,
    files,
    http_server,
    jupyter,
    levels,
    loggers,
    mlx_lm,
    process,
    records,
    slots,
    standard_library,
    streams,
    telemetry,
    threads,
    tokenizers,
    tornado_web,
    trackers,
    warned,
    web,
)

_lock = threading.RLock()
_guard: Guard | None = None


class Guard:
    """The hooks of one installation. A context manager: leaving it uninstalls."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.patches = Patches()
        self.imports = ImportWatch()
        self.streams = streams.Streams(core, self.patches)
        self.slots = slots.load(core)
        self.records = records.Records(core, self.patches, self.streams.idler, self.slots)
        self.levels = levels.Levels(core, self.patches)
        self.files = files.Files(core, self.patches, self.streams.idler)

    def _start(self) -> None:
        # The filter of native writes takes longest: it starts while all the rest is done.
        tmpdir = process.private_tmpdir(self.core, self.patches, descends=self.streams.descends)
        self.streams.prepare(tmpdir)
        self.records.start(self.imports)
        self.levels.start()
        self.imports.start()
        exceptions.start(self.core, self.patches)
        threads.start(self.patches, self.imports)
        loggers.start(self.core, self.patches, self.imports, self.slots)
        warned.start(self.patches, self.slots)
        for hooks in (telemetry, trackers, web, aiohttp_web, tornado_web, standard_library):
            hooks.start(self.core, self.patches, self.imports)
        arrays.start(self.core, self.patches, self.imports)
        self.files.start(self.imports)
        http_server.start(self.core, self.patches, self.imports, self.records)
        jupyter.start(self.core, self.patches, self.imports, self.streams)
        tokenizers.start(self.core, self.patches, self.imports)
        mlx_lm.start(self.core, self.patches, self.imports)
        self.streams.start()
        process.start(self.core, self.patches, self.streams.writers, self.finish, self._settle)
        _protect.use(self.core, self.streams.settle)
        self.core.prepare()
        atexit.register(self._end)

    def _settle(self) -> None:
        self.streams.settle()
        self.files.settle()

    def _end(self) -> None:
        self.streams.idler.stop()
        self.finish()

    def _stop(self) -> None:
        atexit.unregister(self._end)
        _protect.use(None)
        self.imports.stop()
        self._end()
        self.patches.undo()

    def forget(self) -> None:
        """In a child by fork: what is held is the parent's to write."""
        self.streams.idler.forget()
        self.streams.forget()
        self.records.forget()
        self.files.forget()
        self.levels.forget()

    def finish(self) -> None:
        """Writes what is still held, redacted."""
        self.records.finish()
        self.streams.finish()
        self.files.finish()
        self.levels.finish()

    def __enter__(self) -> Guard:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        uninstall()


def _before_fork() -> None:
    if _guard is not None:
        _guard.streams.settle()
        _guard.streams.pause()


def _after_fork_in_parent() -> None:
    if _guard is not None:
        _guard.streams.resume()


def _after_fork() -> None:
    if _guard is not None:
        _guard.forget()


# Once for all installations: what is registered stays registered.
os.register_at_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork,
)


def install(
    *,
    config: str | PathLike[str] | None = None,
    environment: str | None = None,
    stdout: Literal["auto", "output", "log"] | None = None,
) -> Guard:
    """Guards this process, and the Python processes that it starts.

    Args:
        config: The policy file. Default: the one handed over by `tacenda run`, else the nearest
            `tacenda.toml` or `pyproject.toml`.
        environment: The environment of the policy, such as `production`.
        stdout: Whether standard output is what the user asked for (`output`, left alone) or a
            log (`log`, redacted).

    Returns:
        The guard, which is also a context manager. A second call changes nothing and returns the
        same one.

    Raises:
        PolicyError: The policy file or a setting is wrong. Nothing is installed then.
        OSError: There are no file descriptors left. Nothing is installed then.
    """
    global _guard
    with _lock:
        if _guard is None:
            guard = Guard(Core(config=config, environment=environment, stdout=stdout))
            try:
                guard._start()
            except BaseException:
                guard._stop()
                raise
            _guard = guard
        return _guard


def uninstall() -> None:
    """Puts everything back as it was. Values that were protected are forgotten."""
    global _guard
    with _lock:
        if _guard is not None:
            _guard._stop()
            _guard = None


def status() -> Status:
    """What is covered in this process, and what is not."""
    guard = _guard
    if guard is None:
        return Status(installed=False, version=__version__)
    usage = guard.core.usage()
    return Status(
        installed=True,
        version=__version__,
        environment=guard.core.environment,
        coverage=(
            *guard.patches.coverage.values(),
            *slots.coverage(guard.core, guard.slots),
            *_shared(guard),
        ),
        protected_values=usage["values"],
        protected_bytes=usage["bytes"],
        evicted_values=usage["evicted"],
    )


def _shared(guard: Guard) -> list[Coverage]:
    """Whether the filters of native writes know the protected values, too."""
    reached, wanted = guard.core.filters()
    if not wanted:
        return []
    channel = "protected values in native writes"
    if reached == wanted:
        return [Coverage(channel, "covered", "the filter process is told of them")]
    return [Coverage(channel, "missing", "a filter process is gone or does not answer")]


def redact(text: str) -> str:
    """The text with every sensitive value replaced, as a log of this process would show it.

    Works without `install()` too, then under the nearest policy file and without protected values.

    Raises:
        TypeError: It is no text.
        PolicyError: The policy file or a setting is wrong.
    """
    if not isinstance(text, str):
        raise TypeError(f"redact() takes text, not {type(text).__name__}")
    core = _describe.current_core()
    try:
        return core.redact(text)
    except Exception:
        return MARKER
