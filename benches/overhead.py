"""What the guard costs a call in Python, held against its bars and beside what else is in use.

Each variant runs in processes of its own, all of them in turns: all see the same machine, whatever
else it does. What is counted is the processor time of the process, all of its threads, per call. Of
five repetitions the quickest counts, since noise only ever adds; a cost is the median over the
rounds of what a variant took more than the one without a guard did in the same round.

Exit status 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROUNDS = 7
REPETITIONS = 5
MICRO = 1e-6
LIVE = 1_000

# What people put into a filter today.
PATTERNS = [
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
    r"\b(?:\d[ -]?){13,16}\b",
    r"\b\d{3}-\d{2}-\d{4}\b",
    r"\+?\d{1,3}[ .-]?\(?\d{2,4}\)?[ .-]?\d{3,4}[ .-]?\d{3,4}",
    r"\b\d{1,3}(?:\.\d{1,3}){3}\b",
    r"Bearer [A-Za-z0-9._~+/-]+=*",
    r"\bsk-[A-Za-z0-9_-]{20,}",
    r"\bhf_[A-Za-z0-9]{30,}",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
]
# The name of each, and what it is called in the table.
VARIANTS = {
    "plain": "without",
    "guarded": "guarded",
    "live": f"guarded, {LIVE:,} values live",
    "regex": "ten patterns in a filter",
    "logredactor": "logredactor, the same ten",
}


def worker(variant: str) -> dict[str, float]:
    """Seconds per call of everything that is measured inside a process."""
    import logging

    began = time.perf_counter()
    if variant in ("guarded", "live"):
        import tacenda
    imported = time.perf_counter()
    if variant in ("guarded", "live"):
        tacenda.install()
    installed = time.perf_counter()
    if variant == "live":
        for text in texts(LIVE):
            tacenda.protect(text)

    # logredactor makes text of every argument.
    message = "served %s in %s ms" if variant == "logredactor" else "served %s in %d ms"
    with tempfile.TemporaryDirectory() as folder:
        file = logging.FileHandler(Path(folder) / "bench.log")
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        if variant in ("regex", "logredactor"):
            file.addFilter(redacting(variant))
        logger = logging.getLogger("bench")
        logger.propagate = False
        logger.setLevel(logging.INFO)
        logger.addHandler(file)
        figures = {
            "info": best(lambda: logger.info(message, "/v1/models", 17), 5_000),
            "disabled": best(lambda: logger.debug(message, "/v1/models", 17), 200_000),
            "print": best(lambda: print("served /v1/models in 17 ms"), 20_000),
        }
    if variant == "live" and (count := tacenda.status().protected_values) < LIVE:
        sys.exit(f"error: of {LIVE} values {count} are live")
    return {**figures, "import": imported - began, "install": installed - imported}


def texts(count: int) -> list[str]:
    """Prompts of 40 words, each another one."""
    draw = random.Random(3)
    syllables = re.findall("..", "bacedifoguhajikolumeniporasetivowaxeyuza")
    words = ["".join(draw.choices(syllables, k=3)) for _ in range(2_000)]
    return [" ".join(draw.choices(words, k=40)) for _ in range(count)]


def redacting(variant: str) -> Any:
    """A filter with the ten patterns, written by hand or by logredactor."""
    import logging

    if variant == "logredactor":
        import logredactor

        return logredactor.RedactingFilter([re.compile(pattern) for pattern in PATTERNS])
    patterns = [re.compile(pattern) for pattern in PATTERNS]

    class Filter(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            text = record.getMessage()
            for pattern in patterns:
                text = pattern.sub("[redacted]", text)
            record.msg, record.args = text, None
            return True

    return Filter()


def best(call: Callable[[], object], count: int) -> float:
    times = timeit.repeat(call, number=count, repeat=REPETITIONS, timer=time.process_time)
    return min(times) / count


def measure(rounds: int) -> dict[str, list[dict[str, float]]]:
    """The figures of each variant, round by round."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for name, figures in found.items():
            figures.append(run_worker(name))
    return found


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
    # What each variant takes.
    figures: list[str]
    bar: str
    held: bool


def rows(found: dict[str, list[dict[str, float]]], start: float) -> list[Row]:
    def median(variant: str, key: str) -> float:
        return statistics.median(figures[key] for figures in found[variant])

    def cost(variant: str, key: str) -> float:
        pairs = zip(found[variant], found["plain"], strict=True)
        return statistics.median(one[key] - plain[key] for one, plain in pairs)

    def calls(what: str, key: str, bar: str, limit: float, live_limit: float) -> Row:
        plain = median("plain", key)
        cells = [f"{plain / MICRO:.3f} µs"]
        for variant in list(VARIANTS)[1:]:
            more = cost(variant, key)
            cells.append(f"{more / MICRO:+.3f} µs ({more / plain:+.1%})")
        held = cost("guarded", key) <= limit and cost("live", key) <= live_limit
        return Row(what, cells, bar, held)

    def once(what: str, seconds: float, bar: str, limit: float) -> Row:
        cells = ["", f"{seconds * 1e3:.2f} ms", "", "", ""]
        return Row(what, cells, bar, seconds < limit)

    info, disabled = median("plain", "info"), median("plain", "disabled")
    # Two runs of the same code differ by as much as this.
    noise = disabled * 0.03
    return [
        calls(
            "logger.info to a file, asctime",
            "info",
            "+10 % and +1 µs; live +15 %",
            min(info * 0.10, MICRO),
            info * 0.15,
        ),
        calls("logger.debug, level disabled", "disabled", "+0 (within 3 %)", noise, noise),
        calls("print to a file", "print", "+0.5 µs", 0.5 * MICRO, 0.5 * MICRO),
        once("import tacenda", median("guarded", "import"), "none", float("inf")),
        once("tacenda.install()", median("guarded", "install"), "< 5 ms", 5e-3),
        once("tacenda --version", start, "< 10 ms", 10e-3),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--worker", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--result", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        args.result.write_text(json.dumps(worker(args.worker)))
        return 0
    table = rows(measure(args.rounds), command_start())
    print(f"| measurement | {' | '.join(VARIANTS.values())} | bar | |")
    print("| --- " * (len(VARIANTS) + 3) + "|")
    for row in table:
        held = "held" if row.held else "MISSED"
        print(f"| {' | '.join((row.what, *row.figures, row.bar, held))} |")
    with contextlib.suppress(OSError):
        print(f"\nload of the machine: {os.getloadavg()[0]:.1f}")
    return 0 if all(row.held for row in table) else 1


if __name__ == "__main__":
    sys.exit(main())
