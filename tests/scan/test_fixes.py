"""What `tacenda scan --fix` leaves runs as before: the same calls, in the same order, once each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TACENDA = Path(sys.executable).parent / "tacenda"
PROGRAM = '''\
"""A program that tells in which order it works."""

from __future__ import annotations

import logging
import sys

calls = []
log = logging.getLogger("app")


def give(name, value):
    calls.append(name)
    return value


class Vault:
    """Fields that tell when they are read."""

    @property
    def api_key(self):
        return give("api_key", "violet-heron-9")


def work(password, prompt, url, error=None):
    vault = Vault()
    log.info("%s %s", give("first", 1), vault.api_key)
    log.debug(f"{give('second', 2)} {password} {vault.api_key}")
    log.info("a " + password)
    log.info("%(a)s %(b)s", {"a": give("third", password), "b": vault.api_key})
    log.warning("{} {}".format(vault.api_key, give("fourth", 4)))
    log.info("%s", (secret_key := give("fifth", "s" + password)))
    log.info("%s", request.url)
    try:
        parse_number(password)
    except ValueError as error:
        log.error("no number: %s", error)
    return secret_key


def parse_number(text):
    return int(text)


class request:
    url = "https://example.org/?token=1"


def handle(level):
    logging.basicConfig(level=level, stream=sys.stderr, format="%(message)s")
    result = work("violet-heron-9", "the violet heron", "https://example.org/?t=1")
    print(calls, result == "sviolet-heron-9")


handle(sys.argv[1])
'''


def run(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, file, *arguments], capture_output=True, text=True, timeout=60
    )


def scan(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TACENDA, "scan", *arguments],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "XDG_CACHE_HOME": str(folder / ".cache")},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("level", ["DEBUG", "CRITICAL"])
def test_a_fixed_program_computes_what_it_did(tmp_path: Path, level: str) -> None:
    file = tmp_path / "app.py"
    file.write_text(PROGRAM)
    before = run(file, level)
    assert before.returncode == 0, before.stderr
    fixed = scan(tmp_path, "--fix", "--unsafe-fixes", "--min-confidence", "low", "app.py")
    assert fixed.returncode in (0, 1), fixed.stderr
    assert file.read_text().count("tacenda.summary(") >= 6
    after = run(file, level)
    assert (after.returncode, after.stdout) == (0, before.stdout), after.stderr
    assert "Traceback" not in after.stderr
    if level == "DEBUG":
        assert before.stderr.count("violet-heron-9") >= 5
        assert "violet-heron-9" not in after.stderr
        assert "no number: ValueError" in after.stderr
    # What is fixed is fixed: another run changes nothing.
    text = file.read_text()
    scan(tmp_path, "--fix", "--unsafe-fixes", "--min-confidence", "low", "app.py")
    assert file.read_text() == text


def test_what_is_shown_holds_no_literal(tmp_path: Path) -> None:
    leak = (
        "import logging\n\n\ndef f(password='violet-heron-9'):\n    logging.info('%s', password)\n"
    )
    file = tmp_path / "app.py"
    file.write_text(leak)
    done = scan(tmp_path, "--diff", "--unsafe-fixes", "app.py")
    assert done.returncode == 1
    assert "+    logging.info('%s', tacenda.summary(password))" in done.stdout
    assert "violet-heron-9" not in done.stdout + done.stderr
    assert file.read_text() == leak
    # Without a package that is new to the program there is nothing to do.
    assert scan(tmp_path, "--diff", "app.py").returncode == 0
    assert scan(tmp_path, "--fix", "-").returncode == 2


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    file = tmp_path / "app.py"
    file.write_text("import logging\n\n\ndef f(password):\n    logging.info('%s', password)\n")
    tmp_path.chmod(0o500)
    try:
        done = scan(tmp_path, "--fix", "--unsafe-fixes", "app.py")
    finally:
        tmp_path.chmod(0o700)
    assert done.returncode == 2
    assert "cannot write the fixed file" in done.stderr
