"""Cleaning values that are not text, keeping their shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tacenda._core import MARKER, Core
from tacenda.hooks.leaves import KEY, Leaves

# Deeper than this, a value is replaced by its type's name.
_DEPTH = 64

_PLAIN = (str, int, float, bool)
_CONTAINERS = (tuple, list, dict, set, frozenset)
# Members of arguments that are looked at before the rest is not.
_FEW = 1000

_BLANK = "[redacted]"
_MANY = (Mapping, list, tuple, set, frozenset)


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
        self._core = core
        self._redact = core.redact
        self._most = most

    def value(self, value: Any) -> Any:
        """A value like this one without sensitive text; the same object if it is clean."""
        if isinstance(value, str):
            return self._redact(value)
        return self._walk(lambda walk: walk.value(value, 0), value)[0]

    def protected(self, value: Any) -> Any:
        """As `shielded`, for data of a protocol: the same object if nothing protected is in it."""
        try:
            if not self._core.protects:
                return value
            clean, is_in_pieces = self._walk(lambda walk: walk.value(value, 0), value)
            if clean is value or is_in_pieces:
                return clean
            return value if self._core.known_kind(str(value)) is None else clean
        except Exception:
            return MARKER

    def _walk(self, way: Callable[[_Walk], Any], value: Any) -> tuple[Any, bool]:
        """What comes of a value; and whether a protected one lay in it in pieces."""
        walk = _Walk(self._core, self._most)
        # Only a protected value is found in pieces.
        if self._core.protects and isinstance(value, _MANY):
            walk.leaves = Leaves()
        clean = way(walk)
        covered = walk.leaves.covered(self._core) if walk.leaves is not None else None
        if not covered and (clean is value or not walk.circles):
            return clean, False
        circles, walk = walk.circles, _Walk(self._core, self._most)
        # What contains itself may stay as it is only if all of it is clean.
        walk.keep_circles = not circles
        if covered:
            walk.leaves = Leaves(covered)
        return way(walk), bool(covered)

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
        return self._walk(lambda walk: walk.member(key, value, 0), value)[0]

    def is_data(self, value: Any) -> bool:
        """Whether a value is made of text, numbers and containers only, and of few of them."""
        waiting, left = [value], _FEW
        while waiting:
            value = waiting.pop()
            if value is None or type(value) in _PLAIN:
                continue
            if type(value) not in _CONTAINERS or len(value) >= left:
                return False
            left -= len(value) + 1
            waiting.extend(value)
            if type(value) is dict:
                waiting.extend(value.values())
        return True

    def data(self, args: Any) -> Any:
        """Arguments without sensitive text; of those that are no data, nothing is left."""
        if self.is_data(args):
            return self.value(args)
        if isinstance(args, tuple):
            return tuple(self.data(item) if self.is_data(item) else _BLANK for item in args)
        if isinstance(args, Mapping):
            return {
                key: self.member(key, item) if self.is_data(item) else _BLANK
                for key, item in args.items()
            }
        return self.blank(args)

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

    def __init__(self, core: Core, most: int | None) -> None:
        self._redact = core.redact
        self._redact_bytes = core.redact_bytes
        self._left = most
        # What texts and numbers are met, in their order, if that is of interest.
        self.leaves: Leaves | None = None
        # By identity; the value is kept, or another one could take its place.
        self._met: dict[int, tuple[Any, Any]] = {}
        self.circles = False
        self.keep_circles = True

    def value(self, value: Any, depth: int, place: Any = None) -> Any:
        if value is None or isinstance(value, (bool, float)):
            return value
        if isinstance(value, str):
            return self._met_leaf(self._redact(value), place)
        if isinstance(value, int):
            text = int.__repr__(value)
            return self._met_leaf(value if self._redact(text) == text else 0, place)
        if isinstance(value, (bytes, bytearray)):
            data = self._redact_bytes(bytes(value))
            return self._met_leaf(value if data == value else type(value)(data), place)
        if isinstance(value, _MANY):
            return self._container(value, depth)
        try:
            text = str(value)
        except Exception:
            # It has no text, so it can show none.
            return value
        clean = self._redact(text)
        kept = self._met_leaf(clean, place)
        return value if kept is text else kept

    def _met_leaf(self, clean: Any, place: Any) -> Any:
        leaves = self.leaves
        return _nothing_of(clean) if leaves is not None and leaves.meet(clean, place) else clean

    def member(self, key: Any, value: Any, depth: int) -> Any:
        if isinstance(value, str) and isinstance(key, str):
            clean = self._redact(f"{key}={value}")
            if clean != f"{key}={value}":
                prefix = f"{key}="
                clean = clean[len(prefix) :] if clean.startswith(prefix) else clean
                return self._met_leaf(clean, key)
            return self._met_leaf(value, key)
        return self.value(value, depth, key)

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
        after = [
            (self.value(key, depth, KEY), self.member(key, item, depth)) for key, item in before
        ]
        same = all(
            key is clean_key and item is clean
            for (key, item), (clean_key, clean) in zip(before, after, strict=True)
        )
        return value if same else dict(after)

    def _sequence(self, value: Any, depth: int) -> Any:
        before = list(value)
        items = [self.value(item, depth, place) for place, item in enumerate(before)]
        if all(old is new for old, new in zip(before, items, strict=True)):
            return value
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*items)
        return type(value)(items) if type(value) in (list, tuple, set, frozenset) else items


def _nothing_of(value: Any) -> Any:
    if isinstance(value, int):
        return 0
    return _BLANK if isinstance(value, str) else type(value)(_BLANK.encode())
