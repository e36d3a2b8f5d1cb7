"""A channel: one way in which a value leaves a process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# What detectors find, and what they do not: the application has protected it.
EMAIL = "jane.roe.canary@example.com"
PROMPT = "My heron is the teal one, it hums at the canary wharf, north of tides"
# What nobody has protected: it comes in a request.
BODY = "Her otter is the grey one, it sings under the canary bridge, south of locks"


@dataclass(frozen=True)
class Channel:
    """A script that leaks, and how it is started."""

    name: str
    code: str
    # What leaks without the guard.
    leaks: tuple[str, ...] = (EMAIL, PROMPT)
    # The interpreter's options, or another command in its place: `{python}`, `{script}`.
    command: tuple[str, ...] = ("{python}", "{script}")
    # Whether the script writes files that are its own business and no log.
    own_files: bool = False
    # The policy file in its directory.
    policy: str = ""
    # A library that is not there for every version of Python, and the version that has what is used.
    needs: str = ""
    since: tuple[int, int] = (3, 10)

    @property
    def guards(self) -> tuple[str, ...]:
        """How it can be guarded: what is no script of ours has no line to install the guard."""
        return ("install", "run") if "{script}" in self.command else ("run",)


@dataclass(frozen=True)
class Outcome:
    """What came out of a script: its streams and every file that it left."""

    status: int
    text: str


GUARDS = {
    "bare": "",
    "install": "import tacenda\ntacenda.install(stdout='log')\ntacenda.protect(PROMPT)\n",
    "run": "import tacenda\ntacenda.protect(PROMPT)\n",
}


def run(channel: Channel, guard: str, directory: Path) -> Outcome:
    """Runs the script in a directory of its own, without a guard (`bare`) or with one."""
    directory.mkdir()
    script = directory / "app.py"
    constants = f"EMAIL, PROMPT, BODY = {(EMAIL, PROMPT, BODY)!r}\nSECRET = EMAIL + ' ' + PROMPT\n"
    script.write_text(f"{constants}{GUARDS[guard]}{channel.code.lstrip()}\n")
    if channel.policy:
        (directory / "tacenda.toml").write_text(channel.policy)
    names = {"python": sys.executable, "script": "app.py"}
    command = [word.format(**names) for word in channel.command]
    if guard == "run":
        tacenda = str(Path(sys.executable).with_name("tacenda"))
        command = [tacenda, "run", "-q", "--stdout", "log", "--no-tmpdir", "--", *command]
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TACENDA_", "PYTHON", "PYTEST_"))
    }
    done = subprocess.run(
        command,
        capture_output=True,
        timeout=300,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        env=kept | {"HOME": str(directory), "TMPDIR": str(directory), "COLUMNS": "200"},
        check=False,
    )
    streams = (done.stdout + done.stderr).decode(errors="replace")
    files = (path for path in sorted(directory.rglob("*")) if path.is_file() and path != script)
    written = "" if channel.own_files else "".join(map(_content, files))
    return Outcome(done.returncode, streams + written)


def _content(path: Path) -> str:
    if path.suffix == ".pyc":
        return ""
    return f"\n== {path.name}\n{path.read_bytes().decode(errors='replace')}"
