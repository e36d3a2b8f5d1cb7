"""Real programs under load: no value gets out, answers are the same, nothing is left behind.

What the benchmark `guard` measures at length, with less work and without a look at the time.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from measure import compare, make_model
from programs import EVERY, Cells, Program, Script

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="what processes hold is read from /proc"
)
pytest.importorskip("mlx_lm")
BATCH = {Program: 60, Script: 8, Cells: 8}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def work() -> Iterator[Path]:
    # Not pytest's directory: paths of sockets in it would be too long.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("what", EVERY, ids=lambda what: what.name)
def test_a_program_under_load(what: Program | Script | Cells, model: Path, work: Path) -> None:
    if isinstance(what, Program):
        what = dataclasses.replace(what, at_once=min(what.at_once, 30))
    found = compare(what, model, work, rounds=1, batch=BATCH[type(what)])
    assert found.faults() == []
