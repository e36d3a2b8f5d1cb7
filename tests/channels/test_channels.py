"""Every channel leaks without the guard and does not with it."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest
from channel import Channel, run
from matrix import CHANNELS


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_a_channel(channel: Channel) -> None:
    if sys.version_info < channel.since:
        pytest.skip(f"needs Python {channel.since}")
    if channel.needs:
        pytest.importorskip(channel.needs)
    # Not pytest's directory: paths of sockets in it would be too long.
    with tempfile.TemporaryDirectory() as folder:
        bare = run(channel, "bare", Path(folder) / "bare")
        for value in channel.leaks:
            assert value in bare.text, f"without the guard it does not leak:\n{bare.text}"
        for guard in channel.guards:
            guarded = run(channel, guard, Path(folder) / guard)
            for value in channel.leaks:
                assert value not in guarded.text, f"{guard}:\n{guarded.text}"
            assert guarded.status == bare.status, f"{guard}:\n{guarded.text}"


def test_the_reference_lists_every_channel() -> None:
    reference = Path(__file__).parents[2] / "docs" / "reference" / "channels.md"
    families: dict[str, list[str]] = {}
    for channel in CHANNELS:
        family, _, way = channel.name.partition(": ")
        families.setdefault(family, []).append(way)
    rows = [f"| {family} | {'; '.join(ways)} |" for family, ways in families.items()]
    text = HEAD + "\n".join(["| family | ways |", "| --- | --- |", *rows]) + "\n" + TAIL
    if os.environ.get("TACENDA_BLESS"):
        reference.write_text(text)
    assert reference.read_text() == text, "TACENDA_BLESS=1 writes it anew"


HEAD = """# Channels

<!-- Written by tests/channels from its list. -->

Ways in which a value leaves a process. Each is a test of its own: a script that leaks a value which
a detector knows, and a protected value that none knows, without the guard, and neither with it, be it
by `tacenda.install()` or by `tacenda run`. Own files are those in a directory that the policy names
(`guard.log_directories`).

"""
TAIL = """
## What no process can cover

| way | why | what does |
| --- | --- | --- |
| the arguments of a process, in the process table (`mlx.launch --env`, `--api-key`) | the system shows them to every user from the moment the program starts, before any code of it runs | nothing can: give secrets in the environment or in a file. Where arguments are logged or printed they are redacted as any text |
| numbers from which a text can be computed: keys and values in a prompt cache, weights that have learnt a text | the text stands nowhere in them; to change the numbers is to destroy the file | such files are private (umask 077), and what stands beside the numbers is cleaned in `guard.log_directories`; [`tacenda scan`](scan-rules.md) finds those that are saved in public places (TAC605) |

Some ways of MLX's own tools write nothing of a value and are no channels: `mlx_lm.evaluate` writes
counts and scores, MLX itself has no log. What `mlx_lm.generate` and `mlx_lm.chat` answer on standard
output is what the user asked for: it passes unless `guard.stdout` is `log`.
"""
