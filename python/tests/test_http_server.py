"""Requests of `http.server`: what came in does not come out in a log, and the answer is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from cases import EMAIL, Case
from tacenda.hooks.requests import Body

if TYPE_CHECKING:
    from tacenda._core import Core

SERVER = """
import http.client, http.server, json, logging, sys, threading, urllib.parse
logging.basicConfig(level=10, format="%(levelname)s %(message)s")
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        logging.error(f"Raw body: {body}")
        logging.debug("headers %s", dict(self.headers))
        try:
            logging.info("messages %s", json.loads(body))
        except ValueError as error:
            logging.info("not json: %s", error)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
threading.Thread(target=server.serve_forever, daemon=True).start()
def post(path, body, headers={}):
    c = http.client.HTTPConnection("127.0.0.1", server.server_port)
    c.request("POST", path, body, headers)
    answer = c.getresponse().read()
    sys.__stdout__.write("same answer\\n" if answer == body.encode() else "another answer\\n")
    c.close()
"""
KEY = "not-a-known-key-format-0042"


def test_bodies_and_secret_headers(case: Case) -> None:
    code = (
        SERVER
        + f"""
headers = {{"Authorization": {KEY!r}, "X-Trace": "trace-id-that-is-public"}}
post("/v1/chat", json.dumps({{"messages": [{{"role": "user", "content": PROMPT}}]}}), headers)
post("/v1/chat", json.dumps({{"messages": [{{"content": PROMPT}}]}})[:-3], headers)
post("/v1/chat", json.dumps({{"user": "mauve walrus nine"}}))
"""
    )
    guarded = case.leak(code, "at the canary wharf", KEY, "mauve walrus nine")
    assert guarded.stdout.count("same answer") == 3
    assert "trace-id-that-is-public" in guarded.stderr
    assert "'role': 'user', 'content': '[prompt 69 chars, #" in guarded.stderr
    assert '"POST /v1/chat HTTP/1.1" 200' in guarded.stderr


def test_texts_in_headers(case: Case) -> None:
    code = (
        SERVER.replace(
            "logging.info(",
            "logging.info('%s %s', *[self.headers.get(n) for n in ('X-Prompt', 'Referer')]); logging.info(",
            1,
        )
        + """
url = urllib.parse.quote(PROMPT)
usual = "a browser that nobody has to hide"
headers = {"X-Prompt": PROMPT, "Referer": "http://here.test/some/page/of/the/site?q=" + url, "User-Agent": usual, "X-Request-Id": "request-0123456789abcdef", "X-Tenant": "tenant-0123456789abcdef"}
post("/", "{}", headers)
logging.info("by %s, http://here.test/some/page/of/the/site, %s %s", usual, headers["X-Request-Id"], headers["X-Tenant"])
other = "The walrus is the mauve one, it naps on the canary pier"
post("/", "{}", {"X-Prompt": urllib.parse.quote(other)})
logging.info("then %s", other)
"""
    )
    guarded = case.leak(code, "at the canary wharf", "canary%20wharf", "on the canary pier")
    assert (
        "by a browser that nobody has to hide, http://here.test/some/page/of/the/site, request-0123456789abcdef tenant-0123456789abcdef"
        in guarded.stderr
    )


@pytest.mark.parametrize("size", [1 << 20, 9 << 20])
@pytest.mark.parametrize("part", [1 << 16, 1 << 30])
def test_of_a_large_body_the_beginning_and_the_end_are_protected(size: int, part: int) -> None:
    kept: list[bytes] = []

    class Recorder:
        def protect_document(self, document: bytes, kind: str, *, held: bool) -> list[int]:
            kept.append(document)
            return []

    body = Body(cast("Core", Recorder()))
    body.expect(size)
    data = bytes(range(256)) * (size // 256)
    for at in range(0, size, part):
        body.seen(data[at : at + part])
    assert data.startswith(kept[0])
    assert data.endswith(kept[-1])
    assert len(kept[-1]) == (size if size <= 8 << 20 else 256 << 10)
    early = 0 if part >= size <= 8 << 20 else 512 << 10
    assert sum(map(len, kept[:-1])) == early


def test_query_values(case: Case) -> None:
    code = (
        SERVER
        + """
post("/search?" + urllib.parse.urlencode({"q": PROMPT, "mail": EMAIL, "page": 2}), "{}")
"""
    )
    guarded = case.leak(code, "canary+wharf", "canary%40example")
    assert "page=2" in guarded.stderr


def test_a_query_value_is_named_a_credential_by_its_name_alone(case: Case) -> None:
    code = (
        SERVER
        + """
post("/search?" + urllib.parse.urlencode({"q": EMAIL + " and more of it", "api_key": "abcdefgh12345"}), "{}")
print(EMAIL + " and more of it", "abcdefgh12345 is it")
"""
    )
    guarded = case.leak(code, EMAIL, "abcdefgh12345 is")
    assert "[prompt " in guarded.stdout
    assert "[credential] is it" in guarded.stdout


def test_text_that_is_no_request(case: Case) -> None:
    code = (
        SERVER
        + """
import socket
with socket.create_connection(("127.0.0.1", server.server_port)) as s:
    s.sendall(PROMPT.encode() + b"\\r\\n\\r\\n")
    while s.recv(4096): pass
"""
    )
    case.leak(code, "canary wharf")


def test_a_log_of_another_thread_after_the_request(case: Case) -> None:
    code = (
        SERVER
        + """
later = threading.Event()
def worker():
    later.wait(10)
    logging.info("late %s", PROMPT)
thread = threading.Thread(target=worker)
thread.start()
post("/", json.dumps({"prompt": PROMPT}))
later.set()
thread.join()
"""
    )
    case.leak(code, "late My heron is the")
