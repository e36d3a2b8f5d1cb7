"""The examples of docs/deploy: what reads them accepts them, and they start `tacenda run`."""

from __future__ import annotations

import plistlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "docs/deploy"
TACENDA = Path(sys.executable).with_name("tacenda")
GUIDE = DEPLOY.parent / "guides/services.md"


def arguments(command: list[str]) -> tuple[list[str], list[str]]:
    """What is before `--` and what is behind it."""
    at = command.index("--")
    return command[:at], command[at + 1 :]


def check(command: list[str]) -> None:
    ours, program = arguments(command)
    assert Path(ours[0]).name == "tacenda"
    assert ours[1] == "run"
    # The options exist: a program that does nothing runs under them.
    places = [re.sub(r"^file:.*", "stdio", part) for part in ours[2:]]
    done = subprocess.run([TACENDA, "run", "--quiet", *places, "--", "true"], check=False)
    assert done.returncode == 0
    assert Path(program[0]).name == "mlx_lm.server"


def unit() -> dict[str, list[tuple[str, str]]]:
    sections: dict[str, list[tuple[str, str]]] = {}
    section = None
    for line in (DEPLOY / "app.service").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if named := re.fullmatch(r"\[(\w+)\]", line):
            section = sections.setdefault(named[1], [])
            continue
        key, sign, value = line.partition("=")
        assert sign, f"no setting: {line}"
        assert section is not None, "a setting has a section"
        section.append((key, value))
    return sections


def test_the_systemd_unit_starts_tacenda_and_keeps_places_private() -> None:
    service = unit()["Service"]
    settings = dict(service)
    check(shlex.split(settings["ExecStart"]))
    for place in ("Logs", "State", "Runtime"):
        assert settings[f"{place}DirectoryMode"] == "0700"
    assert settings["LimitCORE"] == "0"
    environment = [value for key, value in service if key == "Environment"]
    assert "XDG_RUNTIME_DIR=/run/app" in environment


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    def verify(text: str) -> subprocess.CompletedProcess[str]:
        # It looks for the programs, which are not here.
        (tmp_path / "app.service").write_text(
            re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text)
        )
        command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "app.service")]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    text = (DEPLOY / "app.service").read_text()
    done = verify(text)
    complaints = [line for line in done.stderr.splitlines() if "app.service" in line]
    assert not complaints, done.stderr
    wrong = verify(text.replace("KillMode=mixed", "KillMod=mixed"))
    assert "KillMod" in wrong.stderr, "a slip would be noticed"


def test_the_launchd_plist_is_one() -> None:
    with (DEPLOY / "com.example.app.plist").open("rb") as file:
        plist = plistlib.load(file)
    check(plist["ProgramArguments"])
    assert plist["Label"] == "com.example.app"
    assert plist["Umask"] == 0o077
    assert plist["SoftResourceLimits"]["Core"] == plist["HardResourceLimits"]["Core"] == 0


def test_the_container_starts_tacenda() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    listed = {
        key: re.findall(r'"([^"]*)"', value)
        for key, value in re.findall(r"(?m)^(ENTRYPOINT|CMD) (\[.*\])$", text)
    }
    check([*listed["ENTRYPOINT"], *listed["CMD"]])
    user = text.index("USER app")
    assert user < text.index("ENTRYPOINT")
    assert not re.search(r"(?m)^USER root$", text[user:]), "it does not run as root"


def test_the_guide_names_every_file() -> None:
    guide = GUIDE.read_text()
    for file in DEPLOY.iterdir():
        assert f"../deploy/{file.name}" in guide
