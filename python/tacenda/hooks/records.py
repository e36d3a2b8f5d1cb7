"""Log records of `logging`.

`Logger.handle` sees each record once, before any handler: there the record itself is scrubbed,
for handlers that read `msg`, `args` and extra attributes. `Handler.format` sees the final text of
whatever formatter is in use: there goes what only a formatter adds, such as tracebacks.
"""

from __future__ import annotations

import copy
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tacenda._core import MARKER, Core
from tacenda._patch import ImportWatch, Patches, hook_imports
from tacenda._protect import clean_names
from tacenda.hooks.exceptions import Shadows
from tacenda.hooks.idle import Idler
from tacenda.hooks.slots import Slots
from tacenda.hooks.values import Scrubber, Text

_CLEAN, _SCRUB, _TOKEN, _END_OF_RUN, _PIECE = range(5)

# A record has these without `extra`; `message` and `asctime` are added by formatters.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

# Of these a program makes up the words.
_NAMES = ("name", "levelname", "threadName", "processName", "taskName", "stack_info")

# What `Filterer.filter` gives: the record, or whether it passes.
_PASSES_RECORDS = sys.version_info >= (3, 12)
# More of them are not remembered: each request may have a thread or a task of its own.
_MOST_NAMES = 2000

# Handlers that write nothing but what a formatter has made of a record.
_FORMATTING = ("StreamHandler", "FileHandler", "_StderrHandler", "NullHandler")
_FORMATTING_TOO = (
    "RotatingFileHandler",
    "TimedRotatingFileHandler",
    "WatchedFileHandler",
    "SysLogHandler",
)

# Records of single tokens that stop coming are summarised after this many seconds.
_RUN_IDLE = 1.0


# Members of containers in arguments and `extra` that are looked at.
_MOST = 5000


class _Formatted(threading.local):
    """Message, arguments and text of the record that a thread handles.

    To turn arguments into text is code of the application, which runs once.
    """

    record: tuple[Any, Any, str] | None = None


class Records:
    """The hooks on `logging`."""

    def __init__(
        self, core: Core, patches: Patches, idler: Idler, slots: Slots | None = None
    ) -> None:
        self._core = core
        self._slots = slots
        self._patches = patches
        self._idler = idler
        self._scrub = Scrubber(core, _MOST)
        self._handle = logging.Logger.handle
        self._readable = Shadows(core).exc_info
        self._formatting = {getattr(logging, name) for name in _FORMATTING}
        # Classes of records that the program has made, whose own text is clean.
        self._classes: set[type] = {logging.LogRecord}
        # Per thread: the first record of a run of single tokens, its logger, the time of the last.
        self._runs: dict[int, tuple[logging.Logger, logging.LogRecord, float]] = {}
        # A signal handler or a destructor may log while its own thread holds it.
        self._runs_lock = threading.RLock()
        self._formatted = _Formatted()

    def start(self, imports: ImportWatch) -> None:
        """Hooks `logging`."""
        core, patches = self._core, self._patches
        check, redact, known_message = core.check, core.redact, core.message
        original_handle = self._handle
        module: Any = logging
        original_make = logging.Logger.makeRecord
        is_plain_make = original_make.__module__ == logging.__name__
        is_plain_handle = original_handle.__module__ == logging.__name__
        original_make_plain = logging.makeLogRecord
        original_get_message = logging.LogRecord.getMessage
        default_formatter: logging.Formatter = logging._defaultFormatter  # type: ignore[attr-defined]
        scrub_record, scrub_extra = self._scrub_record, self._scrub_extra
        slots, mask_slots = self._slots, self._mask_slots
        readable = self._readable
        original_filter = logging.Filterer.filter
        original_call = logging.Logger.callHandlers
        is_plain_call = original_call.__module__ == logging.__name__
        scrub_changes, scrub_rest = self._scrub_changes, self._scrub_rest
        formatting, formatted = self._formatting, self._formatted

        def make_record(  # the signature is that of `logging`
            self: logging.Logger,
            name: str,
            level: int,
            fn: str,
            lno: int,
            msg: object,
            args: Any,
            exc_info: Any,
            func: str | None = None,
            extra: Mapping[str, object] | None = None,
            sinfo: str | None = None,
        ) -> logging.LogRecord:
            if is_plain_make and not extra and not exc_info:
                # All that the original does then, without the cost of another call.
                record: logging.LogRecord = module._logRecordFactory(
                    name, level, fn, lno, msg, args, exc_info, func, sinfo
                )
                return record
            return original_make(
                self,
                name,
                level,
                fn,
                lno,
                msg,
                args,
                exc_info and readable(exc_info),
                func,
                extra and scrub_extra(extra),
                sinfo,
            )

        def make_log_record(attributes: Mapping[str, object]) -> logging.LogRecord:
            return original_make_plain(scrub_extra(attributes))

        def handle(self: logging.Logger, record: logging.LogRecord) -> None:
            verdict = 0
            try:
                if slots is not None and slots[record.pathname] is not None:
                    mask_slots(slots, record)
                verdict = check(record.msg, record.args, record.thread)
                if verdict and not scrub_record(self, record, verdict):
                    return
            except Exception:
                _withhold(record)
            if not is_plain_handle:
                original_handle(self, record)
            elif not self.disabled:
                # As the original does, without the cost of another call. A filter may give
                # another record.
                passed: Any = self.filter(record)
                if passed:
                    self.callHandlers(record if passed is True else _passed(passed, record))
            if verdict:
                formatted.record = None

        def get_message(self: logging.LogRecord) -> str:
            text = known_message(self.msg, self.args)
            if text is not None:
                return text
            known = formatted.record
            if known is not None and known[0] is self.msg and known[1] is self.args:
                return known[2]
            return original_get_message(self)

        def format_record(self: logging.Handler, record: logging.LogRecord) -> str:
            # As the original does, without the cost of another call.
            text = (self.formatter or default_formatter).format(record)
            try:
                if record.exc_text:
                    record.exc_text = redact(record.exc_text)
                return redact(text)
            except Exception:
                record.exc_text = None
                return MARKER

        def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
            # As the original does. What is written of the names only by way of a formatter is
            # scrubbed then.
            is_raw, found = True, False
            logger: logging.Logger | None = self
            while logger:
                for handler in logger.handlers:
                    found = True
                    if record.levelno >= handler.level:
                        if is_raw and handler.__class__ not in formatting:
                            is_raw = False
                            scrub_rest(self, record)
                        handler.handle(record)
                logger = logger.parent if logger.propagate else None
            if not found:
                original_call(self, record)

        def filter_record(self: logging.Filterer, record: logging.LogRecord) -> Any:
            filters = self.filters
            if not filters:
                return record if _PASSES_RECORDS else True
            if all(each.__class__ is logging.Filter for each in filters):
                return original_filter(self, record)
            before = vars(record).copy()
            passed: Any = original_filter(self, record)
            if passed:
                scrub_changes(_passed(passed, record), before)
            return passed

        patches.replace(logging.Logger, "makeRecord", make_record)
        patches.replace(logging, "makeLogRecord", make_log_record)
        patches.replace(logging.Logger, "handle", handle)
        patches.replace(logging.LogRecord, "getMessage", get_message)
        patches.replace(logging.Handler, "format", format_record)
        patches.replace(logging.Filterer, "filter", filter_record)
        if is_plain_call:
            patches.replace(logging.Logger, "callHandlers", call_handlers)
        patches.cover("logging records", "Logger.makeRecord and handle, Handler.format")
        hook_imports(
            patches,
            imports,
            ("logging records on the network", "logging.handlers", self._hook_handlers),
        )
        self._idler.every(_RUN_IDLE, self._end_idle_runs)

    def _hook_handlers(self, module: Any) -> None:
        """Handlers that send a record as it is: no formatter has cleaned its names."""
        clean_names = self._clean_names
        self._formatting |= {getattr(module, name) for name in _FORMATTING_TOO}

        for handler, name in (
            (module.SocketHandler, "makePickle"),
            (module.HTTPHandler, "mapLogRecord"),
        ):
            original = getattr(handler, name)

            def send(self: Any, record: logging.LogRecord, _original: Any = original) -> Any:
                return _original(self, clean_names(record))

            self._patches.replace(handler, name, send)

    def _clean_names(self, record: logging.LogRecord) -> logging.LogRecord:
        """A record like this one whose names, of its logger and thread, hold nothing sensitive."""
        names = self._sensitive_names(record)
        if not names:
            return record
        clean = copy.copy(record)
        vars(clean).update(names)
        return clean

    def _sensitive_names(self, record: logging.LogRecord) -> dict[str, str]:
        """The names of a record that hold something sensitive, without it."""
        line = self._scrub.line
        named = ((name, getattr(record, name, None)) for name in _NAMES)
        return {
            name: clean
            for name, value in named
            if isinstance(value, str) and (clean := line(value)) is not value
        }

    def forget(self) -> None:
        """Drops the runs: in a child by fork they are the parent's, as may be the lock."""
        self._runs_lock = threading.RLock()
        self._runs = {}

    def finish(self) -> None:
        """Writes the summaries that are due."""
        for thread in list(self._runs):
            self.end_run(thread)

    def end_run(self, thread: int) -> None:
        """Writes the summary of the single tokens that a thread has logged so far."""
        with self._runs_lock:
            run = self._runs.pop(thread, None)
        summary = self._core.end_run(thread)
        if run is None:
            return
        logger, record, _ = run
        record.msg, record.args = summary or MARKER, None
        self._handle(logger, record)

    def end_log(self, thread: int) -> None:
        """Writes that summary, for a thread that goes on with something else."""
        self.end_run(thread)
        self._core.end_log(thread)

    def _end_idle_runs(self) -> bool:
        due = time.monotonic() - _RUN_IDLE
        for thread, (_, _, last) in list(self._runs.items()):
            if last <= due:
                self.end_run(thread)
        return bool(self._runs)

    def _mask_slots(self, slots: Slots, record: logging.LogRecord) -> None:
        """Masks what the call that has made a record is known to log."""
        calls = slots.calls(record.pathname, record.lineno, record.funcName or "", record.msg)
        if not calls:
            return
        message, record.args = slots.template(calls, record.msg, record.args)
        if message is not record.msg:
            record.msg = message
        attributes = vars(record)
        extra = {name: value for name, value in attributes.items() if name not in _OWN}
        if extra:
            attributes.update(slots.fields(calls, extra))

    def _scrub_record(
        self, logger: logging.Logger, record: logging.LogRecord, verdict: int
    ) -> bool:
        """Cleans a record. False: it must not be handled."""
        if verdict == _END_OF_RUN:
            self.end_run(record.thread or 0)
            verdict = self._core.check(record.msg, record.args, record.thread)
        if verdict == _TOKEN:
            with self._runs_lock:
                first = self._runs.get(record.thread or 0, (logger, record, 0.0))
                self._runs[record.thread or 0] = (*first[:2], time.monotonic())
            self._idler.wake()
            return False
        if verdict == _PIECE:
            record.msg = Text(self._core.taken() or MARKER)
            record.args = self._scrub.blank(record.args)
            verdict = _SCRUB
        if verdict == _SCRUB:
            self._scrub_text(record)
        return True

    def _scrub_texts(self, record: logging.LogRecord) -> None:
        """Cleans what is written below the message."""
        for name in ("exc_text", "stack_info"):
            text = getattr(record, name)
            if text:
                setattr(record, name, self._core.redact(str(text)))

    def _scrub_rest(self, logger: logging.Logger, record: logging.LogRecord) -> None:
        """Cleans what a handler that does not format may read. Never raises."""
        try:
            places = (record.threadName, record.processName, vars(record).get("taskName"))
            names = (record.name, record.levelname, *places)
            if names not in clean_names:
                self._scrub_names(record, names)
            if record.stack_info or record.exc_text:
                self._scrub_texts(record)
            if type(record) not in self._classes:
                self._hook_class(type(record))
            is_plain = type(record) is logging.LogRecord is logging.getLogRecordFactory()
            if not is_plain or type(logger).makeRecord is not logging.Logger.makeRecord:
                self._scrub_own(record)
        except Exception:
            _withhold(record)

    def _scrub_names(self, record: logging.LogRecord, names: tuple[str | None, ...]) -> None:
        """Cleans the names of a record: of its logger and level, of thread, process and task."""
        sensitive = self._sensitive_names(record)
        if sensitive:
            vars(record).update(sensitive)
            return
        if len(clean_names) >= _MOST_NAMES:
            clean_names.clear()
        clean_names.add(names)

    def _scrub_own(self, record: logging.LogRecord) -> None:
        """Cleans what a factory or a class of the program's own has put on a record."""
        attributes = vars(record)
        own = {name: value for name, value in attributes.items() if name not in _OWN}
        if own:
            attributes.update(self._scrub_extra(own))

    def _hook_class(self, cls: type) -> None:
        """A class of records may make its message, and other texts, as it likes."""
        redact, scrub = self._scrub.line, self._scrub.shielded
        for owner in cls.__mro__:
            if owner in self._classes or not issubclass(owner, logging.LogRecord):
                continue
            self._classes.add(owner)
            for name, attribute in list(vars(owner).items()):
                if name == "getMessage":
                    self._patches.replace(owner, name, _with_clean_message(attribute, redact))
                elif isinstance(attribute, property) and attribute.fget is not None:
                    read = _with_clean_value(attribute.fget, scrub)
                    clean = property(read, attribute.fset, attribute.fdel, attribute.__doc__)
                    self._patches.replace(owner, name, clean)

    def _scrub_changes(self, record: logging.LogRecord, before: dict[str, Any]) -> None:
        """Cleans what a filter has put on a record. Never raises."""
        attributes = vars(record)
        if _are_equal(attributes, before):
            return
        try:
            changed = [n for n, v in attributes.items() if n not in before or before[n] is not v]
            own = {name: attributes[name] for name in changed if name not in _OWN}
            attributes.update(self._scrub_extra(own))
            if "exc_info" in changed:
                record.exc_info = record.exc_info and self._readable(record.exc_info)
            if "msg" in changed or "args" in changed:
                self._scrub_text(record)
            self._scrub_texts(record)
            attributes.update(self._sensitive_names(record))
        except Exception:
            _withhold(record)

    def _scrub_text(self, record: logging.LogRecord) -> None:
        redact = self._core.redact
        args = record.args
        try:
            get_message = type(record).getMessage
            message = getattr(get_message, "__wrapped__", get_message)(record)
        except Exception:
            # The format string does not fit its arguments: logging will say so, with both.
            record.msg = redact(str(record.msg))
            record.args = self._scrub.value(args)
            return
        clean = redact(message)
        if not args:
            if clean is not message:
                # A message that is a structure (structlog) stays one.
                is_mapping = isinstance(record.msg, Mapping)
                record.msg = self._scrub.value(record.msg) if is_mapping else Text(clean)
            return
        if clean is message:
            # Of a mapping the message may not show all.
            if isinstance(args, Mapping) and self._scrub.is_data(args):
                record.args = self._scrub.value(args)
            self._formatted.record = record.msg, record.args, message
            return
        record.args = self._scrub.data(args)
        try:
            again = str(record.msg) % record.args
        except Exception:
            again = None
        # A value may also be spread over several arguments, or lie in the format string: then
        # what comes of the clean arguments is another text than the clean message.
        if again is None or (again != clean and redact(again) is not again):
            record.args = self._scrub.blank(args)
            record.msg = Text(clean)
        elif not self._scrub.is_data(args):
            # What is in there is known only by turning it into text, which has been done.
            record.msg = Text(clean)

    def _scrub_extra(self, attributes: Mapping[str, object]) -> dict[str, object]:
        """A copy of `extra` without sensitive text; attributes of every record stay."""
        try:
            return {
                name: value if name in _OWN else self._scrub.member(name, value)
                for name, value in attributes.items()
            }
        except Exception:
            return {name: value if name in _OWN else MARKER for name, value in attributes.items()}


def _are_equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    try:
        return one == other
    except Exception:  # of a value that cannot be compared
        return False


def _with_clean_message(original: Any, redact: Callable[[str], str]) -> Any:
    def get_message(self: logging.LogRecord) -> Any:
        text = original(self)
        return redact(text) if isinstance(text, str) else text

    get_message.__wrapped__ = original  # type: ignore[attr-defined]
    return get_message


def _with_clean_value(original: Callable[[Any], Any], scrub: Callable[[Any], Any]) -> Any:
    def read(self: logging.LogRecord) -> Any:
        return scrub(original(self))

    return read


def _passed(passed: object, record: logging.LogRecord) -> logging.LogRecord:
    return passed if isinstance(passed, logging.LogRecord) else record


def _withhold(record: logging.LogRecord) -> None:
    """Leaves of a record what cannot hold a value: time, level, logger and place."""
    attributes: dict[str, Any] = vars(record)
    for name in [name for name in attributes if name not in _OWN]:
        attributes[name] = MARKER
    record.msg, record.args = MARKER, None
    record.exc_info = record.exc_text = record.stack_info = None
