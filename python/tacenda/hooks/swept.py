"""Files in directories that are logs, written past every hook: by other programs, by native code.

What a child process writes there is looked at when it has ended, and in whole lines each second
before; what else came there, when this process ends. Of a value `*` is left, byte for byte: who
still writes to the file, or holds it open, is not disturbed.
"""

from __future__ import annotations

import io
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches, hook_imports

_CHANNEL = "files of child processes"

# How often files are looked at while a child process runs, in seconds.
_PERIOD = 1.0
# Clocks of file systems are coarse.
_COARSE = 1.0

# A file is looked at in windows that overlap: a value may lie anywhere.
_WINDOW = 1 << 20
_OVERLAP = 1 << 14

# A database keeps sums over what it has written.
_DATABASES = (b"SQLite format 3\0", b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")


class Sweep:
    """Looks through the files of some directories."""

    def __init__(self, core: Core, patches: Patches) -> None:
        self._core = core
        self._patches = patches
        self._directories: tuple[str, ...] = ()
        self._since = time.time() - _COARSE
        # How far each file has been looked at, by its place in its file system.
        self._done: dict[tuple[int, int], int] = {}
        # Files that this process alone has written, guarded.
        self._own: set[str] = set()
        self._children: list[Any] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, directories: tuple[str, ...], imports: ImportWatch) -> None:
        """Watches the directories, if there are any."""
        if not directories:
            return
        self._directories = directories
        hook_imports(self._patches, imports, (_CHANNEL, "subprocess", self._hook_subprocess))
        for name in ("system", "waitpid"):
            self._patches.replace(os, name, self._sweeping(getattr(os, name)))

    def own(self, path: str) -> None:
        """This file is written by this process, guarded."""
        if self._directories:
            self._own.add(os.path.realpath(path))

    def shared(self, path: Any) -> None:
        """Its descriptor was handed out: others may write to it."""
        with suppress(TypeError):
            self._own.discard(os.path.realpath(os.fsdecode(path)))

    def finish(self) -> None:
        """Looks through all that has come, for the last time."""
        if not self._directories:
            return
        self._stop.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        self.sweep(whole_lines=False)

    def forget(self) -> None:
        """In a child by fork: what the parent has started is not ours to look after."""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = None
        self._children = []

    def sweep(self, *, whole_lines: bool) -> None:
        """Looks through what has come since the last time. Never raises.

        `whole_lines`: what the last line begins with is left for the next time.
        """
        with self._lock:
            for path in self._files():
                with suppress(OSError):
                    self._look_into(path, whole_lines)

    def _hook_subprocess(self, module: Any) -> None:
        popen = module.Popen
        init, wait, poll = popen.__init__, popen.wait, popen.poll

        def started(self_: Any, *args: Any, **kwargs: Any) -> None:
            init(self_, *args, **kwargs)
            self._watch(self_)

        def waited(self_: Any, *args: Any, **kwargs: Any) -> Any:
            status = wait(self_, *args, **kwargs)
            self._ended(self_)
            return status

        def polled(self_: Any) -> Any:
            status = poll(self_)
            if status is not None:
                self._ended(self_)
            return status

        for name, hook in (("__init__", started), ("wait", waited), ("poll", polled)):
            self._patches.replace(popen, name, hook)

    def _sweeping(self, original: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            if result != (0, 0):  # a child that still runs
                self.sweep(whole_lines=False)
            return result

        return call

    def _watch(self, child: Any) -> None:
        self._children.append(child)
        if self._thread is None and not self._stop.is_set():
            thread = threading.Thread(target=self._run, name="tacenda-sweep", daemon=True)
            with suppress(RuntimeError):  # the interpreter is shutting down
                thread.start()
                self._thread = thread

    def _ended(self, child: Any) -> None:
        # By equality they are the same only when they are.
        if child in self._children:
            self._children.remove(child)
            self.sweep(whole_lines=False)

    def _run(self) -> None:
        while not self._stop.wait(_PERIOD):
            if not self._children:
                self._thread = None
                return
            self.sweep(whole_lines=True)

    def _files(self) -> Iterator[str]:
        for directory in self._directories:
            for folder, _, names in os.walk(directory):
                if os.path.basename(folder).startswith(".tacenda-"):
                    continue
                for name in names:
                    path = os.path.join(folder, name)
                    if os.path.realpath(path) not in self._own:
                        yield path

    def _look_into(self, path: str, whole_lines: bool) -> None:
        found = os.lstat(path)
        place = (found.st_dev, found.st_ino)
        done = self._done.get(place, 0)
        if not stat.S_ISREG(found.st_mode) or found.st_mtime < self._since:
            return
        if found.st_size == done:
            return
        # A file that was cut begins anew.
        at = max(0, done - _OVERLAP) if found.st_size > done else 0
        with io.FileIO(path, "r+") as file:
            if file.read(16).startswith(_DATABASES):
                return
            self._done[place] = blank_file(self._core, file, at, whole_lines=whole_lines)


def blank_file(core: Core, file: io.FileIO, at: int = 0, *, whole_lines: bool = False) -> int:
    """Blanks what is sensitive in a file from a place on. Gives how far it has come.

    Args:
        core: What knows it.
        file: The file, open for reading and writing.
        at: Where to begin.
        whole_lines: Whether a last line without an end is left for the next time.
    """
    while True:
        file.seek(at)
        window = file.read(_WINDOW)
        is_last = len(window) < _WINDOW
        if is_last and whole_lines:
            window = window[: window.rfind(b"\n") + 1]
        clean = core.blank(window)
        if clean is not window:
            for start, end in _changes(window, clean):
                file.seek(at + start)
                file.write(clean[start:end])
        if is_last:
            return at + len(window)
        at += _WINDOW - _OVERLAP


def _changes(before: bytes, after: bytes) -> Iterator[tuple[int, int]]:
    """Where two texts of one length differ: nothing else is written."""
    at, step = 0, 4096
    while at < len(before):
        end = min(at + step, len(before))
        if before[at:end] != after[at:end]:
            yield at, end
        at = end
