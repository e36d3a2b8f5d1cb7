"""What the guard costs in Python, held against its bars.

Each measurement runs in processes of its own, one without and one with the guard, in turns: both
see the same machine, whatever else it does. A figure is the median over the rounds; the quickest
of five repetitions counts as a round's figure, since noise only ever adds time.

Exit status 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROUNDS = 7
REPETITIONS = 5
MICRO = 1e-6


def worker(*, guarded: bool) -> dict[str, float]:
    """Seconds per call of everything that is measured inside a process."""
    import logging

    began = time.perf_counter()
    if guarded:
        import tacenda
    imported = time.perf_counter()
    if guarded:
        tacenda.install()
    installed = time.perf_counter()

    with tempfile.TemporaryDirectory() as folder:
        file = logging.FileHandler(Path(folder) / "bench.log")
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        logger = logging.getLogger("bench")
        logger.propagate = False
        logger.setLevel(logging.INFO)
        logger.addHandler(file)
        figures = {
            "info": best(lambda: logger.info("served %s in %d ms", "/v1/models", 17), 5_000),
            "disabled": best(lambda: logger.debug("served %s in %d ms", "/v1/models", 17), 200_000),
            "print": best(lambda: print("served /v1/models in 17 ms"), 20_000),
        }
    return {**figures, "import": imported - began, "install": installed - imported}


def best(call: Callable[[], object], count: int) -> float:
    return min(timeit.repeat(call, number=count, repeat=REPETITIONS)) / count


def measure() -> dict[str, dict[str, float]]:
    """Median figures without (`plain`) and with (`guarded`) the guard."""
    rounds: dict[str, list[dict[str, float]]] = {"plain": [], "guarded": []}
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
        for name, found in rounds.items():
            found.append(run_worker(name))
    return {
        name: {key: statistics.median(f[key] for f in found) for key in found[0]}
        for name, found in rounds.items()
    }


def run_worker(name: str) -> dict[str, float]:
    """Runs a worker where no policy file is near, its standard output in a file."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "figures.json"
        command = [sys.executable, __file__, "--worker", name, "--result", str(result)]
        # As users start it, however this benchmark was started.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
        with (Path(folder) / "out.log").open("w") as out:
            subprocess.run(command, check=True, stdout=out, cwd=folder, env=environment)
        figures: dict[str, float] = json.loads(result.read_text())
        return figures


def command_start() -> float:
    """Seconds that `tacenda --version` takes, median of 30 after a first one."""
    command = shutil.which("tacenda")
    if command is None:
        sys.exit("error: tacenda is not on PATH\nhint: cargo xtask wheel")
    times = []
    for _ in range(31):
        began = time.perf_counter()
        subprocess.run([command, "--version"], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


class Row(NamedTuple):
    what: str
    without: str
    with_guard: str
    cost: str
    bar: str
    held: bool


def rows(figures: dict[str, dict[str, float]], start: float) -> list[Row]:
    plain, guarded = figures["plain"], figures["guarded"]

    def pair(what: str, key: str, bar: str, limit: float) -> Row:
        cost = guarded[key] - plain[key]
        text = f"{cost / MICRO:+.3f} µs ({cost / plain[key]:+.1%})"
        return Row(what, micro(plain[key]), micro(guarded[key]), text, bar, cost <= limit)

    def single(what: str, seconds: float, bar: str, limit: float) -> Row:
        return Row(what, "", f"{seconds * 1e3:.2f} ms", "", bar, seconds < limit)

    info_limit = min(plain["info"] * 0.10, MICRO)
    # Two runs of the same code differ by as much as this.
    noise = plain["disabled"] * 0.03
    return [
        pair("logger.info to a file, asctime", "info", "+10 % and +1 µs", info_limit),
        pair("logger.debug, level disabled", "disabled", "+0 (within 3 %)", noise),
        pair("print to a file", "print", "+0.5 µs", 0.5 * MICRO),
        single("import tacenda", guarded["import"], "none", float("inf")),
        single("tacenda.install()", guarded["install"], "< 5 ms", 5e-3),
        single("tacenda --version", start, "< 10 ms", 10e-3),
    ]


def micro(seconds: float) -> str:
    return f"{seconds / MICRO:.3f} µs"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", choices=["plain", "guarded"], help=argparse.SUPPRESS)
    parser.add_argument("--result", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        args.result.write_text(json.dumps(worker(guarded=args.worker == "guarded")))
        return 0
    table = rows(measure(), command_start())
    print("| measurement | without | with | cost | bar | |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in table:
        held = "held" if row.held else "MISSED"
        cells = (row.what, row.without, row.with_guard, row.cost, row.bar, held)
        print(f"| {' | '.join(cells)} |")
    return 0 if all(row.held for row in table) else 1


if __name__ == "__main__":
    sys.exit(main())
