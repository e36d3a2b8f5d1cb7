"""The log of a journal: entries, tiles, and every checkpoint since the first."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from ._entries import LONGEST, read_entry
from ._files import LONGEST_NOTE, Files, NotOurs
from ._notes import Checkpoint, Key
from ._report import Report, Sight
from ._trees import Frontier, root_of, sha256

WIDTH = 256
# The longest tile, bundle of entries, and file `pending`.
LONGEST_TILE = WIDTH * 32
LONGEST_BUNDLE = WIDTH * (2 + LONGEST)
LONGEST_PENDING = 2 + LONGEST + LONGEST_NOTE
NUMBER = re.compile("0|[1-9][0-9]{0,19}", re.ASCII)


def tile_path(level: str, number: int, width: int) -> str:
    """The path of a tile (C2SP tlog-tiles)."""
    digits = f"{number:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return f"{level}/{path}" + (f".p/{width}" if width < WIDTH else "")


def bundle(data: bytes) -> list[bytes] | None:
    """The entries of a bundle."""
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if len(data) < max(end, at + 2):
            return None
        entries.append(data[at + 2 : end])
        at = end
    return entries


class Log:
    """The log of a journal, as far as it can be read."""

    def __init__(self, folder: Path, report: Report) -> None:
        self.files = Files(folder)
        self.report = report
        self.entries: list[dict[str, Any]] = []
        self.leaves: list[bytes] = []
        # What a crash, or a writer at this moment, has not completed: it is part of the log.
        self.pending: tuple[bytes, bytes] | None = None
        # No witness has signed more than there is from here on.
        self.witnessed = self._witnessed()
        self.size = self._size()
        self._read_entries()
        self._compare_tiles()

    def check(self, since: dict[str, bytes], witnesses: list[Key]) -> None:
        """Checks every checkpoint, and compares with those kept elsewhere and by witnesses."""
        self.roots = self._check_checkpoints()
        self._check_given(since, witnesses)

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

    def _read(self, path: str, limit: int, otherwise: str | None = None) -> bytes | None:
        """The content of a file, or of the one that takes its place."""
        try:
            return self.files.read(path, limit)
        except FileNotFoundError:
            if otherwise is not None:
                return self._read(otherwise, limit)
            self.report.find(f"log/{path}", "the file is not there")
        except NotOurs as error:
            self.report.find(f"log/{path}", str(error))
        return None

    def _size(self) -> int:
        note = self.note = self._read("checkpoint", LONGEST_NOTE)
        newest = Checkpoint.parse(note) if note is not None else None
        if note is not None and newest is None:
            self.report.find("log/checkpoint", "it is no checkpoint")
        self.newest = newest.size if newest is not None else None
        self.pending = self._pending()
        last = max(self._numbers(), default=0)
        if newest is not None and self.pending is not None:
            return newest.size + 1
        if newest is not None and newest.size < last:
            self.report.find("log/checkpoint", f"there is a checkpoint of {last} entries")
        size = max(newest.size if newest is not None else last, last)
        if size == 0:
            self.report.find("log/checkpoint", "it covers no entry")
        return min(size, last + 1)

    def _pending(self) -> tuple[bytes, bytes] | None:
        """The entry that is being added, with the note that covers it."""
        try:
            data = self.files.read("pending", LONGEST_PENDING)
        except FileNotFoundError:
            return None
        except NotOurs as error:
            self.report.find("log/pending", str(error))
            return None
        end = 2 + int.from_bytes(data[:2], "big")
        checkpoint = Checkpoint.parse(data[end:])
        if checkpoint is not None and self.newest is not None:
            if checkpoint.size == self.newest + 1:
                return data[2:end], data[end:]
            if checkpoint.size == self.newest:
                return None
        self.report.find("log/pending", "it does not follow the log")
        return None

    def _numbers(self) -> list[int]:
        """The sizes that there are checkpoints of, in order."""
        try:
            names = self.files.names("checkpoints")
        except (FileNotFoundError, NotOurs):
            return []
        return sorted(int(name) for name in names if NUMBER.fullmatch(name))

    def _read_entries(self) -> None:
        stored = self.size - (self.pending is not None)
        for number in range(-(-stored // WIDTH)):
            width = min(stored - number * WIDTH, WIDTH)
            path = f"tile/{tile_path('entries', number, width)}"
            grown = f"tile/{tile_path('entries', number, width + 1)}"
            data = self._read(path, LONGEST_BUNDLE, grown if self.pending is not None else None)
            if data is None:
                return
            entries = bundle(data)
            if entries is None:
                return self.report.find(f"log/{path}", "its last entry is not whole")
            if self.pending is not None and len(entries) == width + 1:
                entries.pop()
            if len(entries) != width:
                self.report.find(f"log/{path}", f"it holds {len(entries)} entries of {width}")
            self._take(entries[:width])
        if self.pending is not None:
            self._take([self.pending[0]])
        return None

    def _take(self, entries: list[bytes]) -> None:
        for raw in entries:
            malformed = len(self.entries) < len(self.leaves)
            entry = None if malformed else read_entry(raw)
            if entry is not None:
                self.entries.append(entry)
            elif not malformed:
                self.report.find(f"entry {len(self.leaves)}", "it is malformed")
            self.leaves.append(sha256(b"\0", raw))

    def _compare_tiles(self) -> None:
        hashes, level = self.leaves, 0
        # Whether the entry that is being added changes the last tile of the level.
        grows = self.pending is not None
        while hashes:
            last = (len(hashes) - 1) // WIDTH
            for number in range(-(-len(hashes) // WIDTH)):
                tile = hashes[number * WIDTH : (number + 1) * WIDTH]
                path = f"tile/{tile_path(str(level), number, len(tile))}"
                if grows and number == last and self._is_tile(level, number, tile[:-1]):
                    continue
                data = self._read(path, LONGEST_TILE)
                if data is not None and data != b"".join(tile):
                    self.report.find(f"log/{path}", "a hash is not that of what is below it")
            full = len(hashes) // WIDTH
            grows = grows and len(hashes) % WIDTH == 0
            hashes = [root_of(hashes[n * WIDTH : (n + 1) * WIDTH]) for n in range(full)]
            level += 1

    def _is_tile(self, level: int, number: int, hashes: list[bytes]) -> bool:
        """Whether a tile holds these hashes; without any, whether it is not there."""
        path = f"tile/{tile_path(str(level), number, len(hashes) or 1)}"
        if not hashes:
            return not self.files.has(path)
        try:
            return self.files.read(path, LONGEST_TILE) == b"".join(hashes)
        except (FileNotFoundError, NotOurs):
            return False

    def _check_checkpoints(self) -> list[bytes]:
        frontier = Frontier()
        roots = [frontier.root()]
        for leaf in self.leaves:
            frontier.push(leaf)
            roots.append(frontier.root())
        parted, before = False, 0
        numbers = set(self._numbers()) | ({self.size} if self.pending is not None else set())
        present = sorted(number for number in numbers if 0 < number <= self.size)
        for number in [*present, self.size + 1]:
            if number > before + 1:
                self.report.find(f"log/checkpoints/{before + 1}", "the file is not there")
            before = number
        for number in present:
            place = f"log/checkpoints/{number}"
            coming = self.pending is not None and number == self.size
            if coming and not self.files.has(f"checkpoints/{number}"):
                note = self.pending[1] if self.pending is not None else None
            else:
                note = self._read(f"checkpoints/{number}", LONGEST_NOTE)
            if note is None:
                continue
            if number == self.newest and self.note != note:
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

    def _check_given(self, since: dict[str, bytes], witnesses: list[Key]) -> None:
        given = {place: Checkpoint.parse(note) for place, note in since.items()}
        given.update(self.witnessed)
        for place, checkpoint in given.items():
            if checkpoint is None:
                self.report.find(place, "it is no checkpoint, or not signed by its witness")
            else:
                self._compare(place, checkpoint)
        for witness in witnesses:
            signed = [one for one in given.values() if one is not None and one.signed_by(witness)]
            newest = max(signed, key=lambda one: one.size, default=None)
            if newest is None:
                self.report.find(f"witness {witness.name}", "it has signed none of the checkpoints")
            else:
                sight = Sight(witness.name, newest.size, newest.time_by(witness))
                self.report.witnessed.append(sight)

    def _witnessed(self) -> dict[str, Checkpoint | None]:
        """What witnesses have signed, by file: a key, and the note that it has signed."""
        found: dict[str, Checkpoint | None] = {}
        try:
            names = self.files.names("witnessed")
        except FileNotFoundError:
            return found
        except NotOurs as error:
            self.report.find("log/witnessed", str(error))
            return found
        for name in names:
            if name.endswith(".new"):
                continue
            try:
                data = self.files.read(f"witnessed/{name}", LONGEST_NOTE)
            except FileNotFoundError:
                continue
            except NotOurs as error:
                self.report.find(f"log/witnessed/{name}", str(error))
                continue
            first, _, note = data.partition(b"\n")
            checkpoint = Checkpoint.parse(note)
            try:
                key = Key.parse(first.decode())
                whole = str(key).encode() == first and key.id.hex() == name
            except ValueError:
                whole = False
            signed = whole and checkpoint is not None and checkpoint.signed_by(key)
            found[f"log/witnessed/{name}"] = checkpoint if signed else None
        return found

    def _compare(self, place: str, given: Checkpoint) -> None:
        """Whether the log begins with that of a checkpoint, and the keys of its time signed it."""
        newest = len(self.roots) - 1
        if given.size > newest:
            return self.report.find(place, f"rolled back: it covers {given.size} entries")
        keys = self.keys(given.size)
        if self.roots[given.size] != given.root:
            self.report.find(place, "rewritten: the root was another one")
        elif keys is None or not all(given.signed_by(key) for key in keys):
            self.report.find(place, "it is not signed by the keys of this journal")
        return None


def names_of(files: Files, folder: str, log: Log) -> list[str]:
    """The names in a directory that has to be there."""
    try:
        return files.names(folder)
    except FileNotFoundError:
        log.report.find(folder, "the directory is not there")
    except NotOurs as error:
        log.report.find(folder, str(error))
    return []
