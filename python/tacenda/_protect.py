"""Protected values: what no pattern knows, told by who knows it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TypeVar, overload

from tacenda._core import KINDS, Core

F = TypeVar("F", bound=Callable[..., Any])

Texts = str | bytes | bytearray | memoryview | Mapping[str, Any] | list[Any] | tuple[Any, ...]

# Levels of a structure that are looked at where `json` cannot write it.
_DEEPEST = 100

# Names in log records that hold nothing to hide: forgotten with each value that is protected.
clean_names: set[tuple[str | None, ...]] = set()

_core: Core | None = None
_settle: Callable[[], None] | None = None
_on_use: list[Callable[[Core], None]] = []
_scope: ContextVar[Scope | None] = ContextVar("tacenda_scope", default=None)


class Scope:
    """The lifetime of a request: values protected in it are released with it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._ids: list[int] = []
        self.closed = False

    def add(self, ids: list[int]) -> None:
        """Releases these with the scope, or now if it is over."""
        self._ids += ids
        if self.closed:
            self.close()

    def close(self) -> None:
        """Releases what the scope holds. Logs of other threads are still cleaned for a while."""
        self.closed = True
        if self._ids:
            ids, self._ids = self._ids, []
            self._core.release(ids, linger=True)


def use(core: Core | None, settle: Callable[[], None] | None = None) -> None:
    """Sets the core that holds the values, and what writes text that is held back."""
    global _core, _settle
    _core, _settle = core, settle
    clean_names.clear()
    if core is not None:
        for call in _on_use:
            call(core)


def on_use(call: Callable[[Core], None]) -> None:
    """Calls this with each core that is to hold values from then on."""
    _on_use.append(call)


def core_in_use() -> Core | None:
    """The core that holds the values; none without a guard."""
    return _core


def current_scope() -> Scope | None:
    """The scope of the request that is being served here, if any.

    A thread or task that a request has started may outlive it, and belongs to none then.
    """
    scope = _scope.get()
    return None if scope is None or scope.closed else scope


def in_scope(scope: Scope, call: F) -> F:
    """`call`, to be run by another thread as a part of this request."""

    @functools.wraps(call)
    def run(*args: Any, **kwargs: Any) -> Any:
        with entered(scope):
            return call(*args, **kwargs)

    return run  # type: ignore[return-value]


@contextmanager
def request_scope() -> Iterator[None]:
    """Releases at its end what was protected inside, in this thread or task or one it started.

    Request handlers of `http.server` have one by themselves.
    """
    if _core is None:
        yield
        return
    scope = Scope(_core)
    try:
        with entered(scope):
            yield
    finally:
        scope.close()


@contextmanager
def entered(scope: Scope) -> Iterator[None]:
    """What is protected inside is released with the scope, which somebody else closes."""
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


class Protection:
    """A value under protection; see `protect`."""

    def __init__(self, ids: list[int]) -> None:
        self._ids = ids

    @property
    def active(self) -> bool:
        """Whether there is something to look for: a value may be too short, or public."""
        return bool(self._ids)

    def release(self) -> None:
        """Ends the protection."""
        if self._ids and _settle is not None:
            _settle()  # a line that has begun was written under it
        if self._ids:
            ids, self._ids = self._ids, []
            if _core is not None:
                _core.release(ids)

    def __enter__(self) -> Protection:
        if _core is not None:
            for id in self._ids:
                _core.hold(id)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<Protection of {len(self._ids)} values>"


@overload
def protect(value: Texts, kind: str = ..., *, tokens: int | None = ...) -> Protection: ...
@overload
def protect(value: F, kind: str = ...) -> F: ...
@overload
def protect(value: None = ..., kind: str = ...) -> Callable[[F], F]: ...
def protect(value: Any = None, kind: str = "prompt", *, tokens: int | None = None) -> Any:
    """Has a value found, and summarised, wherever this process writes it.

    It is found plain, with the escapes of JSON, `repr`, URLs and HTML, in base64, over several
    lines and writes, and cut down to `protect.min_chars` characters. Without a guard in this
    process (see `install`) the call does nothing.

    As a plain call, until the request scope ends (see `request_scope`), or else until it expires
    (`protect.expire` of the policy)::

        tacenda.protect(prompt)

    As a context manager, until the end of the block::

        with tacenda.protect(record, kind="personal"): ...

    As a decorator, for the texts that go into a function and come out of it::

        @tacenda.protect(kind="completion")
        def answer(question: str) -> str: ...

    Args:
        value: Text, bytes, or any nesting of lists and mappings of them, such as chat messages.
        kind: The kind, such as `prompt`, `completion` or `personal`.
        tokens: How many tokens it has, for its summary.

    Raises:
        TypeError: The value is nothing that holds text.
        ValueError: There is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind; the kinds are {', '.join(KINDS)}")
    if value is None:
        return functools.partial(_decorate, kind=kind)
    if callable(value):
        return _decorate(value, kind=kind)
    # A single text is protected even when it is short: the caller has named it.
    return register(value, kind, tokens=tokens, automatic=False)


def register(value: Any, kind: str, *, tokens: int | None, automatic: bool) -> Protection:
    """Protects a value; with `automatic`, no single text shorter than `protect.min_chars`."""
    text = _text(value)
    core = _core
    if core is None:
        return Protection([])
    scope = current_scope()
    # Outside a request nobody ends a plain call: the value expires.
    held = scope is not None
    if text is None:
        import json  # costs two milliseconds, which most programs need not pay

        try:
            document = json.dumps(value, default=_undecoded, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            # A key that is no text, a circle, a nesting too deep.
            document = json.dumps(_plain(value, ()), ensure_ascii=False)
        ids = core.protect_document(document.encode("utf-8", "replace"), kind, held=held)
    else:
        id = core.protect(text, kind, tokens=tokens, held=held, automatic=automatic)
        ids = [] if id is None else [id]
    clean_names.clear()
    if scope is not None:
        scope.add(list(ids))
    return Protection(ids)


def _text(value: Any) -> str | None:
    """The text that a value is; None for a structure of texts."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, (Mapping, list, tuple)):
        return None
    raise TypeError(
        f"cannot protect a value of type {type(value).__name__}: "
        "give text, bytes, or lists and mappings of them"
    )


def _undecoded(value: Any) -> Any:
    """What `json` cannot write: bytes become text, sets lists; anything else holds none."""
    if isinstance(value, (set, frozenset)):
        return list(value)
    return _text(value) if isinstance(value, (bytes, bytearray, memoryview)) else None


def _plain(value: Any, around: tuple[int, ...]) -> Any:
    """The texts of a structure, as `json` can write them."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _text(value)
    if id(value) in around or len(around) > _DEEPEST:
        return None
    around = (*around, id(value))
    if isinstance(value, Mapping):
        return {str(_plain(key, around)): _plain(item, around) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, around) for item in value]
    return None


class _Outputs:
    """A generator whose items are protected: what a caller sends or throws reaches it."""

    def __init__(self, generator: Any, output: Callable[[Any], Any]) -> None:
        self._generator = generator
        self._output = output

    def __iter__(self) -> _Outputs:
        return self

    def __next__(self) -> Any:
        return self._output(next(self._generator))

    def send(self, value: Any) -> Any:
        return self._output(self._generator.send(value))

    def throw(self, *error: Any) -> Any:
        return self._output(self._generator.throw(*error))

    def close(self) -> None:
        self._generator.close()


def _decorate(function: F, kind: str) -> F:
    import inspect

    def inputs(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Protection:
        try:
            return register([{"arguments": args}, kwargs], kind, tokens=None, automatic=False)
        except Exception:  # an argument whose own code fails: the function is to see it, not we
            return Protection([])

    def output(value: Any) -> Any:
        if isinstance(value, (str, bytes, Mapping, list, tuple)):
            with contextlib.suppress(Exception):
                register(value, kind, tokens=None, automatic=False)
        return value

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_async(*args: Any, **kwargs: Any) -> Any:
            with inputs(args, kwargs):
                return output(await function(*args, **kwargs))

        return run_async  # type: ignore[return-value]

    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def run_generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            with inputs(args, kwargs):
                return (yield from _Outputs(function(*args, **kwargs), output))

        return run_generator  # type: ignore[return-value]

    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def run_async_generator(*args: Any, **kwargs: Any) -> Any:
            with inputs(args, kwargs):
                generator = function(*args, **kwargs)
                try:
                    item = await generator.__anext__()
                    while True:
                        try:
                            sent = yield output(item)
                        except GeneratorExit:
                            raise
                        except BaseException as error:
                            item = await generator.athrow(error)
                        else:
                            item = await generator.asend(sent)
                except StopAsyncIteration:
                    return
                finally:
                    await generator.aclose()

        return run_async_generator  # type: ignore[return-value]

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with inputs(args, kwargs):
            return output(function(*args, **kwargs))

    return run  # type: ignore[return-value]
