"""What parses HTTP and WebSockets in Python: every server that is built on it.

Servers that hand what they have read to an application by ASGI are left out: there it is taken in,
once, with the lifetime of the request.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

from tacenda._core import Core
from tacenda._patch import Patches
from tacenda.hooks.requests import ENDLESS, Body, protect_headers, protect_whole_target

# Their applications are hooked.
_HOOKED = ("uvicorn", "hypercorn", "daphne", "granian")


def h11(module: Any, core: Core, patches: Patches) -> None:
    """Requests that h11 has read (HTTP/1.1)."""
    connection = module.Connection
    made, next_event = connection.__init__, connection.next_event
    server, request, data, end = module.SERVER, module.Request, module.Data, module.EndOfMessage
    bodies: WeakKeyDictionary[Any, Body] = WeakKeyDictionary()

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        if self.our_role is server and not _is_hooked(sys._getframe(1)):
            bodies[self] = Body(core)

    def read(self: Any) -> Any:
        event = next_event(self)
        body = bodies.get(self)
        if body is None:
            return event
        kind = type(event)
        if kind is request:
            body.expect(ENDLESS)
            protect_whole_target(event.target, core)
            protect_headers(event.headers, core)
        elif kind is data:
            body.seen(bytes(event.data))
        elif kind is end:
            body.seen(b"", last=True)
        return event

    patches.replace(connection, "__init__", init)
    patches.replace(connection, "next_event", read)


def h2(module: Any, core: Core, patches: Patches) -> None:
    """Requests that h2 has read (HTTP/2)."""
    connection = module.H2Connection
    made, receive = connection.__init__, connection.receive_data
    events = import_module("h2.events")
    request, data = events.RequestReceived, events.DataReceived
    ends = (events.StreamEnded, events.StreamReset)
    streams: WeakKeyDictionary[Any, dict[int, Body]] = WeakKeyDictionary()

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        if not self.config.client_side and not _is_hooked(sys._getframe(1)):
            streams[self] = {}

    def receive_data(self: Any, received: Any) -> Any:
        found = receive(self, received)
        bodies = streams.get(self)
        if bodies is None:
            return found
        for event in found:
            if isinstance(event, request):
                body = bodies[event.stream_id] = Body(core)
                body.expect(ENDLESS)
                for name, value in event.headers:
                    if name in (b":path", ":path"):
                        protect_whole_target(value, core)
                protect_headers(event.headers, core)
            elif isinstance(event, data) and event.stream_id in bodies:
                bodies[event.stream_id].seen(event.data)
            elif isinstance(event, ends) and event.stream_id in bodies:
                bodies.pop(event.stream_id).seen(b"", last=True)
        return found

    patches.replace(connection, "__init__", init)
    patches.replace(connection, "receive_data", receive_data)


def httptools(module: Any, core: Core, patches: Patches) -> None:
    """Requests that httptools has read: what it tells a server of, it tells us first."""
    original = module.HttpRequestParser

    class HttpRequestParser(original):  # type: ignore[misc, valid-type]
        def __init__(self, protocol: Any, *args: Any, **kwargs: Any) -> None:
            if not _is_hooked(sys._getframe(1)):
                protocol = _Callbacks(protocol, core)
            super().__init__(protocol, *args, **kwargs)

    for place in (module, sys.modules.get("httptools.parser"), sys.modules.get("httptools")):
        if getattr(place, "HttpRequestParser", None) is original:
            patches.replace(place, "HttpRequestParser", HttpRequestParser)


class _Callbacks:
    """What a parser tells of a request, on its way to the server."""

    def __init__(self, protocol: Any, core: Core) -> None:
        self._protocol = protocol
        self._core = core
        self._body = Body(core)
        self._target = b""

    def on_url(self, url: bytes) -> None:
        self._target += url
        self._tell("on_url", url)

    def on_header(self, name: bytes, value: bytes) -> None:
        protect_headers([(name, value)], self._core)
        self._tell("on_header", name, value)

    def on_headers_complete(self) -> None:
        self._body.expect(ENDLESS)
        protect_whole_target(self._target, self._core)
        self._target = b""
        self._tell("on_headers_complete")

    def on_body(self, data: bytes) -> None:
        self._body.seen(data)
        self._tell("on_body", data)

    def on_message_complete(self) -> None:
        self._body.seen(b"", last=True)
        self._tell("on_message_complete")

    def _tell(self, name: str, *args: Any) -> None:
        told = getattr(self._protocol, name, None)
        if told is not None:
            told(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol, name)


def websockets(module: Any, core: Core, patches: Patches) -> None:
    """Frames that servers of the package `websockets`, or built on it, have read."""
    protocol, server = module.Protocol, module.SERVER
    opcode = import_module("websockets.frames").Opcode
    texts = (opcode.TEXT, opcode.BINARY, opcode.CONT)
    original = protocol.recv_frame
    bodies: WeakKeyDictionary[Any, Body] = WeakKeyDictionary()

    def recv_frame(self: Any, frame: Any) -> None:
        if self.side is server and frame.opcode in texts:
            _message_part(bodies, self, core).seen(bytes(frame.data), last=frame.fin)
        original(self, frame)

    patches.replace(protocol, "recv_frame", recv_frame)


def websockets_handshake(module: Any, core: Core, patches: Patches) -> None:
    """The requests that open those connections."""
    original = module.ServerProtocol.accept

    def accept(self: Any, request: Any) -> Any:
        protect_whole_target(request.path, core)
        protect_headers(request.headers.raw_items(), core)
        return original(self, request)

    patches.replace(module.ServerProtocol, "accept", accept)


def websockets_legacy(module: Any, core: Core, patches: Patches) -> None:
    """The same for its first, asynchronous servers."""
    original = module.WebSocketCommonProtocol.read_data_frame
    bodies: WeakKeyDictionary[Any, Body] = WeakKeyDictionary()

    async def read_data_frame(self: Any, *args: Any, **kwargs: Any) -> Any:
        frame = await original(self, *args, **kwargs)
        if frame is not None and not self.is_client:
            _message_part(bodies, self, core).seen(bytes(frame.data), last=frame.fin)
        return frame

    patches.replace(module.WebSocketCommonProtocol, "read_data_frame", read_data_frame)


def wsproto(module: Any, core: Core, patches: Patches) -> None:
    """Messages that servers built on wsproto have read."""
    original = module.Connection.events
    bodies: WeakKeyDictionary[Any, Body] = WeakKeyDictionary()

    def events(self: Any) -> Any:
        for event in original(self):
            data = getattr(event, "data", None)
            if not self.client and isinstance(data, (str, bytes, bytearray)):
                encoded = data.encode("utf-8", "replace") if isinstance(data, str) else bytes(data)
                _message_part(bodies, self, core).seen(encoded, last=event.message_finished)
            yield event

    patches.replace(module.Connection, "events", events)


def twisted(module: Any, core: Core, patches: Patches) -> None:
    """Requests that Twisted has read."""
    original = module.Request.requestReceived

    def request_received(self: Any, command: Any, path: Any, version: Any) -> Any:
        if not type(self).__module__.startswith(_HOOKED):
            protect_whole_target(path, core)
            _protect_twisted(self, core)
        return original(self, command, path, version)

    patches.replace(module.Request, "requestReceived", request_received)


def _protect_twisted(request: Any, core: Core) -> None:
    headers = request.requestHeaders.getAllRawHeaders()
    protect_headers(((name, value) for name, values in headers for value in values), core)
    content, at = request.content, request.content.tell()
    content.seek(0)
    body = Body(core)
    body.expect(ENDLESS)
    body.seen(content.read(), last=True)
    content.seek(at)


def _message_part(bodies: WeakKeyDictionary[Any, Body], connection: Any, core: Core) -> Body:
    """What the messages of a connection come into, frame by frame."""
    body = bodies.get(connection)
    if body is None:
        body = bodies[connection] = Body(core)
        body.expect(ENDLESS)
    return body


def _is_hooked(frame: Any) -> bool:
    """Whether a server whose applications are hooked has called."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in _HOOKED
