"""What an HTTP request carries is protected for as long as the request is served."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from tacenda._core import Core
from tacenda._protect import clean_names, current_scope

# Words in the names of headers that carry secrets: `Authorization`, `X-Auth-Token`,
# `Ocp-Apim-Subscription-Key`. A handshake's key and that of a request sent twice are none.
_SECRET_NAME = re.compile(
    r"auth(?!or($|-|ity))|cookie|credential|key($|-)|passw|secret|session|signature|token",
)
_NO_SECRETS = ("idempotency-", "sec-websocket-")

# A credential of fewer letters may be any word (`Bearer none`).
_SHORTEST = 8

# No detector knows it, but behind a name that says what it is.
_NO_CREDENTIAL = "hunter2-hunter2"

# A body without a length goes on until the connection says so.
ENDLESS = 1 << 62

# Of longer bodies the beginning and the end are protected, and not the whole.
_WHOLE = 8 << 20

# So much of a body is protected as it comes, before all of it is there.
_BEGINNING = 512 << 10

_END = 256 << 10


# What every client sends, and what servers in front and tracing add: it says nothing of the user
# that a log may not hold. `-` at the end stands for any name that begins so.
_USUAL = """
accept accept- access-control- age allow alt-used anthropic- b3 baggage cache-control cdn-loop cf-
client- connection content- correlation- date device- dnt downlink dpr early-data ect etag expect
expires fastly- fly- forwarded from-service grpc- host http2-settings idempotency- if- keep-alive
last-modified link max-forwards openai- origin pragma prefer priority proxy-connection purpose
range request- rtt save-data sec- sentry- server service-worker te timeout trace traceparent
tracestate trailer transfer-encoding true-client-ip uber-trace-id upgrade upgrade- user-agent vary
via viewport-width warning width x-amz- x-amzn- x-appengine- x-arr- x-azure- x-b3- x-client-
x-cloud- x-correlation- x-csrf-protection x-datadog- x-envoy- x-forwarded- x-goog- x-http-
x-original- x-real-ip x-request- x-requested-with x-scheme x-sentry- x-span- x-stainless- x-trace
x-trace- x-ua- x-wsgiorg-
"""
_USUAL_NAMES = frozenset(_USUAL.split())


@functools.lru_cache(maxsize=512)
def _meaning(name: str) -> str | None:
    """What the value of a header is, as its name tells, in which `-` may be `_`.

    A `secret`, a `text`, a `link`; None if it is of no interest.
    """
    name = name.lower().replace("_", "-")
    if _SECRET_NAME.search(name) is not None and not name.startswith(_NO_SECRETS):
        return "secret"
    if name in ("referer", "referrer"):
        return "link"
    words = name.split("-")
    beginnings = ("-".join(words[:count]) + "-" for count in range(1, len(words)))
    is_usual = name in _USUAL_NAMES or any(each in _USUAL_NAMES for each in beginnings)
    return None if is_usual or name.startswith(":") else "text"


def protect_header(name: str, value: str, core: Core) -> None:
    """Protects the value of a header that is a secret, or a text of the user's.

    A secret whole, and what it is made of: an application logs the token without `Bearer`, the
    password of a pair, one cookie of many.
    """
    meaning = _meaning(name)
    if meaning == "text":
        _protect_field(value, core)
    elif meaning == "link":
        protect_target("", value.partition("#")[0].partition("?")[2], core)
    if meaning != "secret":
        return
    _protect_credential(value, core)
    scheme, _, rest = value.strip().partition(" ")
    _protect_credential(rest.strip(), core)
    if scheme.lower() == "basic":
        _protect_pair(rest, core)
    if "=" in value:
        for cookie in value.split(";"):
            _protect_credential(cookie.partition("=")[2].strip(), core)


def protect_headers(headers: Iterable[tuple[Any, Any]], core: Core) -> None:
    """Protects the values of those headers that carry some; names and values text or bytes.

    Never raises.
    """
    try:
        for name, value in headers:
            name = _latin(name)
            if _meaning(name) is not None:
                protect_header(name, _latin(value), core)
    except Exception:  # no headers as HTTP has them: served all the same
        return


def _protect_field(value: str, core: Core) -> None:
    """A text in a header, and as the application reads it: UTF-8, or encoded as in a link.

    One word is a name or a number by which logs tell requests apart.
    """
    readings = [value]
    if "%" in value:
        from urllib.parse import unquote  # only a server needs it

        readings.append(unquote(value))
    if not value.isascii():
        with suppress(UnicodeError):
            readings.append(value.encode("iso-8859-1").decode())
    if any(" " in reading.strip() or not reading.isascii() for reading in readings):
        for reading in readings:
            _protect(reading, "prompt", core)


def _latin(text: Any) -> str:
    return text if isinstance(text, str) else bytes(text).decode("iso-8859-1")


def _protect_pair(encoded: str, core: Core) -> None:
    """The user and password of basic authentication (RFC 7617)."""
    from base64 import b64decode  # only a server needs it

    try:
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return
    _protect_credential(user, core)
    _protect_credential(password, core)


def _protect_credential(text: str, core: Core) -> None:
    """Protects a credential; a short one as well, as a whole word, if it is no usual word."""
    is_telling = len(text) >= _SHORTEST and not text.isalpha()
    _protect(text, "credential", core, automatic=not is_telling)


def _names_a_credential(name: str, core: Core) -> bool:
    member = f"?{name}={_NO_CREDENTIAL}"
    return core.redact(member) != member


def protect_target(path: str, query: str, core: Core) -> None:
    """Protects the values of the query, and segments of the path that are text. Never raises.

    Args:
        path: The path, decoded or not.
        query: What stands behind the `?`.
        core: What protects.
    """
    try:
        if not query and " " not in path and "%" not in path:
            return  # as nearly every target
        from urllib.parse import parse_qsl, unquote  # only a server needs it

        for segment in map(unquote, path.split("/")):
            if " " in segment:  # text, and no name of a resource
                _protect(segment, "prompt", core)
        for name, value in parse_qsl(query, keep_blank_values=True):
            _protect(name, "prompt", core)
            member = f"?{name}={value}"
            # A name like `api_key` makes it one; one like `q` does not, whatever the value is.
            if core.redact(member) == member or not _names_a_credential(name, core):
                _protect(value, "prompt", core)
            else:
                _protect_credential(value, core)
    except Exception:
        # Whatever it is: as a whole.
        _protect(f"{path}?{query}", "prompt", core)


def protect_whole_target(target: Any, core: Core) -> None:
    """Protects what stands in the target of a request line, text or bytes. Never raises."""
    try:
        path, _, query = _latin(target).partition("?")
    except Exception:
        return
    protect_target(path, query, core)


def protect_message(data: Any, core: Core) -> None:
    """Protects a message that has come as a whole, text or bytes. Never raises."""
    try:
        if isinstance(data, str):
            data = data.encode("utf-8", "replace")
        if data:
            _protect_document(bytes(data), core)
    except Exception:
        return


def protect_text(text: str, core: Core) -> None:
    """Protects text that came from outside and belongs to no request."""
    _protect(text, "prompt", core)


class Body:
    """A request body that is protected as it comes."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._left = 0
        self._data = bytearray()
        self._count = 0

    def expect(self, length: int) -> None:
        """The next `length` bytes are a body."""
        self._left = length
        self._data.clear()
        self._count = 0

    def seen(self, data: bytes, *, last: bool = False) -> None:
        """These bytes have come. Never raises: the application has to get them.

        With `last`, the body ends with them: now or, if there are none, before.
        """
        if self._left <= 0 or not (data or (last and self._data)):
            return
        try:
            part = data[: self._left]
            self._left -= len(part)
            self._data += part
            is_over = last or self._left <= 0
            known, self._count = self._count, self._count + len(part)
            is_whole = self._count <= _WHOLE
            # Before the body is complete, its parts may be logged already.
            if known < _BEGINNING and not (is_over and is_whole):
                _protect_document(part[: _BEGINNING - known], self._core)
            if not is_whole:
                del self._data[:-_END]
            if is_over:
                document = bytes(self._data)
                self._data.clear()
                _protect_document(_unpacked(document), self._core)
        except Exception:
            self._left = 0


def _unpacked(body: bytes) -> bytes:
    """A body that was packed with gzip (RFC 1952) or zlib, as the application will unpack it."""
    if not body.startswith((b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")):
        return body
    import zlib  # only such a request needs it

    try:
        # Which of both, the body tells.
        return zlib.decompressobj(wbits=47).decompress(body, _WHOLE)
    except zlib.error:
        return body


class BodyReader:
    """A connection's input that protects each request body as it is read."""

    def __init__(self, inner: Any, core: Core) -> None:
        self._inner = inner
        self._body = Body(core)

    def expect(self, length: int) -> None:
        """The next `length` bytes are a body."""
        self._body.expect(length)

    def read(self, *size: Any) -> bytes:
        """Reads like the wrapped stream."""
        return self._seen(self._inner.read(*size))

    def read1(self, *size: Any) -> bytes:
        """Reads like the wrapped stream."""
        return self._seen(self._inner.read1(*size))

    def readline(self, *size: Any) -> bytes:
        """Reads like the wrapped stream."""
        return self._seen(self._inner.readline(*size))

    def readlines(self, *hint: Any) -> list[bytes]:
        """Reads like the wrapped stream."""
        lines: list[bytes] = self._inner.readlines(*hint)
        self._seen(b"".join(lines))
        return lines

    def readinto(self, buffer: Any, /) -> int:
        """Reads like the wrapped stream."""
        count: int = self._inner.readinto(buffer)
        self._seen(bytes(memoryview(buffer).cast("B")[: count or 0]))
        return count

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _seen(self, data: bytes) -> bytes:
        self._body.seen(data, last=not data)
        return data


def _protect(text: str, kind: str, core: Core, *, automatic: bool = True) -> None:
    scope = current_scope()
    # Outside a request nobody ends it: the value expires.
    id = core.protect(text, kind, held=scope is not None, automatic=automatic)
    clean_names.clear()
    if id is not None and scope is not None:
        scope.add([id])


def _protect_document(document: bytes, core: Core) -> None:
    scope = current_scope()
    ids = core.protect_document(document, "prompt", held=scope is not None)
    clean_names.clear()
    if scope is not None:
        scope.add(ids)
