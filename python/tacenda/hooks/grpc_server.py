"""Requests to servers of gRPC: metadata, and each message."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tacenda._core import Core
from tacenda._patch import Patches
from tacenda._protect import register
from tacenda.hooks.requests import protect_headers, protect_message

# Of a longer message, such as one with an array or a picture, what is text in it is protected.
_LONG = 1 << 20

# Fields of fields that are looked at.
_DEEPEST = 32


def threads(module: Any, core: Core, patches: Patches) -> None:
    """Servers of `grpc.server`."""
    base: Any = import_module("grpc").ServerInterceptor

    class Interceptor(base):  # type: ignore[misc]
        def intercept_service(self, continuation: Any, details: Any) -> Any:
            protect_headers(details.invocation_metadata or (), core)
            return _reading(continuation(details), core)

    original = module.create_server

    def create_server(pool: Any, handlers: Any, interceptors: Any, *args: Any, **more: Any) -> Any:
        return original(pool, handlers, (Interceptor(), *interceptors), *args, **more)

    patches.replace(module, "create_server", create_server)


def asyncio(module: Any, core: Core, patches: Patches) -> None:
    """Servers of `grpc.aio.server`."""
    base: Any = import_module("grpc.aio").ServerInterceptor

    class Interceptor(base):  # type: ignore[misc]
        async def intercept_service(self, continuation: Any, details: Any) -> Any:
            protect_headers(details.invocation_metadata or (), core)
            return _reading(await continuation(details), core)

    original = module.Server.__init__

    def init(
        self: Any, pool: Any, handlers: Any, interceptors: Any, *args: Any, **more: Any
    ) -> None:
        original(self, pool, handlers, (Interceptor(), *interceptors), *args, **more)

    patches.replace(module.Server, "__init__", init)


def _reading(handler: Any, core: Core) -> Any:
    """A handler like this one, whose messages are protected when they are read."""
    if handler is None:  # there is no such method
        return None
    original = handler.request_deserializer

    def deserialize(data: bytes) -> Any:
        message = data
        try:
            if original is not None:
                message = original(data)
            return message
        finally:
            _protect(message, data, core)

    try:
        return handler._replace(request_deserializer=deserialize)
    except AttributeError:  # not made by `grpc.*_rpc_method_handler`
        return handler


def _protect(message: Any, data: bytes, core: Core) -> None:
    try:
        fields = _fields(message, 0)
        if fields is None or len(data) > _LONG:
            protect_message(data, core)
        else:
            register(fields, "prompt", tokens=None, automatic=True)
    except Exception:  # it is served all the same
        return


def _fields(message: Any, depth: int) -> Any:
    """The fields of a message of protobuf; None for anything else."""
    listed = getattr(message, "ListFields", None)
    if listed is None or depth > _DEEPEST:
        return None
    return {field.name: _value(value, depth) for field, value in listed()}


def _value(value: Any, depth: int) -> Any:
    if isinstance(value, (str, bytes, int, float)):
        return value
    if hasattr(value, "ListFields"):
        return _fields(value, depth + 1)
    if hasattr(value, "items"):  # a map
        return {str(key): _value(item, depth + 1) for key, item in value.items()}
    return [_value(item, depth + 1) for item in value]
