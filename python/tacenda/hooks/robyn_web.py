"""Requests to Robyn, whose server is no Python: what its handlers are called with."""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from tacenda._core import Core
from tacenda._patch import Patches
from tacenda._protect import request_scope
from tacenda.hooks.requests import protect_headers, protect_message, protect_target


def hook(module: Any, core: Core, patches: Patches) -> None:
    """Every function that the server is told to call."""
    original, request = module.FunctionInfo, module.Request

    def function_info(handler: Any, *args: Any, **kwargs: Any) -> Any:
        return original(_handling(handler, request, core), *args, **kwargs)

    patches.replace(module, "FunctionInfo", function_info)


def _handling(handler: Any, request: Any, core: Core) -> Any:
    def protect(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        for value in (*args, *kwargs.values()):
            if isinstance(value, request):
                _protect(value, core)

    if iscoroutinefunction(handler):

        @wraps(handler)
        async def handle_async(*args: Any, **kwargs: Any) -> Any:
            with request_scope():
                protect(args, kwargs)
                return await handler(*args, **kwargs)

        return handle_async

    @wraps(handler)
    def handle(*args: Any, **kwargs: Any) -> Any:
        with request_scope():
            protect(args, kwargs)
            return handler(*args, **kwargs)

    return handle


def _protect(request: Any, core: Core) -> None:
    try:
        from urllib.parse import urlencode

        query = urlencode(request.query_params.to_dict(), doseq=True)
        protect_target(request.url.path, query, core)
        headers = request.headers.get_headers()
        protect_headers(((name, value) for name in headers for value in headers[name]), core)
        for part in (request.body, *request.form_data.values(), *request.files.values()):
            protect_message(part, core)
    except Exception:  # it is served all the same
        return
