"""The segments of a journal: their files, and the one that is being written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from ._entries import CLASSES, MOST_RECORDS, PARTS, canonical, is_number, is_text, nanoseconds
from ._files import Files, NotOurs
from ._log import Log, names_of
from ._trees import Frontier, sha256

WAL_MAGIC = b"tacenda-wal-1\n"
PARQUET_MAGIC = b"PARE"
LONGEST_HEADER = 1 << 20
LONGEST_FRAME = 32 << 20
LONGEST_SEGMENT = 1 << 30
LONGEST_FILE = 4 * LONGEST_SEGMENT
MARK_LENGTH = 1 + 8 + 8 + 64
# What a batch begins with: its number, the count of its records, the minutes of their times.
BATCH_HEAD = 8 + 4 + 4 + 4
AT_ONCE = 1 << 20
# So many places in a frame that was cut may look like a mark.
MOST_LIKENESSES = 1000


@dataclass
class Segment:
    """A segment as the log knows it."""

    number: int
    format: str
    first: int
    records: int
    root: str
    sha256: str
    size: int
    tail: str | None
    # In nanoseconds since 1970: of its records, as they say, and of its sealing.
    times: tuple[int, int] | None
    sealed: int
    changed: bool = False
    deleted: bool = False
    expired: set[str] = field(default_factory=set)
    rewritten: bool = False

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.number:010}.{self.format}"

    def rewrite(self, entry: dict[str, Any]) -> None:
        """What is read of it from now on is the file that an entry tells of."""
        self.format, self.rewritten = "parquet", True
        self.sha256, self.size, self.tail = entry["sha256"], entry["bytes"], entry["tail"]


class State:
    """What the entries say together."""

    def __init__(self, log: Log) -> None:
        self.segments: dict[int, Segment] = {}
        # Every file that a segment ever had, by its hash.
        self.past: dict[str, int] = {}
        # The lengths of all of these: a file of another length is none of them.
        self.sizes: set[int] = set()
        # What each keeps: from and to.
        self.holds: dict[str, tuple[int, int]] = {}
        self.began = nanoseconds(log.entries[0]["time"])
        self.next = (0, 0)
        # The longest that a write-ahead file may have become by what the journal was set to.
        self.longest = 0
        for number, entry in enumerate(log.entries):
            what = self._apply(number, entry)
            if what is not None:
                log.report.find(f"entry {number}", what)
            if "settings" in entry:
                limit = entry["settings"]["limits"]["segment_bytes"]
                self.longest = max(self.longest, limit)
            if what is None and "sha256" in entry:
                self.past[entry["sha256"]] = entry["segment"]
                self.sizes.add(entry["bytes"])
        # It is sealed when it is as long as that. What is written last is a frame, and a mark.
        self.longest = min(self.longest, LONGEST_SEGMENT) + 2 * LONGEST_FRAME

    def _apply(self, number: int, entry: dict[str, Any]) -> str | None:
        kind = entry["type"]
        if (kind == "begin") != (number == 0):
            return "the log does not begin there"
        if kind in {"seal", "erase", "expire"}:
            # No two are written with the same keys.
            other = self.past.get(entry["sha256"], entry["segment"])
            if other != entry["segment"] and entry["bytes"] > 0:
                return f"its file is that of segment {other}"
        if kind == "seal":
            return self._seal(entry)
        if kind in {"erase", "expire"}:
            segment = self.segments.get(entry["segment"])
            if segment is None or segment.deleted:
                return "content of no segment is erased, or expires"
            if self._is_kept(segment):
                return f"a hold keeps segment {segment.number}"
            if kind == "erase":
                if any(record >= segment.records for record in entry["records"]):
                    return f"a record is erased that segment {segment.number} does not have"
            else:
                classes = [CLASSES.index(name) for name in entry["classes"]]
                if not classes or classes != sorted(set(classes)):
                    return "the classes that expire are not in their order"
                if segment.expired.intersection(entry["classes"]):
                    return "a class expires twice"
                if entry["records"] > segment.records:
                    return f"content of more records expires than segment {segment.number} has"
                segment.expired.update(entry["classes"])
            segment.rewrite(entry)
        elif kind == "delete":
            first, last = entry["segments"]
            if first > last:
                return "the last segment that is deleted stands before the first"
            records = 0
            for at in range(first, min(last, self.next[0]) + 1):
                segment = self.segments.get(at)
                if segment is None or segment.deleted:
                    return "a segment that is not there is deleted"
                if self._is_kept(segment):
                    return f"a hold keeps segment {segment.number}"
                segment.deleted = True
                records += segment.records
            if records != entry["records"]:
                return "other records are deleted than the segments have"
        elif kind == "hold":
            if entry["name"] in self.holds:
                return "a hold takes the place of another one of its name"
            self.holds[entry["name"]] = times_of(entry["times"])
        elif kind == "release":
            if entry["name"] not in self.holds:
                return "a hold that is not there is released"
            del self.holds[entry["name"]]
        return None

    def _is_kept(self, segment: Segment) -> bool:
        """Whether a hold keeps it: by what its records say, or by when they were written."""
        before = self.segments.get(segment.number - 1)
        written = (self.began if before is None else before.sealed, segment.sealed)
        # A clock that was put back in between does not say when that was.
        if written[0] > written[1] or segment.times is None:
            return bool(self.holds)
        return any(
            first <= end and begin <= last
            for begin, end in self.holds.values()
            for first, last in (segment.times, written)
        )

    def _seal(self, entry: dict[str, Any]) -> str | None:
        segment = Segment(
            entry["segment"],
            entry["format"],
            entry["first"],
            entry["records"],
            entry["root"],
            entry["sha256"],
            entry["bytes"],
            entry.get("tail"),
            times_of(entry["times"]) if "times" in entry else None,
            nanoseconds(entry["time"]),
            entry.get("recovered", {}).get("changed", False),
        )
        if (segment.number, segment.first) != self.next:
            return "a segment does not follow the one before it"
        if segment.first + segment.records >= 1 << 64:
            return "too many records"
        self.next = (segment.number + 1, segment.first + segment.records)
        self.segments[segment.number] = segment
        return None


def times_of(texts: list[str]) -> tuple[int, int]:
    """The earliest and the latest time of an entry."""
    first, last = map(nanoseconds, texts)
    return first, last


def check_segments(files: Files, log: Log, state: State, whole: set[tuple[int, str]]) -> None:
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
        report.rewritten += segment.rewritten
        known = (segment.number, segment.sha256)
        if known not in whole and is_whole(files, segment, log, state):
            whole.add(known)
    for name in names_of(files, "segments", log):
        check_stray(files, name, log, state)


def is_whole(files: Files, segment: Segment, log: Log, state: State) -> bool:
    """Compares the file of a segment with the log."""
    place = f"segments/{segment.file}"
    paths, what, remains = [place], None, False
    if digest(files, f"{place}.erasing", state) == segment.sha256:
        # It may take its place at this moment.
        paths = [f"{place}.erasing", place]
        why = not_ours(files, place)
        if why is not None:
            log.report.find(place, why)
            return False
        if digest(files, place, state) not in {None, segment.sha256}:
            log.report.find(place, "it holds what was erased from it", remains=True)
            return False
    for path in paths:
        try:
            with files.open(path) as file:
                what, remains = difference(file, segment, log, state)
        except FileNotFoundError:
            what = "the file is not there"
            continue
        except NotOurs as error:
            what = str(error)
        break
    if what is not None:
        log.report.find(place, what, remains=remains)
    return what is None


def difference(file: BinaryIO, segment: Segment, log: Log, state: State) -> tuple[str | None, bool]:
    """What is wrong with the file of a segment, and whether it should be gone."""
    size = file.seek(0, 2)
    if size > LONGEST_FILE:
        return f"it has {size} bytes, and no file of a segment has as many", False
    found = hash_of(file, 0) if size in state.sizes else None
    if found == segment.sha256:
        if size != segment.size:
            return f"it has {size} bytes, and the log tells of {segment.size}", False
        if segment.format == "wal":
            return difference_of_wal(file, segment, log), False
        if tail(file, size) != segment.tail:
            return "the log has the footer of another file", False
        return None, False
    others = (one for one in state.segments.values() if not one.deleted)
    swapped = [one.number for one in others if one.sha256 == found]
    if swapped:
        return f"it is the file of segment {swapped[0]}", False
    if found is not None and found in state.past:
        return before(state.past[found]), True
    if size < segment.size:
        return f"it has fewer bytes than {segment.size}", False
    return "its hash is another one", False


def difference_of_wal(file: BinaryIO, segment: Segment, log: Log) -> str | None:
    """What is wrong with a write-ahead file that was sealed as it is."""
    if segment.size > LONGEST_SEGMENT + 2 * LONGEST_FRAME:
        return f"it has {segment.size} bytes, and no write-ahead file has as many"
    file.seek(0)
    data = file.read(segment.size)
    if not data and segment.records == 0:
        # Nothing of it was whole.
        return None if segment.root == sha256().hex() else "its root is not that of no records"
    start = header_length(data, (segment.number, segment.first), log)
    if start is None:
        return "its header is not the one that was written"
    found = survey(data, start, segment.number, log)
    if found.forged is not None:
        return f"the mark at byte {found.forged} is not signed"
    if found.end != len(data):
        return f"the frame at byte {found.end} was changed"
    if found.records != segment.records:
        return f"it has {found.records} records, and the log tells of {segment.records}"
    tree = Frontier()
    for batch in found.leaves:
        for at in batch:
            tree.push(data[at : at + 32])
    if tree.root().hex() != segment.root:
        return "its records have another root than the log tells of"
    return None


def hash_of(file: BinaryIO, start: int) -> str:
    """The hash of a file from a place to its end."""
    hasher = hashlib.sha256()
    file.seek(start)
    while piece := file.read(AT_ONCE):
        hasher.update(piece)
    return hasher.hexdigest()


def digest(files: Files, path: str, state: State) -> str | None:
    """The hash of a file; None when it is not there, or cannot be one of the journal's segments."""
    try:
        with files.open(path) as file:
            size = file.seek(0, 2)
            return hash_of(file, 0) if size in state.sizes and size <= LONGEST_FILE else ""
    except (FileNotFoundError, NotOurs):
        return None


def not_ours(files: Files, path: str) -> str | None:
    """Why it cannot be opened as a file of a segment; None when it can, or is not there."""
    try:
        with files.open(path, LONGEST_FILE):
            return None
    except FileNotFoundError:
        return None
    except NotOurs as error:
        return str(error)


def tail(file: BinaryIO, size: int) -> str | None:
    """The hash of the footer of an encrypted Parquet file, with its length and magic."""
    file.seek(max(size - 8, 0))
    end = file.read(8)
    start = size - 8 - int.from_bytes(end[:4], "little")
    if len(end) < 8 or end[4:] != PARQUET_MAGIC or start < 0:
        return None
    return hash_of(file, start)


def check_stray(files: Files, name: str, log: Log, state: State) -> None:
    """Finds a file in the place of one that the log does not tell of."""
    place = f"segments/{name}"
    digits, _, kind = name.partition(".")
    number = int(digits) if digits.isascii() and digits.isdecimal() else None
    if number is None or f"{number:010}" != digits:
        return log.report.find(place, "nobody wrote it")
    segment = state.segments.get(number)
    if segment is None:
        # Of one that is being sealed.
        if number != state.next[0] or kind not in {"parquet", "wal", "parquet.new"}:
            log.report.find(place, "the log does not know it")
        elif kind != "wal" and (why := files.stranger(place)) is not None:
            log.report.find(place, why)
    elif segment.deleted:
        log.report.find(place, f"the log says that segment {number} was deleted", remains=True)
    elif kind == "parquet.erasing":
        # What a crash, or a writer at this moment, has not completed.
        if (why := not_ours(files, place)) is not None:
            return log.report.find(place, why)
        found = digest(files, place, state)
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
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 4 + length
        if length > LONGEST_FRAME or len(data) < end + 32:
            return
        yield at, data[at:end], data[end : end + 32]
        at = end + 32


def header_length(data: bytes, place: tuple[int, int], log: Log) -> int | None:
    """Where the header of a write-ahead file ends, if it is that of a segment and first record."""
    length = int.from_bytes(data[14:18], "big")
    text = data[18 : 18 + length]
    if not data.startswith(WAL_MAGIC) or length > LONGEST_HEADER or len(text) < length:
        return None
    try:
        header = json.loads(text)
        keys = header["keys"]
        is_one = canonical(header) == text and set(header) == {"first", "keys", "origin", "segment"}
        is_one = is_one and is_number(header["segment"]) and is_number(header["first"])
        is_one = is_one and set(keys) == set(PARTS) and all(map(is_text, keys.values()))
        is_one = is_one and (header["segment"], header["first"]) == place
        is_one = is_one and header["origin"] == log.entries[0]["origin"]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return None
    return 18 + length if is_one else None


def check_active(files: Files, log: Log, state: State) -> None:
    """Checks the write-ahead file of the segment that is being written."""
    report = log.report
    for name in names_of(files, "active", log):
        place = f"active/{name}"
        digits = name.removesuffix(".wal")
        if digits != name and digits in {f"{one:010}" for one in state.segments}:
            # What was sealed is removed last.
            last = int(digits) + 1 == state.next[0] and log.entries[-1]["type"] == "seal"
            if not last:
                report.find(place, f"segment {int(digits)} was sealed", remains=True)
            elif (why := files.stranger(place)) is not None:
                report.find(place, why)
            continue
        if name != f"{state.next[0]:010}.wal":
            report.find(place, "the log does not know it")
            continue
        try:
            check_unsealed(files.read(place, state.longest), place, log, state)
        except FileNotFoundError:
            # Sealed at this moment.
            report.find(place, "the file is not there")
        except NotOurs as error:
            report.find(place, str(error))


def check_moved(files: Files, log: Log, state: State) -> None:
    """Checks the same file where it lies after a crash, before the log tells of it."""
    place = f"segments/{state.next[0]:010}.wal"
    try:
        check_unsealed(files.read(place, state.longest), place, log, state)
    except FileNotFoundError:
        pass
    except NotOurs as error:
        log.report.find(place, str(error))


def check_unsealed(data: bytes, place: str, log: Log, state: State) -> None:
    """Checks the write-ahead file of the segment that is to be sealed next."""
    report = log.report
    start = header_length(data, state.next, log)
    if start is None:
        if not begins_header(data) or may_go_on_after(data, 0, log, state):
            report.find(place, "its header is not the one that was written")
        return
    found = survey(data, start, state.next[0], log)
    if found.forged is not None:
        report.find(place, f"the mark at byte {found.forged} is not signed")
    if not begins_frame(data[found.end :]) or may_go_on_after(data, found.end, log, state):
        report.find(place, f"the frame at byte {found.end} was changed")


@dataclass
class Survey:
    """What a write-ahead file tells without a key."""

    # The length of the header and of the frames that are whole.
    end: int
    records: int = 0
    # Where the leaves of each batch are.
    leaves: list[range] = field(default_factory=list)
    # Whether there was a mark: what stands before the first may be anybody's.
    marked: bool = False
    # Where the first mark is that is not signed.
    forged: int | None = None


def survey(data: bytes, start: int, segment: int, log: Log) -> Survey:
    """Reads the frames of a write-ahead file and the marks in it, as far as they are whole."""
    chain, found = sha256(data[:start]), Survey(start)
    for at, frame, following in frames(data, start):
        if sha256(chain, frame) != following:
            break
        kind, body = frame[4:5], frame[5:]
        if kind == b"\1" and found.marked:
            count = int.from_bytes(body[8:12], "big")
            end = BATCH_HEAD + 32 * count
            if len(body) < end or found.records + count > MOST_RECORDS:
                break
            found.records += count
            found.leaves.append(range(at + 5 + BATCH_HEAD, at + 5 + end, 32))
        elif kind == b"\2" and len(body) == MARK_LENGTH - 1:
            if int.from_bytes(body[8:16], "big") != found.records:
                break
            found.marked = True
            if found.forged is None and not is_mark(body, segment, chain, log):
                found.forged = at
        else:
            break
        chain = following
        found.end = at + len(frame) + len(chain)
    return found


def is_mark(body: bytes, segment: int, chain: bytes, log: Log) -> bool:
    """Whether a mark is signed by the key of its time."""
    keys = log.keys(int.from_bytes(body[:8], "big") + 1)
    text = b"tacenda journal mark v1\n" + segment.to_bytes(8, "big") + body[8:16] + chain
    return keys is not None and keys[1].signed(text, body[16:])


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


def may_go_on_after(data: bytes, start: int, log: Log, state: State) -> bool:
    """Whether a genuine mark stands after a place: then all before the mark was whole once.

    What looks like a mark in very many places is no frame that a crash has cut, either.
    """
    begin, at, looked = MARK_LENGTH.to_bytes(4, "big") + b"\2", start, 0
    while (at := data.find(begin, at + 1)) >= 0:
        looked += 1
        if looked > MOST_LIKENESSES:
            return True
        body = data[at + 5 : at + 4 + MARK_LENGTH]
        chain = data[max(at - 32, 0) : at]
        if len(body) == MARK_LENGTH - 1 and is_mark(body, state.next[0], chain, log):
            return True
    return False
