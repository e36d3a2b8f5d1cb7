"""Values that lie in a structure in pieces: a list of the words of a text, or of its bytes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from tacenda._core import Core

# The place of a key, which is no value.
KEY = object()

# Between two pieces, as in the text of a list: what is looked for is found as if it were not there.
_BETWEEN = '", "'

# Of a longer one only its ends go on in another one: its inside has been looked at.
_LONGEST = 512

# So many bytes are looked at at once, in parts that overlap.
_AT_ONCE = 1 << 20
_OVERLAP = 1 << 12

# Columns of a row, beyond which each is not looked at by itself.
_COLUMNS = 16


class Leaves:
    """The texts and numbers of a structure, in the order in which they are met."""

    def __init__(self, covered: set[int] | None = None) -> None:
        """Starts with none. `covered`: the numbers of those of which nothing is to stay."""
        self._covered = covered
        self._count = 0
        self._keys: list[tuple[int, str]] = []
        self._texts: list[tuple[int, str]] = []
        self._numbers: list[tuple[int, int]] = []
        # Those of one name, or of one column.
        self._places: dict[Hashable, list[tuple[int, str]]] = {}

    def meet(self, leaf: str | int | bytes | bytearray, place: Any) -> bool:
        """The next one. Tells whether nothing of it is to stay.

        Args:
            leaf: The text or number, clean as it is by itself.
            place: Its name in a mapping, its number in a list, or that it is a key.
        """
        number = self._count
        self._count += 1
        if self._covered is not None:
            return number in self._covered
        if isinstance(leaf, int):
            if place is not KEY:
                self._numbers.append((number, leaf))
            return False
        text = leaf if isinstance(leaf, str) else leaf.decode("utf-8", "replace")
        if len(text) > _LONGEST:
            half = _LONGEST // 2
            text = f"{text[:half]} {text[-half:]}"
        if place is KEY:
            self._keys.append((number, text))
            return False
        self._texts.append((number, text))
        if isinstance(place, str) or (isinstance(place, int) and place < _COLUMNS):
            self._places.setdefault(place, []).append((number, text))
        return False

    def covered(self, core: Core) -> set[int]:
        """The numbers of those that hold a part of a protected value when they are read as one."""
        found: set[int] = set()
        places = [group for group in self._places.values() if len(group) > 1]
        # Alone, they are all of the texts.
        groups = [self._texts, self._keys, *(places if len(self._places) > 1 else ())]
        pieces = [
            (number, text.encode("utf-8", "replace"))
            for group in groups
            if len(group) > 1
            for number, text in group
        ]
        for part in _parts(pieces, len(_BETWEEN)):
            _look(part, _BETWEEN.encode(), core, found)
        numbers = self._numbers
        if len(numbers) > 1:
            for part in _parts(_characters(numbers), 0):
                _look(part, b"", core, found)
        return found


def _characters(numbers: list[tuple[int, int]]) -> list[tuple[int, bytes]]:
    """Numbers as the bytes of a text, or as its characters."""
    if all(0 <= value < 256 for _, value in numbers):
        data = bytes(value for _, value in numbers)
        try:
            if not data.decode().isascii():
                return [(number, data[at : at + 1]) for at, (number, _) in enumerate(numbers)]
        except UnicodeDecodeError:
            pass
    return [
        (number, chr(value).encode("utf-8", "replace"))
        for number, value in numbers
        if 9 <= value < 0x110000
    ]


def _parts(pieces: list[tuple[int, bytes]], between: int) -> Iterable[list[tuple[int, bytes]]]:
    size, start = 0, 0
    for at, (_, piece) in enumerate(pieces):
        size += len(piece) + between
        if size >= _AT_ONCE:
            yield pieces[start : at + 1]
            size, start = 0, at + 1
            while start > 0 and size < _OVERLAP:
                start -= 1
                size += len(pieces[start][1]) + between
    if size and start < len(pieces):
        yield pieces[start:]


def _look(pieces: list[tuple[int, bytes]], between: bytes, core: Core, found: set[int]) -> None:
    joined = between.join(piece for _, piece in pieces)
    blank = core.blank(joined)
    if blank is joined:
        return
    start = 0
    run: list[tuple[int, bytes]] = []
    for number, piece in [*pieces, (-1, b"")]:
        end = start + len(piece)
        if blank[start:end] != piece:
            run.append((number, piece))
        elif piece or number == -1:
            _take(run, between, core, found)
            run = []
        start = end + len(between)


def _take(run: list[tuple[int, bytes]], between: bytes, core: Core, found: set[int]) -> None:
    # Not what a detector takes several of them for: it has looked at each.
    if len(run) > 1:
        text = between.join(piece for _, piece in run).decode("utf-8", "replace")
        if core.known_kind(text) is not None:
            found.update(number for number, _ in run)
