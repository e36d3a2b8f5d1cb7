"""Real programs, none of which knows of Tacenda, and the requests that are sent to them."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from canaries import CANARIES

# Stands in each prompt; no pattern knows it.
SECRET = "violet heron"
WORDS = [
    "amber",
    "basalt",
    "beacon",
    "cobalt",
    "ember",
    "fjord",
    "granite",
    "juniper",
    "lantern",
    "marble",
    "nectar",
    "pebble",
    "quartz",
    "saffron",
    "tallow",
    "willow",
]


@dataclass(frozen=True)
class Request:
    """One request."""

    path: str
    body: str


@dataclass(frozen=True)
class Program:
    """A server: how it is started, what it is asked."""

    name: str
    # The words of its command; `{port}` and `{model}` are filled in.
    command: tuple[str, ...]
    ask: Callable[[int], Request]
    # Its own files, by name.
    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    # Requests that are under way at once, and in one measured batch.
    at_once: int = 32
    batch: int = 400
    # Threads that it starts when there is first work for them, and keeps.
    pool: int = 0
    # Processes that share the work: one may have none before what is measured.
    workers: int = 1
    # Whether answers hold only what the request determines.
    exact: bool = True
    # Whether the throughput is held against the bar.
    bar: bool = True

    def arguments(self, port: int, model: Path) -> list[str]:
        """The command."""
        return [word.format(port=port, model=model) for word in self.command]


def _prompt(number: int) -> str:
    """A prompt that no other request has."""
    draw = random.Random(number)  # the same for both programs
    words = " ".join(draw.choice(WORDS) for _ in range(32))
    known = "{name}, {address}, phone {phone}, mail {e-mail}, SSN {ssn}, card {card}"
    return f"I am {known.format_map(CANARIES)}. Keep to yourself {SECRET} {number:06d} {words}."


def _chat(path: str, **options: object) -> Callable[[int], Request]:
    def ask(number: int) -> Request:
        body = {"messages": [{"role": "user", "content": _prompt(number)}], **options}
        return Request(path, json.dumps(body))

    return ask


# What answers: a small model, as in any application of MLX. `{depth}` 0 leaves it out.
_MODEL = """
import mlx.core as mx
import mlx.nn as nn

mx.random.seed(7)
DEPTH = {depth}
layers = [nn.Linear(128, 128) for _ in range(DEPTH)]
mx.eval([layer.parameters() for layer in layers])


def score(text):
    \"\"\"A number that depends on every byte of the text.\"\"\"
    rows = mx.array(list(text.encode()), dtype=mx.float32)[:, None] / 255
    state = mx.broadcast_to(rows, (rows.shape[0], 128))
    for layer in layers:
        state = mx.tanh(layer(state))
    return round(state.sum().item(), 2)
"""
_FASTAPI = """
import logging
import sys

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from model import score
from pydantic import BaseModel

logging.basicConfig(level=logging.INFO, stream=sys.stderr)
log = logging.getLogger("app")
app = FastAPI()


class Message(BaseModel):
    role: str
    content: str


class Chat(BaseModel):
    messages: list[Message]


@app.get("/health")
def health():
    return {}


@app.post("/v1/chat")
async def chat(request: Chat):
    text = request.messages[-1].content
    log.info("asked: %s", text)
    result = score(text)
    log.info("scored %s", result)
    words = text.split()

    async def parts():
        for word in words:
            yield f"data: {word} {result}\\n\\n"

    return StreamingResponse(parts(), media_type="text/event-stream")
"""
_FLASK = """
import sys

from flask import Flask, request
from model import score

app = Flask("app")


@app.get("/health")
def health():
    return {}


@app.post("/v1/chat")
def chat():
    document = request.get_json()
    text = document["messages"][-1]["content"]
    print("asked", document, file=sys.stderr)
    result = score(text)
    app.logger.warning("scored %s for %r", result, text[:40])
    return {"text": text.upper(), "score": result}
"""


def _uvicorn(name: str, depth: int, **more: object) -> Program:
    return Program(
        name,
        (sys.executable, "-m", "uvicorn", "--port", "{port}", "app:app"),
        _chat("/v1/chat"),
        {"app.py": _FASTAPI, "model.py": _MODEL.format(depth=depth)},
        **more,  # type: ignore[arg-type]
    )


def _gunicorn(name: str, depth: int, **more: object) -> Program:
    command = "-m gunicorn -w 2 --threads 4 -b 127.0.0.1:{port} --access-logfile - app:app"
    return Program(
        name,
        (sys.executable, *command.split()),
        _chat("/v1/chat"),
        {"app.py": _FLASK, "model.py": _MODEL.format(depth=depth)},
        pool=8,
        workers=2,
        **more,  # type: ignore[arg-type]
    )


MLX_LM = Program(
    "mlx_lm.server at DEBUG, streams",
    (
        *(sys.executable, "-m", "mlx_lm", "server", "--model", "{model}"),
        *("--port", "{port}", "--log-level", "DEBUG"),
    ),
    _chat("/v1/chat/completions", max_tokens=24, stream=True, temperature=0.0),
    environment={"HF_HUB_OFFLINE": "1"},
    at_once=200,
    batch=400,
    exact=False,
)
SERVERS = [
    MLX_LM,
    _uvicorn("uvicorn + FastAPI, with a model", 3),
    _gunicorn("gunicorn + Flask, with a model", 3),
    _uvicorn("uvicorn + FastAPI, nothing behind it", 0, bar=False),
    _gunicorn("gunicorn + Flask, nothing behind it", 0, bar=False),
]


@dataclass(frozen=True)
class Script:
    """A script that works through `prompts.json`, and leaves `result.json`."""

    name: str
    code: str
    environment: dict[str, str] = field(default_factory=dict)
    batch: int = 60
    bar: bool = True

    @staticmethod
    def prompt(number: int) -> str:
        """The text to work on."""
        return _prompt(number)


# An evaluation that is tracked: what was asked and answered goes into the run.
_WANDB = """
import json
import os
import sys
import threading
import time

import wandb
from mlx_lm import generate, load


def left():
    # What ends by itself has ended then.
    least = (sys.maxsize, sys.maxsize)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        now = (len(os.listdir("/proc/self/fd")), threading.active_count())
        least = tuple(map(min, least, now))
        time.sleep(0.05)
    return least


model, tokenizer = load(sys.argv[1])
prompts = json.load(open("prompts.json"))
config = {"first": prompts[0], "tokens": sum(len(tokenizer.encode(text)) for text in prompts)}
run = wandb.init(mode="offline", project="heron", config=config, notes=prompts[1])
answers = []
began = time.perf_counter()
for step, prompt in enumerate(prompts):
    answer = generate(model, tokenizer, prompt, max_tokens=12)
    print(f"step {step}: asked {prompt!r}, {len(answer)} characters")
    run.log({"length": len(answer), "asked": prompt, "step": step})
    answers.append(answer)
seconds = time.perf_counter() - began
run.summary["last"] = prompts[-1]
run.finish()
descriptors, threads = left()
result = {
    "seconds": seconds,
    "answers": answers,
    "descriptors": descriptors,
    "threads": threads,
}
json.dump(result, open("result.json", "w"))
"""
WANDB = Script(
    "wandb, offline run",
    _WANDB,
    {"WANDB_DIR": ".", "WANDB_CACHE_DIR": "cache", "HF_HUB_OFFLINE": "1"},
)


@dataclass(frozen=True)
class Cells:
    """What is run in a kernel."""

    name: str
    # The first cell.
    first: str
    # Stands in a cell, letter by letter.
    literal: str
    batch: int = 60
    bar: bool = True

    def cell(self, number: int) -> str:
        """A cell; the model takes the prompt in, as in any notebook."""
        return (
            f"text = prompts({number})\n"
            "answer = generate(model, tokenizer, text, max_tokens=12)\n"
            "print('asked', text)\n"
            "len(text), hashlib.sha256(answer.encode()).hexdigest()\n"
        )


def _first_cell() -> str:
    here = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "demo")]
    return (
        f"import hashlib, os, sys\nsys.path += {here!r}\n"
        "from mlx_lm import generate, load\nfrom programs import Script\n"
        "prompts = Script.prompt\nmodel, tokenizer = load(os.environ['MODEL'])\n"
    )


KERNEL = Cells(
    "Jupyter kernel",
    _first_cell(),
    "mail {e-mail}, SSN {ssn}, card {card}".format_map(CANARIES),
)
EVERY: list[Program | Script | Cells] = [*SERVERS, WANDB, KERNEL]
