"""Every case runs in a process of its own, without the guard and with it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

# No detector knows it: what finds it are protected values.
PROMPT = "My heron is the teal one, it hums at the canary wharf, north of tides"
EMAIL = "jane.roe.canary@example.com"
SSN = "078-05-1120"
CARD = "4111 1111 1111 1111"


@dataclass(frozen=True)
class Output:
    stdout: str
    stderr: str
    returncode: int

    @property
    def text(self) -> str:
        return self.stdout + self.stderr


class Case:
    """Runs Python code in a fresh interpreter."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def run(
        self,
        code: str,
        *,
        guard: bool,
        args: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        shell: str = "",
    ) -> Output:
        """Runs code; `options` are the interpreter's, `shell` a redirection like `2>&-`."""
        head = "import tacenda\ntacenda.install()\n" if guard else _UNGUARDED
        constants = f"PROMPT, EMAIL, SSN, CARD = {(PROMPT, EMAIL, SSN, CARD)!r}\n"
        script = self._directory / "case.py"
        script.write_text(head + constants + textwrap.dedent(code))
        command = [sys.executable, *options, str(script), *args]
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {shell}', "sh", *command] if shell else command,
            capture_output=True,
            text=True,
            timeout=300,
            cwd=self._directory,
            env={k: v for k, v in os.environ.items() if not k.startswith(("TACENDA_", "PYTHON"))}
            | {"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        )
        return Output(done.stdout, done.stderr, done.returncode)

    def leak(self, code: str, *needles: str) -> Output:
        """Runs the code both ways: each needle leaks without the guard and not with it."""
        bare = self.run(code, guard=False)
        for needle in needles:
            assert needle in bare.text, f"the case does not leak without the guard:\n{bare.text}"
        guarded = self.run(code, guard=True)
        for needle in needles:
            assert needle not in guarded.text, guarded.text
        assert guarded.returncode == bare.returncode, guarded.text
        return guarded


# The same script without a guard: protecting does nothing.
_UNGUARDED = """
import contextlib
class tacenda:
    @staticmethod
    def protect(*args, **kwargs):
        return contextlib.nullcontext()
"""
