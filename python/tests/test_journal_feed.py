"""Journals: what `JournalHandler` does when the process that seals ends, or does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from journals import ENVIRONMENT, Journal

# Its first argument is the journal.
BEGINNING = """
import logging, os, resource, signal, subprocess, sys, time
import tacenda
from tacenda import _feed

handler = tacenda.JournalHandler(sys.argv[1], class_="internal")
log = logging.getLogger("shop")
log.setLevel(logging.INFO)
log.propagate = False
log.addHandler(handler)

def until(holds):
    ends = time.monotonic() + 60
    while not (held := holds()):
        assert time.monotonic() < ends, "it does not come to hold"
        time.sleep(0.01)
    return held

def process():
    # Between the end of one and the beginning of the next there is none.
    return until(lambda: handler._feed._process)._process
"""


def run(journal: Journal, script: str) -> subprocess.CompletedProcess[str]:
    path = journal.folder / "app.py"
    path.write_text(BEGINNING + script)
    return subprocess.run(
        [sys.executable, path, journal.path],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
    )


def messages(journal: Journal) -> list[str]:
    return [str(record["message"]) for record in journal.cat()]


def test_a_process_that_is_killed_is_started_again(journal: Journal) -> None:
    done = run(
        journal,
        "for number in range(100):\n"
        "    if number in (30, 60):\n"
        "        process().kill()\n"
        "    log.info('bob %s', number)\n"
        "until(lambda: not handler._feed._waiting)\n"
        "process().kill()\n"
        "log.info('bob %s', 100)\n"
        "logging.shutdown()\n"
        "print(handler.lost)\n",
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    # What was written and not acknowledged may be there twice.
    assert list(dict.fromkeys(messages(journal))) == [f"bob {number}" for number in range(101)]
    assert "takes no records for now: its process was ended by SIGKILL" in done.stderr
    assert "bob" not in done.stderr
    assert "lost" not in done.stderr


def test_on_a_full_disk_records_are_kept_until_there_is_room(journal: Journal) -> None:
    done = run(
        journal,
        "least, most = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.prlimit(process().pid, resource.RLIMIT_FSIZE, (20_000, most))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, most))\n"
        "for number in range(1000):\n"
        "    log.info('bob %s %s', number, os.urandom(100).hex())\n"
        "until(lambda: handler._feed._failing)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))\n"
        "log.info('bob 1000')\n"
        "until(lambda: not handler._feed._waiting)\n"
        "logging.shutdown()\n"
        "print(handler.lost)\n",
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    numbers = [int(message.split()[1]) for message in messages(journal)]
    assert list(dict.fromkeys(numbers)) == list(range(1001))
    said = "tacenda: the journal takes no records for now: cannot use the journal: file too large"
    assert done.stderr.splitlines() == [said]


def test_what_is_lost_is_counted(journal: Journal) -> None:
    done = run(
        journal,
        "_feed.WAIT, _feed.QUEUE = 0.3, 100_000\n"
        "log.info('first')\n"
        "until(lambda: not handler._feed._waiting)\n"
        "least, most = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))\n"
        "killed = process()\n"
        "killed.kill()\n"
        "killed.wait()\n"
        "for number in range(1000):\n"
        "    log.info('bob %s %s', number, 'x' * 300)\n"
        "before = handler.lost\n"
        "logging.shutdown()\n"
        "log.info('after the end')\n"
        "print(before, handler.lost)\n",
    )
    assert done.returncode == 0, done.stderr
    before, lost = map(int, done.stdout.split())
    # Some were still kept when it ended; all of them are lost, and the one after it.
    assert 0 < before < 1000
    assert lost == 1001
    assert messages(journal) == ["first"]
    assert "bob" not in done.stderr
    assert "the journal has lost 1000 records" in done.stderr


def test_a_process_that_is_stopped_holds_the_program_up_for_a_bounded_time(
    journal: Journal,
) -> None:
    done = run(
        journal,
        "_feed.WAIT, _feed.QUEUE = 0.3, 200_000\n"
        "process().send_signal(signal.SIGSTOP)\n"
        "began = time.monotonic()\n"
        "for number in range(1000):\n"
        "    log.info('%s %s', number, 'x' * 500)\n"
        "assert time.monotonic() - began < 20\n"
        "process().send_signal(signal.SIGCONT)\n"
        "logging.shutdown()\n"
        "print(handler.lost)\n",
    )
    assert done.returncode == 0, done.stderr
    lost = int(done.stdout)
    assert lost > 0
    kept = [int(message.split()[0]) for message in messages(journal)]
    assert kept == list(range(1000 - lost))


def test_who_is_killed_leaves_what_was_handed_over(journal: Journal) -> None:
    done = run(
        journal,
        "for number in range(5000):\n"
        "    log.info('%s %s', number, 'x' * 200)\n"
        "print(process().pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n",
    )
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    while Path(f"/proc/{pid}/fd/0").exists():
        os.sched_yield()
    assert len(messages(journal)) == 5000


def test_a_child_of_the_program_has_a_process_of_its_own(journal: Journal) -> None:
    done = run(
        journal,
        "log.info('before')\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    assert handler._feed._process is None\n"
        "    log.info('of the child')\n"
        "    assert handler._feed._process is not None\n"
        "    logging.shutdown()\n"
        "    os._exit(handler.lost)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "process().kill()\n"
        "log.info('after')\n"
        "logging.shutdown()\n"
        "print(handler.lost)\n",
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    assert sorted(set(messages(journal))) == ["after", "before", "of the child"]


def test_standard_error_that_is_a_log_of_the_journal_holds_nobody_up(journal: Journal) -> None:
    done = run(
        journal,
        "class Log:\n"
        "    def write(self, text):\n"
        "        log.info(text.strip())\n"
        "    def flush(self):\n"
        "        pass\n"
        "sys.stderr = Log()\n"
        "for number in range(200):\n"
        "    if number in (50, 100):\n"
        "        killed = process()\n"
        "        killed.kill()\n"
        "        until(lambda: process() is not killed)\n"
        "    log.info('%s', number)\n"
        "logging.shutdown()\n"
        "print(handler.lost)\n",
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
    found = messages(journal)
    assert [message for message in dict.fromkeys(found) if message.isdigit()] == [
        str(number) for number in range(200)
    ]
    assert any("SIGKILL" in message for message in found)
