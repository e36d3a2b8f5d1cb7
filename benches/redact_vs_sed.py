"""Throughput of `tacenda redact` on a log of 100 MB against `sed -E` with five patterns.

    python benches/redact_vs_sed.py [--tacenda PATH] [--megabytes 100]

Both read the same file in turns and write to /dev/null; the best of the runs counts. sed knows five
kinds of value and no checksum; it is the yardstick of what people put into a pipe today.
"""

import argparse
import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

PATTERNS = [
    r"s/[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}/[email]/g",
    r"s/\b[0-9]{4}([ -]?[0-9]{4}){3}\b/[payment-card]/g",
    r"s/Bearer [A-Za-z0-9._-]+/Bearer [token]/g",
    r"s/sk-[A-Za-z0-9]{20,}/[key]/g",
    r"s/\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b/[ssn]/g",
]


def lines(size):
    """A server's log: two in a hundred lines hold a value."""
    draw = random.Random(1)
    written = number = 0
    while written < size:
        number += 1
        chance = draw.random()
        if chance < 0.01:
            what = f"mail to user{number}@example.com refused"
        elif chance < 0.015:
            what = f"charge of card 4111 1111 1111 1111 refused, order {number}"
        elif chance < 0.02:
            what = f"headers: Authorization: Bearer aB3dE5fG7hJ9kL1mN3pQ5rS7tU9v{number:06d}"
        elif chance < 0.5:
            what = f'"POST /v1/chat/completions HTTP/1.1" 200 - in {draw.random() * 100:.3f} ms'
        else:
            request = f"{draw.getrandbits(128):032x}"
            what = f"Prompt processing progress: {number % 2048}/2048, id={request}"
        minute, rest = divmod(number, 60_000)
        clock = f"10:{minute % 60:02d}:{rest // 1000:02d},{rest % 1000:03d}"
        line = f"2026-11-21 {clock} - INFO - {what}\n"
        written += len(line)
        yield line


def seconds(command, file):
    started = time.perf_counter()
    with file.open("rb") as stdin:
        subprocess.run(
            command,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
            check=True,
        )
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tacenda", default=shutil.which("tacenda"), help="default: on PATH")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    tacenda = [str(Path(args.tacenda).resolve()), "redact"]
    sed = ["sed", "-E", *(word for pattern in PATTERNS for word in ("-e", pattern))]
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        log.write_text("".join(lines(args.megabytes * 1_000_000)))
        os.chdir(directory)
        times = {"tacenda redact": [], "sed -E": []}
        for _ in range(args.runs):
            times["tacenda redact"].append(seconds(tacenda, log))
            times["sed -E"].append(seconds(sed, log))
        megabytes = log.stat().st_size / 1e6
    print("| command | MB/s |\n| --- | --- |")
    for name, taken in times.items():
        print(f"| `{name}` | {megabytes / min(taken):.0f} |")
    ratio = min(times["sed -E"]) / min(times["tacenda redact"])
    print(f"\ntacenda redact is {ratio:.2f} times as fast as sed with {len(PATTERNS)} patterns")


if __name__ == "__main__":
    main()
