"""Log levels: floors of the policy, and levels that `tacenda debug` raises for a time.

`logging` remembers per logger and level whether a record is made. Floors act where it finds that
out, so a level that is off costs what it costs without the guard. While a level is raised, each
question is asked anew, which is how its end is noticed: no thread and no timer waits for it.
"""

from __future__ import annotations

import logging
import signal
import time
from typing import Any

from tacenda._command import program_name
from tacenda._core import Core
from tacenda._patch import Patches

_CHANNEL = "log levels"

# What is raised, and that it is back, is itself a record, of this logger.
_LOGGER = "tacenda"

# Of an access record: client, method, path with query string, HTTP version, status.
_ACCESS_LOGGER = "uvicorn.access"
_PATH = 2


class Levels:
    """The hooks on levels."""

    def __init__(self, core: Core, patches: Patches) -> None:
        self._core = core
        self._patches = patches
        self._is_enabled_for = logging.Logger.isEnabledFor
        self._until: float | None = None
        self._notices: list[str] = []
        self._listens = False

    def start(self) -> None:
        """Hooks `logging`, and listens for `tacenda debug`."""
        level = self._core.level
        original = logging.Logger.getEffectiveLevel

        def effective_level(self: logging.Logger) -> int:
            floor, raised = level(self.name)
            if raised:
                return min(raised, original(self))
            return max(floor, original(self))

        self._patches.on_undo(_ask_anew)
        self._patches.replace(logging.Logger, "getEffectiveLevel", effective_level)
        if self._core.cuts_query_strings():
            access = logging.getLogger(_ACCESS_LOGGER)
            access.addFilter(_without_query_string)
            self._patches.on_undo(lambda: access.removeFilter(_without_query_string))
        _ask_anew()
        self._listen()

    def forget(self) -> None:
        """In a child by fork: it is a process of its own."""
        if self._listens:
            self._register()

    def finish(self) -> None:
        """The process ends."""
        if self._listens:
            self._core.stop_listening()

    def _listen(self) -> None:
        try:
            old = signal.getsignal(signal.SIGURG)
            if old not in (signal.SIG_DFL, signal.SIG_IGN):
                self._patches.miss(_CHANNEL, "floors hold, but the program has SIGURG for itself")
                return
            signal.signal(signal.SIGURG, lambda *_: self._look())
        except ValueError:
            self._patches.miss(_CHANNEL, "floors hold; to be raised, install in the main thread")
            return
        self._listens = True
        self._patches.on_undo(lambda: _restore(old))
        self._patches.on_undo(self._stop)
        self._patches.cover(_CHANNEL, "floors; tacenda debug raises them for a time")
        self._register()

    def _register(self) -> None:
        try:
            if self._core.listen_for_raises(program_name()):
                self._look()
        except OSError as error:
            why = f"floors hold, but no place for requests: {error.strerror or error}"
            self._patches.miss(_CHANNEL, why)

    def _stop(self) -> None:
        self._core.stop_listening()
        self._until, self._notices, self._listens = None, [], False
        self._watch()

    def _look(self) -> None:
        """Takes up what is asked for. Called by the signal: what is to be logged waits."""
        try:
            notices, seconds = self._core.look_for_raises()
        except OSError:  # the place is gone, and with it all that was asked for
            notices, seconds = [], None
        self._notices += notices
        self._until = None if seconds is None else time.monotonic() + seconds
        self._watch()

    def _watch(self) -> None:
        """Has each question asked here while something is raised or is to be said."""
        if self._until is None and not self._notices:
            logging.Logger.isEnabledFor = self._is_enabled_for  # type: ignore[method-assign]
        else:
            logging.Logger.isEnabledFor = self._asked()  # type: ignore[method-assign]
        _ask_anew()

    def _asked(self) -> Any:
        levels, is_enabled_for = self, self._is_enabled_for

        def asked(self: logging.Logger, level: int) -> bool:
            if levels._until is not None and time.monotonic() >= levels._until:
                levels._look()
            if levels._notices:
                levels._say()
            return is_enabled_for(self, level)

        return asked

    def _say(self) -> None:
        notices, self._notices = self._notices, []
        self._watch()
        for notice in notices:
            logging.getLogger(_LOGGER).warning("%s", notice)


def _without_query_string(record: logging.LogRecord) -> bool:
    args = record.args
    if isinstance(args, tuple) and len(args) > _PATH:
        path, question, _ = str(args[_PATH]).partition("?")
        if question:
            record.args = (*args[:_PATH], f"{path}?…", *args[_PATH + 1 :])
    return True


def _ask_anew() -> None:
    logging.root.manager._clear_cache()  # type: ignore[attr-defined]


def _restore(handler: Any) -> None:
    try:
        signal.signal(signal.SIGURG, handler)
    except ValueError:  # uninstalled in another thread: what is left does nothing
        return
