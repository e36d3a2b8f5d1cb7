"""Reports of `tacenda scan` for programs, read by what reads them elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import junitparser
import pytest
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

PROGRAM = """\
import logging

import tacenda

log = logging.getLogger(__name__)


def login(user, password, prompt):
    line = f"{user} with {password}"
    log.info("%s", line)
    log.info("%s", password)
    # tacenda: ignore[TAC101] an account of the test bench
    log.debug("%s", password)
"""


def scan(folder: Path, form: str, *arguments: str) -> str:
    tacenda = Path(sys.executable).parent / "tacenda"
    done = subprocess.run(
        [tacenda, "scan", "--format", form, *arguments],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "XDG_CACHE_HOME": str(folder / ".cache")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (0, 1, 2), done.stderr
    return done.stdout


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder & <more>"
    folder.mkdir()
    (folder / "é %.py").write_text(PROGRAM)
    (folder / "binary.py").write_bytes(b"x = 1\0")
    return folder


def test_sarif_is_valid(program: Path) -> None:
    text = scan(program, "sarif")
    # A model that was made from the schema of the standard, and knows no other properties.
    log = Sarif.model_validate_json(text)
    assert log.version.value == "2.1.0"
    (run,) = json.loads(text)["runs"]
    results: list[dict[str, Any]] = run["results"]
    assert [one.get("suppressions") for one in results] == [
        None,
        None,
        [{"kind": "inSource"}],
    ]
    assert all(one["codeFlows"] for one in results)
    assert {
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results
    } == {"%C3%A9%20%25.py"}
    (fix,) = results[1]["fixes"]
    inserted = [one["insertedContent"]["text"] for one in fix["artifactChanges"][0]["replacements"]]
    assert inserted == ["tacenda.summary(", ")"]
    assert run["invocations"][0]["toolExecutionNotifications"]


def test_a_report_that_is_no_sarif_is_noticed(program: Path) -> None:
    log = json.loads(scan(program, "sarif"))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(ValueError, match="startLine"):
        Sarif.model_validate(log)


def test_gitlab_is_what_its_documentation_asks_for(program: Path) -> None:
    issues = json.loads(scan(program, "gitlab"))
    assert len(issues) == 2
    assert len({issue["fingerprint"] for issue in issues}) == 2
    for issue in issues:
        assert issue["check_name"] == "TAC101"
        assert issue["description"]
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["path"] == "é %.py"
        assert issue["location"]["lines"]["begin"] > 0


def test_junit_is_read(program: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.xml"
    file.write_text(scan(program, "junit"))
    (suite,) = junitparser.JUnitXml.fromfile(str(file))
    results = [type(case.result[0]) for case in suite]
    assert results == [junitparser.Failure, junitparser.Failure, junitparser.Error]
    assert (suite.tests, suite.failures, suite.errors) == (3, 2, 1)
    quiet = tmp_path / "quiet"
    quiet.mkdir()
    (quiet / "a.py").write_text("x = 1\n")
    file.write_text(scan(quiet, "junit"))
    (suite,) = junitparser.JUnitXml.fromfile(str(file))
    assert [case.result for case in suite] == [[]]
