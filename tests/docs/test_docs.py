"""Runs every command and every program that README.md and docs/ show.

Each document gets an empty directory of its own, in which its code blocks run in their order:

- ```` ```sh ```` runs with bash, the environment's programs first on PATH, and has to succeed;
- ```` ```console ```` runs likewise, command by command after `$ `; lines below a command are what
  it has to print (times, fingerprints aside);
- ```` ```python ```` runs with the environment's interpreter and has to succeed;
- ```` ```toml ```` is written to `tacenda.toml`, which `tacenda config --show` has to accept;
- other blocks are text.

Two things do not end by themselves: a server, which runs with `--help` added, and `tail -f`, which
runs for a second. The directory holds the files of a user who has logs: see `LOGS`.

A comment on the line before a block says what else is meant by it:

- `<!-- file: NAME -->` the block is the content of a file, which later blocks use;
- `<!-- prints -->` the block is what the block before it prints (times, fingerprints aside);
- `<!-- fails: STATUS -->` the block ends with this status;
- `<!-- task -->` the block runs the repository's own tasks: only that they exist is checked,
  since this test is part of one;
- `<!-- install -->` the block installs Tacenda, as `cargo xtask wheel` did for this test.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
BLOCK = re.compile(
    r"(?:^<!-- (?P<marker>[a-z]+)(?:: (?P<value>[^>]+?))? -->\n)?"
    r"^```(?P<language>\w*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
MARKERS = {"file", "prints", "fails", "task", "install"}
CODE = {"sh", "console", "python", "toml"}
# Spoken languages of blocks that nothing runs.
TEXT = {"text", "json", "diff", "rust", "ini"}
TASK = re.compile(r"^cargo xtask (?P<task>\w+)(?: .*)?$")
INSTALL = re.compile(r"^(?:python3? -m )?pip install (?:\.|target/wheels/\S+|tacenda)(?: .*)?$")
SERVER = re.compile(r"^.*\bmlx_lm[. ]server\b.*$", re.MULTILINE)
LOGS = {
    "app.log": (
        "2026-03-01 10:00:00,101 INFO app welcome mail sent to ines.moreau@example.org\n"
        "2026-03-01 10:00:01,202 INFO app GET /v1/models with Authorization: Bearer "
        "TacendaDocsNeverIssued0123456789\n"
        "2026-03-01 10:00:02,303 ERROR app charge failed for 5555 5555 5555 4444, retried\n"
        "2026-03-01 10:00:03,404 INFO app 3 requests served, not one is waiting\n"
    ),
    "events.jsonl": '{"level": "info", "user": "ines.moreau@example.org", "status": 200}\n',
}
VARYING = [
    (re.compile(r"#[0-9a-f]{4,}"), "#fingerprint"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?"), "time"),
]


@dataclass(frozen=True)
class Block:
    language: str
    code: str
    marker: str | None
    value: str | None
    line: int


def blocks(text: str) -> list[Block]:
    found = []
    for match in BLOCK.finditer(text):
        marker, value = match["marker"], match["value"]
        line = text.count("\n", 0, match.start("code"))
        found.append(Block(match["language"], match["code"], marker, value, line))
    return found


def commands(code: str) -> list[str]:
    """The lines of a shell block, comments and continuations resolved."""
    lines = code.replace("\\\n", " ").split("\n")
    return [bare for line in lines if (bare := re.sub(r"(?:^|\s)#.*$", "", line).strip())]


def tasks() -> set[str]:
    usage = (ROOT / "xtask/src/main.rs").read_text()
    section = usage.split("Tasks\n", 1)[1].split("\n\n", 1)[0]
    return {line.split()[0] for line in section.splitlines()}


def environment() -> dict[str, str]:
    programs = str(Path(sys.executable).parent)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TACENDA_")}
    # Documents are run in a temporary directory, where nobody should keep a journal.
    own = {"NO_COLOR": "1", "TACENDA_JOURNAL_PLACES": "temporary"}
    return {**kept, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **own}


def bash(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    code = SERVER.sub(r"\g<0> --help", code)
    code = re.sub(r"\btail -f (\S+)", r"(timeout 1 tail -f \1 || true)", code)
    return run(["bash", "-euo", "pipefail", "-c", code], folder)


def console(code: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with what it is said to print."""
    steps: list[tuple[str, str]] = []
    for line in code.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], ""))
        else:
            assert steps, "a console block begins with a command"
            command, output = steps.pop()
            steps.append((command, f"{output}{line}\n"))
    return steps


def prepare(folder: Path) -> None:
    for name, text in LOGS.items():
        (folder / name).write_text(text)
    (folder / "old.log.gz").write_bytes(gzip.compress(LOGS["app.log"].encode()))


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # Where guarded processes are found, and things are kept: not those of whoever tests.
    own = dict.fromkeys(["XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"], str(folder))
    return subprocess.run(
        command,
        cwd=folder,
        env={**environment(), **own},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def steady(text: str) -> str:
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def execute(block: Block, folder: Path) -> str:
    """Runs a block in the way its language and its marker ask for; what it printed."""
    lines = commands(block.code)
    match block.marker, block.language:
        case "file", _:
            assert block.value is not None, "which file?"
            (folder / block.value).write_text(block.code)
            return ""
        case "task", "sh":
            named = [TASK.match(line) for line in lines]
            assert all(named), "a task block holds `cargo xtask` lines only"
            assert {m["task"] for m in named if m} <= tasks()
            return ""
        case "install", "sh":
            assert all(INSTALL.match(line) or line.startswith("cd ") for line in lines)
            return ""
        case _, "console":
            printed = ""
            for command, said in console(block.code):
                done = bash(command, folder)
                printed = done.stdout + done.stderr
                assert done.returncode == 0, f"`{command}`: status {done.returncode}:\n{printed}"
                assert not said or steady(printed) == steady(said), f"it prints:\n{printed}"
            return printed
        case _, "sh":
            done = bash(block.code, folder)
        case _, "python":
            (folder / "block.py").write_text(block.code)
            done = run([sys.executable, "block.py"], folder)
        case _, "toml":
            (folder / "tacenda.toml").write_text(block.code)
            done = run(["tacenda", "config", "--show"], folder)
        case _:
            return ""
    expected = int(block.value or 1) if block.marker == "fails" else 0
    printed = done.stdout + done.stderr
    assert done.returncode == expected, f"status {done.returncode}, not {expected}:\n{printed}"
    return printed


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document(document: Path, tmp_path: Path) -> None:
    prepare(tmp_path)
    printed = ""
    for block in blocks(document.read_text()):
        where = f"{document.relative_to(ROOT)}:{block.line}"
        assert block.language in CODE | TEXT, f"{where}: a block needs a language"
        assert block.marker in MARKERS | {None}, f"{where}: no such marker: {block.marker}"
        if block.marker == "prints":
            assert steady(printed) == steady(block.code), f"{where}: prints something else"
            continue
        try:
            printed = execute(block, tmp_path)
        except AssertionError as error:
            pytest.fail(f"{where}: {error}", pytrace=False)


def test_readme_shows_the_two_commands() -> None:
    shown = {line for b in blocks((ROOT / "README.md").read_text()) for line in commands(b.code)}
    assert {"cargo xtask demo", "cargo xtask test"} <= shown


def check(text: str, folder: Path) -> str:
    return "".join(execute(block, folder) for block in blocks(text))


def test_a_failing_block_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="status 3"):
        check("```sh\nexit 3\n```\n", tmp_path)
    with pytest.raises(AssertionError, match="status 1"):
        check("```python\nraise SystemExit(1)\n```\n", tmp_path)
    check("<!-- fails: 3 -->\n```sh\nexit 3\n```\n", tmp_path)


def test_markers_do_not_hide_other_commands(tmp_path: Path) -> None:
    for marker in ("task", "install"):
        with pytest.raises(AssertionError):
            check(f"<!-- {marker} -->\n```sh\nfalse\n```\n", tmp_path)
    with pytest.raises(AssertionError):
        check("<!-- task -->\n```sh\ncargo xtask frobnicate\n```\n", tmp_path)


def test_console_blocks_are_held_to_what_they_show(tmp_path: Path) -> None:
    check("```console\n$ echo a\na\n$ echo b >&2\nb\n```\n", tmp_path)
    for wrong in ("$ echo a\nb", "$ false", "$ true\na"):
        with pytest.raises(AssertionError):
            check(f"```console\n{wrong}\n```\n", tmp_path)


def test_what_does_not_end_is_ended(tmp_path: Path) -> None:
    prepare(tmp_path)
    printed = check("```console\n$ tail -f app.log | tacenda redact\n```\n", tmp_path)
    assert "welcome mail sent to [email" in printed
    assert "usage:" in check("```sh\ntacenda run -- mlx_lm.server --model ./none\n```\n", tmp_path)


def test_blocks_share_their_files(tmp_path: Path) -> None:
    text = "<!-- file: a.py -->\n```python\nprint(6 * 7)\n```\n```sh\npython a.py\n```\n"
    assert check(text, tmp_path) == "42\n"


def test_times_and_fingerprints_may_vary() -> None:
    left = "2026-03-01 10:00:00,123 - INFO - [email #a1b2c3]  \n"
    assert steady(left) == steady("2027-01-02 03:04:05 - INFO - [email #0f0f0f]")
    assert steady(left) != steady("2027-01-02 03:04:05 - INFO - someone@example.org")
