"""Journals: written from Python, verified by the second reader, read by pyarrow."""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tacenda import JournalHandler, kms
from tacenda._command import native_command
from tacenda.verify import (
    WITNESS,
    Key,
    Log,
    Report,
    bundle,
    check_consistency,
    check_proof,
    verify,
)

ENVIRONMENT = {**os.environ, "TACENDA_JOURNAL_PLACES": "temporary", "NO_COLOR": "1"}
OLD = {"time": "2020-01-01T00:00:00Z"}
LINE = {
    "class": "internal",
    "classes": {"card": "restricted", "prompt": "confidential"},
    "level": "info",
    "logger": "shop",
}


class Journal:
    """A journal in a directory, with its identity files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "sealed"
        few, all_ = (self.run("identity", folder / name).strip() for name in ("few", "rest"))
        recipients = ("--recipient", few, "--recipient", f"restricted={all_}")
        kept = ("--durability", "record", "--max-age", "restricted=30d")
        self.key = self.run("init", self.path, *recipients, *kept).strip()

    def run(self, command: str, *arguments: object, given: str = "") -> str:
        done = self.attempt(command, *arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def attempt(
        self, command: str, *arguments: object, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        program = native_command()
        assert program is not None
        return subprocess.run(
            [program, "journal", command, *map(str, arguments)],
            input=given,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            timeout=120,
        )

    def fill(self, first: int, count: int, **more: str) -> None:
        numbers = range(first, first + count)
        lines = (
            {**LINE, **more, "message": f"m{n}", "card": f"c{n}", "prompt": f"p{n}"}
            for n in numbers
        )
        self.run("append", self.path, given="".join(f"{json.dumps(line)}\n" for line in lines))

    @property
    def both(self) -> tuple[object, ...]:
        """The identities of all classes."""
        return ("-i", self.folder / "few", "-i", self.folder / "rest")

    def cat(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.run("cat", self.path, *self.both).splitlines()]


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    monkeypatch.setenv("TACENDA_JOURNAL_PLACES", "temporary")
    return Journal(tmp_path)


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
        when = {"time": f"2020-0{segment}-01T00:00:00Z"} if segment in {1, 2} else {}
        journal.fill(segment * 5, 5, **when)
    past = {path: path.read_bytes() for path in (journal.path / "segments").iterdir()}
    why = ("--reason", "a test")
    journal.run("hold", journal.path, "case", "--since", "1h", *why)
    # Two lose the content of a class, and one of these is deleted.
    journal.run("retain", journal.path, *journal.both)
    journal.run("hold", journal.path, "old", "--until", "2020-01-15T00:00:00Z", *why)
    journal.run("retention", journal.path, "--max-size", "1", *why)
    journal.run("retain", journal.path)
    witnessed(journal)
    # A fifth one is being written, and marked with each record.
    begin_segment(journal)
    kept = journal.folder / "kept"
    kept.write_text(journal.run("checkpoint", journal.path))
    since = {"kept": kept.read_bytes()}
    report = verify(journal.path, journal.key, since)
    assert report.findings == []
    assert (report.entries, report.segments, report.records) == (11, 3, 15)
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


def test_pyarrow_reads_what_its_identities_open(journal: Journal) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    journal.fill(0, 3)
    segment = journal.path / "segments/0000000000.parquet"

    def column(name: str, *identities: str) -> list[object]:
        opened = kms.decryption(*(journal.folder / identity for identity in identities))
        with segment.open("rb") as file:
            table = pq.read_table(file, columns=[name], decryption_properties=opened)
        return list(table[name].to_pylist())

    assert column("seq", "few") == [0, 1, 2]
    assert column("internal", "few") == [f'{{"message":"m{n}"}}' for n in range(3)]
    assert column("confidential", "few") == [f'{{"prompt":"p{n}"}}' for n in range(3)]
    with pytest.raises(PermissionError, match="restricted"):
        column("restricted", "few")
    assert column("restricted", "few", "rest") == [f'{{"card":"c{n}"}}' for n in range(3)]
    with segment.open("rb") as file, pytest.raises(OSError, match="decryption"):
        pq.read_table(file)


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


def test_an_erased_record_is_gone_for_every_reader(journal: Journal) -> None:
    journal.fill(0, 4)
    both = ("-i", journal.folder / "few", "-i", journal.folder / "rest")
    why = ("--reason", "a test")
    assert (
        journal.run("erase", journal.path, *both, "--text", "p2", *why)
        == "erased: 1 record in 1 segment\n"
    )
    assert [record.get("prompt") for record in journal.cat()] == ["p0", "p1", None, "p3"]
    assert journal.cat()[2]["erased"] is True
    assert verify(journal.path, journal.key).findings == []
    journal.run("verify", journal.path, "--key", journal.key, *both)


def test_a_class_expires_and_the_rest_is_proven(journal: Journal) -> None:
    journal.fill(0, 3, **OLD)
    journal.fill(3, 1)
    due = journal.attempt("retain", journal.path)
    assert (due.returncode, due.stdout) == (0, "deleted: 0 segments with 0 records (0 B)\n")
    assert "the time of content in 1 segment is over" in due.stderr
    assert [record.get("card") for record in journal.cat()] == ["c0", "c1", "c2", "c3"]
    done = journal.run("retain", journal.path, *journal.both)
    assert done.splitlines()[1:] == ["expired: content of 3 records in 1 segment"]
    assert [record.get("card") for record in journal.cat()] == [None, None, None, "c3"]
    assert [record["prompt"] for record in journal.cat()] == ["p0", "p1", "p2", "p3"]
    assert "restricted expired" in journal.run("list", journal.path)
    assert verify(journal.path, journal.key).findings == []
    journal.run("verify", journal.path, "--key", journal.key, *journal.both)

    log = Log(journal.path / "log", Report())
    entry = log.entries[3]
    assert (entry["type"], entry["classes"], entry["records"]) == ("expire", ["restricted"], 3)
    assert (entry["segment"], entry["reason"]) == (0, "max-age")
    keys = log.keys(4)
    assert keys is not None
    proof = json.loads(journal.run("prove", journal.path, 1, *journal.both))
    parts = check_proof(proof, list(keys))
    assert set(parts) == {"head", "internal", "confidential"}
    head = {"part": "head", "commitment": "00" * 32}
    with pytest.raises(ValueError, match="no content"):
        check_proof({**proof, "parts": [head, *proof["parts"][1:]]}, list(keys))
    proof["parts"][-1]["commitment"] = "00" * 32
    with pytest.raises(ValueError, match="root"):
        check_proof(proof, list(keys))

    pq = pytest.importorskip("pyarrow.parquet")
    opened = kms.decryption(journal.folder / "few", journal.folder / "rest")
    with (journal.path / "segments/0000000000.parquet").open("rb") as file:
        table = pq.read_table(file, decryption_properties=opened).to_pydict()
    assert table["restricted"] == [None] * 3
    assert [len(one) for one in table["restricted_salts"]] == [32] * 3
    assert table["confidential"][0] == '{"prompt":"p0"}'


def test_the_retention_of_a_journal_is_changed(journal: Journal) -> None:
    journal.fill(0, 1, **OLD)
    journal.run("retention", journal.path, "--max-age", "confidential=1d", "--reason", "policy 12")
    stat = json.loads(journal.run("stat", journal.path, "--format", "json"))
    assert stat["retention"] == {"classes": {"confidential": 86400}}
    journal.run("retain", journal.path, *journal.both)
    assert [sorted(record) for record in journal.cat()] == [
        ["card", "level", "logger", "message", "seq", "time"]
    ]
    wrong = journal.attempt("retention", journal.path, "--max-age", "secret=1d", "--reason", "x")
    assert wrong.returncode == 2
    assert "the classes are public, internal, confidential, restricted" in wrong.stderr


def test_the_handler_seals_log_records(journal: Journal) -> None:
    script = journal.folder / "app.py"
    script.write_text(
        "import logging, os, sys, tacenda\n"
        f"handler = tacenda.JournalHandler({str(journal.path)!r}, class_='internal')\n"
        "logging.basicConfig(level=logging.INFO, handlers=[handler])\n"
        "log = logging.getLogger('shop')\n"
        "log.info('order %s', 1, extra={'journal': {'classes': {'card': 'restricted'}, 'card': '5'}})\n"
        "log.debug('not this')\n"
        "log.error('x' * 3_000_000)\n"
        "odd = {'classes': {'card': 'restricted'}, 'card': float('nan'), 'a': '\\ud800', 'b': 10**400}\n"
        "log.critical('odd', extra={'journal': odd})\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    log.warning('from a child')\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "if sys.argv[1:]:\n"
        "    os.kill(os.getpid(), 9)\n"
        "logging.shutdown()\n"
    )
    done = subprocess.run([sys.executable, script], env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    records = journal.cat()
    assert [record["level"] for record in records] == ["info", "error", "critical", "warning"]
    assert (records[0]["message"], records[0]["card"]) == ("order 1", "5")
    assert records[1]["message"] == "x" * 3_000_000
    assert (records[2]["card"], records[2]["a"]) == ("nan", "\\ud800")
    few = journal.run("cat", journal.path, "-i", journal.folder / "few").splitlines()
    assert "card" not in json.loads(few[2])

    killed = subprocess.run([sys.executable, script, "kill"], env=ENVIRONMENT, check=False)
    assert killed.returncode == -signal.SIGKILL
    # Whoever opens the journal next waits until its writer has ended: it lets go of the lock then.
    lock = journal.path / "lock"
    flock = shutil.which("flock")
    if flock is not None:
        subprocess.run([flock, lock, "true"], check=True, timeout=60)
        assert len(journal.cat()) == 8


def test_install_seals_the_log_of_the_program(journal: Journal) -> None:
    (journal.folder / "tacenda.toml").write_text("guard.sinks = ['journal:sealed']\n")
    script = journal.folder / "app.py"
    script.write_text(
        "import os, tacenda\n"
        "tacenda.install()\n"
        "print('mail to ines.moreau@example.org', flush=True)\n"
        "os.write(2, b'ERROR from below\\n')\n"
    )

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, script]
        return subprocess.run(
            command, cwd=journal.folder, env=ENVIRONMENT, capture_output=True, text=True
        )

    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # The filter outlives the program by as long as it takes to seal.
    until = time.monotonic() + 60
    while len(records := journal.cat()) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    messages = {record["stream"]: str(record["message"]) for record in records}
    assert messages["stderr"] == "ERROR from below"
    assert messages["stdout"].startswith("mail to [email #")
    # Renamed, not removed: the filter may still be sealing in it.
    journal.path.rename(journal.folder / "elsewhere")
    refused = run()
    assert refused.returncode == 1
    assert "PolicyError" in refused.stderr
    assert "cannot use the journal" in refused.stderr or "no journal" in refused.stderr
    assert not journal.path.exists()


def test_forked_processes_do_not_write_into_each_others_lines(journal: Journal) -> None:
    script = journal.folder / "forks.py"
    script.write_text(
        "import logging, os, tacenda\n"
        f"handler = tacenda.JournalHandler({str(journal.path)!r}, class_='internal')\n"
        "logging.basicConfig(level=logging.INFO, handlers=[handler])\n"
        "children = []\n"
        "for long in (True, False, False):\n"
        "    children.append(os.fork())\n"
        "    if children[-1] == 0:\n"
        "        for _ in range(20 if long else 400):\n"
        "            logging.info('x' * 1_000_000 if long else 'short')\n"
        "        os._exit(0)\n"
        "for child in children:\n"
        "    os.waitpid(child, 0)\n"
        "logging.shutdown()\n"
    )
    done = subprocess.run([sys.executable, script], env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    lengths = [len(str(record["message"])) for record in journal.cat()]
    assert sorted(lengths) == [5] * 800 + [1_000_000] * 20


def test_a_line_that_is_no_record_is_as_secret_as_can_be(journal: Journal) -> None:
    broken = '{"prompt": "p1", "level": 30}'
    long = '{"class": "internal", "message": "' + "y" * (17 << 20) + '"}'
    lines = ["plain", broken, '{"prompt": NaN}', '{"prompt": "\\ud800"}', long, "after"]
    given = "".join(f"{line}\n" for line in lines)
    journal.run("append", journal.path, "--class", "internal", given=given)
    few = journal.run("cat", journal.path, "-i", journal.folder / "few").splitlines()
    seen = [json.loads(line).get("message") for line in few]
    assert (seen[0], seen[-1]) == ("plain", "after")
    assert len(seen) > 6
    assert set(seen[1:-1]) == {None}
    whole = [str(record["message"]) for record in journal.cat()]
    assert whole[1:4] == lines[1:4]
    assert "".join(whole[4:-1]) == long


def test_a_hangup_begins_a_new_segment(journal: Journal) -> None:
    program = native_command()
    assert program is not None
    command = [program, "journal", "append", str(journal.path), "--acknowledge"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
        bufsize=1,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def acknowledged(line: str) -> int:
            process.stdin.write(line)
            return int(process.stdout.readline())

        assert process.stdout.readline() == "0\n"
        assert acknowledged("one\n") == 1
        process.send_signal(signal.SIGHUP)
        # It may come after the next lines: what counts is that it does.
        lines, until = 1, time.monotonic() + 120
        while (
            time.monotonic() < until
            and json.loads(journal.run("list", journal.path, "--format", "json")) == []
        ):
            lines += 1
            assert acknowledged(f"line {lines}\n") == lines
        assert json.loads(journal.run("list", journal.path, "--format", "json")) != []
        process.stdin.close()
    assert len(journal.cat()) == lines
    assert verify(journal.path, journal.key).findings == []


def test_logs_are_imported_redacted_and_removed(journal: Journal) -> None:
    log, twin = journal.folder / "app.log", journal.folder / "twin.log"
    log.write_text(
        "2026-03-01 10:00:00 INFO mail to ines.moreau@example.org\n"
        '{"level": "error", "message": "no", "time": "2026-03-01T11:00:00Z"}\n'
    )
    twin.write_text("2026-03-02 10:00:00 twice\n")
    (journal.folder / "other-name.log").hardlink_to(twin)
    done = journal.attempt("import", journal.path, log, twin, "--remove")
    assert (done.returncode, done.stdout) == (0, "sealed: 3 records of 2 logs\n"), done.stderr
    assert "it stays" in done.stderr
    assert (log.exists(), twin.exists()) == (False, True)
    records = journal.cat()
    assert [record["time"] for record in records] == [
        "2026-03-01T10:00:00Z",
        "2026-03-01T11:00:00Z",
        "2026-03-02T10:00:00Z",
    ]
    assert "ines" not in str(records)
    assert records[1]["message"] == "no"


def test_a_journal_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="there is no journal here"):
        JournalHandler(tmp_path / "none")


def test_processes_share_a_journal(journal: Journal) -> None:
    script = journal.folder / "worker.py"
    script.write_text(
        "import logging, sys, tacenda\n"
        f"handler = tacenda.JournalHandler({str(journal.path)!r}, class_='internal')\n"
        "logging.basicConfig(level=logging.INFO, handlers=[handler])\n"
        "for number in range(300):\n"
        "    logging.info('%s-%s', sys.argv[1], number)\n"
        "logging.shutdown()\n"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, script, str(worker)],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for worker in range(4)
    ]
    # Meanwhile it is borrowed.
    for name in ("a", "b"):
        journal.run("hold", journal.path, name, "--since", "1h", "--reason", "a test")
    for worker in workers:
        assert worker.communicate(timeout=120) == ("", "")
        assert worker.returncode == 0
    messages = [str(record["message"]) for record in journal.cat()]
    assert sorted(messages) == sorted(f"{worker}-{n}" for worker in range(4) for n in range(300))
    for worker in range(4):
        own = [message for message in messages if message.startswith(f"{worker}-")]
        assert own == [f"{worker}-{n}" for n in range(300)]
    assert verify(journal.path, journal.key).findings == []
    assert not (journal.path / "owner").exists()


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


def test_records_are_exported_for_other_programs(journal: Journal) -> None:
    journal.fill(0, 3)
    both = ("-i", journal.folder / "few", "-i", journal.folder / "rest")
    journal.run("erase", journal.path, *both, "--text", "p1", "--reason", "a test")

    def export(format_: str, *identities: object) -> Path:
        file = journal.folder / format_
        journal.run("export", journal.path, *identities, "-o", file, "--format", format_)
        assert file.stat().st_mode & 0o777 == 0o600
        return file

    lines = [json.loads(line) for line in export("json", *both).read_text().splitlines()]
    assert [line.get("card") for line in lines] == ["c0", None, "c2"]
    few = ("-i", journal.folder / "few")
    logs = [json.loads(line) for line in export("otlp", *few).read_text().splitlines()]
    scopes = [log["resourceLogs"][0]["scopeLogs"][0] for log in logs]
    assert [scope["logRecords"][0].get("body") for scope in scopes] == [
        {"stringValue": "m0"},
        None,
        {"stringValue": "m2"},
    ]
    assert "c0" not in str(logs)
    entries = export("journald", *both).read_text().split("\n\n")
    assert "MESSAGE=m0\nPRIORITY=6\n" in entries[0]
    assert "CARD=c0" in entries[0]
    assert "TACENDA_ERASED=1" in entries[1]
    pq = pytest.importorskip("pyarrow.parquet")
    columns = ["seq", "erased", "restricted"]
    table = pq.read_table(export("parquet", *both), columns=columns).to_pydict()
    assert table["seq"] == [0, 1, 2]
    assert table["erased"] == [False, True, False]
    assert table["restricted"] == ['{"card":"c0"}', None, '{"card":"c2"}']


def test_a_subject_is_forgotten_in_every_segment_through_the_vault(journal: Journal) -> None:
    program = native_command()
    assert program is not None
    (journal.folder / "tacenda.toml").write_text(
        'keys.file = "tacenda.keys"\nvault.path = "vault"\n[actions]\npersonal = "token"\n'
    )

    def tacenda(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            input=given,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            cwd=journal.folder,
            timeout=120,
        )

    assert tacenda("keys", "init").returncode == 0
    tokens = []
    for segment in range(2):
        lines = f"mail to ines.moreau@example.org\nmail to timo.berg{segment}@example.org\n"
        redacted = tacenda("redact", "--report", "none", given=lines)
        assert redacted.returncode == 0, redacted.stderr
        journal.run("append", journal.path, given=redacted.stdout)
    for record in journal.cat():
        tokens.append(str(record["message"]).removeprefix("mail to "))
    assert all(token.startswith("tok_email_") for token in tokens)
    assert (tokens[0] == tokens[2], tokens[1] == tokens[3]) == (True, False)
    before = {file: file.read_bytes() for file in (journal.path / "segments").iterdir()}

    def reveal(token: str) -> str:
        return tacenda("vault", "reveal", token, "--reason", "a test").stdout.strip()

    assert reveal(tokens[0]) == "ines.moreau@example.org"
    forgotten = ("vault", "forget", "--subject", "-", "--reason", "erasure request 12")
    assert tacenda(*forgotten, given="ines.moreau@example.org").returncode == 0
    assert [reveal(token) for token in tokens] == [
        "",
        "timo.berg0@example.org",
        "",
        "timo.berg1@example.org",
    ]
    # No segment was touched.
    assert before == {file: file.read_bytes() for file in (journal.path / "segments").iterdir()}
    assert verify(journal.path, journal.key).findings == []
