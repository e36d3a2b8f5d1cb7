"""Exceptions, for handlers that read them themselves and code that formats tracebacks."""

from __future__ import annotations

import builtins
import contextlib
import traceback
from typing import Any

from tacenda._core import MARKER, Core
from tacenda._patch import Patches
from tacenda.hooks.values import Scrubber

# Further causes are left out of what stands in for the exception.
_MOST_ERRORS = 200

# Members of containers in arguments and attributes that are looked at.
_MOST_MEMBERS = 2000

# What exceptions of the interpreter have besides their arguments, and formatters read.
_NATIVE = (
    "__notes__",
    "errno",
    "strerror",
    "filename",
    "filename2",
    "code",
    "name",
    "path",
    "msg",
    "lineno",
    "offset",
    "end_lineno",
    "end_offset",
    "text",
    "print_file_and_line",
    "encoding",
    "object",
    "start",
    "end",
    "reason",
)


def start(core: Core, patches: Patches) -> None:
    """Hooks what `traceback` formats, whoever prints it."""
    line = Scrubber(core).line

    for name in ("format", "format_exception_only"):
        original = getattr(traceback.TracebackException, name)

        def format(self: Any, *args: Any, _original: Any = original, **kwargs: Any) -> Any:
            return map(line, _original(self, *args, **kwargs))

        patches.replace(traceback.TracebackException, name, format)

    # What is formatted without them: the text of the exception, a stack and its variables.
    original_text = traceback.TracebackException.__str__
    original_stack = traceback.StackSummary.format

    def text(self: Any) -> str:
        return line(original_text(self))

    def format_stack(self: Any, **kwargs: Any) -> list[str]:
        return [line(entry) for entry in original_stack(self, **kwargs)]

    patches.replace(traceback.TracebackException, "__str__", text)
    patches.replace(traceback.StackSummary, "format", format_stack)
    patches.cover("tracebacks", "traceback.TracebackException")


class Shadows:
    """Stands in for exceptions whose text is sensitive."""

    def __init__(self, core: Core) -> None:
        self._redact = core.redact
        self._scrub = Scrubber(core, _MOST_MEMBERS)

    def exc_info(self, info: Any) -> Any:
        """What a log record carries, with an exception that can be read."""
        if not isinstance(info, tuple) or not isinstance(info[1], BaseException):
            return info
        try:
            errors = _related(info[1])
            if not any(map(self._is_sensitive, errors)):
                return info
            shadows: dict[int, BaseException] = {}
            for error in errors:
                self._shadow(error, shadows)
            for error in errors:
                shadow = shadows[id(error)]
                shadow.__cause__ = shadows.get(id(error.__cause__))
                shadow.__context__ = shadows.get(id(error.__context__))
                shadow.__suppress_context__ = error.__suppress_context__
            shadow = shadows[id(info[1])]
        except Exception:
            shadow = Exception(MARKER)
        return type(shadow), shadow, info[2]

    def _is_sensitive(self, error: BaseException) -> bool:
        text = _text(error)
        if self._redact(text) != text:
            return True
        attributes = (getattr(error, name, None) for name in _attributes(error))
        own = (value for value in (*error.args, *attributes) if _is_data(value))
        return any(self._scrub.value(value) is not value for value in own)

    def _clean(self, value: Any) -> Any:
        """Data without sensitive text; of other objects, which may show anything, the type."""
        if value is None or _is_data(value):
            return self._scrub.value(value)
        return value if isinstance(value, (int, float)) else f"[{type(value).__name__}]"

    def _shadow(self, error: BaseException, shadows: dict[int, BaseException]) -> BaseException:
        if id(error) in shadows:
            return shadows[id(error)]
        members = [self._shadow(member, shadows) for member in _members(error)]
        text = self._redact(_text(error))
        message = self._redact(str(getattr(error, "message", ""))) if members else ""
        shadow = _like(error, text, message, members)
        if not members:
            shadow.args = tuple(map(self._clean, error.args))
        for name in (*_attributes(error), *_NATIVE):
            # It may have none, or let nobody set it.
            with contextlib.suppress(Exception):
                setattr(shadow, name, self._clean(getattr(error, name)))
        shadows[id(error)] = shadow.with_traceback(error.__traceback__)
        return shadow


class _Quiet:
    """Keeps the class of a shadow from registering itself with the application."""

    __slots__ = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Does nothing."""


def _like(
    error: BaseException, text: str, message: str, members: list[BaseException]
) -> BaseException:
    """An exception of a class that is named, caught and printed like the one of `error`."""
    original = type(error)
    own = {
        "__module__": original.__module__,
        "__qualname__": original.__qualname__,
        "__str__": lambda _: text,
        "__repr__": lambda _: f"{original.__name__}({text!r})",
        # Nobody who unpickles it has its class.
        "__reduce__": lambda _: (Exception, (text,)),
    }
    try:
        cls: Any = type(original.__name__, (_Quiet, original), own)
        made: BaseException = cls.__new__(cls, message, members) if members else cls.__new__(cls)
    except Exception:  # nobody may inherit from the class, or it makes its objects in its own way
        cls = type(original.__name__, (Exception,), own)
        made = cls(text)
    return made


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def _attributes(error: BaseException) -> list[str]:
    """The names of what the application has put on an exception, in slots as well."""
    names = list(vars(error))
    for cls in type(error).__mro__:
        slots = vars(cls).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            is_private = name.startswith("__") and not name.endswith("__")
            names.append(f"_{cls.__name__.lstrip('_')}{name}" if is_private else name)
    return names


def _is_data(value: Any) -> bool:
    return type(value) in (str, bytes, list, tuple, dict)


def _members(error: BaseException) -> tuple[BaseException, ...]:
    group = getattr(builtins, "BaseExceptionGroup", ())
    return tuple(error.exceptions) if isinstance(error, group) else ()


def _related(error: BaseException) -> list[BaseException]:
    """An exception, its causes, contexts and members, each once: they may form circles."""
    found = [error]
    met = {id(error)}
    for each in found:
        for other in (each.__cause__, each.__context__, *_members(each)):
            if other is not None and id(other) not in met and len(found) < _MOST_ERRORS:
                met.add(id(other))
                found.append(other)
    return found
