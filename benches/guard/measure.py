"""Real programs without and with `tacenda run --`: what gets out, what is the same, what it costs.

    python benches/guard/measure.py [--rounds 15] [--only NAME] [--work DIRECTORY]

Both run side by side and are given the same work in turns, so that both see the same machine,
whatever else it does. A ratio is that of one round; shown are the median and the quartiles.

Exit status 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEMO = HERE.parents[1] / "demo"
sys.path += [str(HERE), str(DEMO)]

import canaries  # noqa: E402 - of the demo
from processes import Held  # noqa: E402
from programs import EVERY, SECRET, Cells, Program, Script  # noqa: E402
from subjects import Batch, Run, Subject, subject  # noqa: E402

MEBI = 1 << 20
MOST_MEMORY = 64 * MEBI
LEAST_THROUGHPUT = 0.97
# Long enough for what ends by itself to end: connections, idle threads. On a machine that is busy
# it may take longer.
SETTLE = 3.0
PATIENCE = 20.0


@dataclass(frozen=True)
class Side:
    """One of the two: without or with the guard."""

    batches: list[Batch]
    warm: tuple[Held, Held]
    end: tuple[Held, Held]
    log: str

    @property
    def answers(self) -> list[str]:
        """All of them, in order."""
        return [answer for batch in self.batches for answer in batch.answers]

    @property
    def leaks(self) -> int:
        """How many values stand in what was written."""
        return len(canaries.find(self.log)) + self.log.count(SECRET)


@dataclass(frozen=True)
class Comparison:
    """A program without and with the guard."""

    what: Program | Script | Cells
    plain: Side
    guarded: Side

    @property
    def same(self) -> int:
        """How many answers are the same."""
        pairs = zip(self.plain.answers, self.guarded.answers, strict=True)
        if isinstance(self.what, Program) and not self.what.exact:
            return sum(_shape(a) == _shape(b) for a, b in pairs)
        return sum(a == b for a, b in pairs)

    @property
    def throughput(self) -> list[float]:
        """Of each round, with the guard over without."""
        return self._ratios(lambda batch: 1 / batch.seconds)

    @property
    def cpu(self) -> list[float]:
        """Processor time of each round, with the guard over without."""
        return self._ratios(lambda batch: batch.cpu)

    @property
    def cpu_per_item(self) -> float:
        """Seconds of processor time that the guard adds to each item of work."""
        pairs = zip(self.plain.batches, self.guarded.batches, strict=True)
        return statistics.median((b.cpu - a.cpu) / len(a.answers) for a, b in pairs)

    def _ratios(self, of) -> list[float]:  # type: ignore[no-untyped-def]
        pairs = zip(self.plain.batches, self.guarded.batches, strict=True)
        return [of(guarded) / of(plain) for plain, guarded in pairs]

    @property
    def memory(self) -> int:
        """Bytes that the program takes beyond what it takes without, at its peak."""
        return self.guarded.end[0].peak - self.plain.end[0].peak

    @property
    def filter_memory(self) -> int:
        """Bytes that the filter takes at its peak."""
        return self.guarded.end[1].peak

    @property
    def leaked(self) -> tuple[int, int]:
        """Descriptors and threads that came with the work and did not go, beyond those without."""

        def grown(side: Side, name: str) -> int:
            ends = (sum(getattr(held, name) for held in at) for at in (side.end, side.warm))
            after, before = ends
            return after - before

        def beyond(name: str, allowed: int) -> int:
            return max(0, grown(self.guarded, name) - max(0, grown(self.plain, name)) - allowed)

        # A worker and the filter are connected from its first work on.
        workers = self.what.workers if isinstance(self.what, Program) else 1
        connections = 2 * (workers - 1)
        return beyond("descriptors", connections), beyond("threads", _pool(self.what))

    def faults(self) -> list[str]:
        """What is wrong, whatever it costs."""
        found = []
        if not self.plain.leaks:
            found.append("nothing gets out without the guard: nothing is shown")
        if self.guarded.leaks:
            found.append(f"{self.guarded.leaks} values get out with the guard")
        total = len(self.plain.answers)
        if self.same != total:
            found.append(f"{total - self.same} of {total} answers differ")
        descriptors, threads = self.leaked
        if descriptors:
            found.append(f"{descriptors} descriptors are left")
        if threads:
            found.append(f"{threads} threads are left")
        return found

    def misses(self) -> list[str]:
        """Which bars are missed."""
        found = []
        if self.what.bar and statistics.median(self.throughput) < LEAST_THROUGHPUT:
            found.append("throughput")
        if self.memory > MOST_MEMORY:
            found.append("memory of the program")
        if self.filter_memory > MOST_MEMORY:
            found.append("memory of the filter")
        return found


def _shape(answer: str) -> str:
    """All but the text, which depends on what was computed together."""
    lines = answer.splitlines()
    return f"{answer[:3]} {lines[-1] if lines else ''} {answer.count('finish_reason')}"


def compare(
    what: Program | Script | Cells,
    model: Path,
    work: Path,
    *,
    rounds: int,
    batch: int,
) -> Comparison:
    """Gives both the same work, in turns."""
    batches: tuple[list[Batch], list[Batch]] = ([], [])
    with ExitStack() as stack:
        pair = [
            stack.enter_context(_running(what, model, work / name, guarded=name == "guarded"))
            for name in ("plain", "guarded")
        ]
        warm = range(batch * rounds, batch * (rounds + 1))
        for each in pair:
            each.batch(warm)
        at_start = [_at_start(each) for each in pair]
        for number in range(rounds):
            todo = range(batch * number, batch * (number + 1))
            # Who begins has what the other one leaves in caches: by turns.
            for place in (0, 1) if number % 2 == 0 else (1, 0):
                batches[place].append(pair[place].batch(todo))
            print(f"  round {number + 1} of {rounds}", file=sys.stderr)
        pool = _pool(what)
        at_end = [_at_end(*each, pool) for each in zip(pair, at_start, strict=True)]
    logs = [each.log() for each in pair]
    for each in pair:
        shutil.rmtree(each.folder, ignore_errors=True)
    plain, guarded = (
        Side(list(batches[place]), at_start[place], at_end[place], logs[place]) for place in (0, 1)
    )
    return Comparison(what, plain, guarded)


def _pool(what: Program | Script | Cells) -> int:
    return what.pool if isinstance(what, Program) else 0


def _at_start(running: Subject) -> tuple[Held, Held]:
    """What it holds when what ends by itself has ended."""
    return _least(running, SETTLE, lambda _: False)


def _at_end(running: Subject, start: tuple[Held, Held], pool: int) -> tuple[Held, Held]:
    """The same, as soon as it is no more than at the start."""
    before = sum(start, Held())

    def has_ended(held: tuple[Held, Held]) -> bool:
        now = sum(held, Held())
        return now.descriptors <= before.descriptors and now.threads <= before.threads + pool

    return _least(running, PATIENCE, has_ended)


def _least(
    running: Subject, seconds: float, is_enough: Callable[[tuple[Held, Held]], bool]
) -> tuple[Held, Held]:
    held = running.held()
    if isinstance(running, Run):  # it has ended
        return held
    end = time.monotonic() + seconds
    while time.monotonic() < end and not is_enough(held):
        time.sleep(0.1)
        held = tuple(map(_fewest, held, running.held()))
    return held


def _fewest(before: Held, now: Held) -> Held:
    """What is held now, with the fewest descriptors and threads that were seen."""
    descriptors = min(before.descriptors, now.descriptors)
    return replace(now, descriptors=descriptors, threads=min(before.threads, now.threads))


@contextmanager
def _running(
    what: Program | Script | Cells, model: Path, folder: Path, *, guarded: bool
) -> Iterator[Subject]:
    running = subject(what, model, folder, guarded=guarded)
    try:
        yield running
    finally:
        running.stop()


def make_model(work: Path) -> Path:
    """The small model of the demo, its weights random."""
    command = [sys.executable, str(DEMO / "model.py"), "--work", str(work), "--no-train"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return work / "model"


def row(found: Comparison) -> str:
    """The line of the table."""
    low, middle, high = statistics.quantiles(found.throughput, n=4)
    total = len(found.plain.answers)
    cells = (
        found.what.name,
        f"{found.plain.leaks} / {found.guarded.leaks}",
        f"{found.same} of {total}",
        f"{middle:.3f} ({low:.3f} to {high:.3f})",
        f"{statistics.median(found.cpu):.3f}, {found.cpu_per_item * 1e6:+.0f} µs",
        f"{found.memory / MEBI:+.1f} / {found.filter_memory / MEBI:.1f} MiB",
        f"{found.leaked[0]} / {found.leaked[1]}",
        "; ".join(found.faults() + [f"MISSED: {miss}" for miss in found.misses()])
        or ("held" if found.what.bar else "no bar for throughput"),
    )
    return f"| {' | '.join(cells)} |"


HEAD = """\
| program | values out, without / with | answers the same | throughput, with over without | \
processor time, and of each request | memory: program / filter | \
descriptors / threads left | |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def main() -> int:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="at least two")
    parser.add_argument("--only", help="programs whose name holds this")
    parser.add_argument("--work", type=Path, help="where to keep the model")
    args = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("error: what processes hold is read from /proc, which this system has not")
    held = True
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        work = args.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        model = make_model(work)
        rows = []
        for what in EVERY:
            if args.only and args.only not in what.name:
                continue
            print(what.name, file=sys.stderr)
            found = compare(what, model, Path(folder), rounds=args.rounds, batch=what.batch)
            rows.append(row(found))
            print(rows[-1], file=sys.stderr)
            held &= not found.faults() and not found.misses()
    print(HEAD, *rows, sep="\n")
    print(f"\nload of the machine before: {load:.1f}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
