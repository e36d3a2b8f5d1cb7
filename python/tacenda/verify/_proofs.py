"""Proofs that need no journal: that a record is in it, and that it only grew."""

from __future__ import annotations

from typing import Any

from ._entries import PARTS, is_number, read_entry
from ._notes import Checkpoint, Key, unbase64
from ._trees import is_consistent, root_of_inclusion, sha256


def check_proof(proof: dict[str, Any], keys: list[Key]) -> dict[str, bytes]:
    """Checks what `tacenda journal prove` prints.

    Args:
        proof: The proof.
        keys: Keys that have to have signed its checkpoint.

    Returns:
        The parts of the record, by name: what was proven to be in the journal. Of what has expired
        there is none.

    Raises:
        ValueError: It proves nothing; the text says why.
    """
    if not keys:
        raise ValueError("no key says whose checkpoint it has to be")
    try:
        return _proven(proof, keys)
    except (KeyError, TypeError, AttributeError):
        raise ValueError("it is no proof of a record") from None


def _proven(proof: dict[str, Any], keys: list[Key]) -> dict[str, bytes]:
    """The parts of the record that a proof proves."""
    segment, log = proof["segment"], proof["log"]
    numbers = (proof["sequence"], segment["index"], segment["size"], log["index"])
    if not all(map(is_number, numbers)):
        raise ValueError("a number of it is none")
    content, mask, commitments = {}, 0, b""
    for one in proof["parts"]:
        number = PARTS.index(one["part"])
        if "commitment" in one:
            commitment = bytes.fromhex(one["commitment"])
            if number == 0 or len(commitment) != 32:
                raise ValueError("a part is no content, and no commitment to one")
        else:
            part = content[one["part"]] = unbase64(one["content"])
            salt = bytes.fromhex(one["salt"])
            if len(salt) != 32:
                # With another length, the end of it could pass for content, or the reverse.
                raise ValueError("a salt is none")
            commitment = sha256(bytes([2, number]), salt, part)
        commitments += commitment
        mask |= 1 << number
    leaf = sha256(b"\0", bytes([mask]), commitments)
    path = [bytes.fromhex(step) for step in segment["path"]]
    root = root_of_inclusion(leaf, segment["index"], segment["size"], path)
    raw = unbase64(proof["entry"])
    entry = read_entry(raw)
    if entry is None or entry["type"] != "seal" or entry["root"] != root.hex():
        raise ValueError("the segment of this root is not in the log")
    # Trees of other sizes have other leaves at an index, and may have the same hash.
    if entry["records"] != segment["size"]:
        raise ValueError("the segment has another number of records")
    if entry["first"] + segment["index"] != proof["sequence"]:
        raise ValueError("the record has another number")
    checkpoint = Checkpoint.parse(proof["checkpoint"].encode())
    if checkpoint is None or not all(checkpoint.signed_by(key) for key in keys):
        raise ValueError("the checkpoint is not signed")
    path = [bytes.fromhex(step) for step in log["path"]]
    leaf = sha256(b"\0", raw)
    if root_of_inclusion(leaf, log["index"], checkpoint.size, path) != checkpoint.root:
        raise ValueError("the entry is not in the log")
    return content


def check_consistency(proof: dict[str, Any], keys: list[Key]) -> tuple[Checkpoint, Checkpoint]:
    """Checks what `tacenda journal consistency` prints.

    Args:
        proof: The proof.
        keys: Keys that have to have signed both of its checkpoints.

    Returns:
        The older and the newer checkpoint: the log of the newer begins with that of the older.

    Raises:
        ValueError: It proves nothing; the text says why.
    """
    if not keys:
        raise ValueError("no key says whose checkpoints they have to be")
    try:
        return _grown(proof, keys)
    except (KeyError, TypeError, AttributeError):
        raise ValueError("it is no proof of two checkpoints") from None


def _grown(proof: dict[str, Any], keys: list[Key]) -> tuple[Checkpoint, Checkpoint]:
    """The two checkpoints of a proof of consistency."""
    older, newer = (Checkpoint.parse(proof[name].encode()) for name in ("from", "to"))
    if older is None or newer is None:
        raise ValueError("it holds no two checkpoints")
    for checkpoint in (older, newer):
        if checkpoint.origin != newer.origin:
            raise ValueError("the checkpoints are of two logs")
        if not all(checkpoint.signed_by(key) for key in keys):
            raise ValueError("a checkpoint is not signed")
    path = [bytes.fromhex(step) for step in proof["path"]]
    if not is_consistent((older.size, older.root), (newer.size, newer.root), path):
        raise ValueError("the newer log does not begin with the older one")
    return older, newer
