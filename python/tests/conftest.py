"""Fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import Case
from journals import Journal


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    monkeypatch.setenv("TACENDA_JOURNAL_PLACES", "temporary")
    return Journal(tmp_path)
