"""Log records into a sealed journal."""

from __future__ import annotations

import logging
import math
import os
from typing import Any

# Readers of JSON end at some depth.
DEEPEST = 64


class JournalHandler(logging.Handler):
    """Hands log records to `tacenda journal append`, which seals them.

    The journal is written by a process of its own: the application holds none of its keys, and what
    was handed over is written also when the application is killed. Many applications may log to one
    journal: one of these processes owns it, the others append through that one. A forked child of
    the application has a process of its own as well.

    Records are kept until they are written, up to 4 MiB. When the process ends, because the disk is
    full or somebody has killed it, it is started again and gets them. When the journal falls
    behind, logging waits for it, but no longer than 5 seconds in which nothing is written: then
    records are dropped until there is room. How many is in `lost`, and said on standard error, with
    the reason and without their text.

    A record may say more of itself, by `extra={"journal": {...}}`: `class` of its fields, `classes`
    of single ones, `kinds`, and any other member as a field.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        class_: str = "confidential",
        level: int | str = logging.NOTSET,
    ) -> None:
        """Opens a journal that `tacenda journal init` has made.

        Args:
            path: The directory of the journal.
            class_: The class of fields that do not say theirs.
            level: The least level of records.

        Raises:
            OSError: The journal cannot be opened; the text says why.
        """
        from json import JSONEncoder

        from tacenda._feed import Feed

        # What it is given holds nothing twice.
        self._encode = JSONEncoder(allow_nan=False, check_circular=False).encode
        self._feed = Feed(os.fspath(path), class_)
        try:
            super().__init__(level)
        except BaseException:
            self._feed.close()
            raise
        # Time, level and logger are kept apart.
        self.setFormatter(logging.Formatter("%(message)s"))

    @property
    def lost(self) -> int:
        """How many records of this process are lost."""
        return self._feed.lost

    def emit(self, record: logging.LogRecord) -> None:
        """Hands a record over. Never raises."""
        try:
            self._feed.take(self._line(record))
        except Exception:  # whatever it is, the application goes on
            name, line = getattr(record, "filename", "?"), getattr(record, "lineno", "?")
            self._feed.refuse(f"{name}:{line}")

    def _line(self, record: logging.LogRecord) -> bytes:
        line: dict[str, Any] = {
            "time": _plain(record.created),
            "level": _plain(_level(record)),
            "logger": _plain(record.name),
            "message": _plain(self.format(record)),
        }
        more = getattr(record, "journal", None)
        if isinstance(more, dict):
            line = {**_plain(more), **line}
        return self._encode(line).encode() + b"\n"

    def close(self) -> None:
        """Waits until everything is written and sealed, or until that takes too long."""
        self.acquire()
        try:
            self._feed.close()
        finally:
            self.release()
        super().close()


def _level(record: logging.LogRecord) -> str:
    """The name of its level; of one that has none (`Level 45`) that of the next one below."""
    if record.levelname != f"Level {record.levelno}":
        return record.levelname.lower()
    below = (level for level in (50, 40, 30, 20, 10) if level <= record.levelno)
    number = next(below, None)
    return "trace" if number is None else logging.getLevelName(number).lower()


def _plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON that every reader takes: what is not, as its text."""
    if type(value) is str and value.isascii():
        return value
    if isinstance(value, str):
        # A lone surrogate is no character.
        return str(value).encode(errors="backslashreplace").decode()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 1 << 63:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, dict) and depth < DEEPEST:
        return {_plain(str(name)): _plain(one, depth + 1) for name, one in value.items()}
    if isinstance(value, (list, tuple)) and depth < DEEPEST:
        return [_plain(one, depth + 1) for one in value]
    return _plain(str(value))
