"""The command line: `python -m tacenda.verify`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tacenda.verify import verify


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tacenda.verify", description="Verify a journal"
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--key", help="the key that `tacenda journal init` printed")
    parser.add_argument("--since", type=Path, action="append", default=[], metavar="CHECKPOINT")
    parser.add_argument("--witness", action="append", default=[], metavar="KEY")
    parsed = parser.parse_args(arguments)
    try:
        since = {str(path): path.read_bytes() for path in parsed.since}
        report = verify(parsed.folder, parsed.key, since, parsed.witness)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    for finding in report.findings:
        sys.stdout.write(f"{finding.place}: {finding.what}\n")
    if not report.findings:
        sys.stdout.write(
            f"whole: {report.entries} entries, {report.segments} segments, "
            f"{report.records} records\n"
        )
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
