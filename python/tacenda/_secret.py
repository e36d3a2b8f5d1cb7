"""Values that never print, and showing them to a person with a reason."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from tacenda import _protect
from tacenda._core import KINDS, MARKER, Core
from tacenda._describe import current_core

# All that there are, by identity: a guard that is installed later is to know them, too.
_secrets: dict[int, weakref.ref[Secret]] = {}


class Secret:
    """A text that no log, traceback or debugger print shows.

    It prints as `[credential 40 chars, #a1b2c3]`, in every form, and is a protected value as long
    as it exists: text that was made from it is found as well, wherever it is written::

        token = tacenda.Secret(os.environ["API_TOKEN"])
        client = Client(headers={"authorization": f"Bearer {token.expose()}"})

    It is equal to another secret of the same text, compared in constant time, and is no key, no
    JSON, and not to be pickled.
    """

    __slots__ = ("__weakref__", "_kind", "_text")

    def __init__(self, text: str | Secret, kind: str = "credential") -> None:
        """Takes a text.

        Args:
            text: The text, or another secret.
            kind: Its kind, such as `credential` or `personal`.

        Raises:
            TypeError: It is no text.
            ValueError: There is no such kind.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown kind; the kinds are {', '.join(KINDS)}")
        if isinstance(text, Secret):
            text = text.expose()
        if not isinstance(text, str):
            raise TypeError(f"Secret() takes text, not {type(text).__name__}")
        self._text = text
        self._kind = kind
        key = id(self)
        _secrets[key] = weakref.ref(self, lambda _: _secrets.pop(key, None))
        core = _protect.core_in_use()
        if core is not None:
            _protect_secret(self, core)

    @property
    def kind(self) -> str:
        """Its kind."""
        return self._kind

    def expose(self) -> str:
        """The text, for code that needs it. For people there is `reveal`."""
        return self._text

    def __str__(self) -> str:
        try:
            return current_core().summarize(self._text, self._kind)
        except Exception:
            return MARKER

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __len__(self) -> int:
        return len(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest  # costs milliseconds, which most programs need not pay

        return compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Secret is not pickled: send what expose() gives over a way that you trust"
        )


def _protect_secret(secret: Secret, core: Core) -> None:
    value = core.protect(secret.expose(), secret.kind, held=True, automatic=False)
    _protect.clean_names.clear()
    if value is not None:
        weakref.finalize(secret, _release, core, value).atexit = False


def _release(core: Core, value: int) -> None:
    core.release([value], linger=True)


def _protect_all(core: Core) -> None:
    for reference in list(_secrets.values()):
        secret = reference()
        if secret is not None:
            _protect_secret(secret, core)


_protect.on_use(_protect_all)


@contextmanager
def reveal(*, reason: str) -> Iterator[Callable[[Secret], str]]:
    """Shows secrets to a person, with a reason, on record.

    Each secret that is shown is put on record before: when, by which user, in which process, at
    which line, of which kind, size and fingerprint, and why. The record is `reveals.jsonl` in
    `~/.local/state/tacenda` (`XDG_STATE_HOME`; 0600)::

        with tacenda.reveal(reason="support case 4711") as show:
            page.write(show(customer.address))

    What is written to a log inside the block is redacted as ever.

    Args:
        reason: Why.

    Raises:
        ValueError: There is no reason.
        OSError: It could not be put on record. Nothing is shown then.
    """
    if not reason.strip():
        raise ValueError("nothing is revealed without a reason")
    is_open = True

    def show(secret: Secret) -> str:
        if not is_open:
            raise ValueError("the block for which there was a reason is over")
        frame = sys._getframe(1)
        place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        _put_on_record(reason, str(secret), place)
        return secret.expose()

    try:
        yield show
    finally:
        is_open = False


def _put_on_record(reason: str, what: str, place: str) -> None:
    try:
        reason = current_core().redact(reason)
    except Exception:
        reason = MARKER
    try:
        Core.record_reveal(reason, what, place)
    except OSError as error:
        place = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        place = f"{place}/tacenda/reveals.jsonl"
        raise type(error)(
            f"nothing is revealed, because it cannot be put on record in {place}: {error}; "
            "make that writable for this user, or name another directory in XDG_STATE_HOME"
        ) from None
