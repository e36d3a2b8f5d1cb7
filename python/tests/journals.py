"""What the tests of journals share."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tacenda._command import native_command
from tacenda.verify import WITNESS, Key

ENVIRONMENT = {**os.environ, "TACENDA_JOURNAL_PLACES": "temporary", "NO_COLOR": "1"}
OLD = {"time": "2020-01-01T00:00:00Z"}
LINE = {
    "class": "internal",
    "classes": {"card": "restricted", "prompt": "confidential"},
    "level": "info",
    "logger": "shop",
}


class Journal:
    """A journal in a directory, with its identity files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "sealed"
        few, all_ = (self.run("identity", folder / name).strip() for name in ("few", "rest"))
        recipients = ("--recipient", few, "--recipient", f"restricted={all_}")
        kept = ("--durability", "record", "--max-age", "restricted=30d")
        self.key = self.run("init", self.path, *recipients, *kept).strip()

    def run(self, command: str, *arguments: object, given: str = "") -> str:
        done = self.attempt(command, *arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def attempt(
        self, command: str, *arguments: object, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        program = native_command()
        assert program is not None
        return subprocess.run(
            [program, "journal", command, *map(str, arguments)],
            input=given,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            timeout=300,
        )

    def fill(self, first: int, count: int, **more: str) -> None:
        numbers = range(first, first + count)
        lines = (
            {**LINE, **more, "message": f"m{n}", "card": f"c{n}", "prompt": f"p{n}"}
            for n in numbers
        )
        self.run("append", self.path, given="".join(f"{json.dumps(line)}\n" for line in lines))

    @property
    def both(self) -> tuple[object, ...]:
        """The identities of all classes."""
        return ("-i", self.folder / "few", "-i", self.folder / "rest")

    def cat(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.run("cat", self.path, *self.both).splitlines()]

    def wait_for(self, count: int) -> list[dict[str, object]]:
        """The records, when there are so many: who writes them may be a process that goes on."""
        until = time.monotonic() + 60
        while len(records := self.cat()) < count and time.monotonic() < until:
            time.sleep(0.02)
        return records


class Appending:
    """`journal append --acknowledge`, which says how many records it has taken."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def acknowledged(self, line: str = "") -> int:
        """Hands a line over, if there is one; the number that comes back."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line)
        return int(self.process.stdout.readline())


@contextmanager
def appending(journal: Journal) -> Iterator[Appending]:
    """Appends until the input is closed or the process ends."""
    program = native_command()
    assert program is not None
    with subprocess.Popen(
        [program, "journal", "append", str(journal.path), "--acknowledge"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
        bufsize=1,
    ) as process:
        begun = Appending(process)
        assert begun.acknowledged() == 0
        yield begun


def begin_segment(journal: Journal) -> None:
    """Leaves a write-ahead file, as `kill -9` does."""
    with appending(journal) as begun:
        for number in range(1, 6):
            line = json.dumps({**LINE, "message": f"a{number}"})
            assert begun.acknowledged(f"{line}\n") == number
        begun.process.kill()


def witnessed(journal: Journal) -> Key:
    """Has the newest checkpoint signed, as a witness does (C2SP tlog-cosignature)."""
    own = Ed25519PrivateKey.generate()
    raw = own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = Key("witness.example", raw, WITNESS)
    note = (journal.path / "log/checkpoint").read_text()
    text = note.rpartition("\n\n")[0] + "\n"
    signature = own.sign(f"cosignature/v1\ntime 1700000000\n{text}".encode())
    line = base64.b64encode(key.id + (1_700_000_000).to_bytes(8, "big") + signature).decode()
    folder = journal.path / "log/witnessed"
    folder.mkdir(mode=0o700)
    file = folder / key.id.hex()
    file.write_text(f"{key}\n{note}\u2014 {key.name} {line}\n")
    file.chmod(0o600)
    return key


def put(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(0o600)
