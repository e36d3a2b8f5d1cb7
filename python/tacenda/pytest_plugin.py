"""The pytest plugin: a test fails when a value reaches a log.

With the marker or the fixture `no_leaks`, what a test writes to standard output, to standard error,
also below Python, to `logging` and as warnings is looked at when it has ended. It fails

- when a detector finds something there, or a canary that the test has named, in any spelling, also
  when it was written while the test was set up; what is written while it is torn down is an error;
- when the test itself wrote nothing at all: then it has shown nothing.

What pytest reports of such a test, its own words about a failure and the ids of its parameters as
well, is redacted; with `tacenda_redact_reports = true` in pytest's configuration that of all tests.
Without any of these, the plugin does nothing.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator
from typing import Any, TextIO

import pytest

from tacenda._core import KINDS, MARKER, Core, StreamFilter
from tacenda._protect import core_in_use

_MARKER = "no_leaks"
_OPTION = "tacenda_redact_reports"
_CHECK = pytest.StashKey["NoLeaks"]()
# What redacts the reports of all tests, if that is asked for.
_REPORTS = pytest.StashKey["NoLeaks"]()

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

    def shown(self, value: Any) -> Any:
        """What pytest shows of a test, clean: text, or what its texts stand in."""
        try:
            if isinstance(value, str):
                text = self.clean(value)
                # What the application protects is not known to us.
                core = core_in_use()
                return text if core is None else core.redact(text)
            if isinstance(value, list) and value and all(type(item) is str for item in value):
                # The lines of a text.
                before = "\n".join(value)
                after = self.shown(before)
                return value if after == before else after.split("\n")
            if isinstance(value, (list, tuple)):
                return type(value)(self.shown(item) for item in value)
            if type(value).__module__.startswith("_pytest."):
                for name, item in vars(value).items():
                    setattr(value, name, self.shown(item))
        except Exception:  # an odd report of another plugin
            return MARKER
        return value

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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Names the option of the configuration."""
    parser.addini(_OPTION, "redact what is reported of all tests", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Names the marker."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(*canaries): fails when one of these texts, or what a detector finds, is "
        "written or logged, and when nothing is",
    )
    if config.getini(_OPTION):
        config.stash[_REPORTS] = NoLeaks()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Takes values out of the ids of parameters, which pytest makes of them."""
    for item in items:
        callspec: Any = getattr(item, "callspec", None)
        cleaner = None if callspec is None else _cleaner_of(item)
        if cleaner is None or cleaner.shown(callspec.id) == callspec.id:
            continue
        id = "-".join(f"{name}{index}" for name, index in callspec.indices.items())
        _rename(item, f"[{callspec.id}]", f"[{id}]")


@pytest.fixture
def no_leaks(request: pytest.FixtureRequest) -> NoLeaks:
    """Fails the test when it writes a value, or nothing. `no_leaks.canary(text)` names one."""
    return _check_of(request.node)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Names the canaries of the marker, and listens from here on."""
    if _is_checked(item):
        check = _check_of(item)
        for marker in item.iter_markers(_MARKER):
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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Looks at what was written, and takes values out of what pytest shows of the test."""
    report = yield
    cleaner = _cleaner_of(item)
    if cleaner is None:
        return report
    check = item.stash.get(_CHECK, None)
    if check is not None and call.when != "setup" and report.passed:
        streams = {}
        for title, text in report.sections:
            # "Captured stdout call"
            _, name, phase = title.rsplit(" ", 2)
            if name in ("stdout", "stderr"):
                streams[phase, name] = text
        fault = check.fault(streams)
        if fault is not None:
            report.outcome = "failed"
            report.longrepr = fault
    for name in ("longrepr", "sections", "user_properties", "wasxfail"):
        if hasattr(report, name):
            setattr(report, name, cleaner.shown(getattr(report, name)))
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """The same for files that cannot be collected."""
    report = yield
    cleaner = collector.config.stash.get(_REPORTS, None)
    if cleaner is not None:
        report.longrepr = cleaner.shown(report.longrepr)
        report.sections = cleaner.shown(report.sections)
    return report


def _rename(item: Any, old: str, new: str) -> None:
    name = item.nodeid.replace(old, new)
    if hasattr(item, "_id"):  # since pytest 9.2
        item._id = type(item._id).parse(name)
    else:
        item._nodeid = name
    item.name = item.name.replace(old, new)
    vars(item).pop("location", None)


def _is_checked(item: pytest.Item) -> bool:
    has_marker = item.get_closest_marker(_MARKER) is not None
    return has_marker or _MARKER in getattr(item, "fixturenames", ())


def _check_of(item: pytest.Item) -> NoLeaks:
    check = item.stash.get(_CHECK, None)
    if check is None:
        check = item.stash[_CHECK] = NoLeaks()
    return check


def _cleaner_of(item: pytest.Item) -> NoLeaks | None:
    """What redacts the reports of a test; nothing if nobody has asked for that."""
    if not _is_checked(item):
        return item.config.stash.get(_REPORTS, None)
    return _check_of(item)
