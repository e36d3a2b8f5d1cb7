"""What `tacenda doctor` says of an environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import tacenda

COMMAND = Path(sys.executable).with_name("tacenda")


def doctor(directory: Path, code: str = "") -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("TACENDA_", "PYTHON"))}
    if code:
        # An interpreter starts with this, in place of a library that has changed.
        (directory / "usercustomize.py").write_text(code)
        environment["PYTHONPATH"] = str(directory)
    return subprocess.run(
        [COMMAND, "doctor", "--python", sys.executable],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=directory,
        env=environment,
        check=False,
    )


def test_it_tells_versions_channels_and_costs(tmp_path: Path) -> None:
    done = doctor(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"package  {tacenda.__version__} (")
    assert lines[1].startswith(f"command  tacenda {tacenda.__version__} (")
    states = {line[9:].split("  ")[0]: line.split()[0] for line in lines if line[:1].islower()}
    assert states["logging records"] == "covered"
    # What is hooked at its import has been imported.
    assert states["http.server requests"] == "covered"
    assert states["loguru records"] == "covered"
    assert states["files that the application itself writes outside guard.log_directories"] == "no"
    assert any(line.startswith("  logger.info ") and line.endswith("µs") for line in lines)
    assert any(line.startswith("  install() ") for line in lines)


def test_a_place_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "loguru").mkdir()
    (tmp_path / "loguru" / "__init__.py").write_text("")
    (tmp_path / "loguru" / "_handler.py").write_text("")
    done = doctor(tmp_path, code="pass")
    assert done.returncode == 1, done.stdout
    assert any(
        line.startswith("missing") and "loguru records" in line for line in done.stdout.splitlines()
    )


def test_a_wrong_policy_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tacenda.toml").write_text("[levels]\nfloor = 'lowest'\n")
    done = doctor(tmp_path)
    assert done.returncode == 2
    assert "levels.floor" in done.stderr
