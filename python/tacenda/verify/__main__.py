"""The command line: `python -m tacenda.verify`, or `python path/to/verify`."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any


def _alone() -> Any:
    """This folder as a package of its own, which knows no other."""
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location("tacenda_verify", folder / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = package
    spec.loader.exec_module(package)
    return package


if __package__:
    from tacenda.verify import verify
else:
    verify = _alone().verify


# A checkpoint has less: what is longer is none.
LONGEST = 1 << 17


def start_of(path: Path) -> bytes:
    """The content of a file, or as much of it as tells that it is no checkpoint."""
    with path.open("rb") as file:
        return file.read(LONGEST)


def printable(text: str) -> str:
    """A text of which nothing changes what a terminal shows."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def moment(seconds: int | None) -> str:
    """When a witness has signed something, if that is known."""
    if seconds is None:
        return ""
    try:
        return f", {datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, OSError, ValueError):
        return f", second {seconds}"


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    program = f"python -m {__package__}" if __package__ else f"python {sys.argv[0]}"
    parser = argparse.ArgumentParser(prog=program, description="Verify a journal")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--key", help="the key that `tacenda journal init` printed")
    parser.add_argument("--since", type=Path, action="append", default=[], metavar="CHECKPOINT")
    parser.add_argument("--witness", action="append", default=[], metavar="KEY")
    parsed = parser.parse_args(arguments)
    try:
        since = {str(path): start_of(path) for path in parsed.since}
        report = verify(parsed.folder, parsed.key, since, parsed.witness)
    except OSError as error:
        where = f": {error.filename}" if error.filename is not None else ""
        sys.stderr.write(f"error: {error.strerror or error}{where}\n")
        return 2
    except ValueError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    for finding in report.findings:
        sys.stdout.write(f"{printable(finding.place)}: {printable(finding.what)}\n")
    if not report.findings:
        sys.stdout.write(
            f"whole: {report.entries} entries, {report.segments} segments, "
            f"{report.records} records\n"
        )
        for one in report.witnessed:
            sys.stdout.write(f"witness {one.witness}: {one.entries} of them{moment(one.time)}\n")
    if report.rewritten:
        sys.stdout.write(
            f"segments written anew, since content was erased or has expired: {report.rewritten}; "
            "what they hold is compared by `tacenda journal verify` with identities only\n"
        )
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
