"""Signed notes and checkpoints (C2SP)."""

from __future__ import annotations

import base64
import binascii
import unicodedata
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


def is_control(character: str) -> bool:
    """Whether it is a control character."""
    return unicodedata.category(character) == "Cc"


def is_name(text: str) -> bool:
    """Whether a key may have this name (C2SP signed-note)."""
    unfit = any(one == "+" or one.isspace() or is_control(one) for one in text)
    return text != "" and not unfit


LOG = 1
WITNESS = 4

# The field of Ed25519, and the y of its points whose order is small: under one of those keys, one
# signature is that of many texts (RFC 8032, 5.1; the same points as in other libraries).
FIELD = (1 << 255) - 19
CURVE = -121665 * pow(121666, -1, FIELD) % FIELD
EIGHTH = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7
SMALL = frozenset({0, 1, FIELD - 1, EIGHTH, FIELD - EIGHTH})


def height(raw: bytes) -> int:
    """The y of a point of Ed25519."""
    return (int.from_bytes(raw, "little") & ((1 << 255) - 1)) % FIELD


def is_point(raw: bytes) -> bool:
    """Whether these are the bytes of a point of Ed25519."""
    square = height(raw) ** 2
    other = (square - 1) * pow(CURVE * square + 1, -1, FIELD) % FIELD
    return len(raw) == 32 and pow(other, (FIELD - 1) // 2, FIELD) in {0, 1}


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
        known = key.kind in {LOG, WITNESS} and is_name(name) and is_point(key.raw)
        if not known or str(key) != text.strip():
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
        if height(self.raw) in SMALL or height(signature[:32]) in SMALL:
            return False
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
            decoded = note.decode()
            text, _, lines = decoded.rpartition("\n\n")
            controls = any(is_control(one) for one in decoded if one != "\n")
            if not text or controls or not lines.endswith("\n"):
                return None
            signatures = []
            for line in lines[:-1].split("\n"):
                dash, name, encoded = line.split(" ")
                raw = unbase64(encoded)
                if dash != "\u2014" or len(raw) < 4 or not is_name(name):
                    return None
                signatures.append((name, raw[:4], raw[4:]))
            origin, size, root = text.split("\n")[:3]
            number, hash_ = int(size), unbase64(root)
            if not origin or not 0 <= number < 1 << 64 or str(number) != size or len(hash_) != 32:
                return None
            return cls(f"{text}\n", origin, number, hash_, signatures)
        except (ValueError, binascii.Error):
            return None

    def signed_by(self, key: Key) -> bool:
        """Whether a key has signed it."""
        return bool(self._signatures_by(key))

    def time_by(self, key: Key) -> int | None:
        """When a witness has signed it, by its own clock, in seconds since 1970."""
        signatures = self._signatures_by(key) if key.kind == WITNESS else []
        return max((int.from_bytes(one[:8], "big") for one in signatures), default=None)

    def _signatures_by(self, key: Key) -> list[bytes]:
        return [
            signature
            for name, key_id, signature in self.signatures
            if name == key.name and key_id == key.id and key.signed(self.text.encode(), signature)
        ]
