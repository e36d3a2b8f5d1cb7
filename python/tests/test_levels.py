"""Floors of log levels, and levels that are raised for a time."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import tacenda

TACENDA = Path(sys.executable).with_name("tacenda")

# Says each line that it is told to, and what a logger has for each.
PROGRAM = """
import logging, sys, tacenda
tacenda.install()
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
print("ready", file=sys.__stdout__, flush=True)
for line in sys.stdin:
    logging.getLogger("app.db").debug("detail of %s", line.strip())
    logging.getLogger("other").debug("other")
    print("done", flush=True)
"""


@pytest.fixture(autouse=True)
def own_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in list(os.environ):
        if name.startswith("TACENDA_"):
            monkeypatch.delenv(name)


class Program:
    """A guarded process that logs on demand."""

    def __init__(self, directory: Path) -> None:
        self._log = directory / "log"
        script = directory / "app.py"
        script.write_text(PROGRAM)
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=directory,
            )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, word: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text()

    def end(self) -> list[str]:
        """Ends it; gives the log."""
        self._process.communicate(timeout=300)
        return self._log.read_text().splitlines()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TACENDA, "debug", *arguments], capture_output=True, text=True, timeout=300, check=False
    )


def test_a_level_is_raised_for_a_time_and_falls_back_by_itself(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.say("one")
    # A busy machine may let the time pass before the program has said anything: then twice as long.
    for attempt in range(4):
        seconds = 2 << attempt
        done = command("--for", f"{seconds}s", "--logger", "app", "--reason", "slow answers")
        # The command has ended; nobody is left who could lower the level again.
        assert done.returncode == 0, done.stderr
        assert "app goes down to debug until" in done.stdout
        program.say(f"two {attempt}")
        if f"DEBUG app.db detail of two {attempt}" in program.log():
            break
    # Of every attempt: the end of one that came too late is in the log already.
    wait_until(lambda: says("is back", program) >= says("raised to debug", program))
    program.say("three")
    log = program.end()
    made = [line for line in log if line.startswith("DEBUG")]
    assert made
    assert all(line.startswith("DEBUG app.db detail of ") for line in made)
    assert "DEBUG app.db detail of one" not in made
    assert "DEBUG app.db detail of three" not in made
    notices = [line for line in log if line.startswith("WARNING tacenda")]
    assert "raised to debug for" in notices[0]
    assert "slow answers" in notices[0]
    assert "is back" in notices[-1]


def test_it_is_put_on_record_in_a_private_file(tmp_path: Path) -> None:
    program = Program(tmp_path)
    assert command("--for", "1m", "--logger", "app", "--reason", "slow answers").returncode == 0
    record = tmp_path / "state" / "tacenda" / "levels.jsonl"
    assert record.stat().st_mode & 0o777 == 0o600
    entry = json.loads(record.read_text())
    assert entry["event"] == "raised"
    assert entry["logger"] == "app"
    assert entry["reason"] == "slow answers"
    assert entry["until"] - entry["since"] == 60
    assert f"({os.getuid()})" in entry["who"] or f"uid {os.getuid()}" in entry["who"]
    listed = [
        json.loads(line)
        for line in command("--list", "--format", "jsonl").stdout.split("\n")
        if line
    ]
    assert [item["taken"] for item in listed] == [[program.pid]]
    assert "slow answers" in command("--list").stdout
    program.end()


def test_the_policy_of_the_process_bounds_the_time(tmp_path: Path) -> None:
    (tmp_path / "tacenda.toml").write_text("levels.debug_at_most = '1s'")
    program = Program(tmp_path)
    # The command has a policy of its own.
    assert command("--for", "10m", "--logger", "app", "--reason", "look").returncode == 0
    wait_until(lambda: says("is back", program) > 0)
    for word in ("one", "two"):
        program.say(word)
    # News of something else makes it look again.
    assert command("--for", "10m", "--logger", "other", "--reason", "look").returncode == 0
    log = program.end()
    assert not any("app.db detail of one" in line or "detail of two" in line for line in log)
    assert sum("level of app is raised to debug for 1 s" in line for line in log) == 1


def test_it_can_be_stopped(tmp_path: Path) -> None:
    program = Program(tmp_path)
    assert command("--for", "1m", "--logger", "*", "--reason", "look").returncode == 0
    program.say("one")
    assert "stopped" in command("--stop").stdout
    assert command("--list").stdout == ""
    wait_until(lambda: says("is back", program) > 0)
    lines = [line for line in program.end() if "detail of one" in line or "other" in line]
    assert lines == ["DEBUG app.db detail of one", "DEBUG other other"]
    events = (tmp_path / "state" / "tacenda" / "levels.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in events] == ["raised", "stopped"]


def test_when_nothing_is_raised_stopping_says_so() -> None:
    done = command("--stop")
    assert (done.returncode, done.stdout) == (0, "nothing is raised\n")


def test_a_reason_is_put_on_record_without_values(tmp_path: Path) -> None:
    program = Program(tmp_path)
    reason = "asked by jane.roe.canary@example.com"
    assert command("--for", "1m", "--logger", "app", "--reason", reason).returncode == 0
    record = (tmp_path / "state" / "tacenda" / "levels.jsonl").read_text()
    assert "asked by [email" in record
    listed = command("--list").stdout
    assert "jane.roe" not in record + listed + "".join(program.end())


def says(words: str, program: Program) -> int:
    """How often the log of a program that goes on has these words."""
    program.say("still here")
    return program.log().count(words)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it never did")


def test_a_process_that_starts_later_is_meant_too(tmp_path: Path) -> None:
    first = Program(tmp_path)
    assert command("--for", "1m", "--logger", "app", "--reason", "look").returncode == 0
    (tmp_path / "second").mkdir()
    second = Program(tmp_path / "second")
    second.say("one")
    assert "DEBUG app.db detail of one" in second.end()
    first.end()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--for", "1m", "--logger", "app"], "without a reason"),
        (["--for", "1m", "--logger", "app", "--reason", "  "], "without a reason"),
        (["--for", "2h", "--logger", "app", "--reason", "x"], "allows 1h at most"),
        (["--for", "1m", "--reason", "x"], "of which logger"),
        (["--for", "soon", "--logger", "app", "--reason", "x"], "a time such as 15m"),
        (["--for", "1m", "--logger", "app", "--reason", "x", "1"], "not a guarded one"),
        (["--stop", "nothing"], "nothing that has this id"),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    program = Program(tmp_path)
    done = command(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "state" / "tacenda" / "levels.jsonl").exists()
    program.say("one")
    assert not any(line.startswith("DEBUG") for line in program.end())


def test_a_process_that_has_ended_is_nobody(tmp_path: Path) -> None:
    Program(tmp_path).end()
    done = command("--for", "1m", "--logger", "app", "--reason", "x")
    assert done.returncode == 2
    assert "no guarded Python process" in done.stderr
    assert list((tmp_path / "run" / "tacenda").iterdir()) == []


@pytest.mark.parametrize(
    ("policy", "logger", "level", "is_enabled"),
    [
        ("", "app", logging.DEBUG, True),
        ("", "httpx", logging.INFO, False),
        ("", "httpx._client", logging.WARNING, True),
        ("", "httpcore.http11", logging.DEBUG, False),
        ("", "urllib3.connectionpool", logging.DEBUG, False),
        ("levels.floor = 'info'", "app", logging.DEBUG, False),
        ("levels.floor = 'info'", "app", logging.INFO, True),
        ("levels.loggers = { 'app.db' = 'error' }", "app.db.sql", logging.WARNING, False),
        ("levels.loggers = { 'app.db' = 'error' }", "app", logging.DEBUG, True),
        ("levels.loggers = {}", "httpx", logging.INFO, True),
        ("environments.production.levels.floor = 'warning'", "app", logging.INFO, False),
        ("environments.development.levels.floor = 'warning'", "app", logging.INFO, True),
    ],
)
def test_floors(tmp_path: Path, policy: str, logger: str, level: int, is_enabled: bool) -> None:
    file = tmp_path / "tacenda.toml"
    file.write_text(policy)
    log = logging.getLogger(logger)
    old, logging.root.level = logging.root.level, logging.DEBUG
    logging.root.manager._clear_cache()  # type: ignore[attr-defined]
    try:
        assert log.isEnabledFor(level), "without the guard it is"
        with tacenda.install(config=file):
            assert log.isEnabledFor(level) is is_enabled
            assert (log.getEffectiveLevel() <= level) is is_enabled
        assert log.isEnabledFor(level), "and after it"
    finally:
        logging.root.setLevel(old)


def test_a_level_that_is_off_is_decided_once(tmp_path: Path) -> None:
    asked = []
    file = tmp_path / "tacenda.toml"
    file.write_text("levels.floor = 'info'")
    with tacenda.install(config=file) as guard:
        original = logging.Logger.getEffectiveLevel
        guard.patches.replace(
            logging.Logger, "getEffectiveLevel", lambda self: asked.append(1) or original(self)
        )
        log = logging.getLogger("tests.decided.once")
        for _ in range(100):
            log.debug("never made")
        assert len(asked) == 1
        is_enabled_for = logging.Logger.isEnabledFor
        assert is_enabled_for.__module__ == "logging"


def test_query_strings_of_the_access_log_are_cut() -> None:
    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    access = logging.getLogger("uvicorn.access")
    access.addHandler(handler)
    level, access.level = access.level, logging.INFO
    line = '%s - "%s %s HTTP/%s" %d'
    try:
        for path in ("/search?q=what+I+have", "/search"):
            access.info(line, "127.0.0.1:5", "GET", path, "1.1", 200)
        with tacenda.install():
            for path in ("/search?q=what+I+have", "/search"):
                access.info(line, "127.0.0.1:5", "GET", path, "1.1", 200)
    finally:
        access.removeHandler(handler)
        access.setLevel(level)
    assert '"GET /search?q=what+I+have HTTP/1.1" 200' in records[0]
    assert '"GET /search?… HTTP/1.1" 200' in records[2]
    assert '"GET /search HTTP/1.1" 200' in records[3]


def test_what_the_application_does_with_the_signal_is_its_own(tmp_path: Path) -> None:
    code = """
import os, signal
signal.signal(signal.SIGURG, lambda *_: print("mine", flush=True))
import tacenda
tacenda.install()
os.kill(os.getpid(), signal.SIGURG)
print([item.detail for item in tacenda.status().coverage if item.channel == "log levels"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.splitlines() == [
        "mine",
        "['floors hold, but the program has SIGURG for itself']",
    ]
