"""Where developers are: the GitHub Action, the GitLab job and the pre-commit hook, each held to the
schema of its host and run as the host runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LEAK = "import logging\n\n\ndef login(password):\n    logging.info('%s', password)\n"
QUIET = "import logging\n\n\ndef login(user):\n    logging.info('%s', user)\n"


def environment(**more: str) -> dict[str, str]:
    programs = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **more}


def schema(name: str, file: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", name, str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def bash(script: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        # As runners of both hosts start it.
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env=environment(XDG_CACHE_HOME=str(folder / ".cache"), **env),
        capture_output=True,
        text=True,
        timeout=120,
    )


def action() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return content


def run_action(folder: Path, **inputs: str) -> tuple[int, str, dict[str, str]]:
    """Runs the steps of the action with these inputs: status, what was printed, outputs."""
    content = action()
    values = {name: one["default"] for name, one in content["inputs"].items()} | inputs
    output = folder / "outputs"
    output.touch()
    printed, status = "", 0
    for step in content["runs"]["steps"]:
        env = {}
        for name, value in step.get("env", {}).items():
            key = value.removeprefix("${{ inputs.").removesuffix(" }}")
            env[name] = values[key]
        done = bash(
            step["run"],
            folder,
            GITHUB_OUTPUT=str(output),
            GITHUB_ACTION_PATH=str(ROOT),
            **env,
        )
        printed, status = printed + done.stdout + done.stderr, done.returncode
        if status:
            break
    lines = output.read_text().splitlines()
    return status, printed, dict(line.split("=", 1) for line in lines)


def test_the_action_is_one() -> None:
    schema("vendor.github-actions", ROOT / "action.yml")
    for step in action()["runs"]["steps"]:
        assert "${{" not in step["run"], "an input in a script is part of the script"


def test_the_action_finds_and_tells(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(LEAK)
    status, printed, outputs = run_action(tmp_path)
    assert (status, outputs) == (1, {"sarif": "tacenda.sarif", "found": "true"})
    assert "::error file=app.py,line=5" in printed
    (result,) = json.loads((tmp_path / "tacenda.sarif").read_text())["runs"][0]["results"]
    assert result["ruleId"] == "TAC101"
    status, _, outputs = run_action(tmp_path, fail="false", sarif="other.sarif")
    assert (status, outputs["found"], outputs["sarif"]) == (0, "true", "other.sarif")
    assert run_action(tmp_path, arguments="--ignore=TAC101\n")[0] == 0


def test_the_inputs_of_the_action_are_no_script(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(QUIET)
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "c.py").write_text(LEAK)
    assert run_action(tmp_path, paths="app.py\n")[0] == 0
    assert run_action(tmp_path, paths="app.py\na b\n")[0] == 1
    for bad in ("$(touch broken)", "; touch broken", "`touch broken`", "--write-baseline=broken"):
        assert run_action(tmp_path, paths=bad)[0] == 2
    assert not (tmp_path / "broken").exists()


def gitlab() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / ".gitlab/tacenda-scan.yml").read_text())
    return content["tacenda-scan"]


@pytest.mark.parametrize(("text", "found"), [(LEAK, True), (QUIET, False)])
def test_the_gitlab_job_reports(tmp_path: Path, text: str, found: bool) -> None:
    schema("vendor.gitlab-ci", ROOT / ".gitlab/tacenda-scan.yml")
    job = gitlab()
    (tmp_path / "app.py").write_text(text)
    script = "\n".join([*job["before_script"], *job["script"]])
    done = bash(script, tmp_path, **job["variables"])
    assert done.returncode == int(found), done.stdout + done.stderr
    report = job["artifacts"]["reports"]["codequality"]
    assert len(json.loads((tmp_path / report).read_text())) == int(found)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_hook_runs(tmp_path: Path) -> None:
    pre_commit = [sys.executable, "-m", "pre_commit"]
    manifest = ROOT / ".pre-commit-hooks.yaml"
    subprocess.run([*pre_commit, "validate-manifest", str(manifest)], check=True)
    # A repository of the hook: one of its own, so that nothing else has to be committed.
    hooks, project = tmp_path / "hooks", tmp_path / "project"
    for folder in (hooks, project):
        folder.mkdir()
        git(folder, "init", "--quiet")
    (hooks / ".pre-commit-hooks.yaml").write_text(manifest.read_text())
    git(hooks, "add", ".")
    git(hooks, "commit", "--quiet", "--message", "The hook")
    (project / "app.py").write_text(LEAK)
    (project / "quiet.py").write_text(QUIET)
    git(project, "add", ".")
    for files, status in ((["quiet.py"], 0), (["app.py", "quiet.py"], 1)):
        done = subprocess.run(
            [*pre_commit, "try-repo", str(hooks), "tacenda-scan", "--files", *files],
            cwd=project,
            env=environment(
                PRE_COMMIT_HOME=str(tmp_path / "home"),
                XDG_CACHE_HOME=str(tmp_path / "cache"),
                NO_COLOR="1",
            ),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert ("TAC101" in done.stdout) == bool(status)
