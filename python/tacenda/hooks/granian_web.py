"""Requests to Granian, by each of its interfaces."""

from __future__ import annotations

from typing import Any

from tacenda._core import Core
from tacenda._patch import Patches
from tacenda._protect import request_scope
from tacenda.hooks.requests import ENDLESS, Body, protect_headers, protect_message, protect_target
from tacenda.hooks.web import AsgiMiddleware, WsgiMiddleware


def hook(module: Any, core: Core, patches: Patches) -> None:
    """Any application that a worker is given; `module` is the one of the workers."""
    for name, middleware in (
        ("_asgi_call_wrap", AsgiMiddleware),
        ("_wsgi_call_wrap", WsgiMiddleware),
        ("_rsgi_call_wrap", _RsgiMiddleware),
    ):
        original = getattr(module, name, None)
        if original is not None:  # not every module of workers serves WSGI
            patches.replace(module, name, _wrapping(original, middleware, core))


def _wrapping(original: Any, middleware: Any, core: Core) -> Any:
    def wrap(callback: Any, *args: Any, **kwargs: Any) -> Any:
        return original(middleware(callback, core), *args, **kwargs)

    return wrap


class _RsgiMiddleware:
    """Protects what requests to an RSGI application carry while they are served."""

    def __init__(self, app: Any, core: Core) -> None:
        self._app = app
        self._core = core

    async def __call__(self, scope: Any, proto: Any) -> Any:
        with request_scope():
            protect_target(scope.path, scope.query_string, self._core)
            protect_headers(scope.headers.items(), self._core)
            return await self._app(scope, _Protocol(proto, self._core))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)


class _Protocol:
    """What an application reads a request from."""

    def __init__(self, inner: Any, core: Core) -> None:
        self._inner = inner
        self._core = core

    async def __call__(self) -> Any:
        body = await self._inner()
        protect_message(body, self._core)
        return body

    async def __aiter__(self) -> Any:
        body = Body(self._core)
        body.expect(ENDLESS)
        async for part in self._inner:
            body.seen(bytes(part))
            yield part
        body.seen(b"", last=True)

    async def accept(self) -> Any:
        return _Socket(await self._inner.accept(), self._core)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Socket:
    """A WebSocket whose messages are protected as they are read."""

    def __init__(self, inner: Any, core: Core) -> None:
        self._inner = inner
        self._core = core

    async def receive(self) -> Any:
        message = await self._inner.receive()
        protect_message(getattr(message, "data", None), self._core)
        return message

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
