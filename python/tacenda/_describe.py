"""What may be said of a value in a log: who it is about, and how large it is."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from tacenda import _protect
from tacenda._core import MARKER, Core

# Members of a container that are described one by one.
_MOST = 20


def user(id: object) -> str:
    """A name for a user, equal for equal ids, that tells nothing else: `[user #a1b2c3d4e5f6]`.

    A keyed hash (HMAC-SHA-256), as the action `hash` makes it; `hash.digits` of the policy gives
    its length. It is equal in all processes that have the same keys (`tacenda keys init`); without
    a key file, in this process and those that it starts.

    Args:
        id: The id, name or address; its text is what counts.
    """
    try:
        return current_core().user(str(id))
    except Exception:
        return MARKER


class Summary:
    """What `summary` gives: a text that is made when it is written."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        try:
            return _describe(self._value, current_core())
        except Exception:
            return MARKER

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        # To another process goes the text and not the value.
        return str, (str(self),)


def summary(value: object) -> Summary:
    """What may be said of a value: its type, its size and a keyed fingerprint.

    It is made when it is written, so that a record that nobody makes costs nothing::

        log.info("asked %s", tacenda.summary(question))  # asked [text 532 chars, #a1b2c3]

    A text has its length and fingerprint, an array its shape and type without being evaluated, a
    mapping its keys; numbers, truth values and None are written as they are.
    """
    return Summary(value)


def current_core() -> Core:
    """The core of the guard of this process; without one, one under the nearest policy file."""
    return _protect.core_in_use() or _bare_core()


@functools.cache
def _bare_core() -> Core:
    return Core()


def _describe(value: object, core: Core) -> str:
    if value is None or isinstance(value, (bool, int, float)):
        return str(value)
    if isinstance(value, str):
        return core.summarize(value, "text")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"[{type(value).__name__} {memoryview(value).nbytes} bytes]"
    shape: Any = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{type(value).__name__}({shape}, {getattr(value, 'dtype', None)})"
    if isinstance(value, Mapping):
        members = list(value.items())
        said = [f"{core.redact(str(key))}: {_size(item)}" for key, item in members[:_MOST]]
        more = [f"{len(members) - _MOST} more"] if len(members) > _MOST else []
        return "{" + ", ".join(said + more) + "}"
    return _size(value)


def _size(value: object) -> str:
    """The type of a value, and its length if it has one."""
    if value is None or isinstance(value, (bool, int, float)):
        return type(value).__name__
    if isinstance(value, str):
        return f"[text {len(value)} chars]"
    try:
        return f"[{type(value).__name__} {len(value)} items]"  # type: ignore[arg-type]
    except TypeError:
        return f"[{type(value).__name__}]"
