"""Experiment trackers: what they write stays what they can read."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import EMAIL, PROMPT, Case


@pytest.mark.parametrize("note", ["x", "x" * 200])
def test_hyperparameters_are_read_again(case: Case, tmp_path: Path, note: str) -> None:
    pytest.importorskip("tensorboardX")
    code = f"""
    tacenda.protect(PROMPT)
    from tensorboardX import SummaryWriter
    writer = SummaryWriter("runs")
    writer.add_hparams({{"user": EMAIL, "about": PROMPT, "note": {note!r}}}, {{"m": 1.0}})
    writer.close()
    """
    done = case.run(code, guard=True)
    assert done.returncode == 0, done.text

    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    found = {}
    for path in tmp_path.rglob("events*"):
        data = path.read_bytes()
        while data:
            length = int.from_bytes(data[:8], "little")
            event = Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            for value in event.summary.value:
                content = HParamsPluginData.FromString(value.metadata.plugin_data.content)
                found |= {
                    name: member.string_value
                    for name, member in content.session_start_info.hparams.items()
                }
    assert found == {"user": "*" * len(EMAIL), "about": "*" * len(PROMPT), "note": note}


def test_a_picture_stays_as_it_is(case: Case) -> None:
    code = """
    from tacenda._protect import core_in_use
    from tacenda.hooks.trackers import _Trackers
    clean = _Trackers(core_in_use(), None)._text
    text = f"\\0 {EMAIL} 1".encode()
    for picture in (b"\\x89PNG", b"\\xff\\xd8\\xff", b"GIF8"):
        assert clean(picture + text) == picture + text
    assert clean(text) == b"\\0 " + b"*" * len(EMAIL) + b" 1"
    assert clean(b"plain\\n") == b"plain\\n"
    assert clean(f"mail {EMAIL}\\n".encode()).startswith(b"mail [email")
    """
    done = case.run(code, guard=True)
    assert done.returncode == 0, done.text


def test_a_page_is_read_once_and_what_is_none_fails_as_before(case: Case) -> None:
    pytest.importorskip("wandb")
    code = """
    import io, os
    os.environ["WANDB_SILENT"] = "true"
    import wandb
    class Once:
        def read(self):
            self.read = lambda: ""
            return f"<p>{EMAIL}</p>"
    for data in (Once(), io.StringIO(f"<p>{EMAIL}</p>"), f"<p>{EMAIL}</p>"):
        html = wandb.Html(data, inject=False).html
        assert html.startswith("<p>[email") and EMAIL not in html, html
    for data in (None, 5):
        try:
            wandb.Html(data)
        except ValueError as error:
            assert "data must be" in str(error)
        else:
            raise AssertionError
    """
    done = case.run(code, guard=True)
    assert done.returncode == 0, done.text
