"""Shows what serve.py kept: the two logs side by side, and a table of what leaked where.

Exit status 1 when something leaked with Tacenda, when an answer differs, or when nothing leaked
without Tacenda: then nothing was shown at all.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from canaries import Leak, find

# What differs from one run to the next: the ids and times in an answer.
VARYING = re.compile(r'\\"(?:id|created)\\": (?:\\"[^"]*\\"|\d+)')
LOG_TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+|\[\d\d/\w{3}/\d{4} \d\d:\d\d:\d\d\]")
# Rows of terminal for one side of one request, and for one line of log.
ROWS, LINE_ROWS = 9, 4


@dataclass(frozen=True)
class Exchange:
    """One request at one level, without and with Tacenda."""

    channel: str
    level: str
    plain: str
    guarded: str
    same_answer: bool

    @property
    def leaks(self) -> tuple[list[Leak], list[Leak]]:
        return find(self.plain), find(self.guarded)


def load(work: Path, level: str) -> list[Exchange]:
    plain, guarded = (
        json.loads((work / f"{level}-{name}.json").read_text()) for name in ("plain", "guarded")
    )

    def exchange(channel: str, p: dict[str, Any], g: dict[str, Any]) -> Exchange:
        answers = [VARYING.sub("", json.dumps(e.get("answer"))) for e in (p, g)]
        return Exchange(channel, level, p["log"], g["log"], answers[0] == answers[1])

    pairs = zip(plain["exchanges"], guarded["exchanges"], strict=True)
    exchanges = [exchange(p["channel"], p, g) for p, g in pairs]
    ends = ({"log": run["start"] + run["end"]} for run in (plain, guarded))
    return [*exchanges, exchange("start and end", *ends)]


class Screen:
    """Writes for the width of the terminal; in colour where that is wanted, readable without."""

    def __init__(self) -> None:
        self.width = max(80, shutil.get_terminal_size((132, 24)).columns)
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def rule(self, title: str) -> None:
        print("\n" + self.paint("1", f"── {title} ".ljust(self.width, "─")))

    def beside(self, left: list[tuple[bool, str]], right: list[tuple[bool, str]]) -> None:
        column = (self.width - 3) // 2
        rows = max(len(left), len(right))
        left, right = (side + [(False, "")] * (rows - len(side)) for side in (left, right))
        for cells in zip(left, right, strict=True):
            painted = [self.cell(column, *cell) for cell in cells]
            print(" │ ".join(painted).rstrip())

    def cell(self, width: int, leaked: bool, text: str) -> str:
        filled = f"{'LEAK ' if leaked else '     '}{text}".ljust(width)
        return self.paint("31", filled) if leaked else filled


def excerpts(e: Exchange, width: int) -> tuple[list[tuple[bool, str]], list[tuple[bool, str]]]:
    """The rows to show of both logs: the one from what leaks, the other from the same place."""
    plain, guarded = e.plain.rstrip("\n").split("\n"), e.guarded.rstrip("\n").split("\n")
    leaking = [{n for leak in leaks for n in leak.lines} for leaks in e.leaks]
    first = min(leaking[0], default=0)
    # The last record before the leak that both logs have.
    timeless = [LOG_TIME.sub("", line) for line in guarded]
    before = [LOG_TIME.sub("", line) for line in plain[:first] if LOG_TIME.search(line)]
    shared = [timeless.index(record) for record in before if record in timeless]
    start = min([*leaking[1], shared[-1] + 1 if shared else 0])
    return rows_from(plain, first, leaking[0], width), rows_from(guarded, start, leaking[1], width)


def rows_from(
    lines: list[str], first: int, leaking: set[int], width: int
) -> list[tuple[bool, str]]:
    first -= first == 1  # a line takes no more room than the word that one is left out
    rows: list[tuple[bool, str]] = []
    if first > 0:
        rows.append((False, f"⋮ {first} lines"))
    for number in range(first, len(lines)):
        line = lines[number].replace("\t", " ")
        pieces = [line[at : at + width] for at in range(0, len(line), width)] or [""]
        if len(pieces) > LINE_ROWS:
            pieces = [*pieces[: LINE_ROWS - 1], f"{pieces[LINE_ROWS - 1][: width - 1]}…"]
        left = len(lines) - number
        if len(rows) + len(pieces) > ROWS and number > first and left > 1:
            rows.append((False, f"⋮ {left} lines"))
            break
        rows += [(number in leaking, piece) for piece in pieces]
    return rows


def names(leaks: list[Leak]) -> list[str]:
    return list(dict.fromkeys(leak.canary for leak in leaks))


def side_by_side(screen: Screen, exchanges: list[Exchange]) -> None:
    """Each channel once, at the first level where it leaks; and wherever it leaks with Tacenda."""
    column = (screen.width - 3) // 2 - 5
    shown = set()
    for e in exchanges:
        plain, guarded = e.leaks
        if not guarded and (not plain or e.channel in shown):
            continue
        shown.add(e.channel)
        screen.rule(f"{e.channel}, {e.level}")
        screen.beside([(False, "without Tacenda")], [(False, "with Tacenda")])
        screen.beside(*excerpts(e, column))


def table(screen: Screen, exchanges: list[Exchange]) -> None:
    screen.rule("Values in the log, by request")
    print(f"{'request':<22}{'level':<8}{'without':<12}{'with':<12}{'answer':<11}leaked without")
    for e in exchanges:
        row = f"{e.channel:<22}{e.level:<8}"
        for leaks in e.leaks:
            count = len(names(leaks))
            text = f"{f'{count} leaked' if count else 'clean':<12}"
            row += screen.paint("31" if count else "32", text)
        row += f"{'same' if e.same_answer else 'DIFFERENT':<11}{', '.join(names(e.leaks[0]))}"
        print(row.rstrip())


def verdict(exchanges: list[Exchange]) -> int:
    total = len(exchanges)
    values = [sum(len(names(e.leaks[side])) for e in exchanges) for side in (0, 1)]
    hit = [sum(bool(e.leaks[side]) for e in exchanges) for side in (0, 1)]
    same = sum(e.same_answer for e in exchanges)
    silent = [e.channel for e in exchanges if e.plain.strip() and not e.guarded.strip()]
    print(f"\nwithout Tacenda  {values[0]} values in the logs of {hit[0]} of {total} requests")
    print(f"with Tacenda     {values[1]} values in the logs of {hit[1]} of {total} requests")
    print(f"answers          {same} of {total} the same, ids and times aside")
    if values[0] == 0:
        print("error: nothing leaked without Tacenda, so nothing was shown")
    if values[1]:
        print("error: values reached the log in spite of Tacenda")
    if same < total:
        print("error: the server answered differently with Tacenda")
    if silent:
        print(f"error: with Tacenda nothing at all was logged for: {', '.join(silent)}")
    return int(values[0] == 0 or values[1] > 0 or same < total or bool(silent))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="where serve.py wrote its results")
    parser.add_argument("--levels", default="INFO,DEBUG", help="the levels to show")
    args = parser.parse_args()
    screen = Screen()
    exchanges = [e for level in args.levels.split(",") for e in load(args.work, level)]
    side_by_side(screen, exchanges)
    table(screen, exchanges)
    return verdict(exchanges)


if __name__ == "__main__":
    sys.exit(main())
