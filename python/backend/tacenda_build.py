"""Build backend of the wheel: maturin, after the native command is put where maturin takes it.

The wheel carries the extension `tacenda._core` and the command `tacenda`. maturin builds the
first and packs whatever lies in its data directory; the command has to be there before. A script
that starts Python would do for the command too, but costs tens of milliseconds at each start.

`TACENDA_BUILD_PROFILE` names the cargo profile of both (default: release).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import maturin

ROOT = Path(__file__).resolve().parents[2]
# As `data` in pyproject.toml says.
SCRIPTS = ROOT / "target" / "wheel-data" / "scripts"

Settings = dict[str, Any] | None


def _stage_command() -> None:
    profile = os.environ.get("TACENDA_BUILD_PROFILE", "release")
    os.environ["MATURIN_PEP517_ARGS"] = f"--profile {profile}"
    # Naming the extension as well makes cargo choose the features of shared crates for both: what
    # is compiled for the one then serves the other.
    packages = ["--package", "tacenda", "--package", "tacenda-python"]
    command = ["cargo", "build", "--locked", *packages, "--bin", "tacenda", "--profile", profile]
    if subprocess.run(command, cwd=ROOT, stdout=sys.stderr).returncode != 0:
        sys.exit(f"`{' '.join(command)}` failed: see above")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = target / {"dev": "debug"}.get(profile, profile) / "tacenda"
    shutil.rmtree(SCRIPTS, ignore_errors=True)
    SCRIPTS.mkdir(parents=True)
    shutil.copy2(built, SCRIPTS / "tacenda")


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    return []


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    return []


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    return []


def prepare_metadata_for_build_wheel(
    metadata_directory: str, config_settings: Settings = None
) -> str:
    SCRIPTS.mkdir(parents=True, exist_ok=True)
    return str(maturin.prepare_metadata_for_build_wheel(metadata_directory, config_settings))


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def build_wheel(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    _stage_command()
    return str(maturin.build_wheel(wheel_directory, config_settings, metadata_directory))


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    _stage_command()
    return str(maturin.build_editable(wheel_directory, config_settings, metadata_directory))


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    SCRIPTS.mkdir(parents=True, exist_ok=True)
    return str(maturin.build_sdist(sdist_directory, config_settings))
