"""Journals: what goes from them, and when."""

from __future__ import annotations

import json
import subprocess

import pytest
from journals import ENVIRONMENT, OLD, Journal
from tacenda import kms
from tacenda._command import native_command
from tacenda.verify import Log, Report, check_proof, verify


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
            timeout=300,
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
