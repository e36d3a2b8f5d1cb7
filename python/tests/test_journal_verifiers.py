"""Journals: what the second verifier says of them, and the first."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
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
from journals import ENVIRONMENT, LINE, Journal
from tacenda._command import native_command
from tacenda.verify import (
    WITNESS,
    Checkpoint,
    Key,
    Log,
    Report,
    bundle,
    check_consistency,
    check_proof,
    verify,
)
from tacenda.verify._entries import canonical
from tacenda.verify._files import Files
from tacenda.verify._trees import root_of, sha256


def begin_segment(journal: Journal) -> None:
    """Leaves a write-ahead file, as `kill -9` does."""
    program = native_command()
    assert program is not None
    with subprocess.Popen(
        [program, "journal", "append", str(journal.path), "--acknowledge"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
        bufsize=1,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        for number in range(1, 6):
            process.stdin.write(json.dumps({**LINE, "message": f"a{number}"}) + "\n")
            assert process.stdout.readline() == f"{number}\n"
        process.kill()


def witnessed(journal: Journal) -> Key:
    """Has the newest checkpoint signed, as a witness does (C2SP tlog-cosignature)."""
    own = Ed25519PrivateKey.generate()
    raw = own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = Key("witness.example", raw, WITNESS)
    note = (journal.path / "log/checkpoint").read_text()
    text = note.rpartition("\n\n")[0] + "\n"
    signature = own.sign(f"cosignature/v1\ntime 1700000000\n{text}".encode())
    line = base64.b64encode(key.id + (1_700_000_000).to_bytes(8, "big") + signature).decode()
    folder = journal.path / "log/witnessed"
    folder.mkdir(mode=0o700)
    file = folder / key.id.hex()
    file.write_text(f"{key}\n{note}\u2014 {key.name} {line}\n")
    file.chmod(0o600)
    return key


def test_both_verifiers_know_what_a_witness_has_signed(journal: Journal) -> None:
    journal.fill(0, 2)
    key = witnessed(journal)
    journal.fill(2, 1)
    other = Key("other.example", key.raw, WITNESS)

    def places(*witnesses: Key) -> set[str]:
        theirs = verify(journal.path, journal.key, witnesses=[str(one) for one in witnesses])
        arguments = [word for one in witnesses for word in ("--witness", one)]
        ours = journal.attempt("verify", journal.path, "--format", "json", *arguments)
        found = {finding["place"] for finding in json.loads(ours.stdout)["findings"]}
        assert found == {finding.place for finding in theirs.findings}
        return found

    assert places(key) == set()
    assert places(key, other) == {"witness other.example"}
    file = journal.path / "log/witnessed" / key.id.hex()
    whole = file.read_text()
    for changed in (whole.replace("witness.example+", "x+"), whole[:-20], whole.swapcase()):
        file.write_text(changed)
        assert places() == {f"log/witnessed/{file.name}"}
    file.write_text(whole)
    assert places(key) == set()


def test_both_verifiers_agree_on_damaged_journals(journal: Journal) -> None:
    for segment in range(4):
        when = {"time": f"2020-0{segment + 1}-01T00:00:00Z"} if segment < 2 else {}
        journal.fill(segment * 5, 5, **when)
    past = {path: path.read_bytes() for path in (journal.path / "segments").iterdir()}
    why = ("--reason", "a test")
    # Two lose the content of a class, and one of these is deleted.
    journal.run("retain", journal.path, *journal.both)
    journal.run("hold", journal.path, "old", "--until", "2020-01-15T00:00:00Z", *why)
    size = json.loads(journal.run("stat", journal.path, "--format", "json"))["bytes"]
    journal.run("retention", journal.path, "--max-size", size - 1, *why)
    journal.run("retain", journal.path)
    witnessed(journal)
    # A fifth one is being written, and marked with each record.
    begin_segment(journal)
    kept = journal.folder / "kept"
    kept.write_text(journal.run("checkpoint", journal.path))
    since = {"kept": kept.read_bytes()}
    report = verify(journal.path, journal.key, since)
    assert report.findings == []
    assert (report.entries, report.segments, report.records) == (10, 3, 15)
    active = journal.path / "active/0000000004.wal"
    assert active.exists()

    chance = random.Random(6)
    files = sorted(path for path in journal.path.rglob("*") if path.is_file())
    files = [path for path in files if path.parent.name != "keys" and path.stat().st_size]
    files.remove(journal.path / "reserve")
    # TACENDA_JOURNAL_DAMAGES=1000 for as many.
    for round_ in range(int(os.environ.get("TACENDA_JOURNAL_DAMAGES", "60"))):
        path = chance.choice(files)
        data = path.read_bytes()
        damaged = bytearray(data)
        match round_ % 5:
            case 4:
                # What was deleted or has expired is put back.
                path = chance.choice(sorted(past))
                data = path.read_bytes() if path.exists() else b""
                damaged = bytearray(past[path])
            case 0:
                damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            case 1 if path != active:
                del damaged[chance.randrange(len(data)) :]
            case 1:
                # What is cut at its end may never have been written: not so in the middle.
                start = chance.randrange(len(data) - 300)
                del damaged[start : start + 100]
            case 2:
                damaged = bytearray(chance.choice(files).read_bytes())
            case _:
                damaged += data[: chance.randrange(1, len(data) + 1)]
        path.write_bytes(damaged)
        path.chmod(0o600)
        theirs = verify(journal.path, journal.key, since)
        ours = journal.attempt("verify", journal.path, "--key", journal.key, "--since", kept)
        # A few bytes after the last frame may be the next one.
        unfinished = path == active and damaged.startswith(data) and len(damaged) < len(data) + 4
        expected = int(bytes(damaged) != data and not unfinished)
        assert (ours.returncode, bool(theirs.findings)) == (expected, bool(expected)), (
            path,
            ours.stdout,
            theirs.findings,
        )
        if data:
            path.write_bytes(data)
        else:
            path.unlink()
    assert verify(journal.path, journal.key, since).findings == []


def test_both_verifiers_name_what_is_gone_and_there(journal: Journal) -> None:
    journal.fill(0, 3, time="2020-01-01T00:00:00Z")
    journal.fill(3, 3)
    segments = journal.path / "segments"
    past = {path.name: path.read_bytes() for path in segments.iterdir()}
    why = ("--reason", "a test")
    journal.run("erase", journal.path, *journal.both, "--text", "m4", *why)
    journal.run("retention", journal.path, "--max-age", "1d", *why)
    journal.run("retain", journal.path)
    erased = (segments / "0000000001.parquet").read_bytes()
    for name, data in (
        ("0000000000.parquet", past["0000000000.parquet"]),
        ("0000000000.wal", b"tacenda-wal-1\n"),
        ("0000000001.parquet.erasing", past["0000000001.parquet"]),
        ("0000000001.parquet", past["0000000001.parquet"]),
        ("0000000001.wal", b"tacenda-wal-1\n"),
        ("../active/0000000001.wal", b"tacenda-wal-1\n"),
    ):
        path = segments / name
        path.write_bytes(data)
        path.chmod(0o600)
        theirs = verify(journal.path, journal.key)
        ours = journal.attempt("verify", journal.path, "--format", "json")
        [finding] = json.loads(ours.stdout)["findings"]
        assert finding["fault"] == "remains"
        assert [(one.place, one.remains) for one in theirs.findings] == [(finding["place"], True)]
        assert finding["place"].endswith(path.name)
        path.unlink()
        (segments / "0000000001.parquet").write_bytes(erased)
        (segments / "0000000001.parquet").chmod(0o600)
    assert verify(journal.path, journal.key).findings == []


def test_an_entry_that_is_being_added_is_no_damage(journal: Journal) -> None:
    journal.fill(0, 2)
    before = journal.folder / "before"
    shutil.copytree(journal.path, before)
    journal.run("hold", journal.path, "case", "--since", "1h", "--reason", "a test")
    log = before / "log"
    after = journal.path / "log"
    entry = bundle((after / "tile/entries/000.p/3").read_bytes())
    assert entry is not None
    note = (after / "checkpoint").read_bytes()
    (log / "pending").write_bytes(len(entry[2]).to_bytes(2, "big") + entry[2] + note)
    (log / "pending").chmod(0o600)

    def is_whole() -> bool:
        ours = journal.attempt("verify", before, "--key", journal.key)
        theirs = verify(before, journal.key)
        assert (ours.returncode == 0) == (theirs.findings == []), (ours.stdout, theirs.findings)
        return ours.returncode == 0

    # As the writer goes on.
    assert is_whole()
    for tile in ("0", "entries"):
        shutil.copy(after / f"tile/{tile}/000.p/3", log / f"tile/{tile}/000.p/3")
        assert is_whole()
        (log / f"tile/{tile}/000.p/2").unlink()
        assert is_whole()
    for name in ("checkpoints/3", "checkpoint"):
        shutil.copy(after / name, log / name)
        assert is_whole()
    (log / "pending").write_bytes(b"")
    assert not is_whole()


def test_a_tile_that_grows_while_it_is_read_is_no_damage(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.fill(0, 2)
    before = journal.folder / "before"
    shutil.copytree(journal.path, before)
    journal.run("hold", journal.path, "case", "--since", "1h", "--reason", "a test")
    log, after = before / "log", journal.path / "log"
    entry = bundle((after / "tile/entries/000.p/3").read_bytes())
    assert entry is not None
    note = (after / "checkpoint").read_bytes()
    put(log / "pending", len(entry[2]).to_bytes(2, "big") + entry[2] + note)
    shutil.copy(after / "tile/entries/000.p/3", log / "tile/entries/000.p/3")
    read = Files.read

    def read_what_goes(files: Files, path: str, limit: int) -> bytes:
        if path == "tile/entries/000.p/2":
            (log / path).unlink(missing_ok=True)
        return read(files, path, limit)

    monkeypatch.setattr(Files, "read", read_what_goes)
    assert verify(before, journal.key).findings == []
    assert not (log / "tile/entries/000.p/2").exists()


def test_a_note_has_one_form() -> None:
    root, signature = base64.b64encode(bytes(32)).decode(), base64.b64encode(bytes(68)).decode()
    note = f"a/log\n5\n{root}\n\n\u2014 a/log {signature}\n"
    assert Checkpoint.parse(note.encode()) is not None
    assert Checkpoint.parse(note.replace("\n\n", "\nmore\n\n").encode()) is not None
    for changed in (
        note.replace("\n\n", "\nmo\tre\n\n"),
        note.replace("\n5\n", "\n-5\n"),
        note.replace("\n5\n", "\n05\n"),
        note.replace("\n5\n", f"\n{2**64}\n"),
        note.replace("a/log\n5", "\n5"),
        note.replace("\u2014 a/log", "\u2014 a+log"),
        note.replace("\u2014 a/log", "\u2014 "),
        note[:-1],
    ):
        assert Checkpoint.parse(changed.encode()) is None, changed


def test_an_emptied_log_is_not_whole(journal: Journal) -> None:
    journal.fill(0, 2)
    log = journal.path / "log"
    for checkpoint in (log / "checkpoints").iterdir():
        checkpoint.unlink()
    note = f"x\n0\n{'A' * 43}=\n\n\u2014 x AAAAAAAA\n"
    (log / "checkpoint").write_text(note)
    for key in (None, journal.key):
        places = {finding.place for finding in verify(journal.path, key).findings}
        assert {"log/checkpoint", "entry 0"} <= places
    assert journal.attempt("verify", journal.path, "--key", journal.key).returncode == 1
    (log / f"checkpoints/{2**64 - 1}").write_text(note)
    assert len(verify(journal.path).findings) < 10
    assert journal.attempt("verify", journal.path).returncode == 1


def test_the_verifier_is_a_command_of_its_own(journal: Journal) -> None:
    journal.fill(0, 2)
    command = [sys.executable, "-m", "tacenda.verify", str(journal.path), "--key", journal.key]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "whole: 2 entries, 1 segments, 2 records\n")
    (journal.path / "segments/0000000000.parquet").unlink()
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (
        1,
        "segments/0000000000.parquet: the file is not there\n",
    )


def test_the_verifier_runs_without_the_rest_of_the_package(journal: Journal) -> None:
    journal.fill(0, 2)
    folder = Path(verify.__code__.co_filename).parent
    copied = journal.folder / "elsewhere"
    shutil.copytree(folder, copied, ignore=shutil.ignore_patterns("__pycache__"))
    # As where nothing but `cryptography` is installed.
    (journal.folder / "sitecustomize.py").write_text(
        "import sys\nsys.modules['tacenda'] = sys.modules['tacenda._core'] = None\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(journal.folder)}

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    assert run("-c", "import tacenda").returncode == 1
    for path in (folder, copied):
        done = run(path, journal.path, "--key", journal.key)
        assert (done.returncode, done.stdout) == (
            0,
            "whole: 2 entries, 1 segments, 2 records\n",
        ), done.stderr
    assert run(copied, "--help").stdout.startswith(f"usage: python {copied}")


def test_the_verifier_says_what_is_wrong_with_what_it_was_given(journal: Journal) -> None:
    def error(*arguments: object) -> str:
        command = [sys.executable, "-m", "tacenda.verify", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (2, "")
        return done.stderr

    no_key = "error: a key is NAME+ID+KEY, as `tacenda journal init` or a witness has printed it\n"
    for garbage in ("garbage", "a+b", "a+b+c", "a+00000000+AAAA", f"{journal.key}x"):
        assert error(journal.path, "--key", garbage) == no_key
        assert error(journal.path, "--witness", garbage) == no_key
    absent = journal.folder / "absent"
    assert error(journal.path, "--since", absent) == f"error: No such file or directory: {absent}\n"
    assert error(absent) == f"error: there is no journal in {absent}\n"
    (journal.path / "log").rename(journal.folder / "log")
    assert "has lost its log: log/ is not there" in error(journal.path)


def test_one_record_is_proven_without_the_others(journal: Journal) -> None:
    for segment in range(3):
        journal.fill(segment * 5, 5)
    both = ("-i", journal.folder / "few", "-i", journal.folder / "rest")
    keys = Log(journal.path / "log", Report()).keys(4)
    assert keys is not None
    proof = json.loads(journal.run("prove", journal.path, 7, *both))
    parts = check_proof(proof, list(keys))
    assert set(parts) == {"head", "internal", "confidential", "restricted"}
    assert parts["restricted"] == b'{"card":"c7"}'
    with pytest.raises(ValueError, match="no key"):
        check_proof(proof, [])
    # The record at index 2 of 5, as that at index 1 of a smaller tree.
    for index, size in ((2, 4), (2, 6), (2, 8)):
        other = {**proof["segment"], "index": index, "size": size}
        with pytest.raises(ValueError, match=r"records|too|root"):
            check_proof({**proof, "segment": other}, list(keys))
    # The last of five is the second of a tree of two: path and root are the same.
    last = json.loads(journal.run("prove", journal.path, 9, *both))
    assert set(check_proof(last, list(keys))) == set(parts)
    last["segment"] = {**last["segment"], "index": 1, "size": 2}
    last["sequence"] = 6
    with pytest.raises(ValueError, match="another number of records"):
        check_proof(last, list(keys))
    proof["parts"][-1]["content"] = "eyJjYXJkIjoiYzgifQ=="
    with pytest.raises(ValueError, match="root"):
        check_proof(proof, list(keys))


def test_the_log_is_proven_to_have_only_grown(journal: Journal) -> None:
    kept = []
    for segment in range(6):
        kept.append(journal.run("checkpoint", journal.path))
        journal.fill(segment, 1)
    keys = Log(journal.path / "log", Report()).keys(1)
    assert keys is not None
    for size, note in enumerate(kept, 1):
        (journal.folder / "kept").write_text(note)
        proof = json.loads(journal.run("consistency", journal.path, journal.folder / "kept"))
        older, newer = check_consistency(proof, [keys[0]])
        assert (older.size, newer.size) == (size, 7)
        with pytest.raises(ValueError, match="does not begin"):
            check_consistency({**proof, "path": [*proof["path"], "00" * 32]}, [keys[0]])
        if proof["path"]:
            with pytest.raises(ValueError, match="does not begin"):
                check_consistency({**proof, "path": proof["path"][1:]}, [keys[0]])
        with pytest.raises(ValueError, match="not signed"):
            check_consistency(proof, [Key(keys[0].name, bytes(32))])
        with pytest.raises(ValueError, match="not signed"):
            check_consistency({**proof, "from": note.replace(f"\n{size}\n", "\n1000\n")}, [keys[0]])
    other = journal.folder / "other"
    other.mkdir()
    (journal.folder / "kept").write_text(Journal(other).run("checkpoint", other / "sealed"))
    done = journal.attempt("consistency", journal.path, journal.folder / "kept")
    assert (done.returncode, done.stdout) == (2, "")
    assert "not signed by the log's key" in done.stderr


def test_what_was_sealed_for_a_checkpoint_cannot_be_cut_off(journal: Journal) -> None:
    begin_segment(journal)
    older = journal.folder / "older"
    shutil.copytree(journal.path, older, ignore=shutil.ignore_patterns("owner"))
    shutil.rmtree(older / "active")
    (older / "active").mkdir(mode=0o700)
    kept = journal.folder / "kept"
    for options, found in ((), 0), (("--rotate",), 1):
        kept.write_text(journal.run("checkpoint", journal.path, *options))
        done = journal.attempt("verify", older, "--key", journal.key, "--since", kept)
        assert done.returncode == found, done.stdout
        report = verify(older, journal.key, {"kept": kept.read_bytes()})
        assert len(report.findings) == found


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


def put(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(0o600)


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
    empty = without(sealed, "times")
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
        [{"type": "hold", "name": "case", "times": ["2026-03-01T12:00:01Z", NOW], **WHY}],
    ):
        path = forged.with_entries(*entries)
        put(path / "segments/0000000001.parquet", data)
        assert f"entry {1 + len(entries)}" in forged.found(path), entries
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
            timeout=30,
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


def test_the_verifier_names_what_nobody_wrote(journal: Journal) -> None:
    journal.fill(0, 2)
    assert verify(journal.path, journal.key).findings == []
    for name in ("log/checkpoints/3.new", "log/checkpoint.new", "log/pending.new", "reserve.new"):
        put(journal.path / name, b"")
        assert verify(journal.path, journal.key).findings == []
        (journal.path / name).unlink()
    for name in ("x.json", "log/x", "log/tile.new", "log/checkpoints/x", "log/checkpoints/0", "log/checkpoints/02", "\x1b[2J", "log/checkpoints/9.new"):  # fmt: skip
        put(journal.path / name, b"")
        assert [one.place for one in verify(journal.path, journal.key).findings] == [name]
        command = [sys.executable, "-m", "tacenda.verify", str(journal.path)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert "\x1b" not in done.stdout
        (journal.path / name).unlink()
    if sys.platform != "linux":
        return  # There a name is a text.
    (journal.path / os.fsdecode(b"\xff")).touch()
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "\ufffd: nobody wrote it\n")


def test_the_verifier_says_what_it_has_not_compared(journal: Journal) -> None:
    journal.fill(0, 3)
    journal.run("erase", journal.path, *journal.both, "--text", "m1", "--reason", "a test")
    assert verify(journal.path).rewritten == 1
    command = [sys.executable, "-m", "tacenda.verify", str(journal.path)]
    done = subprocess.run(command, capture_output=True, text=True)
    first, second = done.stdout.splitlines()
    assert (done.returncode, first) == (0, "whole: 3 entries, 1 segments, 3 records")
    assert "erased or has expired: 1;" in second
    assert "identities only" in second


def test_a_key_that_signs_everything_has_signed_nothing() -> None:
    # With the point of order 1 as the key, this is a signature of every text.
    point = bytes([1]) + bytes(31)
    for kind, before in ((1, b""), (WITNESS, bytes(8))):
        assert not Key("x", point, kind).signed(b"text", before + point + bytes(32))
