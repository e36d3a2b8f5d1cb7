"""Web applications: ASGI and WSGI, under whatever server they run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextlib import suppress
from typing import Any

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches, hook_imports
from tacenda._protect import Scope, entered, request_scope
from tacenda.hooks.requests import (
    ENDLESS,
    Body,
    BodyReader,
    is_secret_header,
    protect_header,
    protect_target,
)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Marks a request that a layer further out has taken care of.
_SEEN = "tacenda.protected"


def start(core: Core, patches: Patches, imports: ImportWatch) -> None:
    """Hooks servers and frameworks: one of them is in the way of every request."""
    hooks = _Web(core, patches)
    hook_imports(
        patches,
        imports,
        ("uvicorn requests", "uvicorn.config", hooks.uvicorn),
        ("Starlette and FastAPI requests", "starlette.applications", hooks.starlette),
        ("gunicorn requests", "gunicorn.workers.base", hooks.gunicorn),
        ("wsgiref requests", "wsgiref.handlers", hooks.wsgiref),
        ("Flask requests", "flask.app", hooks.flask),
    )


class AsgiMiddleware:
    """Protects what requests to an ASGI application carry while they are served."""

    def __init__(self, app: Any, core: Core) -> None:
        self._app = app
        self._core = core

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] not in ("http", "websocket") or scope.get(_SEEN):
            await self._app(scope, receive, send)
            return
        with request_scope():
            body = Body(self._core)
            body.expect(ENDLESS)
            with suppress(Exception):  # against the specification: served all the same
                self._protect(scope)

            async def receive_protected() -> MutableMapping[str, Any]:
                message = await receive()
                data = message.get("body") or message.get("bytes") or message.get("text") or b""
                # Each message of a WebSocket is whole.
                last = not message.get("more_body", False)
                if isinstance(data, str):
                    data = data.encode("utf-8", "replace")
                body.seen(data, last=last)
                return message

            scope[_SEEN] = True
            await self._app(scope, receive_protected, send)

    def _protect(self, scope: MutableMapping[str, Any]) -> None:
        query = scope.get("query_string", b"").decode("iso-8859-1")
        protect_target(scope.get("path", ""), query, self._core)
        for name, value in scope.get("headers", ()):
            with suppress(AttributeError):  # no bytes
                if is_secret_header(name.decode("iso-8859-1")):
                    protect_header(value.decode("iso-8859-1"), self._core)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)


class WsgiMiddleware:
    """Protects what requests to a WSGI application carry while they are served."""

    def __init__(self, app: Any, core: Core) -> None:
        self._app = app
        self._core = core

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serves one request."""
        if environ.get(_SEEN):
            response: Iterable[bytes] = self._app(environ, start_response)
            return response
        scope = Scope(self._core)
        with entered(scope):
            with suppress(Exception):  # against the specification: served all the same
                self._protect(environ)
            try:
                response = self._app(environ, start_response)
            except BaseException:
                scope.close()
                raise
        wrapper = environ.get("wsgi.file_wrapper")
        is_file = isinstance(wrapper, type) and isinstance(response, wrapper)
        if is_file or isinstance(response, (list, tuple)):
            # It is made already; servers look at what it is.
            scope.close()
            return response
        return _Response(response, scope)

    def _protect(self, environ: dict[str, Any]) -> None:
        environ[_SEEN] = True
        if "wsgi.input" in environ:
            reader = BodyReader(environ["wsgi.input"], self._core)
            length = environ.get("CONTENT_LENGTH") or ""
            reader.expect(int(length) if length.isdecimal() else ENDLESS)
            environ["wsgi.input"] = reader
        query = environ.get("QUERY_STRING", "")
        protect_target(environ.get("PATH_INFO", ""), query, self._core)
        for name, value in environ.items():
            if name.startswith("HTTP_") and is_secret_header(name[5:]):
                protect_header(value, self._core)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)


class _Response:
    """A response that is made while it is sent."""

    def __init__(self, inner: Iterable[bytes], scope: Scope) -> None:
        self._inner = inner
        self._parts = iter(inner)
        self._scope = scope

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with entered(self._scope):
            return next(self._parts)

    def close(self) -> None:
        try:
            if hasattr(self._inner, "close"):
                self._inner.close()
        finally:
            self._scope.close()


class _Web:
    def __init__(self, core: Core, patches: Patches) -> None:
        self._core = core
        self._patches = patches

    def uvicorn(self, module: Any) -> None:
        """Any ASGI application that uvicorn serves."""
        core = self._core
        original = module.Config.load

        def load(self: Any) -> None:
            original(self)
            self.loaded_app = AsgiMiddleware(self.loaded_app, core)

        self._patches.replace(module.Config, "load", load)

    def starlette(self, module: Any) -> None:
        """Applications of Starlette and FastAPI under any other server."""
        core = self._core
        original = module.Starlette.__call__

        async def call(self: Any, scope: Any, receive: Receive, send: Send) -> None:
            if scope.get(_SEEN):
                await original(self, scope, receive, send)
                return

            async def app(scope: Any, receive: Receive, send: Send) -> None:
                await original(self, scope, receive, send)

            await AsgiMiddleware(app, core)(scope, receive, send)

        self._patches.replace(module.Starlette, "__call__", call)

    def gunicorn(self, module: Any) -> None:
        """Any WSGI application that gunicorn serves."""
        core = self._core
        original = module.Worker.load_wsgi

        def load_wsgi(self: Any) -> None:
            original(self)
            # Workers for ASGI load their application here as well.
            if not _is_asgi(self.wsgi):
                self.wsgi = WsgiMiddleware(self.wsgi, core)

        self._patches.replace(module.Worker, "load_wsgi", load_wsgi)

    def wsgiref(self, module: Any) -> None:
        """Any WSGI application that the standard library serves."""
        core = self._core
        original = module.BaseHandler.run

        def run(self: Any, application: Any) -> None:
            original(self, WsgiMiddleware(application, core))

        self._patches.replace(module.BaseHandler, "run", run)

    def flask(self, module: Any) -> None:
        """Applications of Flask under any other server."""
        core = self._core
        original = module.Flask.__call__

        def call(self: Any, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if environ.get(_SEEN):
                answer: Iterable[bytes] = original(self, environ, start_response)
                return answer

            def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
                response: Iterable[bytes] = original(self, environ, start_response)
                return response

            return WsgiMiddleware(app, core)(environ, start_response)

        self._patches.replace(module.Flask, "__call__", call)


def _is_asgi(app: Any) -> bool:
    from inspect import iscoroutinefunction  # only a server needs it

    return iscoroutinefunction(app) or iscoroutinefunction(type(app).__call__)
