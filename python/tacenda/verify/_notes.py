"""Signed notes and checkpoints (C2SP)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ._trees import sha256


def unbase64(text: str) -> bytes:
    """The bytes that a text in base64 is the one spelling of."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not the one spelling")
    return data


LOG = 1
WITNESS = 4


@dataclass(frozen=True)
class Key:
    """The public key of a log or a witness, with its name."""

    name: str
    raw: bytes
    kind: int = LOG

    @classmethod
    def parse(cls, text: str) -> Key:
        """Reads `NAME+ID+KEY`.

        Raises:
            ValueError: It is none.
        """
        name, _, rest = text.strip().partition("+")
        try:
            raw = unbase64(rest.partition("+")[2])
        except ValueError:
            raw = b""
        key = cls(name, raw[1:], raw[0] if raw else 0)
        if key.kind not in {LOG, WITNESS} or len(key.raw) != 32 or str(key) != text.strip():
            raise ValueError(
                "a key is NAME+ID+KEY, as `tacenda journal init` or a witness has printed it"
            )
        return key

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.raw).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @property
    def id(self) -> bytes:
        """The first four bytes of the hash of name, kind and key."""
        return sha256(self.name.encode(), b"\n", bytes([self.kind]), self.raw)[:4]

    def signed(self, text: bytes, signature: bytes) -> bool:
        """Whether this is its signature over the text."""
        if self.kind == WITNESS:
            # The time in seconds, then the signature over it and the note.
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            text = f"cosignature/v1\ntime {time}\n".encode() + text
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint, with its signatures by key name and id."""

    text: str
    origin: str
    size: int
    root: bytes
    signatures: list[tuple[str, bytes, bytes]]

    @classmethod
    def parse(cls, note: bytes) -> Checkpoint | None:
        """Reads a signed note that is a checkpoint."""
        try:
            text, _, lines = note.decode().rpartition("\n\n")
            if not text or not lines.endswith("\n"):
                return None
            signatures = []
            for line in lines[:-1].split("\n"):
                dash, name, encoded = line.split(" ")
                raw = unbase64(encoded)
                if dash != "\u2014" or len(raw) < 5:
                    return None
                signatures.append((name, raw[:4], raw[4:]))
            origin, size, root = text.split("\n")[:3]
            decoded = unbase64(root)
            if str(int(size)) != size or len(decoded) != 32:
                return None
            return cls(f"{text}\n", origin, int(size), decoded, signatures)
        except (ValueError, binascii.Error):
            return None

    def signed_by(self, key: Key) -> bool:
        """Whether a key has signed it."""
        return any(
            name == key.name and key_id == key.id and key.signed(self.text.encode(), signature)
            for name, key_id, signature in self.signatures
        )
