"""What a program and its children hold: memory, descriptors, threads, processor time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Held:
    """What processes hold, taken together."""

    descriptors: int = 0
    threads: int = 0
    resident: int = 0
    peak: int = 0
    seconds: float = 0.0

    def __add__(self, other: Held) -> Held:
        return Held(
            self.descriptors + other.descriptors,
            self.threads + other.threads,
            self.resident + other.resident,
            self.peak + other.peak,
            self.seconds + other.seconds,
        )


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for parent in found:
        for task in _listed(f"/proc/{parent}/task"):
            try:
                text = Path(f"/proc/{parent}/task/{task}/children").read_text()
            except OSError:
                continue
            found += map(int, text.split())
    return found


def held(pid: int) -> tuple[Held, Held]:
    """What the program holds, and what the filter (the command `tacenda`) does."""
    program, filter_ = Held(), Held()
    for each in tree(pid):
        try:
            name = Path(f"/proc/{each}/comm").read_text().strip()
            one = _one(each)
        except OSError:  # it has ended
            continue
        if name == "tacenda":
            filter_ += one
        else:
            program += one
    return program, filter_


def _one(pid: int) -> Held:
    status = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if ":" in line
    )
    # Behind the name, which may hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    # Its own time, and that of children that have ended.
    ticks = sum(map(int, fields[11:15]))
    return Held(
        descriptors=len(_listed(f"/proc/{pid}/fd")),
        threads=int(status["Threads"]),
        resident=_kilobytes(status.get("VmRSS", "0 kB")),
        peak=_kilobytes(status.get("VmHWM", "0 kB")),
        seconds=ticks / _TICK,
    )


def _kilobytes(text: str) -> int:
    return int(text.split()[0]) * 1024


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names are enough
    except OSError:
        return []
