"""What the guard adds to each request of a real program, in numbers that other load changes little.

    python benches/guard/counts.py [--rounds 6] [--only NAME] [--work DIRECTORY] [--no-strace]

The programs are those of `measure.py`. Both, without and with the guard, are given the same work in
turns. Per item of work: the processor time of the program and of the filter, how often a thread of
each has waited (voluntary context switches), and, in batches of their own under `strace`, how often
each system call is made.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parents[1] / "demo")]

from measure import make_model  # noqa: E402
from processes import tree  # noqa: E402
from programs import EVERY, Script  # noqa: E402
from subjects import Subject, subject  # noqa: E402

MICRO = 1e-6


@dataclass(frozen=True)
class Counted:
    """What processes have used, by what they are."""

    seconds: dict[str, float]
    waits: dict[str, int]

    def since(self, before: Counted, items: int) -> dict[tuple[str, str], float]:
        """What came for each item of work."""
        found: dict[tuple[str, str], float] = {}
        for name in ("program", "filter"):
            seconds = self.seconds[name] - before.seconds[name]
            found[name, "µs"] = seconds / items / MICRO
            found[name, "waits"] = (self.waits[name] - before.waits[name]) / items
        return found


def counted(pid: int) -> Counted:
    """Of a process and all that descend from it."""
    seconds, waits = Counter[str](), Counter[str]()
    for each in tree(pid):
        try:
            comm = Path(f"/proc/{each}/comm").read_text().strip()
            name = "filter" if comm == "tacenda" else "program"
            for task in Path(f"/proc/{each}/task").iterdir():
                seconds[name] += int((task / "schedstat").read_text().split()[0]) / 1e9
                status = (task / "status").read_text()
                waits[name] += int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
        except OSError:  # it has ended
            continue
    return Counted(dict(seconds) | {n: seconds[n] for n in ("program", "filter")}, waits)


def traced(running: Subject, numbers: range, folder: Path) -> dict[tuple[str, str], float]:
    """System calls of each item of work, by process and name."""
    pid = running._process.pid  # type: ignore[attr-defined]
    tracers = []
    for each in tree(pid):
        comm = Path(f"/proc/{each}/comm").read_text().strip()
        name = "filter" if comm == "tacenda" else "program"
        file = folder / f"{name}-{each}"
        command = ["strace", "-f", "-c", "-o", str(file), "-p", str(each)]
        tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        tracers.append((name, file, tracer))
    time.sleep(1.0)
    running.batch(numbers)
    found: dict[tuple[str, str], float] = Counter()
    for name, file, tracer in tracers:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(30)
        for line in file.read_text().splitlines():
            words = line.split()
            if len(words) >= 5 and words[0].replace(".", "").isdigit() and words[-1] != "total":
                found[name, words[-1]] += int(words[3]) / len(numbers)
    return found


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6, help="at least two")
    parser.add_argument("--only", default="", help="programs whose name holds this")
    parser.add_argument("--work", type=Path, help="where to keep the model")
    parser.add_argument("--no-strace", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work = args.work or folder
        work.mkdir(parents=True, exist_ok=True)
        model = make_model(work)
        for what in EVERY:
            if isinstance(what, Script) or args.only not in what.name:
                continue
            print(f"\n{what.name}")
            with ExitStack() as stack:
                pair = []
                for side in ("plain", "guarded"):
                    running = subject(what, model, folder / side, guarded=side == "guarded")
                    stack.callback(running.stop)
                    pair.append(running)
                compare(pair, what.batch, args.rounds)
                if not args.no_strace:
                    first = args.rounds * what.batch
                    system_calls(pair, range(first, first + what.batch))
            for side in ("plain", "guarded"):
                shutil.rmtree(folder / side, ignore_errors=True)
    return 0


def compare(pair: list[Subject], batch: int, rounds: int) -> None:
    """Processor time and waits, in turns."""
    rows: tuple[list[dict[tuple[str, str], float]], ...] = ([], [])
    for running in pair:
        running.batch(range(batch * rounds, batch * (rounds + 1)))
    for number in range(rounds):
        for place in (0, 1) if number % 2 == 0 else (1, 0):
            pid = pair[place]._process.pid  # type: ignore[attr-defined]
            before = counted(pid)
            done = pair[place].batch(range(batch * number, batch * (number + 1)))
            row = counted(pid).since(before, batch)
            row["", "seconds"] = done.seconds / batch / MICRO
            rows[place].append(row)
    for key in rows[0][0]:
        plain, guarded = ([row[key] for row in side] for side in rows)
        more = [b - a for a, b in zip(plain, guarded, strict=True)]
        low, middle, high = statistics.quantiles(more, n=4)
        print(
            f"  {' '.join(key):>16}: {statistics.median(plain):9.1f} "
            f"{statistics.median(guarded):9.1f}   {middle:+8.1f} ({low:+.1f} to {high:+.1f})"
        )


def system_calls(pair: list[Subject], numbers: range) -> None:
    """System calls, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        plain = traced(pair[0], numbers, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        guarded = traced(pair[1], numbers, Path(folder))
    for key in sorted(plain.keys() | guarded.keys()):
        more = guarded.get(key, 0) - plain.get(key, 0)
        if abs(more) >= 0.05:
            print(
                f"  {' '.join(key):>24}: {plain.get(key, 0):8.2f} "
                f"{guarded.get(key, 0):8.2f}   {more:+8.2f}"
            )


if __name__ == "__main__":
    sys.exit(main())
