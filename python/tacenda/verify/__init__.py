"""Verifies a journal: a second reader of its format, apart from the one in Rust.

It follows `docs/reference/journal-format.md` and needs the standard library and the package
`cryptography`. It reads no content, and needs no identity.

    python -m tacenda.verify DIR [--key KEY] [--since CHECKPOINT]... [--witness KEY]...

The folder that this file is in does so alone, too, wherever it was copied to: nothing else of the
package is imported, least of all what is not Python.

    python path/to/verify DIR [--key KEY]...

The exit status is 0 for a journal that is whole, 1 for one that is not, 2 when there is none.
"""

from __future__ import annotations

import errno
import fcntl
import time
from collections.abc import Sequence
from pathlib import Path

from ._files import Files, NotOurs
from ._log import LONGEST_PENDING, Log, bundle
from ._notes import WITNESS, Checkpoint, Key
from ._proofs import check_consistency, check_proof
from ._report import Finding, Report, Sight
from ._segments import State, check_active, check_moved, check_segments
from ._strays import find_strays

__all__ = [
    "WITNESS",
    "Checkpoint",
    "Finding",
    "Key",
    "Log",
    "Report",
    "Sight",
    "bundle",
    "check_consistency",
    "check_proof",
    "verify",
]

# How long something wrong has to stay while somebody writes to the journal, in seconds: it may be
# what the next step of theirs puts right.
PATIENCE = 5.0
PAUSE = 0.02


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
        FileNotFoundError: There is no journal, or it has lost its log.
        OSError: It cannot be read, is reached through a link, or others may reach it: a copy is to
            have the modes 0700 and 0600, too.
        ValueError: The key is none.
    """
    if folder.is_symlink() or (folder / "log").is_symlink():
        raise OSError(errno.ELOOP, "the journal, or its log, is a link", str(folder))
    if not (folder / "log").is_dir():
        if any((folder / name).exists() for name in ("segments", "active", "keys", "lock")):
            raise FileNotFoundError(f"the journal in {folder} has lost its log: log/ is not there")
        raise FileNotFoundError(f"there is no journal in {folder}")
    given = None if key is None else Key.parse(key)
    named = [Key.parse(one) for one in witnesses]

    files = Files(folder)
    for name in ("", "log"):
        try:
            files.names(name)
        except NotOurs as error:
            raise OSError(errno.EACCES, str(error), str(folder / name)) from None

    def newest() -> list[bytes | None]:
        return [content(files, f"log/{name}") for name in ("checkpoint", "pending")]

    whole: set[tuple[int, str]] = set()
    begun: dict[str, float] = {}
    while True:
        before = newest()
        report = Report()
        log = Log(folder / "log", report)
        if log.entries and log.entries[0].get("type") == "begin":
            state = State(log)
            check_segments(files, log, state, whole)
            check_active(files, log, state)
            check_moved(files, log, state)
        else:
            # Nothing says what segments there should be: a log like that is never whole.
            report.find("entry 0", "the log does not begin there")
        find_strays(files, log)
        now = time.monotonic()
        begun = {one.place: begun.get(one.place, now) for one in report.findings}
        grown = newest() != before
        settles = grown or (all(one.remains for one in report.findings) and is_owned(files))
        if not settles or not begun or any(now - at >= PATIENCE for at in begun.values()):
            break
        if not grown:
            time.sleep(PAUSE)
    log.check(since or {}, named)
    first = log.keys(1)
    if given is not None and (first is None or first[1] != given):
        report.find("entry 0", "the journal begins with another key")
    report.entries = len(log.leaves)
    return report


def content(files: Files, path: str) -> bytes | None:
    """What is in a file, if it is one of the log's."""
    try:
        return files.read(path, LONGEST_PENDING)
    except (FileNotFoundError, NotOurs):
        return None


def is_owned(files: Files) -> bool:
    """Whether a process writes to the journal at this moment."""
    try:
        with files.open("lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (OSError, NotOurs):
        return False
    return False
