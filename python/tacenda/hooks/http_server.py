"""Requests of `http.server`: body, headers and query values are protected values.

The server of mlx-lm is one; nothing here knows mlx-lm.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches
from tacenda._protect import request_scope
from tacenda.hooks.records import Records
from tacenda.hooks.requests import (
    ENDLESS,
    BodyReader,
    protect_header,
    protect_target,
    protect_text,
)

_CHANNEL = "http.server requests"


def start(core: Core, patches: Patches, imports: ImportWatch, records: Records) -> None:
    """Hooks `http.server.BaseHTTPRequestHandler`."""
    patches.wait(_CHANNEL, "http.server")

    def hook(module: ModuleType) -> None:
        handler = getattr(module, "BaseHTTPRequestHandler", None)
        if handler is None or not {"parse_request", "handle_one_request"} <= vars(handler).keys():
            patches.miss(_CHANNEL, "BaseHTTPRequestHandler has other methods than expected")
            return
        original_parse = handler.parse_request
        original_handle = handler.handle_one_request

        def attempt(step: Callable[[Any, Core], None], request: Any) -> None:
            try:
                step(request, core)
            except Exception:
                patches.miss(_CHANNEL, "a request could not be protected")

        def parse_request(self: Any) -> bool:
            attempt(_protect_stray_line, self)
            ok: bool = original_parse(self)
            if ok:
                attempt(_protect_request, self)
            return ok

        def handle_one_request(self: Any) -> None:
            with request_scope():
                try:
                    original_handle(self)
                finally:
                    records.end_log(threading.get_ident())

        patches.replace(handler, "parse_request", parse_request)
        patches.replace(handler, "handle_one_request", handle_one_request)
        patches.cover(_CHANNEL, "bodies, query values, headers")

    imports.when("http.server", hook)


def _protect_stray_line(handler: Any, core: Core) -> None:
    """Text that was sent to the port and is no HTTP request ends in an error message."""
    line: bytes = getattr(handler, "raw_requestline", b"")
    words = line.split()
    if len(words) != 3 or not (words[0].isalpha() and words[2].startswith(b"HTTP/")):
        protect_text(line.decode("iso-8859-1"), core)


def _protect_request(handler: Any, core: Core) -> None:
    for name, value in handler.headers.items():
        protect_header(name, value, core)
    path, _, query = handler.path.partition("?")
    protect_target(path, query, core)
    if not isinstance(handler.rfile, BodyReader):
        handler.rfile = BodyReader(handler.rfile, core)
    length = handler.headers.get("Content-Length", "")
    if length.isdecimal():
        handler.rfile.expect(int(length))
    elif "Transfer-Encoding" in handler.headers:
        handler.rfile.expect(ENDLESS)
