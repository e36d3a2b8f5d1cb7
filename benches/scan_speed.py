"""What `tacenda scan` costs on a large code base, next to ruff on the same files.

    python scan_speed.py TACENDA [DIRECTORY]

Processor seconds, seconds by the clock and peak memory, the best of three runs; then what an edit
of one of the files costs the language server, which has them all.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def measure(command: list[str]) -> tuple[float, float, float, int]:
    """Processor seconds, seconds, peak MB, lines printed."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    lines = sum(1 for _ in process.stdout)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit(f"{command[0]} ended with {process.returncode}")
    # Linux counts in KiB, macOS in bytes.
    scale = 1024 if sys.platform == "darwin" else 1
    peak = usage.ru_maxrss / 1024 / scale
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - begun, peak, lines


class Server:
    """`tacenda lsp` with one folder."""

    def __init__(self, tacenda: str, folder: Path) -> None:
        command = [tacenda, "lsp", "--delay", "0"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        root = {"uri": folder.as_uri(), "name": folder.name}
        self.say("initialize", {"capabilities": {}, "workspaceFolders": [root]}, id=1)
        self.hear()
        self.say("initialized", {})

    def say(self, method: str, params: Any, **more: int) -> None:
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def hear(self) -> Any:
        output = self.process.stdout
        assert output is not None
        length = int(output.readline().split(b":")[1])
        output.readline()
        return json.loads(output.read(length))

    def told(self, version: int) -> None:
        """Waits for what is found in this version."""
        while self.hear().get("params", {}).get("version") != version:
            pass

    def memory(self) -> float:
        """Resident MB, where the system tells."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return float("nan")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def seconds(self) -> float:
        """Processor seconds so far, where the system tells."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            return float("nan")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def edits(tacenda: str, directory: Path, files: list[Path]) -> None:
    """What an edit costs, for files of different sizes: from the change to what is found."""
    begun = time.perf_counter()
    server = Server(tacenda, directory)
    by_size = sorted(files, key=lambda file: file.stat().st_size)
    rounds = 20
    print(f"\n{'an edit of':36}{'lines':>8}{'median ms':>12}{'worst ms':>12}{'cpu ms':>10}")
    for place in (0.5, 0.9, 0.99):
        file = by_size[int(place * (len(by_size) - 1))]
        text = file.read_text()
        document = {"uri": file.as_uri(), "languageId": "python", "version": 1, "text": text}
        server.say("textDocument/didOpen", {"textDocument": document})
        server.told(1)
        if place == 0.5:
            first = time.perf_counter() - begun
        took, cpu = [], server.seconds()
        for version in range(2, rounds + 2):
            # A statement more, at the end of the file.
            end = {"line": text.count("\n") + version, "character": 0}
            change = {"range": {"start": end, "end": end}, "text": f"x_{version} = len('x')\n"}
            edited = {"uri": file.as_uri(), "version": version}
            asked = time.perf_counter()
            server.say(
                "textDocument/didChange", {"textDocument": edited, "contentChanges": [change]}
            )
            server.told(version)
            took.append(1000 * (time.perf_counter() - asked))
        spent = 1000 * (server.seconds() - cpu) / rounds
        lines = text.count("\n")
        print(
            f"{file.name:36}{lines:8}{statistics.median(took):12.1f}{max(took):12.1f}{spent:10.1f}"
        )
    print(f"the first answer after {first:.1f} s; {server.memory():.0f} MB")
    server.process.kill()


def main() -> None:
    tacenda = sys.argv[1]
    if len(sys.argv) > 2:
        directory = Path(sys.argv[2])
    else:
        package = importlib.util.find_spec("transformers")
        if package is None or package.origin is None:
            sys.exit("transformers is not installed: name a directory")
        directory = Path(package.origin).parent
    files = sorted(directory.rglob("*.py"))
    lines = sum(file.read_bytes().count(b"\n") for file in files)
    print(f"{directory}: {len(files)} files, {lines} lines; load {os.getloadavg()[0]:.1f}\n")
    commands = {"tacenda scan": [tacenda, "scan", "--quiet", "--format", "jsonl", str(directory)]}
    ruff = shutil.which("ruff")
    if ruff:
        rules = [ruff, "check", "--no-cache", "--isolated", "--select", "G,LOG,S"]
        commands["ruff G,LOG,S"] = [*rules, "--output-format", "concise", str(directory)]
    print(f"{'':14}{'cpu s':>8}{'s':>8}{'MB':>8}{'lines of output':>18}")
    for name, command in commands.items():
        best = min(measure(command) for _ in range(3))
        print(f"{name:14}{best[0]:8.2f}{best[1]:8.2f}{best[2]:8.0f}{best[3]:18}")
    edits(tacenda, directory, files)


if __name__ == "__main__":
    main()
