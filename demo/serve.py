"""Runs the real mlx_lm.server once, sends it the demo's requests, and keeps what it logged.

The result, `<level>-<plain|guarded>.json` in the work directory, holds for each request the
answer and the part of the log that it caused.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from canaries import CANARIES
from model import QUESTION, TOOL_QUESTION

CHAT = "/v1/chat/completions"
PROMPT = (
    "I am {name}, {address}, phone {phone}, mail {e-mail}, SSN {ssn}, card {card}. My token is "
    "{hub token}. Keep to yourself that {plan}."
).format_map(CANARIES)
TOOL = {
    "type": "function",
    "function": {
        "name": "find_patient",
        "description": "Find a patient",
        "parameters": {"type": "object", "properties": {"name": {"type": "string"}}},
    },
}


@dataclass(frozen=True)
class Request:
    """One request, named after the way by which its data reaches a log."""

    channel: str
    path: str
    body: str | None = None
    method: str = "POST"


def chat(text: str, **options: Any) -> str:
    return json.dumps({"messages": [{"role": "user", "content": text}], **options})


REQUESTS = [
    Request("chat", CHAT, chat(PROMPT, max_tokens=8)),
    Request("answer by heart", CHAT, chat(QUESTION, max_tokens=120)),
    Request("streamed answer", CHAT, chat(QUESTION, max_tokens=120, stream=True)),
    Request("plain completion", "/v1/completions", json.dumps({"prompt": PROMPT, "max_tokens": 8})),
    Request("broken JSON", CHAT, chat(PROMPT)[:-1]),
    Request("JSON, no object", CHAT, json.dumps([PROMPT])),
    Request("truncated tool call", CHAT, chat(TOOL_QUESTION, max_tokens=60, tools=[TOOL])),
    Request(
        "key in query string",
        "/v1/models?" + urllib.parse.urlencode({"api_key": CANARIES["api key"]}),
        method="GET",
    ),
    Request(
        "e-mail in path",
        "/v1/users/" + urllib.parse.quote(CANARIES["account"]),
        method="GET",
    ),
]


@dataclass
class Server:
    """A running server, and the log it writes."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    read: int = 0
    answers: list[dict[str, Any]] = field(default_factory=list)

    def send(self, request: Request) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"} if request.body else {}
        connection.request(request.method, request.path, request.body, headers)
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
        connection.close()
        kept = [(k, v) for k, v in response.getheaders() if k.lower() != "date"]
        return {"status": response.status, "headers": kept, "body": body}

    def new_log(self, mark: str) -> str:
        """What was logged since the last call.

        The mark is a path that is asked for now: once its line stands in the access log, what the
        request before it caused has been written too.
        """
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.send(Request("mark", f"/{mark}", method="GET"))
        end = time.monotonic() + 5
        while time.monotonic() < end and f"/{mark} ".encode() not in self.since_last():
            time.sleep(0.02)
        data = self.since_last()
        self.read += len(data)
        text = data.decode("utf-8", "replace")
        return "".join(line for line in text.splitlines(True) if f"/{mark} " not in line)

    def since_last(self) -> bytes:
        return self.log.read_bytes()[self.read :]

    def wait_until_up(self) -> None:
        end = time.monotonic() + 90
        while time.monotonic() < end:
            if self.process.poll() is not None:
                sys.exit(f"the server ended at its start:\n{self.log.read_text()[-3000:]}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.send(Request("health", "/health", method="GET"))["status"] == 200:
                    return
            time.sleep(0.1)
        sys.exit("the server did not come up within 90 seconds")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            sys.exit("the server did not end within 10 seconds of SIGTERM")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(work: Path, level: str, *, guarded: bool) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "mlx_lm", "server", "--model", "model"]
    if (work / "adapters" / "adapters.safetensors").exists():
        command += ["--adapter-path", "adapters"]
    command += ["--port", str(port), "--log-level", level]
    if guarded:
        command = ["tacenda", "run", "--", *command]
    print(" ".join(command))
    log = work / "server.log"
    # `/v1/models` lists what the hub's cache holds, and needs one to look into.
    cache = work / "hub"
    cache.mkdir(exist_ok=True)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache)}
    with log.open("wb") as out:
        process = start(command, work, environment, out)
    server = Server(process, port, log)
    try:
        server.wait_until_up()
        yield server
    finally:
        if process.poll() is None:
            server.stop()


def start(
    command: list[str], work: Path, environment: dict[str, str], out: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        start_new_session=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="where model.py wrote the model")
    parser.add_argument("--level", default="INFO", help="the server's --log-level")
    parser.add_argument("--guarded", action="store_true", help="start it with `tacenda run --`")
    args = parser.parse_args()
    began = time.monotonic()

    exchanges: list[dict[str, Any]] = []
    with running(args.work, args.level, guarded=args.guarded) as server:
        start_log = server.new_log("up")
        for number, request in enumerate(REQUESTS):
            print(f"request {number + 1} of {len(REQUESTS)}: {request.channel}")
            answer = server.send(request)
            log = server.new_log(f"after-{number + 1}")
            exchanges.append({"channel": request.channel, "answer": answer, "log": log})
    end_log = server.since_last().decode("utf-8", "replace")

    result = {"start": start_log, "exchanges": exchanges, "end": end_log}
    name = f"{args.level}-{'guarded' if args.guarded else 'plain'}.json"
    (args.work / name).write_text(json.dumps(result, indent=1))
    lines = sum(e["log"].count("\n") for e in exchanges)
    seconds = time.monotonic() - began
    print(f"{len(exchanges)} requests in {seconds:.1f} s, {lines} lines of log")


if __name__ == "__main__":
    main()
