"""Journals that whoever takes the machine can write: what both verifiers say of them."""

from __future__ import annotations

import base64
import hashlib
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from journals import Journal, begin_segment, put, witnessed
from tacenda.verify import Log, Report, verify
from tacenda.verify._entries import canonical
from tacenda.verify._trees import root_of, sha256

Entry = dict[str, Any]
NOW = "2026-03-01T12:00:00Z"
WHY = {"reason": "a test", "who": "nobody"}


def add_entry(path: Path, entry: Entry) -> None:
    """Signs an entry as whoever has taken the machine over can, whatever it says."""
    log = Log(path / "log", Report())
    entries = [canonical(one) for one in log.entries]
    read = [
        Ed25519PrivateKey.from_private_bytes((path / "keys" / name).read_bytes())
        for name in ("log", "signing")
    ]
    following = Ed25519PrivateKey.generate()
    raw = following.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    entries.append(canonical({"time": NOW, "next": base64.b64encode(raw).decode(), **entry}))
    leaves = [sha256(b"\0", one) for one in entries]
    size, keys = len(entries), log.keys(len(entries))
    assert keys is not None
    text = f"{keys[0].name}\n{size}\n{base64.b64encode(root_of(leaves)).decode()}\n"
    note = text + "\n"
    for key, private in zip(keys, read, strict=True):
        line = base64.b64encode(key.id + private.sign(text.encode())).decode()
        note += f"\u2014 {key.name} {line}\n"
    bundled = b"".join(len(one).to_bytes(2, "big") + one for one in entries)
    put(path / f"log/tile/entries/000.p/{size}", bundled)
    put(path / f"log/tile/0/000.p/{size}", b"".join(leaves))
    put(path / f"log/checkpoints/{size}", note.encode())
    put(path / "log/checkpoint", note.encode())
    put(path / "keys/signing", following.private_bytes_raw())


def seal(data: bytes, **more: object) -> Entry:
    """The entry of the first segment, of one record."""
    return {
        "type": "seal",
        "segment": 0,
        "first": 0,
        "records": 1,
        "root": "00" * 32,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "times": [NOW, NOW],
        "parts": {"head": "00" * 32},
        **more,
    }


def without(entry: Entry, name: str) -> Entry:
    return {member: value for member, value in entry.items() if member != name}


class Forged:
    """Copies of a journal, each with an entry that the program does not write."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.count = 0

    def copy(self) -> Path:
        self.count += 1
        path = self.journal.folder / f"forged{self.count}"
        shutil.copytree(self.journal.path, path, ignore=shutil.ignore_patterns("owner"))
        return path

    def with_entries(self, *entries: Entry) -> Path:
        path = self.copy()
        for entry in entries:
            add_entry(path, entry)
        return path

    def found(self, path: Path) -> set[str]:
        """The places that the second verifier names."""
        return {one.place for one in verify(path, self.journal.key).findings}

    def found_by_both(self, path: Path) -> set[str]:
        ours = self.journal.attempt("verify", path, "--key", self.journal.key)
        theirs = self.found(path)
        assert ours.returncode == int(bool(theirs)), (ours.stdout, theirs)
        return theirs


def test_both_verifiers_know_the_members_of_an_entry(journal: Journal) -> None:
    forged = Forged(journal)
    [begin] = Log(journal.path / "log", Report()).entries
    settings = begin["settings"]
    sealed = seal(b"", format="wal", records=0, root=sha256().hex(), recovered={"cut": 0})
    empty = without(without(sealed, "times"), "parts")
    hold = {"type": "hold", "name": "case", "times": [NOW, NOW], **WHY}

    def setting(**more: object) -> Entry:
        return {"type": "set", "settings": {**settings, **more}, **WHY}

    path = forged.with_entries(
        empty, hold, setting(), setting(retention={"classes": {"public": 1}})
    )
    put(path / "segments/0000000000.wal", b"")
    assert forged.found_by_both(path) == set()
    age = settings["recipients"]["public"][0]
    no_point = base64.b64encode(bytes([2]) + bytes(31)).decode()
    for entry in (
        {**empty, "more": 1},
        {**empty, "root": sha256().hex().upper()},
        {**empty, "records": "0"},
        {**empty, "records": -1},
        {**empty, "records": 5.5},
        {**empty, "records": False},
        {**empty, "recovered": {}},
        {**empty, "recovered": {"cut": 0, "changed": False}},
        {**empty, "tail": "00" * 32},
        {**empty, "format": "parquet"},
        {**empty, "times": None},
        {**empty, "parts": {"head": "00" * 32}},
        without(empty, "sha256"),
        {**sealed, "times": ["0000-01-01T00:00:00Z", NOW]},
        {**sealed, "times": ["2026-03-01T12:00:00.50Z", NOW]},
        {**sealed, "times": ["2026-03-01T13:00:00+01:00", NOW]},
        {**hold, "time": "yesterday"},
        {**hold, "time": "9999-12-31T23:59:59Z"},
        {**hold, "next": "AAAA"},
        {**hold, "next": no_point},
        {**hold, "times": None},
        without(hold, "who"),
        {**hold, "name": 5},
        {**hold, "type": "other"},
        {"type": "delete", "segments": [0, 1, 2], "records": 0, **WHY},
        {"type": "delete", "segments": [0, 2**53], "records": 0, **WHY},
        {"type": "release", "name": "case", **WHY},
        {**begin, "time": NOW},
        setting(recipients={}),
        setting(recipients={**settings["recipients"], "public": []}),
        setting(recipients={**settings["recipients"], "public": [age[:-1] + "?"]}),
        setting(recipients={**settings["recipients"], "public": [age[:-1] + ("q" if age[-1] != "q" else "p")]}),
        setting(recipients={**settings["recipients"], "secret": [age]}),
        setting(durability="never"),
        setting(limits={"segment_bytes": 1}),
        setting(retention={"classes": {}}),
        setting(retention={"max_bytes": None}),
        setting(more=1),
    ):  # fmt: skip
        path = forged.with_entries(entry)
        put(path / "segments/0000000000.wal", b"")
        assert forged.found_by_both(path) >= {"entry 1"}, entry


def test_what_an_entry_says_follows_from_those_before_it(journal: Journal) -> None:
    journal.fill(0, 5)
    forged = Forged(journal)
    _, sealed = Log(journal.path / "log", Report()).entries
    data = (journal.path / "segments/0000000000.parquet").read_bytes()
    written = {name: sealed[name] for name in ("sha256", "bytes", "tail")}
    erase = {"type": "erase", "segment": 0, "records": [4], **written, **WHY}
    expire = {"type": "expire", "segment": 0, "classes": ["public"], "records": 5, **written, **WHY}
    delete = {"type": "delete", "segments": [0, 0], "records": 5, **WHY}
    assert forged.found(forged.with_entries(erase, expire)) == set()
    copied = {**seal(data, format="parquet", tail=sealed["tail"]), "segment": 1, "first": 5}
    for entries in (
        [{**erase, "records": [5]}],
        [{**erase, "segment": 1}],
        [{**expire, "records": 6}],
        [{**expire, "segment": 1}],
        [delete, erase],
        [delete, delete],
        # The file of another segment, and what no segment has.
        [copied],
        [{**copied, "records": 2**53}],
        [{**copied, "times": ["2026-03-01T12:00:01Z", NOW]}],
        [without(copied, "times")],
        [without(copied, "parts")],
        [{**copied, "parts": {}}],
        [{**copied, "parts": {"head": "00" * 32, "secret": "00" * 32}}],
        [{**copied, "parts": {"head": "00" * 31}}],
        [{**copied, "recovered": {"cut": 0}}],
        [{"type": "hold", "name": "case", "times": ["2026-03-01T12:00:01Z", NOW], **WHY}],
    ):
        path = forged.with_entries(*entries)
        put(path / "segments/0000000001.parquet", data)
        assert f"entry {1 + len(entries)}" in forged.found(path), entries
    # What a hold keeps stays; one that takes the place of another would let it go.
    hold = {"type": "hold", "name": "case", "times": sealed["times"], **WHY}
    never = {**hold, "times": ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"]}
    release = {"type": "release", "name": "case", **WHY}
    for entries in ([hold, release, delete], [hold, release, hold], [never, delete]):
        path = forged.with_entries(*entries)
        assert f"entry {1 + len(entries)}" not in forged.found_by_both(path), entries
    for entries in ([hold, erase], [hold, expire], [hold, delete], [hold, hold], [hold, never]):
        path = forged.with_entries(*entries)
        assert "entry 3" in forged.found_by_both(path), entries
    place = "segments/0000000000.parquet"
    for size in (0, len(data) - 1, len(data) + 1):
        path = forged.with_entries({**erase, "bytes": size})
        assert forged.found(path) == {place}
        (path / place).rename(path / f"{place}.erasing")
        assert forged.found(path) == {place}


def test_a_sealed_file_is_of_its_format(journal: Journal) -> None:
    forged = Forged(journal)

    def found(data: bytes, name: str, **more: object) -> list[str]:
        path = forged.with_entries(seal(data, **more))
        put(path / f"segments/0000000000.{name}", data)
        return [one.what for one in verify(path, journal.key).findings]

    for data in (b"", b"x" * 100, b"PARE" + b"x" * 100 + b"\xff\xff\xff\x7fPARE"):
        length = int.from_bytes(data[-8:-4], "little")
        tail = hashlib.sha256(data[max(0, len(data) - 8 - length) :]).hexdigest()
        what = found(data, "parquet", format="parquet", tail=tail)
        assert what == ["the log has the footer of another file"]

    begin_segment(journal)
    recovered = forged.copy()
    journal.run("append", recovered)
    [_, sealed] = Log(recovered / "log", Report()).entries
    assert (sealed["format"], sealed["records"]) == ("wal", 5)
    assert forged.found_by_both(recovered) == set()
    data = (recovered / "segments/0000000000.wal").read_bytes()
    (journal.path / "active/0000000000.wal").unlink()
    expected = {"format": "wal", "records": 5, "root": sealed["root"]}
    assert found(data, "wal", **expected) == []
    no_header = ["its header is not the one that was written"]
    for changed in (
        data.replace(b'"segment":0', b'"segment":6', 1),
        data.replace(b'"first":0', b'"first":7', 1),
        data.replace(b"tacenda.journal/", b"tacenda.another/", 1),
        data[:20],
        b"",
    ):
        assert found(changed, "wal", **expected) == no_header
    for changed in (data[:-1], data[:-40] + bytes(40), data + b"x"):
        [what] = found(changed, "wal", **expected)
        assert "was changed" in what
    many = {**expected, "records": 16_000_000}
    assert found(data, "wal", **many) == ["it has 5 records, and the log tells of 16000000"]
    other = {**expected, "root": "00" * 32}
    assert found(data, "wal", **other) == ["its records have another root than the log tells of"]


def test_the_verifier_reads_files_of_the_journal_alone(journal: Journal) -> None:
    journal.fill(0, 3)
    key = witnessed(journal)
    begin_segment(journal)
    forged = Forged(journal)
    assert forged.found_by_both(journal.path) == set()
    witness = f"log/witnessed/{key.id.hex()}"
    places = (
        "log/checkpoint",
        "log/checkpoints/2",
        "log/tile/0/000.p/2",
        "log/tile/entries/000.p/2",
        witness,
        "segments/0000000000.parquet",
        "active/0000000001.wal",
    )

    def run(path: Path) -> str:
        limit = (1 << 30, 1 << 30) if sys.platform == "linux" else (-1, -1)
        done = subprocess.run(
            [sys.executable, "-m", "tacenda.verify", str(path), "--key", journal.key],
            capture_output=True,
            text=True,
            timeout=300,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit),
        )
        assert done.returncode == 1, done.stderr
        return done.stdout

    def link(path: Path) -> None:
        path.rename(journal.folder / "kept")
        path.symlink_to(journal.folder / "kept")

    def second_name(path: Path) -> None:
        (journal.folder / f"second{forged.count}").hardlink_to(path)

    def pipe(path: Path) -> None:
        path.unlink()
        os.mkfifo(path)

    def directory(path: Path) -> None:
        path.unlink()
        path.mkdir(mode=0o700)

    changes: list[tuple[Callable[[Path], None], bool]] = [
        (link, True),
        (second_name, True),
        (pipe, True),
        (directory, True),
        # More than there is memory.
        (lambda path: os.truncate(path, 1 << 40), False),
    ]
    for place in places:
        for change, known_to_both in changes:
            path = forged.copy()
            change(path / place)
            assert f"{place}: " in run(path), (place, change)
            if known_to_both:
                assert journal.attempt("verify", path).returncode == 1
    for place in ("segments", "active", "log/checkpoints", "log/tile"):
        path = forged.copy()
        elsewhere = journal.folder / f"elsewhere{forged.count}"
        (path / place).rename(elsewhere)
        (path / place).symlink_to(elsewhere)
        assert place in run(path)
        assert journal.attempt("verify", path).returncode == 1
    # There it is refused, as a directory that is no journal.
    path = forged.copy()
    (path / "log").rename(journal.folder / "log")
    (path / "log").symlink_to(journal.folder / "log")
    linked = journal.folder / "linked"
    linked.symlink_to(journal.path)
    for refused in (path, linked):
        with pytest.raises(OSError, match="link"):
            verify(refused)
        assert journal.attempt("verify", refused).returncode == 2
