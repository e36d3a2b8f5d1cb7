"""Journals: sealed to a hardware token by post-quantum cryptography, and read with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import token_program
from journals import ENVIRONMENT, Journal
from tacenda import kms


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> token_program.Token:
    """A token whose program is where PATH leads, and whose identity file is `token`."""
    seed = tmp_path / "seed"
    seed.write_bytes(b"a token of tests, no other's key")
    program = tmp_path / "bin/age-plugin-tagtest"
    program.parent.mkdir()
    call = f"{sys.executable} {token_program.__file__} {seed} {tmp_path / 'asked'}"
    program.write_text(f"#!/bin/sh\nexec {call}\n")
    program.chmod(0o755)
    monkeypatch.setitem(ENVIRONMENT, "PATH", f"{program.parent}:{os.environ['PATH']}")
    (tmp_path / "token").write_text(token_program.bech32("age-plugin-tagtest-", b"").upper())
    return token_program.Token(seed.read_bytes())


def test_what_is_sealed_to_a_token_is_read_with_it(
    journal: Journal, token: token_program.Token
) -> None:
    asked = journal.folder / "asked"
    recipient = journal.run("identity", journal.folder / "own").strip()
    named = ("-r", recipient, "-r", f"restricted={token.recipient}", "--reason", "a test")
    journal.run("recipients", journal.path, *named)
    journal.fill(0, 2)
    own = ("-i", journal.folder / "own")
    assert '"card"' not in journal.run("cat", journal.path, *own)
    assert not asked.exists()
    done = journal.attempt("cat", journal.path, *own, "-i", journal.folder / "token")
    assert done.stdout.count('"card":"c') == 2, done.stderr
    assert "touch the token" in done.stderr
    # Once for the head of the segment, once for the class: never for what is sealed to others.
    assert len(asked.read_text().splitlines()) <= 2
    journal.run("verify", journal.path, "-i", journal.folder / "token", *own)


def test_a_token_whose_program_is_missing_is_told_of(journal: Journal) -> None:
    file = journal.folder / "token"
    file.write_text(token_program.bech32("age-plugin-nowhere-", b"").upper())
    done = journal.attempt("cat", journal.path, "-i", file)
    assert done.returncode == 2
    assert "age-plugin-nowhere is not there" in done.stderr
    assert str(file) in done.stderr
    with pytest.raises(ValueError, match="hardware token"):
        list(kms.identities(file))
