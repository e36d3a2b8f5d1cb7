"""An error inside the guard: the marker is written, never the text, and the application goes on."""

from __future__ import annotations

import pytest
from cases import EMAIL, Case

SETUP = """
import logging, sys, threading
guard = tacenda.install(stdout="log")
from tacenda import _core, _protect
from tacenda.hooks import arrays, http_server, mlx_lm, records, tokenizers, values
def explode(*args, **kwargs):
    raise RuntimeError("broken: " + EMAIL)
logging.basicConfig(level=10, format="%(levelname)s %(message)s", stream=sys.stdout)
"""


def run(case: Case, code: str) -> str:
    output = case.run("import tacenda\n" + SETUP + code + "\nprint('alive')\n", guard=False)
    assert output.returncode == 0, output.text
    assert output.stdout.endswith("alive\n"), output.text
    assert EMAIL not in output.text, output.text
    assert "broken" not in output.text, output.text
    assert "heron" not in output.text, output.text
    return output.stdout


# Makes one native call of the hooks fail.
BROKEN_CORE = """
class Core:
    def __init__(self, core): self._core = core
    def __getattr__(self, name):
        return explode if name == {name!r} else getattr(self._core, name)
tacenda.uninstall()
import tacenda._guard as g
real = _core.Core
g.Core = lambda **kw: Core(real(**kw))
from tacenda.hooks import guarded
guarded.StreamFilter = lambda core, *rest: _core.StreamFilter(core._core, *rest)
guard = tacenda.install(stdout="log")
"""


@pytest.mark.parametrize("call", ["check", "redact"])
def test_in_a_record(case: Case, call: str) -> None:
    code = BROKEN_CORE.format(name=call) + "logging.error('mail %s', EMAIL, extra={'user': EMAIL})"
    assert "text withheld after an internal error" in run(case, code)


def test_while_scrubbing_a_record(case: Case) -> None:
    code = "records.Records._scrub_text = explode\nlogging.error('mail %s', EMAIL)"
    assert "ERROR [tacenda: text withheld after an internal error]" in run(case, code)


def test_while_scrubbing_arguments(case: Case) -> None:
    code = "values.Scrubber.value = explode\nlogging.error('mail %s', EMAIL)"
    assert "text withheld" in run(case, code)


def test_in_redact(case: Case) -> None:
    code = BROKEN_CORE.format(name="redact") + "print(tacenda.redact(EMAIL))"
    assert "text withheld" in run(case, code)


def test_in_the_summary_of_an_array(case: Case) -> None:
    code = """
class Odd:
    ndim = 1
    @property
    def shape(self): raise RuntimeError(EMAIL)
print(arrays.summary(Odd()))
"""
    assert "array(...)" in run(case, code)


def test_in_the_tokenizer_hook(case: Case) -> None:
    code = """
tokenizers.register = explode
call = tokenizers._input(lambda self, text: [1, 2, 3])
assert call(None, PROMPT) == [1, 2, 3]
"""
    run(case, code)


def test_in_the_completion_hook(case: Case) -> None:
    code = (
        BROKEN_CORE.format(name="extend_completion")
        + """
import types
module = types.ModuleType("m")
class StreamingDetokenizer:
    def reset(self): pass
    def finalize(self): pass
    @property
    def last_segment(self): return "token"
module.StreamingDetokenizer = StreamingDetokenizer
mlx_lm._hook_completions(module, guard.core, guard.patches)
assert StreamingDetokenizer().last_segment == "token"
print(tacenda.status().missing[-1])
"""
    )
    assert "could not be followed" in run(case, code)


def test_in_the_request_hook(case: Case) -> None:
    code = (
        BROKEN_CORE.format(name="protect_document")
        + """
import http.client, http.server
class H(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
threading.Thread(target=server.serve_forever, daemon=True).start()
c = http.client.HTTPConnection("127.0.0.1", server.server_port)
c.request("POST", "/", PROMPT)
print(c.getresponse().read())
"""
    )
    assert "b'ok'" in run(case, code)
