"""The pytest plugin: a test fails when a value reaches a log.

With the marker or the fixture `no_leaks`, what a test writes to standard output, to standard error,
also below Python, to `logging` and as warnings is looked at when it has ended. It fails

- when a detector finds something there, or a canary that the test has named, in any spelling, also
  when it was written while the test was set up; what is written while it is torn down is an error;
- when the test itself wrote nothing at all: then it has shown nothing.

Without the marker and the fixture, the plugin does nothing.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator
from typing import Any, TextIO

import pytest

from tacenda._core import KINDS, Core, StreamFilter

_MARKER = "no_leaks"
_CHECK = pytest.StashKey["NoLeaks"]()

# Lines of a report that show what was found, redacted.
_MOST = 10


class NoLeaks:
    """What a test must not write, and what it has logged."""

    def __init__(self) -> None:
        # Of its own: what the application protects, and whether it is guarded, is its affair.
        self._core = Core(stdout="log")
        # By phase and channel, what pytest's report does not hold.
        self._seen: dict[tuple[str, str], list[str]] = {}
        # What runs now: setup, call or teardown.
        self.phase = "setup"
        self.watch = _Watch(self)

    def canary(self, text: str, kind: str = "prompt") -> str:
        """Names a text that must not be written in any spelling. Gives it back.

        Args:
            text: The text; one that is shorter than four letters or digits cannot be found.
            kind: Its kind, by which the report names it.

        Raises:
            ValueError: It is too short, or there is no such kind.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown kind; the kinds are {', '.join(KINDS)}")
        if self._core.protect(text, kind, held=True, automatic=False) is None:
            raise ValueError("a canary needs at least four letters or digits")
        return text

    def see(self, channel: str, text: str) -> None:
        """What was written on a channel."""
        self._seen.setdefault((self.phase, channel), []).append(text)

    def clean(self, text: str) -> str:
        """The text without what must not be in it, which may go over several lines."""
        stream = StreamFilter(self._core, id(text), interactive=False)
        parts = [stream.push(text), stream.finish()]
        return "".join(
            part.decode("utf-8", "surrogatepass") if isinstance(part, bytes) else part
            for part in parts
            if part is not None
        )

    def fault(self, streams: dict[tuple[str, str], str]) -> str | None:
        """Why the test fails now, if it does. Values are not in it.

        Args:
            streams: What was written so far, by phase and name of the stream.
        """
        channels = dict(streams)
        for key, texts in self._seen.items():
            channels[key] = "\n".join([*texts, channels[key]] if key in channels else texts)
        if self.phase == "call":
            if not any(text.strip() for (phase, _), text in channels.items() if phase == "call"):
                return (
                    "no_leaks: nothing was written, so that nothing was shown: the test has to "
                    "reach code that logs or prints (and pytest has to capture, see -s and "
                    "--capture)"
                )
        else:
            channels = {key: text for key, text in channels.items() if key[0] == self.phase}
        found = []
        for (phase, name), text in channels.items():
            channel = name if phase == "call" else f"{name} of {phase}"
            found += [f"  {channel}: {line}" for line in self._changed(text)]
        if not found:
            return None
        more = [f"  and {len(found) - _MOST} more"] if len(found) > _MOST else []
        return "\n".join(["no_leaks: values were written, here redacted:", *found[:_MOST], *more])

    def _changed(self, text: str) -> list[str]:
        """The lines that redaction changes, redacted."""
        cleaned = self.clean(text)
        if cleaned == text:
            return []
        before = set(text.splitlines())
        return [line for line in cleaned.splitlines() if line not in before] or ["lines are gone"]


class _Recorder(logging.Handler):
    """Takes each record as a file would have it."""

    def __init__(self, check: NoLeaks) -> None:
        super().__init__()
        self._check = check
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the text."""
        try:
            self._check.see("logging", self.format(record))
        except Exception:
            self.handleError(record)


class _Watch:
    """Sees what a test writes and pytest's report does not hold."""

    def __init__(self, check: NoLeaks) -> None:
        self._check = check
        self._recorder = _Recorder(check)
        self._patches = pytest.MonkeyPatch()

    def start(self) -> None:
        """Sees records of all loggers, and what the test itself reads of its output."""
        recorder, see = self._recorder, self._check.see
        call_handlers = logging.Logger.callHandlers
        read = pytest.CaptureFixture.readouterr

        def call_and_record(logger: logging.Logger, record: logging.LogRecord) -> None:
            # Not by a handler of the root: not every logger hands its records up there.
            recorder.handle(record)
            call_handlers(logger, record)

        def read_and_see(capture: Any) -> Any:
            out, err = result = read(capture)
            for channel, text in (("stdout", out), ("stderr", err)):
                see(channel, text.decode(errors="replace") if isinstance(text, bytes) else text)
            return result

        self._patches.setattr(logging.Logger, "callHandlers", call_and_record)
        self._patches.setattr(pytest.CaptureFixture, "readouterr", read_and_see)

    def warnings(self) -> None:
        """Sees warnings, until the test has ended: pytest shows them at the end of all tests."""
        see, show = self._check.see, warnings.showwarning

        def see_and_show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            see("warnings", warnings.formatwarning(message, category, filename, lineno, line))
            show(message, category, filename, lineno, file, line)

        self._patches.setattr(warnings, "showwarning", see_and_show)

    def stop(self) -> None:
        """Puts all back."""
        self._patches.undo()


def pytest_configure(config: pytest.Config) -> None:
    """Names the marker."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(*canaries): fails when one of these texts, or what a detector finds, is "
        "written or logged, and when nothing is",
    )


@pytest.fixture
def no_leaks(request: pytest.FixtureRequest) -> NoLeaks:
    """Fails the test when it writes a value, or nothing. `no_leaks.canary(text)` names one."""
    return _check_of(request.node)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Names the canaries of the marker, and listens from here on."""
    markers = list(item.iter_markers(_MARKER))
    if markers or _MARKER in getattr(item, "fixturenames", ()):
        check = _check_of(item)
        for marker in markers:
            for canary in marker.args:
                check.canary(canary)
        check.watch.start()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """The test itself runs."""
    check = item.stash.get(_CHECK, None)
    if check is None:
        return (yield)
    check.phase = "call"
    check.watch.warnings()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Listens until all is torn down."""
    check = item.stash.get(_CHECK, None)
    if check is None:
        return (yield)
    check.phase = "teardown"
    try:
        return (yield)
    finally:
        check.watch.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Looks at what was written, and takes values out of what pytest shows of it."""
    report = yield
    check = item.stash.get(_CHECK, None)
    if check is None:
        return report
    streams = {}
    for title, text in report.sections:
        # "Captured stdout call"
        _, name, phase = title.rsplit(" ", 2)
        if name in ("stdout", "stderr"):
            streams[phase, name] = text
    if call.when != "setup" and report.passed:
        fault = check.fault(streams)
        if fault is not None:
            report.outcome = "failed"
            report.longrepr = fault
    report.sections = [(title, check.clean(text)) for title, text in report.sections]
    return report


def _check_of(item: pytest.Item) -> NoLeaks:
    return item.stash.setdefault(_CHECK, NoLeaks())
