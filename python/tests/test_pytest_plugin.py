"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cases import EMAIL, PROMPT

HEAD = f"""
import logging, os, subprocess, sys
import pytest
EMAIL, PROMPT = {EMAIL!r}, {PROMPT!r}
"""


def run(directory: Path, test: str, *options: str) -> tuple[int, str]:
    """Runs a file of tests; gives the status and what pytest shows."""
    (directory / "test_it.py").write_text(HEAD + test)
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import importlib.metadata as m; print([e.name for e in m.entry_points(group='pytest11')])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )  # an environment into which the wheel was installed has the entry point
    plugin = [] if "tacenda" in loaded.stdout else ["-p", "tacenda.pytest_plugin"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *plugin,
            *options,
            "test_it.py",
        ],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=directory,
        env={k: v for k, v in os.environ.items() if not k.startswith(("TACENDA_", "PYTEST_"))},
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("leak", "channel"),
    [
        ("print(EMAIL)", "stdout"),
        ("sys.stderr.write(EMAIL)", "stderr"),
        ("os.write(2, EMAIL.encode())", "stderr"),
        ("subprocess.run(['echo', EMAIL])", "stdout"),
        ("logging.warning('for %s', EMAIL)", "logging"),
        ("logging.getLogger('a.b').error(EMAIL)", "logging"),
        ("try: raise ValueError(EMAIL)\n    except ValueError: logging.exception('x')", "logging"),
        ("print(no_leaks.canary(PROMPT))", "stdout"),
        (
            "import json; no_leaks.canary(PROMPT); print(json.dumps({'said': PROMPT.upper()}))",
            "stdout",
        ),
    ],
)
def test_a_value_that_is_written_fails_the_test(tmp_path: Path, leak: str, channel: str) -> None:
    status, shown = run(tmp_path, f"def test_it(no_leaks):\n    {leak}\n")
    assert status == 1, shown
    assert "no_leaks: values were written" in shown
    assert f"  {channel}: " in shown
    assert EMAIL not in shown
    assert PROMPT.lower() not in shown.lower().replace(f"email, prompt = {EMAIL!r}", "")


@pytest.mark.parametrize(
    ("leak", "channel"),
    [
        ("log = logging.getLogger('a'); log.propagate = False; log.error(EMAIL)", "logging"),
        ("print(EMAIL); assert EMAIL in capsys.readouterr().out", "stdout"),
        ("os.system('echo ' + EMAIL + ' >&2'); assert capfd.readouterr().err", "stderr"),
        ("os.write(1, EMAIL.encode()); assert capfdbinary.readouterr().out", "stdout"),
        ("import warnings; warnings.warn(EMAIL)", "warnings"),
    ],
)
def test_what_pytest_does_not_show_of_a_test_is_looked_at_as_well(
    tmp_path: Path, leak: str, channel: str
) -> None:
    capture = next(
        (name for name in ("capsys", "capfdbinary", "capfd") if name in leak), "tmp_path"
    )
    test = (
        f"def test_it(no_leaks, {capture}):\n    print('before')\n    {leak}\n    print('after')\n"
    )
    status, shown = run(tmp_path, test, "-p", "no:warnings")
    again, shown_again = run(tmp_path, test)
    for code, text in ((status, shown), (again, shown_again)):
        assert code == 1, text
        if channel != "warnings" or text is shown_again:
            assert f"  {channel}: " in text


def test_all_is_as_before_when_the_test_has_ended(tmp_path: Path) -> None:
    test = """
import warnings
BEFORE = logging.Logger.callHandlers, pytest.CaptureFixture.readouterr, warnings.showwarning
def test_it(no_leaks):
    print('all is well')
def test_after():
    now = logging.Logger.callHandlers, pytest.CaptureFixture.readouterr
    assert now == BEFORE[:2]
"""
    status, shown = run(tmp_path, test)
    assert status == 0, shown


@pytest.mark.parametrize("values", ["", "(PROMPT)"])
def test_the_marker_does_what_the_fixture_does(tmp_path: Path, values: str) -> None:
    value = "PROMPT" if values else "EMAIL"
    test = f"@pytest.mark.no_leaks{values}\ndef test_it():\n    print({value})\n"
    status, shown = run(tmp_path, test)
    assert status == 1
    assert "values were written" in shown
    status, shown = run(tmp_path, test.replace(f"print({value})", "print('all is well')"))
    assert status == 0, shown


def test_nothing_written_shows_nothing_and_fails(tmp_path: Path) -> None:
    status, shown = run(tmp_path, "def test_it(no_leaks):\n    pass\n")
    assert status == 1
    assert "nothing was written" in shown
    status, shown = run(tmp_path, "def test_it(no_leaks):\n    print('x')\n", "-s")
    assert status == 1
    assert "nothing was written" in shown


def test_under_the_guard_the_same_test_passes(tmp_path: Path) -> None:
    test = """
import tacenda
def test_it(no_leaks):
    with tacenda.install(stdout="log"):
        tacenda.protect(no_leaks.canary(PROMPT))
        print(PROMPT, EMAIL)
        logging.error("%s %s", PROMPT, EMAIL)
"""
    status, shown = run(tmp_path, test)
    assert status == 0, shown


def test_a_test_that_fails_by_itself_shows_no_value_of_its_output(tmp_path: Path) -> None:
    test = "def test_it(no_leaks):\n    print('for', EMAIL)\n    raise AssertionError('its own')\n"
    status, shown = run(tmp_path, test)
    assert status == 1
    assert "its own" in shown
    assert "for [email" in shown
    assert EMAIL not in shown


def test_other_tests_are_left_alone(tmp_path: Path) -> None:
    status, _ = run(tmp_path, "def test_it():\n    print(EMAIL)\n", "--strict-markers")
    assert status == 0


@pytest.mark.parametrize("canary", ["'abc'", "''"])
def test_a_canary_that_cannot_be_found_is_an_error(tmp_path: Path, canary: str) -> None:
    status, shown = run(tmp_path, f"def test_it(no_leaks):\n    no_leaks.canary({canary})\n")
    assert status == 1
    assert "at least four letters" in shown


KEY = "\n".join(
    [
        "-----BEGIN PRIVATE KEY-----",
        *["MC4CAQAwBQYDK2VwBCIEIHzq" * 2] * 3,
        "-----END PRIVATE KEY-----",
    ]
)


@pytest.mark.parametrize(
    ("leak", "channel"), [("print(KEY)", "stdout"), ("logging.error(KEY)", "logging")]
)
def test_a_value_of_several_lines_is_found_and_not_shown(
    tmp_path: Path, leak: str, channel: str
) -> None:
    test = f"KEY = {KEY!r}\ndef test_it(no_leaks):\n    print('before')\n    {leak}\n    print('after')\n"
    status, shown = run(tmp_path, test)
    assert status == 1
    assert f"  {channel}: " in shown
    assert "MC4CAQAw" not in shown
    assert "before" in shown
    assert "after" in shown


@pytest.mark.parametrize(
    ("fixture", "said"),
    [
        ("print(EMAIL); yield", "stdout of setup: [email"),
        ("logging.error(EMAIL); yield", "logging of setup: ERROR root [email"),
        ("yield; print(EMAIL)", "stdout of teardown: [email"),
        ("yield; logging.error(EMAIL)", "logging of teardown: ERROR root [email"),
    ],
)
@pytest.mark.parametrize("how", ["fixture", "marker"])
def test_setup_and_teardown_are_looked_at_as_well(
    tmp_path: Path, fixture: str, said: str, how: str
) -> None:
    marker, argument = ("", ", no_leaks") if how == "fixture" else ("@pytest.mark.no_leaks\n", "")
    test = f"""
@pytest.fixture
def server():
    {fixture}
{marker}def test_it(server{argument}):
    print('all is well')
"""
    status, shown = run(tmp_path, test)
    assert status == 1, shown
    assert said in shown
    assert EMAIL not in shown


def test_what_a_fixture_writes_is_not_what_the_test_shows(tmp_path: Path) -> None:
    test = """
@pytest.fixture
def server():
    print('ready')
    logging.error('ready')
    yield
def test_it(server, no_leaks):
    pass
"""
    status, shown = run(tmp_path, test)
    assert status == 1
    assert "nothing was written" in shown


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31mred\x1b[0m",
        "10%\r20%\r",
        "a\r\nb\x0cc\u2028d",
        "\udcff",
        "x" * 300_000,
        "\n\n",
        "{'a':",
    ],
)
def test_harmless_text_is_not_taken_for_a_value(tmp_path: Path, text: str) -> None:
    from tacenda.pytest_plugin import NoLeaks

    assert NoLeaks().clean(text) == text


REPORTED = """
def fail(text):
    local = text
    raise ValueError("for " + text)
@MARK
def test_assertion(FIXTURE):
    print("written")
    assert {"said": EMAIL} == {"said": 1}
@MARK
def test_exception(FIXTURE):
    print("written")
    fail(EMAIL)
@MARK
@pytest.mark.parametrize("address", [EMAIL, "x"])
@pytest.mark.parametrize("other", ["y"])
def test_parameter(other, address, tmp_path, FIXTURE):
    print("written")
    assert address == str(tmp_path)
@MARK
@pytest.mark.skip(reason=EMAIL)
def test_skipped(FIXTURE): pass
@MARK
@pytest.mark.xfail(reason=EMAIL)
def test_expected(FIXTURE):
    print("written")
    raise AssertionError(EMAIL)
@MARK
def test_property(record_property, FIXTURE):
    print("written")
    record_property("said", EMAIL)
"""


@pytest.mark.parametrize("how", ["fixture", "marker", "option"])
def test_what_pytest_reports_is_redacted(tmp_path: Path, how: str) -> None:
    mark = "@pytest.mark.no_leaks" if how == "marker" else ""
    fixture = "no_leaks" if how == "fixture" else "capsys"
    test = REPORTED.replace("@MARK", mark).replace("FIXTURE", fixture)
    options = ["-v", "-l", "-rA", "--junitxml", "report.xml"]
    if how == "option":
        _, bare = run(tmp_path, test, *options)
        assert bare.count(EMAIL) > 10
        options += ["-o", "tacenda_redact_reports=true"]
    _, shown = run(tmp_path, test, *options)
    reported = (tmp_path / "report.xml").read_text()
    for text in (shown, reported):
        assert EMAIL not in text
        assert "jane" not in text
        for words in ("for [email", "test_exception", "y-x", "test_property"):
            assert words in text
    assert "4 failed, 1 passed, 1 skipped, 1 xfailed" in shown
    assert 'name="said" value="[email' in reported
    # The option says nothing of what it has not to hide.
    assert "other0-address0" in shown


def test_what_the_application_protects_is_not_reported(tmp_path: Path) -> None:
    test = """
import tacenda
@pytest.fixture
def guard():
    with tacenda.install(stdout="output"):
        yield
def test_it(guard):
    tacenda.protect(PROMPT)
    said = [PROMPT]
    raise KeyError(1)
"""
    _, shown = run(tmp_path, test, "-l", "-o", "tacenda_redact_reports=true")
    assert "said       = ['[prompt" in shown
    assert "heron" not in shown, shown


def test_a_file_that_cannot_be_collected_is_reported_redacted(tmp_path: Path) -> None:
    test = "raise ValueError(EMAIL)\n"
    _, shown = run(tmp_path, test, "-o", "tacenda_redact_reports=true")
    assert "ValueError: [email" in shown
    assert EMAIL not in shown.replace(f"EMAIL, PROMPT = {EMAIL!r}", "")


def test_a_value_of_several_lines_is_reported_redacted(tmp_path: Path) -> None:
    test = f"KEY = {KEY!r}\n@pytest.mark.no_leaks\ndef test_it():\n    print('x')\n    raise ValueError(KEY)\n"
    _, shown = run(tmp_path, test)
    assert "ValueError: [" in shown
    assert "MC4CAQAw" not in shown
