"""Jupyter kernels and IPython."""

from __future__ import annotations

from channel import EMAIL, PROMPT, Channel

# Runs cells in a kernel, and keeps what it sends to be shown, as a notebook does.
_KERNEL = """
import json, os, sys
from jupyter_client.manager import KernelManager
os.environ["IPYTHONDIR"] = os.getcwd()
with open("said", "w") as f: f.write(SECRET)
manager = KernelManager()
manager.kernel_spec_manager.ensure_native_kernel = True
{start}
client = manager.blocking_client(); client.start_channels(); client.wait_for_ready(60)
shown = open("shown", "w")
def keep(message):
    content = message["content"]
    if message["msg_type"] not in ("execute_input", "status"):
        shown.write(content["text"] if "text" in content else json.dumps(content, ensure_ascii=False))
def run(code):
    reply = client.execute_interactive(code, output_hook=keep, timeout=60)
    shown.write(json.dumps(reply["content"], ensure_ascii=False))
run("import tacenda\\nsaid = open('said').read()\\nguard = tacenda.protect(said[24:])")
{cells}
shown.close(); client.stop_channels(); manager.shutdown_kernel(); os.remove("said")
"""
_START = "manager.start_kernel(stdout=open('out', 'w'), stderr=open('err', 'w'))"


def _channel(name: str, *cells: str, **kwargs: object) -> Channel:
    code = _KERNEL.format(start=_START, cells="\n".join(f"run({cell!r})" for cell in cells))
    return Channel(f"Jupyter kernel: {name}", code, **kwargs)  # type: ignore[arg-type]


CHANNELS = [
    _channel("printed", "import sys\nprint(said)\nprint(said, file=sys.stderr)"),
    _channel("one character a time", "for c in said: print(c, end='', flush=True)"),
    _channel("logging", "import logging\nlogging.warning('said %s', said)"),
    _channel("result", "said"),
    _channel("displayed", "from IPython.display import HTML\ndisplay({'said': said})\nHTML(said)"),
    _channel("error", "raise ValueError(said)"),
    _channel(
        "C and other programs",
        "import ctypes\nctypes.CDLL(None).write(1, said.encode(), len(said))\n!cat said",
    ),
    _channel(
        "widgets",
        "from comm import create_comm\nwidget = create_comm(target_name='jupyter.widget', data={'state': {'description': said}})\nwidget.send(data={'method': 'update', 'state': {'value': said}})",
    ),
    _channel(
        "comms of one's own",
        "from comm import create_comm\nmine = create_comm(target_name='mine', data={'said': said[24:]})\nmine.send({'said': [said[24:]]}, buffers=[b'\\x00\\xff'])",
        leaks=(PROMPT,),
    ),
    _channel(
        "JSON of its words",
        "from IPython.display import JSON\nJSON({'words': said[24:].split(), 'said': said})",
    ),
    _channel("inspection", "said?"),
    _channel(
        "history and log of what was typed",
        "%logstart session.log",
        f"x = '{EMAIL}'",
        leaks=(EMAIL,),
    ),
    _channel(
        "guard installed in a cell",
        "import os\nif os.environ.get('TACENDA_RUN'): import tacenda; tacenda.install()",
        "print(said)",
        "said",
    ),
]
