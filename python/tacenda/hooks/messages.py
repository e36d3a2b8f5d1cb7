"""Messages of `multiprocessing`: what is protected in one process is so in the one that reads it.

A message that holds a protected value is sent so that reading it protects that value in the process
that reads. All other messages are sent as they are.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from tacenda._core import Core
from tacenda._patch import Patches
from tacenda._protect import register

# Parts of a message that are looked at, and how deep they may lie.
_MOST = 5000
_DEEPEST = 6

# Set while a message goes to a process that may be another program.
_sending = threading.local()


def hook(module: Any, core: Core, patches: Patches) -> None:
    """What pickles messages, and the arguments of new processes."""
    pickler = module.ForkingPickler
    original, original_dump = pickler.dumps.__func__, module.dump

    def dumps(cls: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        return original(cls, _carried(obj, core), *args, **kwargs)

    def dump(obj: Any, *args: Any, **kwargs: Any) -> None:
        original_dump(_carried(obj, core), *args, **kwargs)

    patches.replace(pickler, "dumps", classmethod(dumps))
    patches.replace(module, "dump", dump)


def hook_connections(module: Any, core: Core, patches: Patches) -> None:
    """Connections to what may be another program, which may have no Tacenda: nothing is added."""
    base = module._ConnectionBase
    original = base.send

    def send(self: Any, obj: Any) -> None:
        if not getattr(self, "_tacenda_other", False):
            original(self, obj)
            return
        _sending.plain = True
        try:
            original(self, obj)
        finally:
            _sending.plain = False

    def other(connection: Any) -> Any:
        if not hasattr(connection, "_tacenda_other"):
            connection._tacenda_other = True
        return connection

    client, accept, challenge = module.Client, module.Listener.accept, module.deliver_challenge

    def connect(*args: Any, **kwargs: Any) -> Any:
        return other(client(*args, **kwargs))

    def accepted(self: Any) -> Any:
        return other(accept(self))

    def deliver_challenge(connection: Any, authkey: Any, *args: Any, **more: Any) -> None:
        challenge(connection, authkey, *args, **more)
        # Processes of one program have one key, which nobody else has.
        connection._tacenda_other = bytes(authkey) != _own_key()

    patches.replace(base, "send", send)
    patches.replace(module, "deliver_challenge", deliver_challenge)
    patches.replace(module, "Client", connect)
    patches.replace(module.Listener, "accept", accepted)


def _own_key() -> bytes:
    from multiprocessing.process import current_process

    return bytes(current_process().authkey)


class _Carried:
    """A message, and what is to be protected when it is read."""

    def __init__(self, message: Any, values: list[tuple[str, str]]) -> None:
        self._message = message
        self._values = values

    def __reduce__(self) -> Any:
        return received, (self._message, self._values)


def received(message: Any, values: list[tuple[str, str]]) -> Any:
    """Protects these in the process that reads the message, and gives that."""
    for text, kind in values:
        try:
            register(text, kind, tokens=None, automatic=False)
        except Exception:  # noqa: S112 - a kind that only the other process knows
            continue
    return message


def _carried(message: Any, core: Core) -> Any:
    try:
        if not core.protects or getattr(_sending, "plain", False):
            return message
        values = [
            (text, kind)
            for text in _texts(message, 0, [_MOST])
            if (kind := core.known_kind(text)) is not None
        ]
    except Exception:  # a message whose own code fails: it is sent all the same
        return message
    return _Carried(message, values) if values else message


def _texts(value: Any, depth: int, left: list[int]) -> Iterator[str]:
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, (bytes, bytearray)):
        yield bytes(value).decode("utf-8", "replace")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key, depth + 1, left)
            yield from _texts(item, depth + 1, left)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _texts(item, depth + 1, left)
    elif not isinstance(value, type):
        # A dataclass, a process with its arguments.
        attributes = getattr(value, "__dict__", None)
        if isinstance(attributes, dict):
            yield from _texts(attributes, depth + 1, left)
