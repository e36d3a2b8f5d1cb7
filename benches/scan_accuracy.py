"""How much `tacenda scan` finds of labelled leaks, and what it says of safe lines beside them.

    python scan_accuracy.py TACENDA LABELS CACHE [--single]

A package is scanned as a whole, as its users do it; with `--single`, each labelled file by itself,
as it was measured before there was more than that.

The labels are facts about logging calls in published packages: in the releases just before and just
after the fix of a leak, and in clients and servers as they are. Their class says what it takes to
find a leak: `direct`, a name says it; `flow`, data flow does; `name`, it is a URL, body or headers;
`hard`, an object that shows nothing; `config`, a flag that is missing; `ml`, the text of a model. A
`trap` is a safe line about tokens or secrets that are none. Rules and models may have been mended
for what was missed in the part `tuned`; the part `held-out` is only measured.

The packages are downloaded with pip once and checked each time. A leak counts as found when a
finding of a TAC1xx, TAC2xx or TAC6xx rule covers one of its lines.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

FAMILIES = ("TAC1", "TAC2", "TAC6")
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_34_x86_64", "any")


def archive(entry: dict[str, str], cache: Path) -> Path:
    """The package, downloaded once and checked each time."""
    path = cache / entry["archive"]
    if not path.exists():
        platforms = [word for one in PLATFORMS for word in ("--platform", one)]
        requirement = f"{entry['package']}=={entry['version']}"
        wheel_python = entry.get("python", "38")
        # What is only read need not run here.
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        command += ["--ignore-requires-python"]
        command += ["--only-binary", ":all:", *platforms, "--python-version", wheel_python]
        subprocess.run([*command, "-d", str(cache), requirement], check=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != entry["sha256"]:
        sys.exit(f"{path}: the checksum is not that of the labels")
    return path


def scanned(tacenda: str, target: Path) -> dict[Path, list[tuple[int, int]]]:
    """First and last line of each finding, by file."""
    done = subprocess.run(
        [tacenda, "scan", "--no-cache", "--format", "jsonl", str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    # A package may well hold a file that is no Python.
    if done.returncode not in (0, 1, 2):
        sys.exit(f"{target}: {done.stderr}")
    found: dict[Path, list[tuple[int, int]]] = defaultdict(list)
    for one in map(json.loads, done.stdout.splitlines()):
        if one["rule"].startswith(FAMILIES):
            found[Path(one["path"])].append((one["line"], one["end_line"]))
    return found


class Scans:
    """The scans of packages, each made once."""

    def __init__(self, tacenda: str, cache: Path, single: bool) -> None:
        self.tacenda, self.cache, self.single = tacenda, cache, single
        self.last: tuple[Path, dict[Path, list[tuple[int, int]]]] | None = None

    def findings(self, entry: dict[str, str]) -> list[tuple[int, int]]:
        """First and last line of each finding in the labelled file."""
        kind = "files" if self.single else "whole"
        root = self.cache / kind / f"{entry['package']}-{entry['version']}"
        file = root / entry["path"]
        with zipfile.ZipFile(archive(entry, self.cache)) as package:
            if self.single:
                package.extract(entry["path"], root)
            elif not root.exists():
                package.extractall(root, [one for one in package.namelist() if one.endswith(".py")])
        target = file if self.single else root
        if self.last is None or self.last[0] != target:
            self.last = (target, scanned(self.tacenda, target))
        return self.last[1][file]


CLASSES = ("direct", "flow", "name", "hard", "config")


class Tally:
    """What was found of the labelled lines of one part."""

    def __init__(self) -> None:
        self.leaks: dict[str, list[bool]] = defaultdict(list)
        self.safe: dict[str, list[bool]] = defaultdict(list)
        self.cases: dict[str, list[bool]] = defaultdict(list)
        self.sides: dict[str, set[str]] = defaultdict(set)

    def add(self, entry: dict[str, str], expect: str, covered: bool) -> None:
        """Notes whether a finding covers a labelled line."""
        (self.leaks if expect == "leak" else self.safe)[entry["difficulty"]].append(covered)
        self.cases[entry["case"]].append(covered == (expect == "leak"))
        self.sides[entry["case"]].add(entry["version"])

    def row(self, name: str, classes: tuple[str, ...]) -> None:
        """Prints one class, or several together."""
        bad = [one for each in classes for one in self.leaks[each]]
        good = [one for each in classes for one in self.safe[each]]
        recall = f"{sum(bad) / len(bad):.2f}" if bad else "-"
        print(f"{name:14}{len(bad):7}{sum(bad):7}{recall:>8}{len(good):7}{sum(good):9}")

    def report(self, name: str) -> None:
        """Prints all classes, precision, and how many pairs were told apart."""
        print(f"\n{name:14}{'leaks':>7}{'found':>7}{'recall':>8}{'safe':>7}{'flagged':>9}")
        for one in (*CLASSES, "ml", "trap"):
            self.row(one, (one,))
        self.row("all real fixes", CLASSES)
        everywhere = (*CLASSES, "ml", "trap")
        found = sum(sum(self.leaks[one]) for one in everywhere)
        false = sum(sum(self.safe[one]) for one in everywhere)
        pairs = [case for case, sides in self.sides.items() if len(sides) > 1]
        told = sum(all(self.cases[case]) for case in pairs)
        print(f"precision {found / max(found + false, 1):.2f}", end=", ")
        print(f"{told} of {len(pairs)} pairs told apart in full")


def main() -> None:
    """Scans each labelled file and tells what was found."""
    single = "--single" in sys.argv
    tacenda, labels, cache = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    cache.mkdir(parents=True, exist_ok=True)
    parts = {"tuned": Tally(), "held-out": Tally(), "both": Tally()}
    scans = Scans(tacenda, cache, single)
    entries = [json.loads(line) for line in labels.read_text().splitlines()]
    entries.sort(key=lambda entry: (entry["package"], entry["version"]))
    for entry in entries:
        found = scans.findings(entry)
        for first, last, expect in entry["lines"]:
            covered = any(start <= last and first <= end for start, end in found)
            for part in (entry["split"], "both"):
                parts[part].add(entry, expect, covered)
            if covered != (expect == "leak"):
                what = "missed" if expect == "leak" else "false"
                where = f"{entry['package']} {entry['version']} {entry['path']}:{first}"
                print(f"{entry['split']:9}{entry['difficulty']:7}{what}: {where}")
    for name, tally in parts.items():
        tally.report(name)


if __name__ == "__main__":
    main()
