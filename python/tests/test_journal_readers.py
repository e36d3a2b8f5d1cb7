"""Journals: read by other programs."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from journals import Journal
from tacenda import kms


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


def test_a_wrapped_key_has_a_bound(journal: Journal) -> None:
    own = list(kms.identities(journal.folder / "few"))
    short = b"-> X25519 " + b"A" * 43 + b"\n" + b"A" * 43 + b"\n"
    asked = []

    class Counted:
        def public_key(self) -> object:
            asked.append(self)
            return own[0].public_key()

        def exchange(self, share: object) -> bytes:
            return bytes(32)

    def unwrap(stanzas: int, files: int = 1, more: bytes = b"") -> int:
        asked.clear()
        file = b"age-encryption.org/v1\n" + short * stanzas + more + b"\n--- AA\n"
        wrapped = ".".join([base64.b64encode(file).decode()] * files)
        assert kms.unwrap(wrapped, [Counted()]) is None  # type: ignore[list-item]
        return len(asked)

    assert (unwrap(1000), unwrap(500, 2)) == (1000, 1000)
    assert (unwrap(1025), unwrap(600, 2), unwrap(1, 3), unwrap(1, 1, b"A\n" * 3000)) == (0, 0, 0, 0)
    assert kms.unwrap("not base64!", own) is None


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
