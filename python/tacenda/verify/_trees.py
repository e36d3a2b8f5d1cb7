"""Hashes and Merkle trees (RFC 6962)."""

from __future__ import annotations

import hashlib


def sha256(*parts: bytes) -> bytes:
    """SHA-256 of the parts, one after the other."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


class Frontier:
    """A Merkle tree that grows."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def push(self, leaf: bytes) -> None:
        """Adds a leaf by its hash."""
        size = self.size
        while size & 1:
            leaf = sha256(b"\1", self._roots.pop(), leaf)
            size >>= 1
        self._roots.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root."""
        if not self._roots:
            return sha256()
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = sha256(b"\1", left, root)
        return root


def root_of(leaves: list[bytes]) -> bytes:
    """The root over hashes of leaves."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf)
    return frontier.root()


def root_of_inclusion(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a proof of inclusion leads to (RFC 9162, 2.1.3.2).

    Raises:
        ValueError: The proof does not fit.
    """
    if not 0 <= index < size:
        raise ValueError("there is no such leaf")
    at, last, root = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise ValueError("the proof is too long")
        if at & 1 or at == last:
            root = sha256(b"\1", step, root)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = sha256(b"\1", root, step)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise ValueError("the proof is too short")
    return root


def is_consistent(old: tuple[int, bytes], new: tuple[int, bytes], path: list[bytes]) -> bool:
    """Whether the tree with the new size and root begins with the old one (RFC 9162, 2.1.4.2)."""
    if old[0] == 0:
        return old[1] == sha256() and not path
    if old[0] >= new[0]:
        return old == new and not path
    steps = list(path)
    if old[0] & (old[0] - 1) == 0:
        steps.insert(0, old[1])
    if not steps:
        return False
    at, last = old[0] - 1, new[0] - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = sha256(b"\1", step, before), sha256(b"\1", step, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = sha256(b"\1", after, step)
        at, last = at >> 1, last >> 1
    return last == 0 and (before, after) == (old[1], new[1])
