"""Journals: proofs that are checked without them."""

from __future__ import annotations

import json

import pytest
from journals import Journal
from tacenda.verify import Key, Log, Report, check_consistency, check_proof


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
