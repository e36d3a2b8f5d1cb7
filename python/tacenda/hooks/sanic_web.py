"""Requests to Sanic: line and headers, bodies however they are read."""

from __future__ import annotations

from typing import Any

from tacenda._core import Core
from tacenda._patch import Patches
from tacenda._protect import request_scope
from tacenda.hooks.requests import ENDLESS, Body, protect_headers, protect_whole_target


def requests(module: Any, core: Core, patches: Patches) -> None:
    """The request line, the headers, and a body that is received as a whole."""
    original, receive = module.Request.__init__, module.Request.receive_body

    def init(self: Any, url_bytes: Any, headers: Any, *args: Any, **kwargs: Any) -> None:
        protect_whole_target(url_bytes, core)
        protect_headers(headers.items(), core)
        original(self, url_bytes, headers, *args, **kwargs)

    async def receive_body(self: Any) -> None:
        await receive(self)
        body = Body(core)
        body.expect(ENDLESS)
        body.seen(self.body, last=True)

    patches.replace(module.Request, "__init__", init)
    patches.replace(module.Request, "receive_body", receive_body)


def streams(module: Any, core: Core, patches: Patches) -> None:
    """A body that is read in parts, and the lifetime of a request.

    Sanic writes the methods anew from their source when it starts: they are hooked then.
    """
    touch_up = module.TouchUp
    original = touch_up.run.__func__
    before: list[tuple[Any, str, Any]] = []

    def run(cls: Any, app: Any) -> None:
        undo()
        before.clear()
        original(cls, app)
        for owner, name, wrap in _methods(core):
            before.append((owner, name, vars(owner)[name]))
            setattr(owner, name, wrap(vars(owner)[name]))

    def undo() -> None:
        for owner, name, method in before:
            setattr(owner, name, method)

    patches.replace(touch_up, "run", classmethod(run))
    patches.on_undo(undo)


def _methods(core: Core) -> Any:
    from sanic.app import Sanic
    from sanic.http.http1 import Http

    def handling(original: Any) -> Any:
        async def handle_request(self: Any, request: Any) -> None:
            with request_scope():
                await original(self, request)

        return handle_request

    def reading(original: Any) -> Any:
        async def read(self: Any) -> Any:
            data = await original(self)
            if data:
                body = Body(core)
                body.expect(ENDLESS)
                body.seen(bytes(data))
            return data

        return read

    return (Sanic, "handle_request", handling), (Http, "read", reading)
