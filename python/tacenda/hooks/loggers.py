"""Logging libraries that do without `logging`: loguru, structlog, picologging."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from tacenda._core import MARKER, Core
from tacenda._patch import ImportWatch, Patches, hook_imports
from tacenda.hooks.exceptions import Shadows
from tacenda.hooks.slots import Slots
from tacenda.hooks.values import Scrubber


def start(core: Core, patches: Patches, imports: ImportWatch, slots: Slots | None = None) -> None:
    """Hooks each library when it is imported: the last place before a sink has the text."""
    hooks = _Loggers(core, patches, slots)
    hook_imports(
        patches,
        imports,
        ("loguru records", "loguru._handler", hooks.loguru_records),
        ("loguru sinks", "loguru._simple_sinks", hooks.loguru_sinks),
        ("loguru files", "loguru._file_sink", hooks.loguru_sinks),
        ("structlog outputs", "structlog._output", hooks.structlog_outputs),
        ("picologging files", "picologging", hooks.picologging_files),
    )
    if slots is not None:
        events = ("structlog values by their place", "structlog._base", hooks.structlog_events)
        hook_imports(patches, imports, events)


class _Loggers:
    def __init__(self, core: Core, patches: Patches, slots: Slots | None) -> None:
        self._patches = patches
        self._slots = slots
        self._scrub = Scrubber(core)
        self._without_piece = core.without_piece
        self._readable = Shadows(core).exc_info

    def loguru_records(self, module: Any) -> None:
        """What functions that are given to `logger.add` read besides the text."""
        scrub, without_piece = self._scrub, self._without_piece
        readable = self._readable
        mask_slots = self._mask_slots
        original = module.Handler.emit

        def emit(self: Any, record: dict[str, Any], *rest: Any) -> None:
            try:
                clean = dict(record)
                mask_slots(clean)
                clean["message"] = without_piece(record["thread"].id, clean["message"])
                for name in ("message", "extra"):
                    clean[name] = scrub.value(clean[name])
                for name in ("thread", "process"):
                    place = clean[name]
                    clean[name] = type(place)(place.id, scrub.value(place.name))
                if record["exception"] is not None:
                    clean["exception"] = type(record["exception"])(*readable(record["exception"]))
            except Exception:
                clean = {**record, "message": MARKER, "extra": {}, "exception": None}
            original(self, clean, *rest)

        self._patches.replace(module.Handler, "emit", emit)

    def _mask_slots(self, record: dict[str, Any]) -> None:
        """Masks in a record of loguru what the call that has made it is known to log."""
        slots = self._slots
        if slots is None or slots[record["file"].path] is None:
            return
        place = (record["file"].path, record["line"], record["function"])
        calls = slots.calls(*place, record["message"])
        if calls:
            message = slots.message(calls, record["message"], formatted=True, named=True)
            record["message"] = str(message)
            record["extra"] = slots.fields(calls, record["extra"])

    def loguru_sinks(self, module: Any) -> None:
        """The formatted text, with what only the format adds: tracebacks and their variables."""
        for name in ("StreamSink", "StandardSink", "AsyncSink", "CallableSink", "FileSink"):
            sink = getattr(module, name, None)
            if sink is not None:
                self._patches.replace(sink, "write", self._writing(sink.write))

    def _writing(self, original: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
        line = self._scrub.line

        def write(self: Any, message: str) -> None:
            clean = line(message)
            if clean is not message:
                # A string with the record beside it.
                text: Any = type(message)(clean)
                if hasattr(message, "record"):
                    text.record = message.record
                message = text
            original(self, message)

        return write

    def structlog_events(self, module: Any) -> None:
        """Events before a processor sees them: later nothing tells which call has made them."""
        slots = self._slots
        assert slots is not None, "hooked only with a map"
        original = module.BoundLoggerBase._proxy_to_logger

        def proxy(self: Any, method: str, event: Any = None, **values: Any) -> Any:
            place = None
            try:
                place, event, values = _masked(slots, event, values)
            except Exception:
                event, values = MARKER, {}
            # Where the event becomes a record of `logging`, it is that place's again.
            with slots.written(place):
                return original(self, method, event, **values)

        self._patches.replace(module.BoundLoggerBase, "_proxy_to_logger", proxy)

    def structlog_outputs(self, module: Any) -> None:
        """The rendered event, text or bytes."""
        for name in ("PrintLogger", "WriteLogger", "BytesLogger"):
            logger = getattr(module, name)
            original = logger.msg
            replacement = self._rendered(original)
            # `info`, `error` and the others are names for `msg`.
            for method, function in list(vars(logger).items()):
                if function is original:
                    self._patches.replace(logger, method, replacement)

    def _rendered(self, original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        scrub, without_piece = self._scrub, self._without_piece

        def msg(self: Any, message: Any) -> Any:
            try:
                if isinstance(message, str):
                    message = without_piece(threading.get_ident(), message)
                clean = scrub.value(message)
            except Exception:
                clean = MARKER.encode() if isinstance(message, bytes) else MARKER
            return original(self, clean)

        return msg

    def picologging_files(self, module: Any) -> None:
        """Files: each record is one write of native code to a Python file."""
        handler = module.FileHandler
        original = handler._open
        line = self._scrub.line

        def open_file(self: Any) -> Any:
            return _CleanFile(original(self), line)

        self._patches.replace(handler, "_open", open_file)


def _masked(slots: Slots, event: Any, values: Any) -> tuple[Any, Any, Any]:
    """An event of structlog without what the call at its place, which comes first, logs."""
    frame, _ = sys.modules["structlog._frames"]._find_first_app_frame_and_name(["tacenda"])
    name, place = frame.f_code.co_name, (frame.f_code.co_filename, frame.f_lineno)
    if slots[place[0]] is None:
        return None, event, values
    calls = slots.calls(*place, name, event)
    if calls:
        given = values.get("positional_args")
        values = slots.fields(calls, values)
        if given is None:
            # The values for the placeholders are in the text already.
            event = slots.message(calls, event, formatted=True)
        else:
            event, given = slots.template(calls, event, given)
            values = {**values, "positional_args": given}
    return place, event, values


class _CleanFile:
    """A text file for one record a write."""

    def __init__(self, file: Any, line: Callable[[str], str]) -> None:
        self._file = file
        self._line = line

    def write(self, text: str) -> int:
        self._file.write(self._line(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
