"""The slot map: what a scan knows of the values in logging calls."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from tacenda._core import Core


class Call:
    """A logging call of the map. A kind is None where nothing is to be masked."""

    __slots__ = ("arguments", "fields", "function", "kinds", "literals", "rest", "sensitive")

    def __init__(self, core: Core, entry: Mapping[str, Any]) -> None:
        def kind(slot: Mapping[str, str] | None) -> str | None:
            label = "unknown" if slot is None else slot["label"]
            return None if label in ("safe", "unknown") or core.keeps(label) else label

        self.function: str = entry["function"]
        # One text before each value of the message, and one behind the last.
        literals, kinds = [""], []
        for piece in entry["template"]:
            if isinstance(piece, str):
                literals[-1] += piece
            else:
                kinds.append(kind(piece))
                literals.append("")
        self.literals = tuple(literals)
        self.kinds = tuple(kinds)
        self.arguments = tuple(kind(slot) for slot in entry.get("arguments", ()))
        self.rest = kind(entry.get("rest"))
        self.fields = {name: kind(slot) for name, slot in entry.get("fields", {}).items()}
        found = (*self.kinds, *self.arguments, self.rest, *self.fields.values())
        self.sensitive = any(found)

    @property
    def has_text(self) -> bool:
        """Whether its template tells it from others."""
        return any(self.literals)

    def matches(self, message: str) -> bool:
        """Whether a message may be made from its template."""
        return self.places(message) is not None

    def places(self, message: str, *, loose: bool = False) -> list[tuple[int, int]] | None:
        """Where each value may stand in a message; None if it is not made from the template.

        What a value holds may look like the text beside it. Each place reaches from where the
        value may begin at the earliest to where it may end at the latest. With `loose`, the
        message may hold more before and behind.
        """
        first, last = self.literals[0], self.literals[-1]
        if len(self.literals) == 1:
            return [] if (first in message if loose else first == message) else None
        if not loose and not (message.startswith(first) and message.endswith(last)):
            return None
        starts, at = [], 0
        for literal in self.literals[:-1]:
            at = message.find(literal, at)
            if at < 0:
                return None
            at += len(literal)
            starts.append(at)
        ends, at = [], len(message)
        for literal in reversed(self.literals[1:]):
            at = message.rfind(literal, 0, at)
            if at < 0:
                return None
            ends.append(at)
        ends.reverse()
        if any(start > end for start, end in zip(starts, ends, strict=True)):
            return None
        if loose:
            starts[0], ends[-1] = (starts[0] if first else 0), (ends[-1] if last else len(message))
        return list(zip(starts, ends, strict=True))


class File:
    """A file of the map."""

    def __init__(self, core: Core, entry: Mapping[str, Any]) -> None:
        self.path: str = entry["path"]
        self.sha256: str = entry["sha256"]
        from pathlib import Path  # costs milliseconds, which a program without a map need not pay

        self.parts = Path(self.path).parts
        # What the process has found it to be; None as long as nobody has asked.
        self.is_stale: bool | None = None
        # Each with the name of the function that writes it.
        self.calls: list[tuple[str, Call]] = []
        self.by_line: dict[int, list[Call]] = {}
        self._lines: dict[int, range] = {}
        self._functions: dict[int, str] = {}
        for one in entry["calls"]:
            call = Call(core, one)
            lines = range(one["line"], one["end_line"] + 1)
            self._lines[one["line"]] = lines
            self._functions[one["line"]] = call.function
            self._add(call, lines, call.function)

    def add_through(self, call: Call, line: int) -> None:
        """Adds a call whose values the call at a line of this file writes."""
        lines = self._lines.get(line, range(line, line + 1))
        self._add(call, lines, self._functions.get(line, call.function))

    def stale(self) -> File:
        """What is known of a file like this one, which is none that was scanned."""
        other = copy(self)
        other.is_stale = True
        return other

    def settle(self) -> None:
        """Leaves of each line what is to be masked on it."""
        for line, calls in self.by_line.items():
            if not any(call.sensitive for call in calls):
                self.by_line[line] = []

    def _add(self, call: Call, lines: range, function: str) -> None:
        self.calls.append((function, call))
        for line in lines:
            self.by_line.setdefault(line, []).append(call)
