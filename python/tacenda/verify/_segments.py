"""The segments of a journal: their files, and the one that is being written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tacenda.verify._log import Log, canonical
from tacenda.verify._trees import sha256

WAL_MAGIC = b"tacenda-wal-1\n"
LONGEST_HEADER = 1 << 20
LONGEST_FRAME = 32 << 20
MARK_LENGTH = 1 + 8 + 8 + 64
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
        self.holds: set[str] = set()
        self.next = (0, 0)
        for number, entry in enumerate(log.entries):
            try:
                what = self._apply(number, entry)
            except (KeyError, TypeError, ValueError):
                what = "it is malformed"
            if what is not None:
                log.report.find(f"entry {number}", what)

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
                "recovered" in entry and entry["recovered"].get("changed") is True,
            )
            if (segment.number, segment.first) != self.next:
                return "a segment does not follow the one before it"
            self.next = (segment.number + 1, segment.first + segment.records)
            self.segments[segment.number] = segment
        elif kind == "erase":
            segment = self.segments[entry["segment"]]
            segment.format, segment.sha256 = "parquet", str(entry["sha256"])
            segment.size = int(entry["bytes"])
        elif kind == "expire":
            segment = self.segments[entry["segment"]]
            classes = [PARTS[1:].index(name) for name in entry["classes"]]
            if segment.deleted or not classes or classes != sorted(set(classes)):
                return "content of no segment expires, or of classes out of order"
            if segment.expired.intersection(entry["classes"]):
                return "a class expires twice"
            segment.expired.update(entry["classes"])
            segment.format, segment.sha256 = "parquet", str(entry["sha256"])
            segment.size = int(entry["bytes"])
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


def check_segments(folder: Path, log: Log, state: State) -> None:
    """Compares the files of the segments with the log."""
    report = log.report
    for segment in state.segments.values():
        if segment.deleted:
            continue
        report.segments += 1
        report.records += segment.records
        place = f"segments/{segment.file}"
        if segment.changed:
            report.find(place, "it had been changed when a crash was recovered from")
        erasing = folder / "segments" / f"{segment.file}.erasing"
        if erasing.exists() and sha256(erasing.read_bytes()).hex() == segment.sha256:
            continue
        try:
            data = (folder / place).read_bytes()
        except OSError:
            report.find(place, "the file is not there")
            continue
        digest = sha256(data).hex()
        if digest == segment.sha256:
            continue
        swapped = [one.number for one in state.segments.values() if one.sha256 == digest]
        if swapped:
            report.find(place, f"it is the file of segment {swapped[0]}")
        elif len(data) < segment.size:
            report.find(place, f"it has {len(data)} bytes, and should have {segment.size}")
        else:
            report.find(place, "its hash is another one")
    for path in sorted((folder / "segments").glob("*")):
        number = path.name.split(".")[0]
        if not number.isdecimal() or int(number) > state.next[0]:
            report.find(f"segments/{path.name}", "the log does not know it")


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
        number = path.name.split(".")[0]
        if number.isdecimal() and int(number) < state.next[0]:
            continue
        place = f"active/{path.name}"
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
        return length >= 12
    at, last = 12 + 32 * int.from_bytes(body[8:12], "big"), -1
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
