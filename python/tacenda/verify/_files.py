"""The files of a journal as they are read: none through a link, none that waits, none unbounded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without a pipe's other end.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# A checkpoint with its signatures, also those of many witnesses.
LONGEST_NOTE = 1 << 20
# What a name stands for.
KINDS = {"file": stat.S_ISREG, "directory": stat.S_ISDIR, "socket": stat.S_ISSOCK}


class NotOurs(Exception):
    """What is there is none of the journal's files; the text says why."""


def check(found: os.stat_result) -> None:
    """Whether a file or directory is this user's alone.

    Raises:
        NotOurs: It is not.
    """
    if found.st_uid != os.geteuid():
        raise NotOurs("it belongs to another user")
    if found.st_mode & 0o077:
        raise NotOurs(f"others may reach it (mode {stat.S_IMODE(found.st_mode):04o})")


class Files:
    """The files below a directory, each by its path from there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def _folder(self, path: str) -> Iterator[int]:
        at = os.open(self.root, FOLDER)
        try:
            check(os.fstat(at))
            for name in path.split("/") if path else []:
                at, above = os.open(name, FOLDER, dir_fd=at), at
                os.close(above)
                check(os.fstat(at))
            yield at
        finally:
            os.close(at)

    @contextmanager
    def open(self, path: str, limit: int | None = None) -> Iterator[BinaryIO]:
        """A file, to be read.

        Raises:
            FileNotFoundError: It is not there.
            NotOurs: It is none, or longer than the limit.
        """
        folder, _, name = path.rpartition("/")
        try:
            with self._folder(folder) as at:
                file = os.fdopen(os.open(name, FILE, dir_fd=at), "rb")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise NotOurs(self._why(path, error)) from None
        with file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise NotOurs("it is no file")
            if found.st_nlink > 1:
                raise NotOurs("it has another name: a link leads to the same file")
            check(found)
            if limit is not None and found.st_size > limit:
                raise NotOurs(f"it has {found.st_size} bytes, and may have {limit}")
            yield file

    def read(self, path: str, limit: int) -> bytes:
        """The content of a file that has no more bytes than the limit.

        Raises:
            FileNotFoundError: It is not there.
            NotOurs: It is none, or longer than the limit.
        """
        with self.open(path, limit) as file:
            return file.read(limit)

    def names(self, path: str) -> list[str]:
        """The names in a directory, sorted.

        Raises:
            FileNotFoundError: It is not there.
            NotOurs: It is none.
        """
        try:
            with self._folder(path) as at:
                return sorted(one.name for one in os.scandir(at))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise NotOurs(self._why(path, error)) from None

    def stranger(self, path: str, kind: str = "file") -> str | None:
        """Why what has a name is none of the journal's, as far as that is told without opening it.

        None for the journal's own, and where there is nothing.
        """
        folder, _, name = path.rpartition("/")
        try:
            with self._folder(folder) as at:
                found = os.stat(name, dir_fd=at, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            return self._why(path, error)
        except NotOurs as error:
            return str(error)
        if not KINDS[kind](found.st_mode):
            link = stat.S_ISLNK(found.st_mode)
            return "it is a link" if link else f"it is none of the journal's: no {kind}"
        if kind == "file" and found.st_nlink > 1:
            return "it has another name: a link leads to the same file"
        try:
            # The directory of the socket lets nobody else in.
            if kind != "socket":
                check(found)
        except NotOurs as error:
            return str(error)
        return None

    def has(self, path: str) -> bool:
        """Whether something has this name."""
        return os.path.lexists(self.root / path)

    def _why(self, path: str, error: OSError) -> str:
        """Why something was not opened."""
        steps = path.split("/")
        for count in range(len(steps)):
            if self.root.joinpath(*steps[: count + 1]).is_symlink():
                return "it is a link, or is reached through one"
        return (error.strerror or str(error)).lower()
