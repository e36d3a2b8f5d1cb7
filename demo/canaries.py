"""The values that must not reach a log, and how they are found again.

Every value is invented, or documented as a test value by those who issue such values:
example.org and example.net (RFC 2606), 219-09-9999 (void since 1940), the card number that payment
services give for tests, +44 20 7946 0xxx (kept free for drama by Ofcom). Nobody issued the keys.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# The keys stand in two parts so that scanners of source code have nothing to report.
CANARIES = {
    "name": "Ines Moreau",
    "e-mail": "ines.moreau@example.org",
    "ssn": "219-09-9999",
    "card": "5555 5555 5555 4444",
    "phone": "+44 20 7946 0018",
    "hub token": "hf_" + "TacendaDemoNeverIssuedAbCdEfGhIjKl",
    "address": "Flat 3, 12 Canary Row, Lower Nowhere",
    # No pattern knows this one: it is what people call a trade secret.
    "plan": "the violet heron ships to Bergen on the ninth",
    # These two stand in no prompt, only in the address of a request.
    "api key": "sk-proj-" + "TacendaDemoNeverIssued0123456789abcdefghij",
    "account": "li.weber@example.net",
}

_LOG_PREFIX = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ - [A-Z]+ - ")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Leak:
    """A canary in a log, and the lines (counted from 0) over which it stands."""

    canary: str
    lines: range


def _spellings(value: str) -> set[str]:
    quoted = json.dumps(value)[1:-1]
    return {
        value,
        quoted,
        repr(value)[1:-1],
        urllib.parse.quote(value, safe=""),
        urllib.parse.quote(value),
        urllib.parse.quote_plus(value),
    }


def _needles(value: str) -> set[str]:
    """Every spelling, and the pieces of it that give the value away: seven tenths, at least 8."""
    found: set[str] = set()
    for spelling in _spellings(value):
        size = max(8, -(-len(spelling) * 7 // 10))
        found.update(spelling[i : i + size] for i in range(len(spelling) - size + 1))
    return found


_NEEDLES = {name: _needles(value) for name, value in CANARIES.items()}


def find(log: str) -> list[Leak]:
    """Every place where a canary, or enough of it, stands in the text of a log.

    mlx_lm.server at DEBUG logs one token a record: no line holds the value, the messages one
    after the other do. The messages are therefore searched as one text, with the line each
    character came from.
    """
    messages = []
    owner: list[int] = []
    for number, raw in enumerate(log.split("\n")):
        line = _ANSI.sub("", raw)
        message = line[match.end() :] if (match := _LOG_PREFIX.match(line)) else line
        messages.append(message)
        owner.extend([number] * len(message))
    text = "".join(messages)
    leaks = []
    for name, needles in _NEEDLES.items():
        for begin, end in _merged(hit for needle in needles for hit in _occurrences(text, needle)):
            leaks.append(Leak(name, range(owner[begin], owner[end - 1] + 1)))
    return leaks


def _occurrences(text: str, needle: str) -> Iterator[tuple[int, int]]:
    at = text.find(needle)
    while at >= 0:
        yield at, at + len(needle)
        at = text.find(needle, at + 1)


def _merged(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping intervals made one."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(intervals):
        if merged and begin < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged
