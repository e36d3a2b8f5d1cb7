"""Web applications: ASGI and WSGI, under whatever server they run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches, hook_imports
from tacenda._protect import Scope, entered, request_scope
from tacenda.hooks.requests import (
    ENDLESS,
    Body,
    BodyReader,
    protect_header,
    protect_headers,
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
        ("gunicorn requests", "gunicorn.workers.base", hooks.gunicorn),
        ("gunicorn ASGI requests", "gunicorn.workers.gasgi", hooks.gunicorn_asgi),
        ("wsgiref requests", "wsgiref.handlers", hooks.wsgiref),
        *(_place(*server, hooks.server) for server in _SERVERS),
        *(_place(*application, hooks.application) for application in _APPLICATIONS),
        *(_elsewhere(*place, core, patches) for place in _ELSEWHERE),
    )


def _elsewhere(
    channel: str, module: str, name: str, hook: str, core: Core, patches: Patches
) -> tuple[str, str, Callable[[Any], None]]:
    """A hook of a module of ours that only programs need that import the other one."""

    def call(found: Any) -> None:
        getattr(import_module(f"tacenda.hooks.{name}"), hook)(found, core, patches)

    return channel, module, call


def _place(
    channel: str, module: str, name: str, middleware: Any, hook: Callable[..., None]
) -> tuple[str, str, Callable[[Any], None]]:
    return f"{channel} requests", module, lambda found: hook(getattr(found, name), middleware)


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
        protect_headers(scope.get("headers", ()), self._core)

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
            if name.startswith("HTTP_"):
                protect_header(name[5:], value, self._core)

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

    def gunicorn_asgi(self, module: Any) -> None:
        """Any ASGI application that gunicorn serves by itself."""
        core = self._core
        original = module.ASGIWorker.load_wsgi

        def load_wsgi(self: Any) -> None:
            original(self)
            self.asgi = AsgiMiddleware(self.asgi, core)

        self._patches.replace(module.ASGIWorker, "load_wsgi", load_wsgi)

    def wsgiref(self, module: Any) -> None:
        """Any WSGI application that the standard library serves."""
        core = self._core
        original = module.BaseHandler.run

        def run(self: Any, application: Any) -> None:
            original(self, WsgiMiddleware(application, core))

        self._patches.replace(module.BaseHandler, "run", run)

    def server(self, owner: Any, middleware: Any) -> None:
        """Any application that a server of this class is given."""
        from inspect import signature  # only a server needs it

        core = self._core
        original = owner.__init__
        names = list(signature(original).parameters)
        name = next(name for name in _GIVEN_AS if name in names)
        # `self` is not among them.
        place = names.index(name) - 1

        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            if name in kwargs:
                kwargs[name] = _wrapped(kwargs[name], middleware, core)
            elif place < len(args):
                app = _wrapped(args[place], middleware, core)
                args = (*args[:place], app, *args[place + 1 :])
            original(self, *args, **kwargs)

        self._patches.replace(owner, "__init__", init)

    def application(self, owner: Any, middleware: Any) -> None:
        """Applications of a framework under any other server."""
        core = self._core
        original = owner.__call__

        # Servers try what an application can be called with.
        async def asgi(self: Any, scope: Any, receive: Receive, send: Send) -> None:
            app = partial(original, self)
            await (app if scope.get(_SEEN) else AsgiMiddleware(app, core))(scope, receive, send)

        def wsgi(self: Any, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            app = partial(original, self)
            respond = app if environ.get(_SEEN) else WsgiMiddleware(app, core)
            answer: Iterable[bytes] = respond(environ, start_response)
            return answer

        call = asgi if middleware is AsgiMiddleware else wsgi
        self._patches.replace(owner, "__call__", call)


# What the parameter of a server is called that takes the application.
_GIVEN_AS = ("app", "application", "wsgi_app")

# Servers, by the class that is given the application.
_SERVERS: tuple[tuple[str, str, str, Any], ...] = (
    ("hypercorn", "hypercorn.app_wrappers", "ASGIWrapper", AsgiMiddleware),
    ("hypercorn WSGI", "hypercorn.app_wrappers", "WSGIWrapper", WsgiMiddleware),
    ("daphne", "daphne.server", "Server", AsgiMiddleware),
    ("waitress", "waitress.server", "BaseWSGIServer", WsgiMiddleware),
    ("cheroot and CherryPy", "cheroot.wsgi", "Server", WsgiMiddleware),
    ("werkzeug", "werkzeug.serving", "BaseWSGIServer", WsgiMiddleware),
    ("gevent", "gevent.pywsgi", "WSGIServer", WsgiMiddleware),
    ("eventlet", "eventlet.wsgi", "Server", WsgiMiddleware),
)

# Frameworks, by the class that is the application: for servers that are not among those.
_APPLICATIONS: tuple[tuple[str, str, str, Any], ...] = (
    ("Starlette and FastAPI", "starlette.applications", "Starlette", AsgiMiddleware),
    ("Quart", "quart.app", "Quart", AsgiMiddleware),
    ("Litestar", "litestar.app", "Litestar", AsgiMiddleware),
    ("BlackSheep", "blacksheep.server.application", "Application", AsgiMiddleware),
    ("Falcon ASGI", "falcon.asgi.app", "App", AsgiMiddleware),
    ("Django ASGI", "django.core.handlers.asgi", "ASGIHandler", AsgiMiddleware),
    ("Django", "django.core.handlers.wsgi", "WSGIHandler", WsgiMiddleware),
    ("Flask", "flask.app", "Flask", WsgiMiddleware),
    ("Falcon", "falcon.app", "App", WsgiMiddleware),
    ("Bottle", "bottle", "Bottle", WsgiMiddleware),
    ("Pyramid", "pyramid.router", "Router", WsgiMiddleware),
    ("CherryPy applications", "cherrypy._cptree", "Tree", WsgiMiddleware),
)


# What is neither, each with the module and the function here that hook it.
_ELSEWHERE: tuple[tuple[str, str, str, str], ...] = (
    ("granian requests", "granian.server.mp", "granian_web", "hook"),
    ("granian requests to threads", "granian.server.mt", "granian_web", "hook"),
    ("granian requests, embedded", "granian.server.embed", "granian_web", "hook"),
    ("Robyn requests", "robyn.router", "robyn_web", "hook"),
    ("Sanic requests", "sanic.request.types", "sanic_web", "requests"),
    ("Sanic bodies in parts", "sanic.touchup.service", "sanic_web", "streams"),
    ("Twisted requests", "twisted.web.http", "parsers", "twisted"),
    ("h11 requests", "h11._connection", "parsers", "h11"),
    ("h2 requests", "h2.connection", "parsers", "h2"),
    ("httptools requests", "httptools.parser.parser", "parsers", "httptools"),
    ("websockets messages", "websockets.protocol", "parsers", "websockets"),
    ("websockets handshakes", "websockets.server", "parsers", "websockets_handshake"),
    (
        "websockets messages, first servers",
        "websockets.legacy.protocol",
        "parsers",
        "websockets_legacy",
    ),
    ("wsproto messages", "wsproto.connection", "parsers", "wsproto"),
    ("gRPC requests", "grpc._server", "grpc_server", "threads"),
    ("gRPC requests of asyncio", "grpc.aio._server", "grpc_server", "asyncio"),
    ("messages between processes", "multiprocessing.reduction", "messages", "hook"),
    ("connections of processes", "multiprocessing.connection", "messages", "hook_connections"),
)


def _wrapped(app: Any, middleware: Any, core: Core) -> Any:
    return app if app is None else middleware(app, core)


def _is_asgi(app: Any) -> bool:
    from inspect import iscoroutinefunction  # only a server needs it

    return iscoroutinefunction(app) or iscoroutinefunction(type(app).__call__)
