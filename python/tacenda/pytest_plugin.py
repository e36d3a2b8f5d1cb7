"""The pytest plugin: a test fails when a value reaches a log.

With the marker or the fixture `no_leaks`, what a test writes to standard output, to standard error,
also below Python, and to `logging` is looked at when it has ended. It fails

- when a detector finds something there, or a canary that the test has named, in any spelling;
- when nothing was written at all: then it has shown nothing.

Without the marker and the fixture, the plugin does nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tacenda._core import KINDS, Core

_MARKER = "no_leaks"
_CHECK = pytest.StashKey["NoLeaks"]()

# Lines of a report that show what was found, redacted.
_MOST = 10


class NoLeaks:
    """What a test must not write, and what it has logged."""

    def __init__(self) -> None:
        # Of its own: what the application protects, and whether it is guarded, is its affair.
        self._core = Core(stdout="log")
        self._logged: list[str] = []

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

    def log(self, text: str) -> None:
        """A record as a handler writes it."""
        self._logged.append(text)

    def clean(self, text: str) -> str:
        """The text without what must not be in it."""
        return "".join(self._core.redact(line) for line in text.splitlines(keepends=True))

    def fault(self, streams: dict[str, str]) -> str | None:
        """Why the test fails, if it does. Values are not in it."""
        channels = {**streams, "logging": "\n".join(self._logged)}
        if not any(text.strip() for text in channels.values()):
            return (
                "no_leaks: nothing was written, so that nothing was shown: the test has to reach "
                "code that logs or prints (and pytest has to capture, see -s and --capture)"
            )
        found = []
        for channel, text in channels.items():
            for before, after in zip(
                text.splitlines(), self.clean(text).splitlines(), strict=False
            ):
                if before != after:
                    found.append(f"  {channel}: {after}")
        if not found:
            return None
        more = [f"  and {len(found) - _MOST} more"] if len(found) > _MOST else []
        return "\n".join(["no_leaks: values were written, here redacted:", *found[:_MOST], *more])


class _Recorder(logging.Handler):
    """Takes each record as a file would have it."""

    def __init__(self, check: NoLeaks) -> None:
        super().__init__()
        self._check = check
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the text."""
        try:
            self._check.log(self.format(record))
        except Exception:
            self.handleError(record)


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


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Names the canaries of the marker."""
    for marker in item.iter_markers(_MARKER):
        for canary in marker.args:
            _check_of(item).canary(canary)
        _check_of(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Listens to `logging` while the test runs."""
    check = item.stash.get(_CHECK, None)
    if check is None:
        return (yield)
    recorder = _Recorder(check)
    logging.getLogger().addHandler(recorder)
    try:
        return (yield)
    finally:
        logging.getLogger().removeHandler(recorder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Looks at what was written, and takes values out of what pytest shows of it."""
    report = yield
    check = item.stash.get(_CHECK, None)
    if check is None:
        return report
    streams = {
        title.removeprefix("Captured ").removesuffix(f" {call.when}"): text
        for title, text in report.sections
        if title.endswith(f"{call.when}") and " std" in title
    }
    if call.when == "call" and report.passed:
        fault = check.fault(streams)
        if fault is not None:
            report.outcome = "failed"
            report.longrepr = fault
    report.sections = [(title, check.clean(text)) for title, text in report.sections]
    return report


def _check_of(item: pytest.Item) -> NoLeaks:
    return item.stash.setdefault(_CHECK, NoLeaks())
