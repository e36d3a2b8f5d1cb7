"""A program that runs, without or with the guard, and takes batches of work."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import processes
from processes import Held
from programs import Cells, Program, Script

GUARD = (str(Path(sys.executable).with_name("tacenda")), "run", "--")
# What differs from one answer to the next, whatever was asked.
_VARYING = re.compile(r'"(?:id|created)": ?(?:"[^"]*"|\d+)')
_PATIENCE = 120


@dataclass(frozen=True)
class Batch:
    """Work that was done."""

    seconds: float
    # Of processors, of all processes of the program.
    cpu: float
    answers: list[str]


class Subject(ABC):
    """A program that runs."""

    def __init__(self, folder: Path, *, guarded: bool) -> None:
        self.folder = folder
        self.guarded = guarded
        folder.mkdir(parents=True)

    def started(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """The process, with what it writes in a file."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TACENDA_", "PYTHON", "PYTEST_"))
        }
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*(GUARD if self.guarded else ()), *command],
                cwd=self.folder,
                env={**kept, "HOME": str(self.folder), **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def log(self) -> str:
        """What it has written."""
        return (self.folder / "log").read_text(errors="replace")

    @abstractmethod
    def batch(self, numbers: range) -> Batch:
        """Does this work."""

    @abstractmethod
    def held(self) -> tuple[Held, Held]:
        """What the program holds now, and what its filter does."""

    @abstractmethod
    def stop(self) -> None:
        """Ends it."""


class Server(Subject):
    """A server, asked over HTTP by many at once."""

    def __init__(self, program: Program, model: Path, folder: Path, *, guarded: bool) -> None:
        super().__init__(folder, guarded=guarded)
        self._program = program
        self._port = _free_port()
        for name, text in program.files.items():
            (folder / name).write_text(text.lstrip())
        environment = {**program.environment, "HF_HUB_CACHE": str(folder)}
        self._process = self.started(program.arguments(self._port, model), environment)
        self._wait_until_up()

    def batch(self, numbers: range) -> Batch:
        before = self._cpu()
        began = time.perf_counter()
        answers = asyncio.run(self._send(numbers))
        seconds = time.perf_counter() - began
        return Batch(seconds, self._cpu() - before, answers)

    def held(self) -> tuple[Held, Held]:
        return processes.held(self._process.pid)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            for pid in reversed(processes.tree(self._process.pid)):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            raise

    def _cpu(self) -> float:
        program, filter_ = self.held()
        return program.seconds + filter_.seconds

    async def _send(self, numbers: range) -> list[str]:
        import aiohttp  # the program that measures needs it, and no other

        program = self._program
        answers = [""] * len(numbers)
        places = iter(range(len(numbers)))
        timeout = aiohttp.ClientTimeout(total=_PATIENCE)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

            async def worker(start: float) -> None:
                # Not all in the same millisecond: the queue of some servers holds five.
                await asyncio.sleep(start)
                for place in places:
                    request = program.ask(numbers[place])
                    answers[place] = await _answer(
                        session, f"http://127.0.0.1:{self._port}{request.path}", request.body
                    )

            await asyncio.gather(*(worker(n / 1000) for n in range(program.at_once)))
        return answers

    def _wait_until_up(self) -> None:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"the program ended at its start:\n{self.log()[-3000:]}")
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health", timeout=5).close()
                return
            time.sleep(0.05)
        raise RuntimeError(f"the program did not come up:\n{self.log()[-3000:]}")


async def _answer(session: Any, url: str, body: str) -> str:
    import aiohttp

    headers = {"Content-Type": "application/json"}
    for attempt in range(5):
        try:
            async with session.post(url, data=body, headers=headers) as response:
                text = await response.text()
                return f"{response.status} {_VARYING.sub('', text)}"
        except aiohttp.ClientConnectionError:
            # The queue for connections was full.
            if attempt == 4:
                raise
            await asyncio.sleep(0.1)
    raise AssertionError("five attempts end")


class Run(Subject):
    """A script that runs from start to end for each batch, and leaves its result in a file."""

    def __init__(self, script: Script, model: Path, folder: Path, *, guarded: bool) -> None:
        super().__init__(folder, guarded=guarded)
        self._script = script
        self._model = model
        self._held = (Held(), Held())
        (folder / "app.py").write_text(script.code.lstrip())

    def batch(self, numbers: range) -> Batch:
        prompts = [self._script.prompt(number) for number in numbers]
        (self.folder / "prompts.json").write_text(json.dumps(prompts))
        command = [sys.executable, "app.py", str(self._model)]
        before = os.times()
        # Kernels that MLX has compiled lie in temporary files, which the guard keeps for each
        # program by itself: none of them finds those of a run before it.
        with tempfile.TemporaryDirectory() as temporary:
            environment = {**self._script.environment, "TMPDIR": temporary}
            process = self.started(command, environment)
            peaks = (Held(), Held())
            while process.poll() is None:
                now = processes.held(process.pid)
                peaks = tuple(max(old, new, key=_peak) for old, new in zip(peaks, now, strict=True))
                time.sleep(0.05)
        after = os.times()
        if process.returncode != 0:
            raise RuntimeError(f"the program failed:\n{self.log()[-3000:]}")
        result = json.loads((self.folder / "result.json").read_text())
        program, filter_ = peaks
        # What it holds at its own end, after all of its work.
        program = Held(result["descriptors"], result["threads"], program.resident, program.peak)
        self._held = (program, filter_)
        cpu = after.children_user + after.children_system
        cpu -= before.children_user + before.children_system
        return Batch(result["seconds"], cpu, result["answers"])

    def held(self) -> tuple[Held, Held]:
        return self._held

    def log(self) -> str:
        kept = {"app.py", "prompts.json", "result.json"}
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return "\n".join(
            path.read_bytes().decode(errors="replace") for path in files if path.name not in kept
        )

    def stop(self) -> None:
        """It has ended with its batch."""


def _peak(held: Held) -> int:
    return held.peak


class Kernel(Subject):
    """A Jupyter kernel, whose cells are run one after the other."""

    def __init__(self, cells: Cells, model: Path, folder: Path, *, guarded: bool) -> None:
        super().__init__(folder, guarded=guarded)
        from jupyter_client.blocking import BlockingKernelClient
        from jupyter_client.connect import write_connection_file

        self._cells = cells
        connection, _ = write_connection_file(str(folder / "connection.json"))
        (folder / "said.txt").write_text(cells.literal)
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", connection]
        self._process = self.started(command, {"MODEL": str(model), "IPYTHONDIR": str(folder)})
        self._client = BlockingKernelClient(connection_file=connection)
        self._client.load_connection_file()
        self._client.start_channels()
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self._client.wait_for_ready(_PATIENCE)
                break
            except RuntimeError as error:
                # On a busy machine its heart beats late.
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{error}:\n{self.log()[-3000:]}") from error
        self._execute(cells.first)
        # Its code is the history's, its output the notebook's.
        self._execute(f"said = {cells.literal!r}\nprint(said)")

    def batch(self, numbers: range) -> Batch:
        before = self._cpu()
        began = time.perf_counter()
        answers = [self._execute(self._cells.cell(number)) for number in numbers]
        seconds = time.perf_counter() - began
        return Batch(seconds, self._cpu() - before, answers)

    def held(self) -> tuple[Held, Held]:
        return processes.held(self._process.pid)

    def stop(self) -> None:
        self._client.shutdown()
        self._process.wait(30)
        self._client.stop_channels()

    def log(self) -> str:
        """What the kernel wrote, what it sent to be shown, and the history that it keeps."""
        kept = {"connection.json", "said.txt"}
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return "\n".join(
            path.read_bytes().decode(errors="replace") for path in files if path.name not in kept
        )

    def _cpu(self) -> float:
        program, filter_ = self.held()
        return program.seconds + filter_.seconds

    def _execute(self, code: str) -> str:
        """The result of a cell. All that is shown is written down."""
        asked = self._client.execute(code)
        result = ""
        with (self.folder / "shown").open("a") as shown:
            while True:
                try:
                    message = self._client.get_iopub_msg(timeout=_PATIENCE)
                except queue.Empty:
                    raise RuntimeError(f"the kernel is silent:\n{self.log()[-3000:]}") from None
                if message["parent_header"].get("msg_id") != asked:
                    continue
                kind, content = message["msg_type"], message["content"]
                if kind == "status" and content["execution_state"] == "idle":
                    break
                if kind != "execute_input":  # what the client has sent comes back
                    # As a notebook keeps it.
                    shown.write(json.dumps(content, ensure_ascii=False) + "\n")
                if kind == "execute_result":
                    result = content["data"]["text/plain"]
        while True:
            reply = self._client.get_shell_msg(timeout=_PATIENCE)
            if reply["parent_header"].get("msg_id") == asked:
                break
        return f"{reply['content']['status']} {result}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def subject(what: Program | Script | Cells, model: Path, folder: Path, *, guarded: bool) -> Subject:
    """The program, started."""
    if isinstance(what, Program):
        return Server(what, model, folder, guarded=guarded)
    if isinstance(what, Script):
        return Run(what, model, folder, guarded=guarded)
    return Kernel(what, model, folder, guarded=guarded)
