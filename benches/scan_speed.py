"""What `tacenda scan` costs on a large code base, next to ruff on the same files.

    python scan_speed.py TACENDA [DIRECTORY]

Processor seconds, seconds by the clock and peak memory, the best of three runs.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path


def measure(command: list[str]) -> tuple[float, float, float, int]:
    """Processor seconds, seconds, peak MB, lines printed."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    lines = sum(1 for _ in process.stdout)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit(f"{command[0]} ended with {process.returncode}")
    # Linux counts in KiB, macOS in bytes.
    scale = 1024 if sys.platform == "darwin" else 1
    peak = usage.ru_maxrss / 1024 / scale
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - begun, peak, lines


def main() -> None:
    tacenda = sys.argv[1]
    if len(sys.argv) > 2:
        directory = Path(sys.argv[2])
    else:
        package = importlib.util.find_spec("transformers")
        if package is None or package.origin is None:
            sys.exit("transformers is not installed: name a directory")
        directory = Path(package.origin).parent
    files = sorted(directory.rglob("*.py"))
    lines = sum(file.read_bytes().count(b"\n") for file in files)
    print(f"{directory}: {len(files)} files, {lines} lines; load {os.getloadavg()[0]:.1f}\n")
    commands = {"tacenda scan": [tacenda, "scan", "--quiet", "--format", "jsonl", str(directory)]}
    ruff = shutil.which("ruff")
    if ruff:
        rules = [ruff, "check", "--no-cache", "--isolated", "--select", "G,LOG,S"]
        commands["ruff G,LOG,S"] = [*rules, "--output-format", "concise", str(directory)]
    print(f"{'':14}{'cpu s':>8}{'s':>8}{'MB':>8}{'lines of output':>18}")
    for name, command in commands.items():
        best = min(measure(command) for _ in range(3))
        print(f"{name:14}{best[0]:8.2f}{best[1]:8.2f}{best[2]:8.0f}{best[3]:18}")


if __name__ == "__main__":
    main()
