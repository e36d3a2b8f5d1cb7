"""The program of a hardware token, `age-plugin-tagtest`, with the key in the identity: for tests.

Speaks C2SP's age-plugin (`identity-v1`), and opens what is sealed to `age1tagpq1…` (C2SP age, the
recipient type `mlkem768p256tag`): HPKE (RFC 9180) with ML-KEM-768 (FIPS 203) and P-256 together.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import sys
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
INFO = b"age-encryption.org/mlkem768p256tag"
# KEM MLKEM768-P256, HKDF-SHA-256, ChaCha20-Poly1305.
SUITE = b"HPKE" + bytes.fromhex("005000010003")


class Token:
    """The key, from a seed."""

    def __init__(self, seed: bytes) -> None:
        expanded = hashlib.shake_256(seed).digest(96)
        self.lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        # The first try at a scalar fails once in 2^32.
        self.curve = derive_private_key(int.from_bytes(expanded[64:], "big"), SECP256R1())
        self.point = self.curve.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )

    @property
    def recipient(self) -> str:
        """Whom to seal to."""
        return bech32("age1tagpq", self.lattice.public_key().public_bytes_raw() + self.point)

    def open(self, share: bytes, sealed: bytes) -> bytes:
        """What was sealed with this share (HPKE, mode base)."""
        lattice, point = share[:1088], share[1088:]
        other = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
        shared = self.lattice.decapsulate(lattice) + self.curve.exchange(ECDH(), other)
        secret = hashlib.sha3_256(shared + point + self.point + b"MLKEM768-P256").digest()
        context = bytes(1) + _extract(b"", b"psk_id_hash", b"") + _extract(b"", b"info_hash", INFO)
        pseudo_random = _extract(secret, b"secret", b"")
        key = _expand(pseudo_random, b"key", context, 32)
        nonce = _expand(pseudo_random, b"base_nonce", context, 12)
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, None)


def _extract(salt: bytes, label: bytes, secret: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + SUITE + label + secret, "sha256")


def _expand(secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + SUITE + label + context
    return hmac.digest(secret, labelled + b"\1", "sha256")[:length]


def bech32(prefix: str, data: bytes) -> str:
    """Bytes as bech32 (BIP 173), of any length."""
    number = int.from_bytes(data, "big") << -len(data) * 8 % 5
    count = -(-len(data) * 8 // 5)
    values = [number >> 5 * place & 31 for place in reversed(range(count))]
    sums = _checksum([*_high(prefix), *values, *bytes(6)]) ^ 1
    values += [sums >> 5 * place & 31 for place in reversed(range(6))]
    return f"{prefix}1{''.join(CHARSET[value] for value in values)}"


def _high(prefix: str) -> list[int]:
    return [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]


def _checksum(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= term if top >> bit & 1 else 0
    return checksum


def _stanzas() -> Iterator[tuple[list[str], bytes]]:
    """What is said to the program, up to `done`."""
    for line in sys.stdin:
        words = line.split()[1:]
        body = ""
        for more in sys.stdin:
            body += more.strip()
            if len(more.strip()) < 64:
                break
        if words == ["done"]:
            return
        yield words, base64.b64decode(body + "=" * (-len(body) % 4))


def _say(words: str, body: bytes = b"") -> None:
    text = base64.b64encode(body).decode().rstrip("=")
    lines = [text[start : start + 64] for start in range(0, len(text) + 1, 64)]
    print(f"-> {words}", *lines, sep="\n", flush=True)
    sys.stdin.readline(), sys.stdin.readline()


def main(seeds: Path, asked: Path) -> None:
    """Answers what `age` asks, and writes down that it was asked."""
    token = Token(seeds.read_bytes())
    with asked.open("a") as out:
        out.write("asked\n")
    for words, sealed in list(_stanzas()):
        if words[:3] == ["recipient-stanza", "0", "mlkem768p256tag"]:
            _say("msg", b"touch the token")
            share = base64.b64decode(words[4] + "=" * (-len(words[4]) % 4))
            _say("file-key 0", token.open(share, sealed))
    print("-> done\n", flush=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
