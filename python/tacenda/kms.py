"""Opens the sealed segments of a journal in pyarrow, and in Spark.

The keys of a segment's columns are wrapped to age recipients, in the key material of Parquet's own
key tools. `decryption` gives pyarrow what it needs to open them with identity files:

    import pyarrow.parquet as pq
    from tacenda.kms import decryption

    with open("0000000000.parquet", "rb") as segment:
        pq.read_table(segment, decryption_properties=decryption("identity.txt"))

Needs the packages `cryptography` and `pyarrow`. Spark needs neither: `SPARK_CLIENT` is the source
of its key client, in Java, to be compiled against Spark's own jars.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SPARK_CLIENT = Path(__file__).parent / "spark/AgeKms.java"

# What a wrapped key has at most, and its files together: whoever can write to the directory of a
# journal may have written it.
LONGEST_WRAPPED = 1 << 18
MOST_FILES = 2
MOST_LINES = 2200
MOST_STANZAS = 1024

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


class KeyDenied(PermissionError):
    """No identity at hand opens the key of a column."""


def identities(path: str | Path) -> Iterator[X25519PrivateKey]:
    """The identities of an identity file, as `age-keygen` writes it.

    Raises `ValueError` for anything else; an identity in a hardware token is not asked for.
    """
    for line in Path(path).read_text().splitlines():
        if line.startswith("AGE-PLUGIN-"):
            raise ValueError("the identity is in a hardware token: use `tacenda journal export`")
        if line.strip() and not line.startswith("#"):
            yield X25519PrivateKey.from_private_bytes(_bech32(line.strip()))


def _bech32(text: str) -> bytes:
    """The bytes of an `AGE-SECRET-KEY-1…` (BIP 173)."""
    prefix, _, data = text.lower().rpartition("1")
    values = [CHARSET.find(char) for char in data]
    high = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    checksum = 1
    for value in high + values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= term if top >> bit & 1 else 0
    if prefix != "age-secret-key-" or -1 in values or checksum != 1 or len(values) != 58:
        raise ValueError("not an age identity")
    number = 0
    for value in values[:-6]:
        number = number << 5 | value
    return (number >> 4).to_bytes(32, "big")


def _derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt or None, info).derive(secret)


def _unbase64(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4))


def decrypt(data: bytes, own: list[X25519PrivateKey]) -> bytes | None:
    """Opens an age file (age-encryption.org/v1) of one chunk; None when no identity fits."""
    header, _, rest = data.partition(b"\n--- ")
    mac, _, body = rest.partition(b"\n")
    lines = header.split(b"\n")
    if lines[0] != b"age-encryption.org/v1":
        return None
    file_key = None
    for at, line in enumerate(lines):
        words = line.split(b" ")
        if words[:2] == [b"->", b"X25519"] and len(words) == 3:
            file_key = file_key or _unwrap(_unbase64(words[2]), _unbase64(lines[at + 1]), own)
    if file_key is None:
        return None
    expected = hmac.digest(_derive(file_key, b"", b"header"), header + b"\n---", "sha256")
    if not hmac.compare_digest(expected, _unbase64(mac)):
        return None
    payload_key = _derive(file_key, body[:16], b"payload")
    try:
        # The first chunk is the last one.
        return ChaCha20Poly1305(payload_key).decrypt(bytes(11) + b"\1", body[16:], None)
    except InvalidTag:
        return None


def _unwrap(share: bytes, sealed: bytes, own: list[X25519PrivateKey]) -> bytes | None:
    for identity in own:
        public = identity.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        secret = identity.exchange(X25519PublicKey.from_public_bytes(share))
        key = _derive(secret, share + public, b"age-encryption.org/v1/X25519")
        try:
            return ChaCha20Poly1305(key).decrypt(bytes(12), sealed, None)
        except InvalidTag:
            continue
    return None


def unwrap(wrapped: str, own: list[X25519PrivateKey]) -> bytes | None:
    """Opens a wrapped key: age files in base64, with dots between them.

    None when no identity fits, or it is none that the journal writes.
    """
    if len(wrapped) > LONGEST_WRAPPED or wrapped.count(".") >= MOST_FILES:
        return None
    try:
        files = [base64.b64decode(one, validate=True) for one in wrapped.split(".")]
    except ValueError:
        return None
    lines = [line for file in files for line in file.split(b"\n")]
    if len(lines) > MOST_LINES or sum(line.startswith(b"-> ") for line in lines) > MOST_STANZAS:
        return None
    opened = (decrypt(file, own) for file in files)
    return next((key for key in opened if key is not None), None)


def decryption(*paths: str | Path) -> Any:
    """What `pyarrow.parquet` opens sealed segments with: `decryption_properties`.

    Args:
        *paths: Identity files.

    Raises:
        KeyDenied: When a column is read whose key no identity opens.
    """
    import pyarrow.parquet.encryption as pe

    own = [identity for path in paths for identity in identities(path)]

    class Client(pe.KmsClient):  # type: ignore[misc]
        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
            raise KeyDenied("segments are sealed by `tacenda journal`")

        def unwrap_key(self, wrapped_key: bytes | str, master_key_identifier: str) -> bytes:
            text = wrapped_key if isinstance(wrapped_key, str) else wrapped_key.decode()
            key = unwrap(text, own)
            if key is None:
                raise KeyDenied(f"no identity opens the key `{master_key_identifier}`")
            return key

    factory = pe.CryptoFactory(lambda _: Client())
    return factory.file_decryption_properties(pe.KmsConnectionConfig())
