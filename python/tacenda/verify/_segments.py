"""The segments of a journal: their files, and the one that is being written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._log import Log, canonical
from ._trees import sha256

WAL_MAGIC = b"tacenda-wal-1\n"
LONGEST_HEADER = 1 << 20
LONGEST_FRAME = 32 << 20
MARK_LENGTH = 1 + 8 + 8 + 64
# What a batch begins with: its number, the count of its records, the minutes of their times.
BATCH_HEAD = 8 + 4 + 4 + 4
PARTS = ("head", "public", "internal", "confidential", "restricted")


@dataclass
class Segment:
    """A segment as the log knows it."""

    number: int
    format: str
    first: int
    records: int
    sha256: str
    size: int
    tail: str | None
    changed: bool = False
    deleted: bool = False
    expired: set[str] = field(default_factory=set)

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.number:010}.{self.format}"


class State:
    """What the entries say together."""

    def __init__(self, log: Log) -> None:
        self.segments: dict[int, Segment] = {}
        # Every file that a segment ever had, by its hash.
        self.past: dict[str, int] = {}
        self.holds: set[str] = set()
        self.next = (0, 0)
        for number, entry in enumerate(log.entries):
            try:
                what = self._apply(number, entry)
            except (KeyError, TypeError, ValueError):
                what = "it is malformed"
            if what is not None:
                log.report.find(f"entry {number}", what)
            elif "sha256" in entry:
                self.past[entry["sha256"]] = entry["segment"]

    def _apply(self, number: int, entry: dict[str, Any]) -> str | None:
        kind = entry["type"]
        if (kind == "begin") != (number == 0):
            return "the log does not begin there"
        if kind == "seal":
            segment = Segment(
                int(entry["segment"]),
                str(entry["format"]),
                int(entry["first"]),
                int(entry["records"]),
                str(entry["sha256"]),
                int(entry["bytes"]),
                str(entry["tail"]) if entry["format"] == "parquet" else None,
                "recovered" in entry and entry["recovered"].get("changed") is True,
            )
            if (segment.number, segment.first) != self.next:
                return "a segment does not follow the one before it"
            self.next = (segment.number + 1, segment.first + segment.records)
            self.segments[segment.number] = segment
        elif kind == "erase":
            segment = self.segments[entry["segment"]]
            segment.format, segment.sha256 = "parquet", str(entry["sha256"])
            segment.size, segment.tail = int(entry["bytes"]), str(entry["tail"])
        elif kind == "expire":
            segment = self.segments[entry["segment"]]
            classes = [PARTS[1:].index(name) for name in entry["classes"]]
            if segment.deleted or not classes or classes != sorted(set(classes)):
                return "content of no segment expires, or of classes out of order"
            if segment.expired.intersection(entry["classes"]):
                return "a class expires twice"
            segment.expired.update(entry["classes"])
            segment.format, segment.sha256 = "parquet", str(entry["sha256"])
            segment.size, segment.tail = int(entry["bytes"]), str(entry["tail"])
        elif kind == "delete":
            first, last = entry["segments"]
            for at in range(int(first), int(last) + 1):
                self.segments[at].deleted = True
        elif kind == "hold":
            self.holds.add(str(entry["name"]))
        elif kind == "release":
            self.holds.remove(str(entry["name"]))
        elif kind not in {"begin", "set"}:
            return "nobody knows what it is"
        return None


def check_segments(folder: Path, log: Log, state: State, whole: set[tuple[int, str]]) -> None:
    """Compares the files of the segments with the log.

    Those that are found whole are added to `whole`, and not read again.
    """
    report = log.report
    for segment in state.segments.values():
        if segment.deleted:
            continue
        report.segments += 1
        report.records += segment.records
        if segment.changed:
            place = f"segments/{segment.file}"
            report.find(place, "it had been changed when a crash was recovered from")
        known = (segment.number, segment.sha256)
        if known not in whole and is_whole(folder / "segments", segment, log, state):
            whole.add(known)
    for path in sorted((folder / "segments").glob("*")):
        check_stray(path, log, state)


def is_whole(folder: Path, segment: Segment, log: Log, state: State) -> bool:
    """Compares the file of a segment with the log."""
    place, path = f"segments/{segment.file}", folder / segment.file
    if digest(folder / f"{segment.file}.erasing") == segment.sha256:
        if digest(path) in {None, segment.sha256}:
            return True
        log.report.find(place, "it holds what was erased from it", remains=True)
        return False
    found = digest(path)
    if found == segment.sha256:
        if segment.tail in {None, tail(path)}:
            return True
        log.report.find(place, "the log has the footer of another file")
        return False
    others = (one for one in state.segments.values() if not one.deleted)
    swapped = [one.number for one in others if one.sha256 == found]
    if found is None:
        log.report.find(place, "the file is not there")
    elif swapped:
        log.report.find(place, f"it is the file of segment {swapped[0]}")
    elif found in state.past:
        log.report.find(place, before(state.past[found]), remains=True)
    elif path.stat().st_size < segment.size:
        log.report.find(place, f"it has fewer bytes than {segment.size}")
    else:
        log.report.find(place, "its hash is another one")
    return False


def digest(path: Path) -> str | None:
    """The hash of a file; None when it is not there."""
    try:
        return sha256(path.read_bytes()).hex()
    except OSError:
        return None


def tail(path: Path) -> str:
    """The hash of the footer of a Parquet file, with its length and magic."""
    data = path.read_bytes()
    return sha256(data[-8 - int.from_bytes(data[-8:-4], "little") :]).hex()


def check_stray(path: Path, log: Log, state: State) -> None:
    """Finds a file in the place of one that the log does not tell of."""
    place = f"segments/{path.name}"
    digits, _, kind = path.name.partition(".")
    number = int(digits) if digits.isascii() and digits.isdecimal() else None
    if number is None or f"{number:010}" != digits:
        return log.report.find(place, "nobody wrote it")
    segment = state.segments.get(number)
    if segment is None:
        # Of one that is being sealed.
        if number != state.next[0] or kind not in {"parquet", "wal", "parquet.new"}:
            log.report.find(place, "the log does not know it")
    elif segment.deleted:
        log.report.find(place, f"the log says that segment {number} was deleted", remains=True)
    elif kind == "parquet.erasing":
        # What a crash, or a writer at this moment, has not completed.
        found = digest(path)
        if found is not None and found != segment.sha256 and found in state.past:
            log.report.find(place, before(state.past[found]), remains=True)
    elif kind in {"parquet", "wal"}:
        if kind != segment.format:
            log.report.find(place, before(number), remains=True)
    else:
        log.report.find(place, "nobody wrote it")
    return None


def before(number: int) -> str:
    """What is in the file of a segment before something was taken out of it."""
    return f"it is a file of segment {number} from before content was erased or deleted"


def frames(data: bytes, start: int) -> Iterator[tuple[int, bytes, bytes]]:
    """The frames of a write-ahead file: where they begin, length with body, and hash."""
    at = start
    while len(data) >= at + 4:
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if len(data) < end + 32:
            return
        yield at, data[at:end], data[end : end + 32]
        at = end + 32


def check_active(folder: Path, log: Log, state: State) -> None:
    """Checks the write-ahead file of the segment that is being written."""
    report = log.report
    for path in sorted((folder / "active").glob("*")):
        place = f"active/{path.name}"
        number = path.name.removesuffix(".wal")
        if number != path.name and number in {f"{one:010}" for one in state.segments}:
            # What was sealed is removed last.
            last = int(number) + 1 == state.next[0] and log.entries[-1]["type"] == "seal"
            if not last:
                report.find(place, f"segment {int(number)} was sealed", remains=True)
            continue
        if path.name != f"{state.next[0]:010}.wal":
            report.find(place, "the log does not know it")
            continue
        data = path.read_bytes()
        length = int.from_bytes(data[14:18], "big")
        start = 18 + length
        try:
            header = json.loads(data[18:start])
            whole = data.startswith(WAL_MAGIC) and canonical(header) == data[18:start]
            belongs = (header["segment"], header["first"]) == state.next
            belongs = belongs and header["origin"] == log.entries[0]["origin"]
            belongs = belongs and set(header["keys"]) == set(PARTS)
        except (ValueError, KeyError, TypeError, IndexError):
            whole, belongs = False, False
        if not whole and begins_header(data) and not has_mark_after(data, 0, log, state):
            continue
        if not whole or not belongs:
            report.find(place, "its header is not the one that was written")
            continue
        check_frames(data, start, place, log, state)


def check_frames(data: bytes, start: int, place: str, log: Log, state: State) -> None:
    """Checks the frames of a write-ahead file and the marks in it."""
    chain, records, end = sha256(data[:start]), 0, start
    for at, frame, following in frames(data, start):
        if sha256(chain, frame) != following:
            break
        kind, body = frame[4:5], frame[5:]
        if kind == b"\1":
            records += int.from_bytes(body[8:12], "big")
        elif kind == b"\2" and len(body) == 80:
            keys = log.keys(int.from_bytes(body[:8], "big") + 1)
            text = b"tacenda journal mark v1\n" + state.next[0].to_bytes(8, "big")
            text += body[8:16] + chain
            if keys is None or not keys[1].signed(text, body[16:]):
                log.report.find(place, f"the mark at byte {at} is not signed")
        else:
            break
        chain = following
        end = at + len(frame) + len(chain)
    if not begins_frame(data[end:]) or has_mark_after(data, end, log, state):
        log.report.find(place, f"the frame at byte {end} was changed")


def begins_frame(data: bytes) -> bool:
    """Whether these bytes are the beginning of one frame, and not all of it."""
    if len(data) < 4:
        return True
    length = int.from_bytes(data[:4], "big")
    if length > LONGEST_FRAME or len(data) >= 4 + length + 32:
        return False
    body = data[4 : 4 + length]
    if not body:
        return length > 0
    if body[0] == 1:
        return begins_batch(body[1:], length - 1)
    return body[0] == 2 and length == MARK_LENGTH


def begins_batch(body: bytes, length: int) -> bool:
    """Whether these bytes are the beginning of the content of a batch that has this length."""
    if len(body) < 12:
        return length >= BATCH_HEAD
    at, last = BATCH_HEAD + 32 * int.from_bytes(body[8:12], "big"), -1
    while at < length:
        if at >= len(body):
            return True
        if not last < body[at] < len(PARTS):
            return False
        last = body[at]
        if len(body) < at + 5:
            return length >= at + 5
        at += 5 + int.from_bytes(body[at + 1 : at + 5], "big")
    return at == length


def begins_header(data: bytes) -> bool:
    """Whether these bytes are the beginning of a header, and not all of it."""
    magic, length, text = data[:14], data[14:18], data[18:]
    if magic != WAL_MAGIC or len(length) < 4:
        return WAL_MAGIC.startswith(magic)
    longest = int.from_bytes(length, "big")
    cut = longest <= LONGEST_HEADER and len(text) < longest
    return cut and text[:1] in {b"", b"{"} and all(0x20 <= byte < 0x7F for byte in text)


def has_mark_after(data: bytes, start: int, log: Log, state: State) -> bool:
    """Whether a genuine mark stands after a place: then all before the mark was whole once."""
    begin, at = MARK_LENGTH.to_bytes(4, "big") + b"\2", start
    while (at := data.find(begin, at + 1)) >= 0:
        body = data[at + 5 : at + 4 + MARK_LENGTH]
        keys = log.keys(int.from_bytes(body[:8], "big") + 1)
        text = b"tacenda journal mark v1\n" + state.next[0].to_bytes(8, "big")
        text += body[8:16] + data[max(at - 32, 0) : at]
        if len(body) == MARK_LENGTH - 1 and keys is not None and keys[1].signed(text, body[16:]):
            return True
    return False
