"""The entries of a log: each has one spelling, and the members of its type."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from ._notes import is_point, unbase64

PARTS = ("head", "public", "internal", "confidential", "restricted")
CLASSES = PARTS[1:]
LONGEST = 65_535
# Salts are found by so many bits.
MOST_RECORDS = 1 << 24

# Newer versions of Python know an hour 24, which has another spelling.
TIME = re.compile(r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d)(?:\.(\d{0,8}[1-9]))?Z", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

Check = Callable[[Any], bool]
Members = Mapping[str, Check]


def canonical(value: Any) -> bytes:
    """Canonical JSON (RFC 8785), for texts, whole numbers, true, false, lists and objects."""

    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return {name: ordered(value[name]) for name in names}
        return [ordered(one) for one in value] if isinstance(value, list) else value

    return json.dumps(ordered(value), separators=(",", ":"), ensure_ascii=False).encode()


def read_entry(data: bytes) -> dict[str, Any] | None:
    """An entry; None unless it is the one spelling of one."""
    try:
        entry = json.loads(data)
        if len(data) > LONGEST or not isinstance(entry, dict) or canonical(entry) != data:
            return None
        return entry if is_entry(entry) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def nanoseconds(text: Any) -> int:
    """A time, in nanoseconds since 1970.

    Raises:
        ValueError: It is none that has 64 bits, or another spelling of one.
    """
    found = TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("no time")
    whole = datetime.fromisoformat(f"{found[1]}+00:00") - EPOCH
    seconds = whole.days * 86_400 + whole.seconds
    time = seconds * 1_000_000_000 + int((found[2] or "").ljust(9, "0"))
    if not -(1 << 63) <= time < 1 << 63:
        raise ValueError("no time that has 64 bits")
    return time


def is_number(value: Any) -> bool:
    """Whether it is a whole number that has 64 bits, without a sign."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64


def is_text(value: Any) -> bool:
    """Whether it is a text."""
    return isinstance(value, str)


def is_hash(value: Any) -> bool:
    """Whether it is a hash, in lower-case digits."""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def is_key(value: Any) -> bool:
    """Whether it is a public key of Ed25519."""
    return isinstance(value, str) and is_point(unbase64(value))


def is_time(value: Any) -> bool:
    """Whether it is a time."""
    return isinstance(nanoseconds(value), int)


def are_times(value: Any) -> bool:
    """Whether it is the earliest and the latest of times."""
    return is_list(value, 2) and nanoseconds(value[0]) <= nanoseconds(value[1])


def is_list(value: Any, length: int | None = None) -> bool:
    """Whether it is a list, of this length."""
    return isinstance(value, list) and length in {None, len(value)}


def are_numbers(value: Any) -> bool:
    """Whether it is a list of numbers."""
    return is_list(value) and all(is_number(one) for one in value)


def are_classes(value: Any) -> bool:
    """Whether it is a list of names of classes."""
    return is_list(value) and all(one in CLASSES for one in value)


def are_parts(value: Any) -> bool:
    """Whether they are the hashes over the commitments to each part: there are heads at least."""
    hashes: dict[str, Check] = dict.fromkeys(CLASSES, is_hash)
    return is_object(value, {"head": is_hash}, hashes)


def is_recovered(value: Any) -> bool:
    """What a crash has cut off."""
    if not isinstance(value, dict) or value.get("changed", True) is not True:
        return False
    return set(value) - {"changed"} == {"cut"} and is_number(value["cut"])


def is_object(value: Any, needed: Members, optional: Members) -> bool:
    """Whether it is an object with these members, and no other."""
    if not isinstance(value, dict) or not needed.keys() <= value.keys():
        return False
    members = {**needed, **optional}
    return all(name in members and members[name](one) for name, one in value.items())


def are_recipients(value: Any) -> bool:
    """Whether each class has somebody to read it: by age keys of one sort."""
    return is_object(value, dict.fromkeys(CLASSES, are_age_keys), {})


def are_age_keys(value: Any) -> bool:
    """Whether they are the recipients of a class: of one sort, and at least one."""
    if not is_list(value) or not value:
        return False
    sorts = {sort_of(one) for one in value}
    return len(sorts) == 1 and None not in sorts


def sort_of(recipient: Any) -> str | None:
    """What sort of age key it is: what stands before its last 1, if the rest fits (BIP 173)."""
    digits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    if not isinstance(recipient, str):
        return None
    if recipient.isupper():
        recipient = recipient.lower()
    prefix, _, text = recipient.rpartition("1")
    length = {"age": 32, "age1tagpq": 1184 + 65}.get(prefix)
    if length is None or not all(one in digits for one in text):
        return None
    codes = [ord(one) for one in prefix]
    values = [digits.index(one) for one in text]
    checked = 1
    for one in [code >> 5 for code in codes] + [0] + [code & 31 for code in codes] + values:
        top, checked = checked >> 25, (checked & 0x1FFFFFF) << 5 ^ one
        for bit, step in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checked ^= step if top >> bit & 1 else 0
    # The last six of them are the checksum.
    return prefix if checked == 1 and 5 * (len(values) - 6) // 8 == length else None


def is_settings(value: Any) -> bool:
    """Whether it is what a journal is set to."""
    limits = dict.fromkeys(("segment_bytes", "segment_seconds", "interval_ms"), is_number)

    def are_ages(value: Any) -> bool:
        return value != {} and is_object(value, {}, dict.fromkeys(CLASSES, is_number))

    bounds = dict.fromkeys(("max_seconds", "max_bytes", "min_free"), is_number)
    needed: dict[str, Check] = {
        "durability": lambda one: one in ("record", "interval", "os"),
        "limits": lambda one: is_object(one, limits, {}),
        "recipients": are_recipients,
        "retention": lambda one: is_object(one, {}, {**bounds, "classes": are_ages}),
    }
    return is_object(value, needed, {})


CAUSE: dict[str, Check] = {"reason": is_text, "who": is_text}
WRITTEN: dict[str, Check] = {"sha256": is_hash, "bytes": is_number, "tail": is_hash}
MEMBERS: dict[str, dict[str, Check]] = {
    "begin": {
        "version": lambda one: is_number(one) and one == 1,
        "origin": is_text,
        "first": is_key,
        "log": is_key,
        "settings": is_settings,
    },
    "set": {"settings": is_settings, **CAUSE},
    "seal": {
        "segment": is_number,
        "format": lambda one: one in ("parquet", "wal"),
        "first": is_number,
        "records": lambda one: is_number(one) and one <= MOST_RECORDS,
        "root": is_hash,
        "sha256": is_hash,
        "bytes": is_number,
    },
    "erase": {"segment": is_number, "records": are_numbers, **WRITTEN, **CAUSE},
    "expire": {
        "segment": is_number,
        "classes": are_classes,
        "records": is_number,
        **WRITTEN,
        **CAUSE,
    },
    "delete": {
        "segments": lambda one: are_numbers(one) and len(one) == 2,
        "records": is_number,
        **CAUSE,
    },
    "hold": {"name": is_text, "times": are_times, **CAUSE},
    "release": {"name": is_text, **CAUSE},
}


def is_entry(entry: dict[str, Any]) -> bool:
    """Whether it has the members of its type, and no other.

    Raises:
        ValueError: It has not.
    """
    kind = entry["type"]
    needed: dict[str, Check] = {"type": is_text, "time": is_time, "next": is_key, **MEMBERS[kind]}
    if kind != "seal":
        return is_object(entry, needed, {})
    if entry["format"] == "parquet":
        needed["tail"] = is_hash
    if entry["records"] != 0:
        needed["times"] = are_times
        if "recovered" not in entry:
            needed["parts"] = are_parts
    return is_object(entry, needed, {"recovered": is_recovered})
