"""`Secret`, `user`, `summary` and `reveal`."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from pathlib import Path

import pytest
import tacenda
from cases import EMAIL, PROMPT, Case


def test_a_secret_prints_in_no_form() -> None:
    text = "correct horse battery staple"
    secret = tacenda.Secret(text)
    written = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r:>60}",
        f"{secret:10}",
        "secret " + str(secret),
        repr([secret, {"key": secret}]),
        repr(copy.deepcopy(secret)),
        str(vars(type(secret)).get("__dict__")),
    ]
    assert not any(text in line for line in written)
    assert str(secret).startswith("[credential 28 chars, #")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        hash(secret)
    assert secret == tacenda.Secret(tacenda.Secret(text))
    assert secret != tacenda.Secret(text + "!")
    assert secret != text
    assert (secret.expose(), len(secret), secret.kind) == (text, 28, "credential")


def test_what_is_made_from_a_secret_is_found_as_long_as_it_exists() -> None:
    with tacenda.install():
        secret = tacenda.Secret("correct horse battery staple")
        header = f"Authorization {secret.expose().upper()}"
        assert "HORSE" not in tacenda.redact(header)
        before = tacenda.status().protected_values
        del secret
        # Logs of other threads are cleaned for a while; then it goes.
        assert tacenda.status().protected_values == before


@pytest.mark.parametrize("wrong", [3, b"bytes", None])
def test_a_secret_is_a_text(wrong: object) -> None:
    with pytest.raises(TypeError, match="takes text"):
        tacenda.Secret(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="kind"):
        tacenda.Secret("x", kind="secret")


def test_a_user_has_one_name_everywhere(case: Case) -> None:
    name = tacenda.user("ines@example.org")
    assert name.startswith("[user #")
    assert name == tacenda.user("ines@example.org") != tacenda.user("INES@example.org")
    with tacenda.install():
        assert tacenda.redact(f"by {name}") == f"by {name}", "the name is no value itself"
    code = """
import subprocess, sys
say = "import tacenda; print(tacenda.user(42))"
print(tacenda.user(42))
sys.stdout.flush()
subprocess.run([sys.executable, "-c", say])
"""
    ours, theirs = case.run("import tacenda\n" + code, guard=True).stdout.split("\n")[:2]
    assert ours == theirs, "a child has the same keys"


def test_a_summary_tells_the_size_and_not_the_value() -> None:
    class Array:
        shape = (2, 3)
        dtype = "float32"

        def __str__(self) -> str:
            raise AssertionError("a lazy array is not evaluated")

        __repr__ = __str__

    summary = tacenda.summary
    text = str(summary(PROMPT))
    assert text.startswith("[text 69 chars, #")
    assert text == repr(summary(PROMPT)) == f"{summary(PROMPT)}"
    assert text != str(summary(PROMPT + "."))
    assert str(summary(Array())) == "Array((2, 3), float32)"
    assert str(summary(b"12345")) == "[bytes 5 bytes]"
    assert str(summary([PROMPT] * 3)) == "[list 3 items]"
    assert str(summary({"role": "user", "n": 3})) == "{role: [text 4 chars], n: int}"
    assert str(summary(dict.fromkeys(range(25)))).endswith("5 more}")
    assert [str(summary(value)) for value in (3, 2.5, True, None)] == ["3", "2.5", "True", "None"]
    assert str(summary(object())) == "[object]"
    assert pickle.loads(pickle.dumps(summary(PROMPT))) == text


def test_a_summary_that_nobody_writes_is_not_made() -> None:
    class Text(str):
        made = 0

        def __len__(self) -> int:
            type(self).made += 1
            return super().__len__()

    logging.getLogger("tests.summary").debug("%s", tacenda.summary([Text("x")]))
    assert Text.made == 0


def test_what_is_revealed_goes_on_record_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    record = tmp_path / "tacenda" / "reveals.jsonl"
    secret = tacenda.Secret(PROMPT, kind="personal")
    with tacenda.reveal(reason="case 4711") as show:
        assert not record.exists()
        assert show(secret) == PROMPT
        entry = json.loads(record.read_text())
        assert show(secret) == PROMPT
    assert len(record.read_text().splitlines()) == 2
    assert record.stat().st_mode & 0o777 == 0o600
    assert entry["event"] == "revealed"
    assert entry["reason"] == "case 4711"
    assert entry["what"].startswith("[personal 69 chars, #")
    assert entry["place"].partition(":")[0] == __file__
    assert PROMPT not in record.read_text()
    with pytest.raises(ValueError, match="over"):
        show(secret)


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_nothing_is_revealed_without_a_reason(reason: str) -> None:
    with (
        pytest.raises(ValueError, match="without a reason"),
        tacenda.reveal(reason=reason),
    ):
        pass


def test_what_cannot_be_put_on_record_is_not_revealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "tacenda").mkdir(mode=0o755)
    (tmp_path / "tacenda").chmod(0o755)
    with tacenda.reveal(reason="case 4711") as show, pytest.raises(OSError, match="alone"):
        show(tacenda.Secret(PROMPT))


def test_who_reads_the_record_finds_no_value_in_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with tacenda.reveal(reason=f"asked by {EMAIL}") as show:
        show(tacenda.Secret(PROMPT))
    record = (tmp_path / "tacenda" / "reveals.jsonl").read_text()
    assert "asked by [email" in record
    assert EMAIL not in record


def test_what_cannot_be_written_says_what_where_and_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    said = "nothing is revealed.*/proc/nowhere/tacenda/reveals.jsonl.*XDG_STATE_HOME"
    with tacenda.reveal(reason="case 4711") as show, pytest.raises(OSError, match=said):
        show(tacenda.Secret(PROMPT))
