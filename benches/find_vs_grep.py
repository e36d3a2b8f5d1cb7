"""Throughput of `tacenda find` on a plain log of 1 GB against `grep -c` on the same file.

    python benches/find_vs_grep.py [--tacenda PATH] [--megabytes 1000] [--threads N]

Both read the same file in turns; the best of the runs counts. `grep -c` looks for one word that is
not there: what it costs to go through the file at all. The log is clean, or one or ten in a hundred
lines hold a value.
"""

import argparse
import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

VALUES = [
    "mail to user{n}@example.com refused",
    "charge of card 4111 1111 1111 1111 refused, order {n}",
    "headers: Authorization: Bearer aB3dE5fG7hJ9kL1mN3pQ5rS7tU9v{n:06d}",
]


def block(draw, dirty, lines=20_000):
    """Lines of a server's log."""
    text = []
    for n in range(lines):
        if draw.random() < dirty:
            what = VALUES[n % len(VALUES)].format(n=n)
        elif draw.random() < 0.5:
            what = f'"POST /v1/chat/completions HTTP/1.1" 200 - in {draw.random() * 100:.3f} ms'
        else:
            request = f"{draw.getrandbits(128):032x}"
            what = f"Prompt processing progress: {n % 2048}/2048, id={request}"
        minute, rest = divmod(n, 1000)
        text.append(f"2026-11-21 10:{minute:02d}:{rest % 60:02d},{rest:03d} - INFO - {what}\n")
    return "".join(text).encode()


def write(path, size, dirty):
    draw = random.Random(1)
    blocks = [block(draw, dirty) for _ in range(8)]
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(draw.choice(blocks))


def seconds(command):
    started = time.perf_counter()
    done = subprocess.run(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    # Both say by a status of 1 whether something was found.
    assert done.returncode in (0, 1), command
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tacenda", default=shutil.which("tacenda"), help="default: on PATH")
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    print("| log | threads | tacenda find, MB/s | grep -c, MB/s | ratio |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "app.log"
        for name, dirty in (("clean", 0), ("1 % dirty", 0.01), ("10 % dirty", 0.1)):
            write(log, args.megabytes * 1_000_000, dirty)
            megabytes = log.stat().st_size / 1e6
            grep = ["grep", "-c", "TacendaNeverWritten", str(log)]
            for threads in sorted({1, args.threads}):
                find = [args.tacenda, "find", "-j", str(threads), str(log)]
                pairs = [(seconds(find), seconds(grep)) for _ in range(args.runs)]
                ours, theirs = (megabytes / min(times) for times in zip(*pairs, strict=True))
                print(f"| {name} | {threads} | {ours:.0f} | {theirs:.0f} | {ours / theirs:.2f} |")


if __name__ == "__main__":
    main()
