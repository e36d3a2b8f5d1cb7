"""Log records of `logging`.

`Logger.handle` sees each record once, before any handler: there the record itself is scrubbed,
for handlers that read `msg`, `args` and extra attributes. `Handler.format` sees the final text of
whatever formatter is in use: there goes what only a formatter adds, such as tracebacks.
"""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from tacenda._core import MARKER, Core
from tacenda._patch import ImportWatch, Patches, hook_imports
from tacenda.hooks.exceptions import Shadows
from tacenda.hooks.idle import Idler
from tacenda.hooks.slots import Slots
from tacenda.hooks.values import Scrubber, Text

_CLEAN, _SCRUB, _TOKEN, _END_OF_RUN, _PIECE = range(5)

# A record has these without `extra`; `message` and `asctime` are added by formatters.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# Of these a program makes up the words.
_NAMES = ("name", "levelname", "threadName", "processName", "taskName", "stack_info")

# Records of single tokens that stop coming are summarised after this many seconds.
_RUN_IDLE = 1.0


# Members of containers in arguments and `extra` that are looked at.
_MOST = 5000


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
        # Per thread: the first record of a run of single tokens, its logger, the time of the last.
        self._runs: dict[int, tuple[logging.Logger, logging.LogRecord, float]] = {}
        # A signal handler or a destructor may log while its own thread holds it.
        self._runs_lock = threading.RLock()

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
        readable = Shadows(core).exc_info

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

        def get_message(self: logging.LogRecord) -> str:
            text = known_message(self.msg, self.args)
            return original_get_message(self) if text is None else text

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

        patches.replace(logging.Logger, "makeRecord", make_record)
        patches.replace(logging, "makeLogRecord", make_log_record)
        patches.replace(logging.Logger, "handle", handle)
        patches.replace(logging.LogRecord, "getMessage", get_message)
        patches.replace(logging.Handler, "format", format_record)
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
        names = {
            name: value
            for name in _NAMES
            if isinstance(value := getattr(record, name, None), str)
            and self._scrub.line(value) is not value
        }
        if not names:
            return record
        clean = copy.copy(record)
        vars(clean).update({name: self._scrub.line(value) for name, value in names.items()})
        return clean

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
        for name in ("exc_text", "stack_info"):
            text = getattr(record, name)
            if text:
                setattr(record, name, self._core.redact(str(text)))
        return True

    def _scrub_text(self, record: logging.LogRecord) -> None:
        redact = self._core.redact
        args = record.args
        try:
            message = record.getMessage()
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
            # The arguments have been turned into text, once: nobody has to do it again.
            record.msg = Text(clean)
            return
        if not self._scrub.is_plain(args):
            # What is in there is known only by turning it into text, which has been done.
            record.args = self._scrub.blank(args)
            record.msg = Text(clean)
            return
        record.args = self._scrub.value(args)
        try:
            again = str(record.msg) % record.args
        except Exception:
            again = None
        # A value may also be spread over several arguments, or lie in the format string: then
        # what comes of the clean arguments is another text than the clean message.
        if again is None or (again != clean and redact(again) is not again):
            record.args = self._scrub.blank(args)
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


def _passed(passed: object, record: logging.LogRecord) -> logging.LogRecord:
    return passed if isinstance(passed, logging.LogRecord) else record


def _withhold(record: logging.LogRecord) -> None:
    """Leaves of a record what cannot hold a value: time, level, logger and place."""
    attributes: dict[str, Any] = vars(record)
    for name in [name for name in attributes if name not in _OWN]:
        attributes[name] = MARKER
    record.msg, record.args = MARKER, None
    record.exc_info = record.exc_text = record.stack_info = None
