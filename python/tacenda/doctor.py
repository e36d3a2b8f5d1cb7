"""What `tacenda doctor` tells of an environment: what is hooked, what is not, and what it costs."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable

import tacenda
from tacenda._command import native_command
from tacenda._status import Coverage

# Calls in one measurement, and measurements of which the best counts.
_CALLS = 500
_ROUNDS = 7


def main() -> int:
    """Prints the report. 0: nothing is missing; 1: something is; 2: the policy is wrong."""
    out = sys.__stdout__ or sys.stdout
    before = _costs()
    started = time.perf_counter()
    try:
        guard = tacenda.install(stdout="log")
    except tacenda.PolicyError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a report for people
        return 2
    took = time.perf_counter() - started
    try:
        _import_what_waits()
        status = tacenda.status()
        after = _costs()
    finally:
        tacenda.uninstall()
    assert guard is not None
    lines = [*_versions(), "", *_table(status.coverage), "", *_uncovered(status.not_covered), ""]
    lines += [*_table_of_costs(before, after), f"  install()              {took * 1e3:9.1f} ms"]
    out.write("\n".join(lines) + "\n")
    return 1 if status.missing else 0


def _versions() -> list[str]:
    path = native_command()
    found = "not found: native writes are not filtered"
    if path is not None:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - our own
        found = f"{done.stdout.strip()} ({path})"
        if done.stdout.split()[-1:] != [tacenda.__version__]:
            found += ", of another version than the package"
    return [
        f"package  {tacenda.__version__} ({os.path.dirname(tacenda.__file__)})",  # noqa: PTH120
        f"command  {found}",
        f"Python   {platform.python_version()} ({sys.executable}), {platform.system()}",
    ]


def _import_what_waits() -> None:
    """Imports each library that is hooked at its import, as far as it is installed."""
    for item in tacenda.status().coverage:
        if item.state != "waiting":
            continue
        module = item.detail.removeprefix("for the import of ")
        # What a library prints or warns of at its import is its own affair here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # One that is not installed, or broken, stays `waiting`.
            with contextlib.suppress(Exception):
                importlib.import_module(module)


def _table(coverage: tuple[Coverage, ...]) -> list[str]:
    width = max((len(item.channel) for item in coverage), default=0)
    return [
        f"{item.state:<8} {item.channel:<{width}}  "
        f"{'not installed here' if item.state == 'waiting' else item.detail}".rstrip()
        for item in coverage
    ]


def _uncovered(names: tuple[str, ...]) -> list[str]:
    return [f"no       {name}" for name in names]


def _costs() -> dict[str, float]:
    """What calls cost, in seconds: the best of some measurements."""
    logger = logging.getLogger("tacenda.doctor")
    handler = logging.StreamHandler(io.StringIO())
    logger.addHandler(handler)
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        return {
            "logger.info": _best(lambda: logger.info("served %d tokens in %s", 131, "12 ms")),
            "logger.debug, disabled": _best(lambda: logger.debug("served %d tokens", 131)),
        }
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def _best(call: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for _ in range(_CALLS):
            call()
        best = min(best, (time.perf_counter() - started) / _CALLS)
    return best


def _table_of_costs(before: dict[str, float], after: dict[str, float]) -> list[str]:
    lines = ["costs                     without       with"]
    for name, cost in before.items():
        lines.append(f"  {name:<22} {cost * 1e6:6.2f} µs  {after[name] * 1e6:6.2f} µs")
    return lines
