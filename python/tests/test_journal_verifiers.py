"""Journals: what the second verifier says of them, and the first."""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from journals import Journal, begin_segment, put, witnessed
from tacenda.verify import WITNESS, Checkpoint, Key, Sight, bundle, verify
from tacenda.verify._files import Files


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
        sights = [(one["witness"], one["entries"]) for one in json.loads(ours.stdout)["witnessed"]]
        assert sights == [(one.witness, one.entries) for one in theirs.witnessed]
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
    # It may be an older word than the last: how old it is is said.
    report = verify(journal.path, journal.key, witnesses=[str(key)])
    assert report.witnessed == [Sight("witness.example", 2, 1_700_000_000)]
    told = journal.run("verify", journal.path, "--witness", key)
    assert "witness witness.example: 2 of the 3 entries, 2023-11-14T22:13:20Z\n" in told


def test_both_verifiers_name_what_is_no_file_of_ours_beside_a_segment(journal: Journal) -> None:
    journal.fill(0, 2)
    other = journal.folder / "other"
    other.touch()

    def others_may_read(path: Path) -> None:
        path.touch()
        path.chmod(0o644)

    puts: list[Callable[[Path], None]] = [
        lambda path: path.symlink_to(other),
        lambda path: path.mkdir(),
        lambda path: os.mkfifo(path, 0o600),
        others_may_read,
        lambda path: path.hardlink_to(other),
    ]
    for name in ("0000000000.parquet.erasing", "0000000001.parquet", "0000000001.parquet.new"):
        path = journal.path / "segments" / name
        for put_there in puts:
            put_there(path)
            theirs = verify(journal.path, journal.key)
            ours = journal.attempt("verify", journal.path, "--format", "json")
            found = [finding["place"] for finding in json.loads(ours.stdout)["findings"]]
            assert found == [finding.place for finding in theirs.findings]
            assert found == [f"segments/{name}"]
            journal.run("cat", journal.path, *journal.both)
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_both_verifiers_and_the_writer_name_what_no_crash_leaves(journal: Journal) -> None:
    journal.fill(0, 2)
    other = journal.folder / "other"
    other.touch()
    puts: list[Callable[[Path], None]] = [
        lambda path: path.mkdir(),
        lambda path: path.symlink_to(other),
        lambda path: os.mkfifo(path, 0o600),
    ]
    in_the_way = (
        "segments/0000000001.parquet",
        "segments/0000000001.parquet.new",
        "segments/0000000001.wal",
        "active/0000000001.wal",
        "log/pending",
        "log/pending.new",
        "log/checkpoint.new",
        "keys/next",
        "keys/next.new",
        "owner",
        "lock",
    )
    left = (
        "active/0000000000.wal",
        "segments/0000000000.wal",
        "segments/0000000000.parquet.erasing",
        "quarantine/0000000000.wal",
        "reserve",
        "log/tile/9",
    )
    (journal.path / "quarantine").mkdir(mode=0o700)
    for place in (*in_the_way, *left):
        path = journal.path / place
        before = path.read_bytes() if path.exists() else None
        for put_there in puts[place == "log/tile/9" :]:
            path.unlink(missing_ok=True)
            put_there(path)
            theirs = verify(journal.path, journal.key)
            ours = journal.attempt("verify", journal.path, "--format", "json")
            found = [finding["place"] for finding in json.loads(ours.stdout)["findings"]]
            assert found == [finding.place for finding in theirs.findings] == [place]
            if place in in_the_way:
                done = journal.attempt("append", journal.path, given="a\n")
                assert (done.returncode, str(path) in done.stderr) == (2, True), done.stderr
                assert "hint" in done.stderr
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        if before is not None:
            put(path, before)
    journal.fill(2, 1)
    assert verify(journal.path, journal.key).findings == []
    assert [record["message"] for record in journal.cat()] == ["m0", "m1", "m2"]


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
