"""Requests to Tornado: line and headers, bodies, WebSocket messages."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches, hook_imports
from tacenda._protect import request_scope
from tacenda.hooks.requests import protect_headers, protect_message, protect_target


def start(core: Core, patches: Patches, imports: ImportWatch) -> None:
    """Hooks the server side of Tornado."""
    hooks = _Tornado(core, patches)
    hook_imports(
        patches,
        imports,
        ("Tornado requests", "tornado.web", hooks.handlers),
        ("Tornado WebSocket messages", "tornado.websocket", hooks.messages),
    )


class _Tornado:
    def __init__(self, core: Core, patches: Patches) -> None:
        self._core = core
        self._patches = patches

    def handlers(self, module: Any) -> None:
        """The request line, the headers and the body; each request is a scope."""
        original = module.RequestHandler._execute
        delegate = module._HandlerDelegate
        original_data = delegate.data_received

        async def execute(self: Any, *args: Any, **kwargs: Any) -> Any:
            with request_scope():
                with suppress(Exception):  # it is served all the same
                    protect(self.request)
                return await original(self, *args, **kwargs)

        def data_received(self: Any, data: bytes) -> Any:
            if self.stream_request_body:  # it is handed on as it comes
                seen(data)
            return original_data(self, data)

        protect, seen = self._protect, self._seen
        self._patches.replace(module.RequestHandler, "_execute", execute)
        self._patches.replace(delegate, "data_received", data_received)

    def messages(self, module: Any) -> None:
        """Each message of a WebSocket, text or binary."""
        seen = self._seen
        original = module.WebSocketProtocol._run_callback

        def run_callback(self: Any, callback: Any, *args: Any, **kwargs: Any) -> Any:
            for data in args:
                seen(data)
            return original(self, callback, *args, **kwargs)

        self._patches.replace(module.WebSocketProtocol, "_run_callback", run_callback)

    def _protect(self, request: Any) -> None:
        core = self._core
        protect_target(request.path, request.query, core)
        protect_headers(request.headers.get_all(), core)
        if isinstance(request.body, bytes):
            self._seen(request.body)

    def _seen(self, data: Any) -> None:
        if isinstance(data, (str, bytes)):
            protect_message(data, self._core)
