"""What the tests of journals share."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tacenda._command import native_command

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
            timeout=120,
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
