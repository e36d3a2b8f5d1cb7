"""Each injected fault once, under each guard: what `cargo xtask soak` repeats for as long as asked."""

from __future__ import annotations

import sys

import pytest
from soak import soak

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="processes are found in /proc, which this system has not"
)


def test_every_fault_once() -> None:
    assert soak(0, pace=0.02, seed=3, lap_seconds=1.0) == []
