"""Journals that somebody has changed who has none of their keys: what both verifiers and readers say."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from journals import ENVIRONMENT, LINE, Journal
from tacenda._command import native_command
from tacenda.verify import Log, Report, _segments, verify
from tacenda.verify._entries import PARTS, canonical
from tacenda.verify._files import Files
from tacenda.verify._trees import root_of, sha256


def derive(secret: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(secret)


def unpadded(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def recipient(text: str) -> bytes:
    """The key of an age recipient (BIP 173)."""
    digits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    number = 0
    for char in text[4:-6]:
        number = number << 5 | digits.index(char)
    return (number >> 4).to_bytes(32, "big")


def wrap(key: bytes, recipients: list[str]) -> str:
    """An age file (age-encryption.org/v1) of one chunk: recipients are known to everybody."""
    file_key, header = os.urandom(16), b"age-encryption.org/v1"
    for named in recipients:
        public, own = recipient(named), X25519PrivateKey.generate()
        share = own.public_key().public_bytes_raw()
        secret = own.exchange(X25519PublicKey.from_public_bytes(public))
        wrapping = derive(secret, share + public, b"age-encryption.org/v1/X25519")
        body = ChaCha20Poly1305(wrapping).encrypt(bytes(12), file_key, None)
        header += b"\n-> X25519 " + unpadded(share) + b"\n" + unpadded(body)
    mac = HMAC(derive(file_key, None, b"header"), SHA256())
    mac.update(header + b"\n---")
    nonce = os.urandom(16)
    payload = derive(file_key, nonce, b"payload")
    sealed = ChaCha20Poly1305(payload).encrypt(bytes(11) + b"\1", key, None)
    file = header + b"\n--- " + unpadded(mac.finalize()) + b"\n" + nonce + sealed
    return base64.b64encode(file).decode()


class Stranger:
    """Somebody who may write to the directory, and reads the log there, which is in the clear."""

    def __init__(self, path: Path) -> None:
        self.log = Log(path / "log", Report())
        entries = self.log.entries
        seals = [entry for entry in entries if entry["type"] == "seal"]
        self.segment = len(seals)
        self.first = sum(entry["records"] for entry in seals)
        self.entries = len(entries)
        self.recipients = entries[0]["settings"]["recipients"]

    def frame(self, body: bytes, chain: bytes) -> tuple[bytes, bytes]:
        whole = len(body).to_bytes(4, "big") + body
        return whole + sha256(chain, whole), sha256(chain, whole)

    def mark(self, chain: bytes) -> bytes:
        text = b"tacenda journal mark v1\n" + self.segment.to_bytes(8, "big") + bytes(8) + chain
        signature = Ed25519PrivateKey.generate().sign(text)
        return b"\2" + self.entries.to_bytes(8, "big") + bytes(8) + signature

    def write_ahead_file(self, *, marked: bool) -> bytes:
        """A file of the segment that comes next, with a record, under keys of their own."""
        keys = {part: os.urandom(32) for part in PARTS}
        everybody = sorted({one for some in self.recipients.values() for one in some})
        header = canonical(
            {
                "first": self.first,
                "keys": {
                    part: wrap(key, self.recipients.get(part, everybody))
                    for part, key in keys.items()
                },
                "origin": self.log.entries[0]["origin"],
                "segment": self.segment,
            }
        )
        data = b"tacenda-wal-1\n" + len(header).to_bytes(4, "big") + header
        chain = sha256(data)
        if marked:
            frame, chain = self.frame(self.mark(chain), chain)
            data += frame
        head = (1_772_359_200 * 10**9).to_bytes(8, "big") + b"\0\4info\0\4shop\0\0"
        fields = b'{"message":"forged"}'
        contents = {0: bytes([0b101]) + head, 2: len(fields).to_bytes(4, "big") + fields}
        minute = (1_772_359_200 // 60).to_bytes(4, "big")
        body = b"\1" + bytes(8) + (1).to_bytes(4, "big") + minute + minute + bytes(32)
        for part, content in contents.items():
            key = derive(keys[PARTS[part]], b"tacenda journal v1", b"write-ahead file")
            sealed = AESGCM(key).encrypt(bytes(12), content, chain)
            body += bytes([part]) + len(sealed).to_bytes(4, "big") + sealed
        return data + self.frame(body, chain)[0]


@pytest.mark.parametrize("folder", ["active", "segments"])
@pytest.mark.parametrize("marked", [False, True])
def test_records_of_who_has_no_key_are_not_taken(
    journal: Journal, folder: str, marked: bool
) -> None:
    journal.fill(0, 3)
    data = Stranger(journal.path).write_ahead_file(marked=marked)
    place = f"{folder}/0000000001.wal"
    file = journal.path / place
    file.write_bytes(data)
    file.chmod(0o600)
    ours = journal.attempt("verify", journal.path, "--key", journal.key)
    assert (ours.returncode, place in ours.stdout) == (1, True), ours.stdout
    assert [one.place for one in verify(journal.path, journal.key).findings] == [place]
    for command in ("cat",), ("tail",), ("grep", "forged"), ("stat",):
        both = () if command == ("stat",) else journal.both
        done = journal.attempt(*command, journal.path, *both)
        assert "forged" not in done.stdout
        assert "1 record " not in done.stdout
        assert done.returncode == 2, (command, done.stdout)
    # Nor does whoever writes next sign them.
    done = journal.attempt("append", journal.path, given='{"message":"mine"}\n')
    report = verify(journal.path, journal.key)
    assert report.findings
    assert report.records == 3 + (done.returncode == 0)
    assert "forged" not in journal.attempt("cat", journal.path, *journal.both).stdout


def test_an_entry_that_is_not_signed_is_not_added(journal: Journal) -> None:
    journal.fill(0, 3)
    log = Log(journal.path / "log", Report())
    raw = canonical({**log.entries[-1], "type": "release", "name": "x", "reason": "", "who": ""})
    root = root_of([*log.leaves, sha256(b"\0", raw)])
    origin = log.entries[0]["origin"]
    note = f"{origin}\n3\n{base64.b64encode(root).decode()}\n\n\u2014 x AAAAAAAA\n"
    pending = journal.path / "log/pending"
    pending.write_bytes(len(raw).to_bytes(2, "big") + raw + note.encode())
    pending.chmod(0o600)
    before = (journal.path / "log/checkpoint").read_bytes()
    assert journal.attempt("append", journal.path, given="x\n").returncode != 0
    assert (journal.path / "log/checkpoint").read_bytes() == before
    pending.unlink()
    journal.fill(3, 1)
    assert verify(journal.path, journal.key).findings == []


def test_a_checkpoint_that_was_rolled_back_hides_no_record(journal: Journal) -> None:
    journal.fill(0, 3)
    journal.fill(3, 3)
    checkpoint = journal.path / "log/checkpoint"
    checkpoint.write_bytes((journal.path / "log/checkpoints/2").read_bytes())
    for command in (("cat", *journal.both), ("tail", *journal.both), ("list",), ("stat",)):
        done = journal.attempt(command[0], journal.path, *command[1:])
        assert done.returncode == 2, (command, done.stdout)
        assert "rolled back" in done.stderr
    assert [one.place for one in verify(journal.path).findings] == ["log/checkpoint"]


def test_a_lock_that_was_removed_is_no_second_owner(journal: Journal) -> None:
    program = native_command()
    assert program is not None
    command = [program, "journal", "append", str(journal.path), "--acknowledge"]
    line = json.dumps({**LINE, "message": "x"}) + "\n"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": ENVIRONMENT}
    with subprocess.Popen(command, text=True, bufsize=1, **pipes) as owner:  # type: ignore[call-overload]
        assert owner.stdout.readline() == "0\n"
        owner.stdin.write(line)
        assert owner.stdout.readline() == "1\n"
        (journal.path / "lock").unlink()
        journal.run("append", journal.path, given=line)
        owner.stdin.write(line)
        assert owner.stdout.readline() == "2\n"
        owner.stdin.close()
        assert owner.wait() == 0
    assert len(journal.cat()) == 3
    assert verify(journal.path, journal.key).findings == []


def test_what_others_may_reach_is_no_journal_of_ours(journal: Journal) -> None:
    journal.fill(0, 3)
    assert verify(journal.path, journal.key).findings == []
    for place, mode in (
        ("segments", 0o750),
        ("segments/0000000000.parquet", 0o640),
        ("log/checkpoint", 0o604),
        ("log/tile", 0o701),
        ("log/tile/0/000.p/2", 0o620),
        ("log/checkpoints/2", 0o666),
    ):
        path = journal.path / place
        before = path.stat().st_mode
        path.chmod(mode)
        ours = journal.attempt("verify", journal.path, "--key", journal.key)
        found = [one.place for one in verify(journal.path, journal.key).findings]
        assert ours.returncode == 1, place
        assert any(one.startswith(place) for one in found), (place, found)
        path.chmod(before)
    for path in (journal.path, journal.path / "log"):
        path.chmod(0o755)
        with pytest.raises(OSError, match="others may reach it"):
            verify(journal.path, journal.key)
        assert journal.attempt("verify", journal.path).returncode == 2
        path.chmod(0o700)


def test_a_file_that_takes_its_place_while_it_is_read_is_no_damage(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.fill(0, 3)
    file = journal.path / "segments/0000000000.parquet"
    erasing = file.with_name(f"{file.name}.erasing")
    file.rename(erasing)
    digest = _segments.digest

    def found(files: Files, path: str, state: _segments.State) -> str | None:
        read = digest(files, path, state)
        if erasing.exists():
            erasing.rename(file)
        return read

    monkeypatch.setattr(_segments, "digest", found)
    assert verify(journal.path, journal.key).findings == []


def test_a_name_changes_nothing_of_what_a_terminal_shows(journal: Journal) -> None:
    journal.fill(0, 2)
    for name in ("segments/\x1b[2Jx", "active/a\nwhole: 9 entries", "log/witnessed/\u202ex"):
        path = journal.path / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(0o600)
        done = journal.attempt("verify", journal.path, "--key", journal.key)
        assert done.returncode == 1
        assert not any(one in done.stdout for one in "\x1b\u202e")
        assert len(done.stdout.splitlines()) == 2, done.stdout
        path.unlink()


def test_what_looks_like_many_marks_is_not_looked_at_for_long(journal: Journal) -> None:
    journal.fill(0, 1)
    data = Stranger(journal.path).write_ahead_file(marked=True)
    # The beginning of a long batch, full of what looks like marks of keys that there are.
    like = bytes([0, 0, 0, 81, 2]) + (1).to_bytes(8, "big")
    body = b"\1" + bytes(8) + (100_000).to_bytes(4, "big") + bytes(8) + like * 100_000
    file = journal.path / "active/0000000001.wal"
    cut = 18 + int.from_bytes(data[14:18], "big")
    file.write_bytes(data[:cut] + (3_300_000).to_bytes(4, "big") + body)
    file.chmod(0o600)
    ours = journal.attempt("verify", journal.path, "--key", journal.key)
    assert "was changed" in ours.stdout
    [finding] = verify(journal.path, journal.key).findings
    assert "was changed" in finding.what
