"""Requests to aiohttp: line and headers, bodies however they are read, WebSocket messages."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches, hook_imports
from tacenda._protect import request_scope
from tacenda.hooks.requests import ENDLESS, Body, protect_header, protect_target

# Iterators that ask the stream itself for what comes next.
_ITERATORS = ("iter_chunked", "iter_any", "iter_chunks")


def start(core: Core, patches: Patches, imports: ImportWatch) -> None:
    """Hooks the server side of aiohttp."""
    hooks = _Aiohttp(core, patches)
    hook_imports(
        patches,
        imports,
        ("aiohttp requests", "aiohttp.web_app", hooks.handlers),
        ("aiohttp bodies", "aiohttp.web_request", hooks.bodies),
        ("aiohttp WebSocket messages", "aiohttp.web_ws", hooks.messages),
    )


class _Aiohttp:
    def __init__(self, core: Core, patches: Patches) -> None:
        self._core = core
        self._patches = patches

    def handlers(self, module: Any) -> None:
        """The request line and the headers; each request is a scope."""
        core = self._core
        original = module.Application._handle

        async def handle(self: Any, request: Any) -> Any:
            with request_scope():
                with suppress(Exception):  # it is served all the same
                    path, _, query = request.raw_path.partition("?")
                    protect_target(path, query, core)
                    for name, value in request.headers.items():
                        protect_header(name, value, core)
                return await original(self, request)

        self._patches.replace(module.Application, "_handle", handle)

    def bodies(self, module: Any) -> None:
        """What `read`, `text`, `json`, `post`, `multipart` and `content` give."""
        core = self._core
        request = module.BaseRequest
        original = request.__init__
        empty = module.EmptyStreamReader

        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            payload = self._payload
            if type(payload) is not empty and not isinstance(payload, _Content):
                self._payload = _Content(payload, core)

        self._patches.replace(request, "__init__", init)

    def messages(self, module: Any) -> None:
        """Each message of a WebSocket, text or binary."""
        core = self._core
        socket = module.WebSocketResponse
        original = socket.receive

        async def receive(self: Any, *args: Any, **kwargs: Any) -> Any:
            message = await original(self, *args, **kwargs)
            data = message.data
            if isinstance(data, str):
                data = data.encode("utf-8", "replace")
            if isinstance(data, (bytes, bytearray)):
                body = Body(core)
                body.expect(len(data))
                body.seen(bytes(data), last=True)
            return message

        self._patches.replace(socket, "receive", receive)


class _Content:
    """The stream of a body that is protected as it is read."""

    def __init__(self, inner: Any, core: Core) -> None:
        self._inner = inner
        self._body = Body(core)
        self._body.expect(ENDLESS)

    async def read(self, *args: Any) -> bytes:
        return self._seen(await self._inner.read(*args))

    async def readany(self) -> bytes:
        return self._seen(await self._inner.readany())

    async def readline(self, **kwargs: Any) -> bytes:
        return self._seen(await self._inner.readline(**kwargs))

    async def readuntil(self, *args: Any, **kwargs: Any) -> bytes:
        return self._seen(await self._inner.readuntil(*args, **kwargs))

    async def readexactly(self, *args: Any) -> bytes:
        return self._seen(await self._inner.readexactly(*args))

    async def readchunk(self) -> tuple[bytes, bool]:
        data, is_end = await self._inner.readchunk()
        return self._seen(data), is_end

    def read_nowait(self, *args: Any) -> bytes:
        return self._seen(self._inner.read_nowait(*args))

    def __aiter__(self) -> Any:
        return type(self._inner).__aiter__(self)

    def __getattr__(self, name: str) -> Any:
        if name in _ITERATORS:
            return partial(getattr(type(self._inner), name), self)
        return getattr(self._inner, name)

    def _seen(self, data: bytes) -> bytes:
        self._body.seen(data, last=self._inner.at_eof())
        return data
