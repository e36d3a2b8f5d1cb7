"""Verifies a journal: a second reader of its format, apart from the one in Rust.

It follows `docs/reference/journal-format.md` and needs the standard library and the package
`cryptography`. It reads no content, and needs no identity.

    python -m tacenda.verify DIR [--key KEY] [--since CHECKPOINT]...

The exit status is 0 for a journal that is whole, 1 for one that is not, 2 when there is none.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256
WAL_MAGIC = b"tacenda-wal-1\n"
PARTS = ("head", "public", "internal", "confidential", "restricted")


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, and where."""

    place: str
    what: str


@dataclass
class Report:
    """What was found."""

    findings: list[Finding] = field(default_factory=list)
    entries: int = 0
    segments: int = 0
    records: int = 0

    def find(self, place: str, what: str) -> None:
        """Adds a finding."""
        self.findings.append(Finding(place, what))


# ── Hashes and trees (RFC 6962) ──


def sha256(*parts: bytes) -> bytes:
    """SHA-256 of the parts, one after the other."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


class Frontier:
    """A Merkle tree that grows."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def push(self, leaf: bytes) -> None:
        """Adds a leaf by its hash."""
        size = self.size
        while size & 1:
            leaf = sha256(b"\1", self._roots.pop(), leaf)
            size >>= 1
        self._roots.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root."""
        if not self._roots:
            return sha256()
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = sha256(b"\1", left, root)
        return root


def root_of(leaves: list[bytes]) -> bytes:
    """The root over hashes of leaves."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf)
    return frontier.root()


# ── Signed notes (C2SP) ──


def unbase64(text: str) -> bytes:
    """The bytes that a text in base64 is the one spelling of."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not the one spelling")
    return data


@dataclass(frozen=True)
class Key:
    """A public key with its name."""

    name: str
    raw: bytes

    @classmethod
    def parse(cls, text: str) -> Key:
        """Reads `NAME+ID+KEY`."""
        name, key_id, encoded = text.strip().split("+", 2)
        raw = unbase64(encoded)
        key = cls(name, raw[1:])
        if raw[:1] != b"\1" or key.id.hex() != key_id:
            raise ValueError("not a key of a log")
        return key

    @property
    def id(self) -> bytes:
        """The first four bytes of the hash of name, kind and key."""
        return sha256(self.name.encode(), b"\n\1", self.raw)[:4]

    def signed(self, text: bytes, signature: bytes) -> bool:
        """Whether this is its signature over the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint, with its signatures by key name and id."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: list[tuple[str, bytes, bytes]]

    @classmethod
    def parse(cls, note: bytes) -> Checkpoint | None:
        """Reads a signed note that is a checkpoint."""
        try:
            text, _, lines = note.decode().rpartition("\n\n")
            if not text or not lines.endswith("\n"):
                return None
            signatures = []
            for line in lines[:-1].split("\n"):
                dash, name, encoded = line.split(" ")
                raw = unbase64(encoded)
                if dash != "\u2014" or len(raw) < 5:
                    return None
                signatures.append((name, raw[:4], raw[4:]))
            origin, size, root = text.split("\n")[:3]
            decoded = unbase64(root)
            if str(int(size)) != size or len(decoded) != 32:
                return None
            return cls(f"{text}\n", origin, int(size), decoded, signatures)
        except (ValueError, binascii.Error):
            return None

    def signed_by(self, key: Key) -> bool:
        """Whether a key has signed it."""
        return any(
            name == key.name and key_id == key.id and key.signed(self.text.encode(), signature)
            for name, key_id, signature in self.signatures
        )


# ── The log ──


def tile_path(level: str, number: int, width: int) -> str:
    """The path of a tile (C2SP tlog-tiles)."""
    digits = f"{number:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return f"{level}/{path}" + (f".p/{width}" if width < WIDTH else "")


def bundle(data: bytes) -> list[bytes] | None:
    """The entries of a bundle."""
    entries = []
    while data:
        length = int.from_bytes(data[:2], "big")
        if len(data) < 2 + length:
            return None
        entries.append(data[2 : 2 + length])
        data = data[2 + length :]
    return entries


def canonical(value: Any) -> bytes:
    """Canonical JSON (RFC 8785), for texts, whole numbers, true, false, lists and objects."""

    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return {name: ordered(value[name]) for name in names}
        return [ordered(one) for one in value] if isinstance(value, list) else value

    return json.dumps(ordered(value), separators=(",", ":"), ensure_ascii=False).encode()


def read_entry(data: bytes) -> dict[str, Any] | None:
    """An entry; None unless it is the one spelling of one."""
    try:
        entry = json.loads(data)
        if not isinstance(entry, dict) or canonical(entry) != data:
            return None
        if len(unbase64(entry["next"])) != 32:
            return None
        if not isinstance(entry["time"], str):
            return None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return entry


class Log:
    """The log of a journal, as far as it can be read."""

    def __init__(self, folder: Path, report: Report) -> None:
        self.folder = folder
        self.report = report
        self.entries: list[dict[str, Any]] = []
        self.leaves: list[bytes] = []
        self.size = self._size()
        self._read_entries()
        self._compare_tiles()
        self.roots = self._check_checkpoints()

    def keys(self, size: int) -> tuple[Key, Key] | None:
        """The keys that sign the checkpoint of so many entries."""
        try:
            begin = self.entries[0]
            epoch = begin["first"] if size < 2 else self.entries[size - 2]["next"]
            origin = begin["origin"]
            log = Key(origin, base64.b64decode(begin["log"]))
            return log, Key(f"{origin}/epoch", base64.b64decode(epoch))
        except (IndexError, KeyError, TypeError, ValueError):
            return None

    def _read(self, path: str) -> bytes | None:
        try:
            return (self.folder / path).read_bytes()
        except OSError:
            self.report.find(f"log/{path}", "the file is not there")
            return None

    def _size(self) -> int:
        note = self._read("checkpoint")
        newest = Checkpoint.parse(note) if note is not None else None
        if note is not None and newest is None:
            self.report.find("log/checkpoint", "it is no checkpoint")
        try:
            names = [path.name for path in (self.folder / "checkpoints").iterdir()]
        except OSError:
            names = []
        last = max((int(name) for name in names if name.isdecimal()), default=0)
        if newest is not None and newest.size < last:
            self.report.find("log/checkpoint", f"there is a checkpoint of {last} entries")
        size = max(newest.size if newest is not None else last, last)
        return min(size, last + 1)

    def _read_entries(self) -> None:
        malformed = False
        for number in range(-(-self.size // WIDTH)):
            width = min(self.size - number * WIDTH, WIDTH)
            path = f"tile/{tile_path('entries', number, width)}"
            data = self._read(path)
            if data is None:
                return
            entries = bundle(data)
            if entries is None:
                return self.report.find(f"log/{path}", "its last entry is not whole")
            if len(entries) != width:
                self.report.find(f"log/{path}", f"it holds {len(entries)} entries of {width}")
            for raw in entries:
                entry = None if malformed else read_entry(raw)
                if entry is not None:
                    self.entries.append(entry)
                elif not malformed:
                    malformed = True
                    self.report.find(f"entry {len(self.leaves)}", "it is malformed")
                self.leaves.append(sha256(b"\0", raw))
        return None

    def _compare_tiles(self) -> None:
        hashes, level = self.leaves, 0
        while hashes:
            for number in range(-(-len(hashes) // WIDTH)):
                tile = hashes[number * WIDTH : (number + 1) * WIDTH]
                path = f"tile/{tile_path(str(level), number, len(tile))}"
                data = self._read(path)
                if data is not None and data != b"".join(tile):
                    self.report.find(f"log/{path}", "a hash is not that of what is below it")
            full = len(hashes) // WIDTH
            hashes = [root_of(hashes[n * WIDTH : (n + 1) * WIDTH]) for n in range(full)]
            level += 1

    def _check_checkpoints(self) -> list[bytes]:
        frontier = Frontier()
        roots = [frontier.root()]
        for leaf in self.leaves:
            frontier.push(leaf)
            roots.append(frontier.root())
        parted = False
        for number in range(1, self.size + 1):
            place = f"log/checkpoints/{number}"
            note = self._read(f"checkpoints/{number}")
            if note is None:
                continue
            newest = self.folder / "checkpoint"
            if number == self.size and newest.exists() and newest.read_bytes() != note:
                self.report.find("log/checkpoint", "it is not the newest that was signed")
            checkpoint = Checkpoint.parse(note)
            if checkpoint is None or checkpoint.size != number:
                self.report.find(place, "it is not the checkpoint of so many entries")
                continue
            keys = self.keys(number)
            signed = (
                keys is not None
                and checkpoint.origin == keys[0].name
                and all(checkpoint.signed_by(key) for key in keys)
            )
            follows = number < len(roots) and roots[number] == checkpoint.root
            if parted or (signed and follows):
                continue
            if not follows or keys is None:
                parted = True
                self.report.find(f"entry {number - 1}", "it is not the one that was signed")
            if not signed:
                self.report.find(place, "it is not signed by the keys of its time")
        return roots

    def check_given(self, place: str, note: bytes) -> None:
        """Compares with a checkpoint that was kept elsewhere."""
        given = Checkpoint.parse(note)
        if given is None:
            return self.report.find(place, "it is no checkpoint")
        if given.size >= len(self.roots):
            return self.report.find(place, f"rolled back: it covers {given.size} entries")
        keys = self.keys(given.size)
        if self.roots[given.size] != given.root:
            self.report.find(place, "rewritten: the root was another one")
        elif keys is None or not all(given.signed_by(key) for key in keys):
            self.report.find(place, "it is not signed by the keys of this journal")
        return None


# ── Segments ──


@dataclass
class Segment:
    """A segment as the log knows it."""

    number: int
    format: str
    first: int
    records: int
    sha256: str
    size: int
    deleted: bool = False

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
            )
            if (segment.number, segment.first) != self.next:
                return "a segment does not follow the one before it"
            self.next = (segment.number + 1, segment.first + segment.records)
            self.segments[segment.number] = segment
        elif kind == "erase":
            segment = self.segments[entry["segment"]]
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
        if not whole or not belongs:
            report.find(place, "its header is not the one that was written")
            continue
        check_frames(data, start, place, log, state)


def check_frames(data: bytes, start: int, place: str, log: Log, state: State) -> None:
    """Checks the frames of a write-ahead file and the marks in it."""
    chain, records = sha256(data[:start]), 0
    for at, frame, following in frames(data, start):
        if sha256(chain, frame) != following:
            return log.report.find(place, f"the frame at byte {at} was changed")
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
            return log.report.find(place, f"the frame at byte {at} is of no kind")
        chain = following
    return None


def verify(folder: Path, key: str | None = None, since: dict[str, bytes] | None = None) -> Report:
    """Verifies the journal in a directory.

    Args:
        folder: The directory.
        key: The key that `tacenda journal init` printed.
        since: Checkpoints that were kept elsewhere, by where they come from.

    Returns:
        What was found; no findings for a journal that is whole.

    Raises:
        FileNotFoundError: There is no journal.
        ValueError: The key is none.
    """
    if not (folder / "log").is_dir():
        raise FileNotFoundError(f"there is no journal in {folder}")
    report = Report()
    log = Log(folder / "log", report)
    for place, note in (since or {}).items():
        log.check_given(place, note)
    first = log.keys(1)
    if key is not None and (first is None or first[1] != Key.parse(key)):
        report.find("entry 0", "the journal begins with another key")
    if log.entries:
        state = State(log)
        check_segments(folder, log, state)
        check_active(folder, log, state)
    report.entries = len(log.leaves)
    return report


def root_of_inclusion(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a proof of inclusion leads to (RFC 9162, 2.1.3.2).

    Raises:
        ValueError: The proof does not fit.
    """
    at, last, root = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise ValueError("the proof is too long")
        if at & 1 or at == last:
            root = sha256(b"\1", step, root)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = sha256(b"\1", root, step)
        at, last = at >> 1, last >> 1
    if last != 0 or index >= size:
        raise ValueError("the proof is too short")
    return root


def check_proof(proof: dict[str, Any], keys: list[Key]) -> dict[str, bytes]:
    """Checks what `tacenda journal prove` prints.

    Args:
        proof: The proof.
        keys: Keys that have to have signed its checkpoint.

    Returns:
        The parts of the record, by name: what was proven to be in the journal.

    Raises:
        ValueError: It proves nothing; the text says why.
    """
    content, mask, commitments = {}, 0, b""
    for one in proof["parts"]:
        number, part = PARTS.index(one["part"]), unbase64(one["content"])
        content[one["part"]] = part
        commitments += sha256(bytes([2, number]), bytes.fromhex(one["salt"]), part)
        mask |= 1 << number
    leaf = sha256(b"\0", bytes([mask]), commitments)
    path = [bytes.fromhex(step) for step in proof["segment"]["path"]]
    root = root_of_inclusion(leaf, proof["segment"]["index"], proof["segment"]["size"], path)
    raw = unbase64(proof["entry"])
    entry = read_entry(raw)
    if entry is None or entry.get("type") != "seal" or entry["root"] != root.hex():
        raise ValueError("the segment of this root is not in the log")
    if entry["first"] + proof["segment"]["index"] != proof["sequence"]:
        raise ValueError("the record has another number")
    checkpoint = Checkpoint.parse(proof["checkpoint"].encode())
    if checkpoint is None or not all(checkpoint.signed_by(key) for key in keys):
        raise ValueError("the checkpoint is not signed")
    path = [bytes.fromhex(step) for step in proof["log"]["path"]]
    leaf = sha256(b"\0", raw)
    if root_of_inclusion(leaf, proof["log"]["index"], checkpoint.size, path) != checkpoint.root:
        raise ValueError("the entry is not in the log")
    return content


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tacenda.verify", description="Verify a journal"
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--key", help="the key that `tacenda journal init` printed")
    parser.add_argument("--since", type=Path, action="append", default=[], metavar="CHECKPOINT")
    parsed = parser.parse_args(arguments)
    try:
        since = {str(path): path.read_bytes() for path in parsed.since}
        report = verify(parsed.folder, parsed.key, since)
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
