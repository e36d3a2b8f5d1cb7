"""Cleaning values that are not text, keeping their shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tacenda._core import MARKER, Core

# Deeper than this, a value is replaced by its type's name.
_DEPTH = 64

_PLAIN = (str, int, float, bool)

_BLANK = "[redacted]"


class Text(str):
    """A message that is final: arguments do not go into it again."""

    __slots__ = ()

    def __str__(self) -> str:
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        # For whoever unpickles it, it is plain text.
        return str, (str.__getitem__(self, slice(None)),)

    def __mod__(self, _args: object) -> str:
        return self


class Scrubber:
    """Cleans strings inside values. Types and lengths stay as they are."""

    def __init__(self, core: Core, most: int | None = None) -> None:
        """Makes a scrubber.

        Args:
            core: What redacts.
            most: How many members of containers are looked at. Of a larger value the rest is
                replaced by the names of its types: nobody reads a hundred thousand logged rows.
        """
        self._redact = core.redact
        self._redact_bytes = core.redact_bytes
        self._most = most

    def value(self, value: Any) -> Any:
        """A value like this one without sensitive text; the same object if it is clean."""
        if isinstance(value, str):
            return self._redact(value)
        walk = _Walk(self._redact, self._redact_bytes, self._most)
        clean = walk.value(value, 0)
        if clean is value or not walk.circles:
            return clean
        # What contains itself may stay as it is only if all of it is clean.
        walk = _Walk(self._redact, self._redact_bytes, self._most)
        walk.keep_circles = False
        return walk.value(value, 0)

    def shielded(self, value: Any) -> Any:
        """As `value`, for hooks that may not raise: the marker for what cannot be cleaned."""
        try:
            return self.value(value)
        except Exception:
            return MARKER

    def line(self, text: str) -> str:
        """Text of a log, clean; a line with the marker in place of what cannot be cleaned."""
        try:
            return self._redact(text)
        except Exception:
            return f"{MARKER}\n"

    def member(self, key: Any, value: Any) -> Any:
        """A value with its name, which may be what makes it sensitive (`password`)."""
        return _Walk(self._redact, self._redact_bytes, self._most).member(key, value, 0)

    def is_plain(self, args: Any) -> bool:
        """Whether arguments are text and numbers only, alone or in a mapping."""
        values = args.values() if isinstance(args, Mapping) else args
        return all(value is None or type(value) in _PLAIN for value in values)

    def blank(self, value: Any) -> Any:
        """A value of the same shape with nothing in it."""
        if isinstance(value, tuple):
            return tuple(self.blank(item) for item in value)
        if isinstance(value, Mapping):
            return {key: self.blank(item) for key, item in value.items()}
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return type(value)() if type(value) in (int, float) else 0
        return _BLANK


class _Walk:
    """One way through a value. Each container is cleaned once, however often it is met."""

    def __init__(
        self, redact: Callable[[str], str], redact_bytes: Callable[[bytes], bytes], most: int | None
    ) -> None:
        self._redact = redact
        self._redact_bytes = redact_bytes
        self._left = most
        # By identity; the value is kept, or another one could take its place.
        self._met: dict[int, tuple[Any, Any]] = {}
        self.circles = False
        self.keep_circles = True

    def value(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, (bool, float)):
            return value
        if isinstance(value, str):
            return self._redact(value)
        if isinstance(value, int):
            text = int.__repr__(value)
            return value if self._redact(text) == text else 0
        if isinstance(value, (bytes, bytearray)):
            data = self._redact_bytes(bytes(value))
            return value if data == value else type(value)(data)
        if isinstance(value, (Mapping, list, tuple, set, frozenset)):
            return self._container(value, depth)
        try:
            text = str(value)
        except Exception:
            # It has no text, so it can show none.
            return value
        clean = self._redact(text)
        return value if clean is text else clean

    def member(self, key: Any, value: Any, depth: int) -> Any:
        if isinstance(value, str) and isinstance(key, str):
            clean = self._redact(f"{key}={value}")
            if clean != f"{key}={value}":
                prefix = f"{key}="
                return clean[len(prefix) :] if clean.startswith(prefix) else clean
            return value
        return self.value(value, depth)

    def _container(self, value: Any, depth: int) -> Any:
        if not value:
            return value
        name = f"[{type(value).__name__}]"
        if id(value) in self._met:
            clean = self._met[id(value)][1]
            if clean is not None:
                return clean
            self.circles = True
            return value if self.keep_circles else name
        if self._left is not None:
            self._left -= len(value)
        if depth >= _DEPTH or (self._left is not None and self._left < 0):
            return name
        # What contains itself is met again before it is clean.
        self._met[id(value)] = (value, None)
        clean = (
            self._mapping(value, depth + 1)
            if isinstance(value, Mapping)
            else self._sequence(value, depth + 1)
        )
        self._met[id(value)] = (value, clean)
        return clean

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> Any:
        before = list(value.items())
        after = [(self.value(key, depth), self.member(key, item, depth)) for key, item in before]
        same = all(
            key is clean_key and item is clean
            for (key, item), (clean_key, clean) in zip(before, after, strict=True)
        )
        return value if same else dict(after)

    def _sequence(self, value: Any, depth: int) -> Any:
        before = list(value)
        items = [self.value(item, depth) for item in before]
        if all(old is new for old, new in zip(before, items, strict=True)):
            return value
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*items)
        return type(value)(items) if type(value) in (list, tuple, set, frozenset) else items
