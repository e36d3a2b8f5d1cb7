"""Verifies a journal: a second reader of its format, apart from the one in Rust.

It follows `docs/reference/journal-format.md` and needs the standard library and the package
`cryptography`. It reads no content, and needs no identity.

    python -m tacenda.verify DIR [--key KEY] [--since CHECKPOINT]... [--witness KEY]...

The exit status is 0 for a journal that is whole, 1 for one that is not, 2 when there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tacenda.verify._log import Log, bundle
from tacenda.verify._notes import WITNESS, Checkpoint, Key
from tacenda.verify._proofs import check_consistency, check_proof
from tacenda.verify._report import Finding, Report
from tacenda.verify._segments import State, check_active, check_segments

__all__ = [
    "WITNESS",
    "Checkpoint",
    "Finding",
    "Key",
    "Log",
    "Report",
    "bundle",
    "check_consistency",
    "check_proof",
    "verify",
]

# How often a log that grows is looked at.
TRIES = 10


def verify(
    folder: Path,
    key: str | None = None,
    since: dict[str, bytes] | None = None,
    witnesses: Sequence[str] = (),
) -> Report:
    """Verifies the journal in a directory.

    Args:
        folder: The directory.
        key: The key that `tacenda journal init` printed.
        since: Checkpoints that were kept elsewhere, by where they come from.
        witnesses: Keys of witnesses, each of which has to have signed one of these, or one that is
            kept with the journal.

    Returns:
        What was found; no findings for a journal that is whole.

    Raises:
        FileNotFoundError: There is no journal.
        ValueError: The key is none.
    """
    if not (folder / "log").is_dir():
        raise FileNotFoundError(f"there is no journal in {folder}")

    def newest() -> list[bytes]:
        paths = [folder / "log" / name for name in ("checkpoint", "pending")]
        return [path.read_bytes() for path in paths if path.exists()]

    for _ in range(TRIES):
        before = newest()
        report = verify_once(folder, key, since or {}, [Key.parse(one) for one in witnesses])
        # Whoever writes may have added to the log meanwhile: then it is looked at again.
        if not report.findings or newest() == before:
            break
    return report


def verify_once(
    folder: Path, key: str | None, since: dict[str, bytes], witnesses: list[Key]
) -> Report:
    """Verifies what there is at this moment."""
    report = Report()
    log = Log(folder / "log", report)
    log.check_given(since, witnesses)
    first = log.keys(1)
    if key is not None and (first is None or first[1] != Key.parse(key)):
        report.find("entry 0", "the journal begins with another key")
    if log.entries and log.entries[0].get("type") == "begin":
        state = State(log)
        check_segments(folder, log, state)
        check_active(folder, log, state)
    else:
        # Nothing says what segments there should be: a log like that is never whole.
        report.find("entry 0", "the log does not begin there")
    report.entries = len(log.leaves)
    return report
