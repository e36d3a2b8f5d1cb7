"""The demo finds what leaked, in every spelling, and fails when it has to."""

from __future__ import annotations

import json
import urllib.parse
from pathlib import Path

import pytest
import report
from canaries import CANARIES, find

TIME = "2026-03-01 10:00:00,123 - DEBUG - "


def found(log: str) -> set[str]:
    return {leak.canary for leak in find(log)}


@pytest.mark.parametrize("name", CANARIES)
def test_every_spelling_is_found(name: str) -> None:
    value = CANARIES[name]
    for spelling in (value, json.dumps(value), repr(value), urllib.parse.quote(value, safe="")):
        assert name in found(f"{TIME}before {spelling} after\n"), spelling


@pytest.mark.parametrize("name", CANARIES)
def test_one_piece_a_record_is_found_with_its_lines(name: str) -> None:
    value = CANARIES[name]
    log = "start\n" + "".join(f"{TIME}{value[i : i + 2]}\n" for i in range(0, len(value), 2))
    lines = {number for leak in find(log) if leak.canary == name for number in leak.lines}
    assert lines == set(range(1, log.count("\n")))


def test_colours_and_cuts_do_not_hide_a_value() -> None:
    assert "e-mail" in found("mail \x1b[31mines.moreau@\x1b[0mexample.org")
    assert "plan" in found("the violet heron ships to Bergen on …")


def test_summaries_are_clean() -> None:
    log = "[email …@example.org] [payment-card …4444] [prompt 532 chars, 131 tokens, #a1b2c3]"
    assert found(log) == set()


def results(work: Path, plain: str, guarded: str, answer: str = "same") -> list[report.Exchange]:
    for name, log, body in (("plain", plain, "same"), ("guarded", guarded, answer)):
        exchange = {"channel": "chat", "answer": {"status": 200, "body": body}, "log": log}
        run = {"start": "up\n", "exchanges": [exchange], "end": ""}
        (work / f"INFO-{name}.json").write_text(json.dumps(run))
    return report.load(work, "INFO")


def test_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leak, clean = f"{TIME}{CANARIES['ssn']}\n", f"{TIME}[us-ssn]\n"
    assert report.verdict(results(tmp_path, leak, clean)) == 0
    assert report.verdict(results(tmp_path, leak, leak)) == 1, "leaks with Tacenda"
    assert report.verdict(results(tmp_path, clean, clean)) == 1, "nothing was shown"
    assert report.verdict(results(tmp_path, leak, clean, answer="other")) == 1, "answer differs"
    assert report.verdict(results(tmp_path, leak, "")) == 1, "nothing logged at all"
    capsys.readouterr()


def test_ids_and_times_of_answers_may_differ(tmp_path: Path) -> None:
    bodies = (
        '{"id": "chatcmpl-1", "created": 1, "text": "a"}',
        '{"id": "chatcmpl-2", "text": "a"}',
    )
    for name, body in zip(("plain", "guarded"), bodies, strict=True):
        run = {"start": "", "end": "", "exchanges": [{"channel": "c", "answer": body, "log": ""}]}
        (tmp_path / f"INFO-{name}.json").write_text(json.dumps(run))
    assert not report.load(tmp_path, "INFO")[0].same_answer, "a field is missing"
    (tmp_path / "INFO-guarded.json").write_text(
        (tmp_path / "INFO-plain.json").read_text().replace("chatcmpl-1", "chatcmpl-9")
    )
    assert report.load(tmp_path, "INFO")[0].same_answer


def test_the_screen_keeps_its_width(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    long = f"{TIME}{'x' * 300} {CANARIES['e-mail']}\n"
    report.side_by_side(report.Screen(), results(tmp_path, long * 20, "clean\n"))
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 90
    assert "LEAK " in out
