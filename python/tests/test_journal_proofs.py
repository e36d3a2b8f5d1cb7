"""Proofs that somebody has changed: each proves what it is of, or nothing."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from journals import Journal
from tacenda.verify import Log, Report, check_consistency, check_proof


def test_a_proof_proves_no_other_record(journal: Journal) -> None:
    journal.fill(0, 4)
    journal.fill(4, 4)
    keys = list(Log(journal.path / "log", Report()).keys(3) or ())
    proof = json.loads(journal.run("prove", journal.path, 7, *journal.both))
    assert check_proof(proof, keys)["restricted"] == b'{"card":"c7"}'

    def changed(**more: Any) -> dict[str, Any]:
        return {**proof, **more}

    # The last leaf has one path, from whichever end it is counted.
    last = {**proof["segment"], "index": -1}
    parts = proof["parts"]
    content = base64.b64decode(parts[1]["content"])
    salt = bytes.fromhex(parts[1]["salt"])

    def moved(salt: bytes, content: bytes) -> list[Any]:
        one = {**parts[1], "salt": salt.hex(), "content": base64.b64encode(content).decode()}
        return [parts[0], one, *parts[2:]]

    for wrong in (
        changed(segment=last, sequence=3),
        changed(log={**proof["log"], "index": -1}),
        changed(segment={**proof["segment"], "index": 3.0}),
        changed(sequence=True),
        changed(parts=moved(salt + content[:9], content[9:])),
        changed(parts=moved(salt[:20], salt[20:] + content)),
        changed(parts=None),
        changed(parts=[{"part": "head"}]),
        changed(checkpoint=None),
        {},
    ):
        with pytest.raises(ValueError):  # noqa: PT011
            check_proof(wrong, keys)
    for wrong in ({}, {"from": 1, "to": 2, "path": []}):
        with pytest.raises(ValueError):  # noqa: PT011
            check_consistency(wrong, keys)
