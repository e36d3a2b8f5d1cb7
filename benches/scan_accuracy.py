"""How much `tacenda scan` finds of labelled leaks, and what it says of safe lines beside them.

    python scan_accuracy.py TACENDA LABELS CACHE

The labels are facts about logging calls in published packages: in the releases just before and just
after the fix of a leak, and in servers as they are. The packages are downloaded with pip once and
checked each time. A leak counts as found when a finding of a TAC1xx, TAC2xx or TAC6xx rule covers
one of its lines.
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
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "any")


def archive(entry: dict[str, str], cache: Path) -> Path:
    """The package, downloaded once and checked each time."""
    path = cache / entry["archive"]
    if not path.exists():
        platforms = [word for one in PLATFORMS for word in ("--platform", one)]
        requirement = f"{entry['package']}=={entry['version']}"
        wheel_python = "311" if entry["package"].startswith("mlx") else "38"
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        command += ["--only-binary", ":all:", *platforms, "--python-version", wheel_python]
        subprocess.run([*command, "-d", str(cache), requirement], check=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != entry["sha256"]:
        sys.exit(f"{path}: the checksum is not that of the labels")
    return path


def findings(tacenda: str, entry: dict[str, str], cache: Path) -> list[tuple[int, int]]:
    """First and last line of each finding in the labelled file."""
    target = cache / "files" / f"{entry['package']}-{entry['version']}"
    with zipfile.ZipFile(archive(entry, cache)) as package:
        file = Path(package.extract(entry["path"], target))
    done = subprocess.run(
        [tacenda, "scan", "--format", "jsonl", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        sys.exit(f"{file}: {done.stderr}")
    found = map(json.loads, done.stdout.splitlines())
    return [(one["line"], one["end_line"]) for one in found if one["rule"].startswith(FAMILIES)]


def main() -> None:
    tacenda, labels, cache = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    cache.mkdir(parents=True, exist_ok=True)
    leaks: dict[str, list[bool]] = defaultdict(list)
    safe: dict[str, list[bool]] = defaultdict(list)
    pairs: dict[str, list[bool]] = defaultdict(list)
    for entry in map(json.loads, labels.read_text().splitlines()):
        found = findings(tacenda, entry, cache)
        for first, last, expect in entry["lines"]:
            covered = any(start <= last and first <= end for start, end in found)
            (leaks if expect == "leak" else safe)[entry["difficulty"]].append(covered)
            pairs[entry["case"]].append(covered == (expect == "leak"))
            if covered != (expect == "leak"):
                what = "missed" if expect == "leak" else "false"
                print(f"{what}: {entry['package']} {entry['version']} {entry['path']}:{first}")
    print(f"\n{'difficulty':12}{'leaks':>7}{'found':>7}{'recall':>8}{'safe':>7}{'flagged':>9}")
    for kinds in (leaks, safe):
        kinds["all"] = [one for ones in list(kinds.values()) for one in ones]
    for name in sorted(set(leaks) | set(safe), key=lambda name: (name == "all", name)):
        bad, good = leaks[name], safe[name]
        recall = f"{sum(bad) / len(bad):.2f}" if bad else "-"
        print(f"{name:12}{len(bad):7}{sum(bad):7}{recall:>8}{len(good):7}{sum(good):9}")
    found, false = sum(leaks["all"]), sum(safe["all"])
    told = sum(all(ones) for ones in pairs.values())
    print(f"\nprecision {found / max(found + false, 1):.2f}")
    print(f"{told} of {len(pairs)} cases told apart in full")


if __name__ == "__main__":
    main()
