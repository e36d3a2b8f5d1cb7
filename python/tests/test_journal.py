"""Journals: written from Python, and from other programs."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from journals import ENVIRONMENT, Journal, appending
from tacenda import JournalHandler
from tacenda.verify import verify


def test_the_handler_seals_log_records(journal: Journal) -> None:
    script = journal.folder / "app.py"
    script.write_text(
        "import logging, os, sys, tacenda\n"
        f"handler = tacenda.JournalHandler({str(journal.path)!r}, class_='internal')\n"
        "logging.basicConfig(level=logging.INFO, handlers=[handler])\n"
        "log = logging.getLogger('shop')\n"
        "log.info('order %s', 1, extra={'journal': {'classes': {'card': 'restricted'}, 'card': '5'}})\n"
        "log.debug('not this')\n"
        "log.error('x' * 3_000_000)\n"
        "odd = {'classes': {'card': 'restricted'}, 'card': float('nan'), 'a': '\\ud800', 'b': 10**400}\n"
        "log.critical('odd', extra={'journal': odd})\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    log.warning('from a child')\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "if sys.argv[1:]:\n"
        "    os.kill(os.getpid(), 9)\n"
        "logging.shutdown()\n"
    )
    done = subprocess.run([sys.executable, script], env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    # The child has a process of its own, which may come first.
    records = sorted(journal.wait_for(4), key=lambda record: str(record["time"]))
    assert [record["level"] for record in records] == ["info", "error", "critical", "warning"]
    assert (records[0]["message"], records[0]["card"]) == ("order 1", "5")
    assert records[1]["message"] == "x" * 3_000_000
    assert (records[2]["card"], records[2]["a"]) == ("nan", "\\ud800")
    few = journal.run("cat", journal.path, "-i", journal.folder / "few", "--level", "critical")
    assert "card" not in json.loads(few)

    killed = subprocess.run([sys.executable, script, "kill"], env=ENVIRONMENT, check=False)
    assert killed.returncode == -signal.SIGKILL
    # The processes that write go on until all is written, that of the child perhaps after the other.
    assert len(journal.wait_for(8)) == 8


def test_a_level_without_a_name_is_that_of_the_next_one_below(journal: Journal) -> None:
    handler = JournalHandler(journal.path)
    log = logging.Logger("shop", level=1)
    log.addHandler(handler)
    for level in (5, 15, 25, 45, 55, logging.ERROR):
        log.log(level, "at %s", level)
    handler.close()
    levels = [record["level"] for record in journal.cat()]
    assert levels == ["trace", "debug", "info", "error", "critical", "error"]


def test_a_record_that_cannot_be_written_down_is_told_of_by_its_place(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = JournalHandler(journal.path)
    log = logging.Logger("shop")
    log.addHandler(handler)
    log.info("order %d", "heron")
    log.info("paid")
    handler.close()
    said = capsys.readouterr().err
    assert "a record of test_journal.py:" in said
    assert "heron" not in said
    assert (handler.lost, [record["message"] for record in journal.cat()]) == (1, ["paid"])


def test_install_seals_the_log_of_the_program(journal: Journal) -> None:
    (journal.folder / "tacenda.toml").write_text("guard.sinks = ['journal:sealed']\n")
    script = journal.folder / "app.py"
    script.write_text(
        "import os, tacenda\n"
        "tacenda.install()\n"
        "print('mail to ines.moreau@example.org', flush=True)\n"
        "os.write(2, b'ERROR from below\\n')\n"
    )

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, script]
        return subprocess.run(
            command, cwd=journal.folder, env=ENVIRONMENT, capture_output=True, text=True
        )

    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # The filter outlives the program by as long as it takes to seal.
    records = journal.wait_for(2)
    messages = {record["stream"]: str(record["message"]) for record in records}
    assert messages["stderr"] == "ERROR from below"
    assert messages["stdout"].startswith("mail to [email #")
    # Renamed, not removed: the filter may still be sealing in it.
    journal.path.rename(journal.folder / "elsewhere")
    refused = run()
    assert refused.returncode == 1
    assert "PolicyError" in refused.stderr
    assert "cannot use the journal" in refused.stderr or "no journal" in refused.stderr
    assert not journal.path.exists()


def test_forked_processes_do_not_write_into_each_others_lines(journal: Journal) -> None:
    script = journal.folder / "forks.py"
    script.write_text(
        "import logging, os, tacenda\n"
        f"handler = tacenda.JournalHandler({str(journal.path)!r}, class_='internal')\n"
        "logging.basicConfig(level=logging.INFO, handlers=[handler])\n"
        "children = []\n"
        "for long in (True, False, False):\n"
        "    children.append(os.fork())\n"
        "    if children[-1] == 0:\n"
        "        for _ in range(20 if long else 400):\n"
        "            logging.info('x' * 1_000_000 if long else 'short')\n"
        "        os._exit(0)\n"
        "for child in children:\n"
        "    os.waitpid(child, 0)\n"
        "logging.shutdown()\n"
    )
    done = subprocess.run([sys.executable, script], env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    lengths = [len(str(record["message"])) for record in journal.cat()]
    assert sorted(lengths) == [5] * 800 + [1_000_000] * 20


def test_a_line_that_is_no_record_is_as_secret_as_can_be(journal: Journal) -> None:
    broken = '{"prompt": "p1", "class": "secret"}'
    long = '{"class": "internal", "message": "' + "y" * (17 << 20) + '"}'
    lines = ["plain", broken, '{"prompt": NaN}', '{"prompt": "\\ud800"}', long, "after"]
    given = "".join(f"{line}\n" for line in lines)
    journal.run("append", journal.path, "--class", "internal", given=given)
    few = journal.run("cat", journal.path, "-i", journal.folder / "few").splitlines()
    seen = [json.loads(line).get("message") for line in few]
    assert (seen[0], seen[-1]) == ("plain", "after")
    assert len(seen) > 6
    assert set(seen[1:-1]) == {None}
    whole = [str(record["message"]) for record in journal.cat()]
    assert whole[1:4] == lines[1:4]
    assert "".join(whole[4:-1]) == long


def test_a_hangup_begins_a_new_segment(journal: Journal) -> None:
    with appending(journal) as begun:
        assert begun.acknowledged("one\n") == 1
        begun.process.send_signal(signal.SIGHUP)
        # It may come after the next lines: what counts is that it does.
        lines, until = 1, time.monotonic() + 120
        while (
            time.monotonic() < until
            and json.loads(journal.run("list", journal.path, "--format", "json")) == []
        ):
            lines += 1
            assert begun.acknowledged(f"line {lines}\n") == lines
        assert json.loads(journal.run("list", journal.path, "--format", "json")) != []
        assert begun.process.stdin is not None
        begun.process.stdin.close()
    assert len(journal.cat()) == lines
    assert verify(journal.path, journal.key).findings == []


def test_logs_are_imported_redacted_and_removed(journal: Journal) -> None:
    log, twin = journal.folder / "app.log", journal.folder / "twin.log"
    log.write_text(
        "2026-03-01 10:00:00 INFO mail to ines.moreau@example.org\n"
        '{"level": "error", "message": "no", "time": "2026-03-01T11:00:00Z"}\n'
    )
    twin.write_text("2026-03-02 10:00:00 twice\n")
    (journal.folder / "other-name.log").hardlink_to(twin)
    done = journal.attempt("import", journal.path, log, twin, "--remove")
    assert (done.returncode, done.stdout) == (2, "sealed: 3 records of 2 logs\n"), done.stderr
    assert "twin.log stays: it has another name" in done.stderr
    assert (log.exists(), twin.exists()) == (False, True)
    records = journal.cat()
    assert [record["time"] for record in records] == [
        "2026-03-01T10:00:00Z",
        "2026-03-01T11:00:00Z",
        "2026-03-02T10:00:00Z",
    ]
    assert "ines" not in str(records)
    assert records[1]["message"] == "no"


def test_a_journal_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="there is no journal here"):
        JournalHandler(tmp_path / "none")


def test_processes_share_a_journal(journal: Journal) -> None:
    script = journal.folder / "worker.py"
    script.write_text(
        "import logging, sys, tacenda\n"
        f"handler = tacenda.JournalHandler({str(journal.path)!r}, class_='internal')\n"
        "logging.basicConfig(level=logging.INFO, handlers=[handler])\n"
        "for number in range(300):\n"
        "    logging.info('%s-%s', sys.argv[1], number)\n"
        "logging.shutdown()\n"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, script, str(worker)],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for worker in range(4)
    ]
    # Meanwhile it is borrowed.
    for name in ("a", "b"):
        journal.run("hold", journal.path, name, "--since", "1h", "--reason", "a test")
    for worker in workers:
        assert worker.communicate(timeout=300) == ("", "")
        assert worker.returncode == 0
    messages = [str(record["message"]) for record in journal.cat()]
    assert sorted(messages) == sorted(f"{worker}-{n}" for worker in range(4) for n in range(300))
    for worker in range(4):
        own = [message for message in messages if message.startswith(f"{worker}-")]
        assert own == [f"{worker}-{n}" for n in range(300)]
    assert verify(journal.path, journal.key).findings == []
    assert not (journal.path / "owner").exists()
