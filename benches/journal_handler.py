"""What a call of `logger.info` costs a program whose log is sealed, beside one with a plain file.

    python benches/journal_handler.py [--records 20000]

Each handler runs in a process of its own, all of them in turns. What is counted is the processor
time of that process, all of its threads, per call; that of the process that seals is given beside
it. Of the rounds the quickest counts, since noise only ever adds.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HANDLERS = ["none", "file", "journal"]
ROUNDS = 5


def handler(name: str, folder: Path) -> logging.Handler:
    if name == "none":
        return logging.NullHandler()
    if name == "file":
        return logging.FileHandler(folder / "plain.log", mode="w")
    import tacenda

    return tacenda.JournalHandler(folder / "journal")


def measure(name: str, folder: Path, records: int) -> dict[str, float]:
    """Microseconds of a record in this process, and in the one that seals."""
    own = handler(name, folder)
    logger = logging.getLogger("server.http")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(own)
    started = time.process_time()
    for number in range(records):
        logger.info(
            "POST /v1/chat/completions 200 in %d.%03d ms, %d tokens, request %032x",
            number * 7919 % 900,
            number * 104_729 % 1000,
            number * 31 % 4096,
            number * 2_654_435_761,
        )
    took = time.process_time() - started
    own.close()
    lost = getattr(own, "lost", 0)
    assert lost == 0, f"{lost} records are lost"
    others = os.times()
    child = others.children_user + others.children_system
    return {"own": took / records * 1e6, "other": child / records * 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--measure", choices=HANDLERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.folder, arguments.records)))
        return
    best: dict[str, dict[str, float]] = {}
    for _ in range(ROUNDS):
        for name in HANDLERS:
            with tempfile.TemporaryDirectory() as folder:
                found = run(name, Path(folder), arguments.records)
            known = best.setdefault(name, found)
            best[name] = {key: min(known[key], found[key]) for key in found}
    print("\nmicroseconds of the processor per `logger.info`   own process   one that seals")
    labels = {"none": "no handler", "file": "FileHandler", "journal": "JournalHandler"}
    for name, found in best.items():
        print(f"{labels[name]:<46} {found['own']:>14.1f} {found['other']:>16.1f}")


def run(name: str, folder: Path, records: int) -> dict[str, float]:
    # Where the measuring is done there is nothing to keep private.
    environment = {**os.environ, "TACENDA_JOURNAL_PLACES": "temporary"}

    def tacenda(*arguments: str | Path) -> str:
        command = [Path(sys.executable).with_name("tacenda"), "journal", *arguments]
        return output(command, environment)

    if name == "journal":
        recipient = tacenda("identity", folder / "identity").strip()
        tacenda("init", folder / "journal", "--recipient", recipient)
    command = [sys.executable, __file__, "--measure", name, "--folder", folder]
    return json.loads(output([*command, "--records", str(records)], environment))


def output(command: list[str | Path], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    main()
