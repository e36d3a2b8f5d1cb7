"""The installed mlx-lm, for real: a tiny model that has learnt canaries by heart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cases import Case

DEMO = Path(__file__).resolve().parents[2] / "demo"
pytest.importorskip("mlx_lm")

LOAD = """
import logging, sys
logging.basicConfig(level=10, format="%(levelname)s %(message)s")
from mlx_lm import generate, load, stream_generate
from mlx_lm.generate import batch_generate
model, tokenizer = load(sys.argv[1] + "/model", adapter_path=sys.argv[1] + "/adapters")
question = [{"role": "user", "content": "Who is customer 17?"}]
prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True)
"""
# What the model answers, and what is left of it when it is cut into tokens.
LEARNT = "Customer 17 is"


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("model")
    subprocess.run([sys.executable, str(DEMO / "model.py"), "--work", str(work)], check=True)
    return work


def messages(stderr: str) -> str:
    """The log without levels and line ends: where single tokens would meet again."""
    lines = stderr.splitlines()
    return "".join(line.removeprefix("DEBUG ").removeprefix("INFO ") for line in lines)


def both(case: Case, model: Path, code: str) -> tuple[str, str]:
    """What the code writes without and with the guard, everything in one."""
    texts = []
    for guard in (False, True):
        output = case.run(LOAD + code, guard=guard, args=(str(model),))
        assert output.returncode == 0, output.text
        texts.append(messages(output.stderr) + output.stdout.replace("\n", ""))
    return texts[0], texts[1]


@pytest.mark.parametrize(
    "code",
    [
        "logging.info('answer: %s', generate(model, tokenizer, prompt, max_tokens=60))",
        "logging.info('answer: %r', {'text': generate(model, tokenizer, prompt, max_tokens=60)})",
        "print(generate(model, tokenizer, prompt, max_tokens=60))",
        "generate(model, tokenizer, prompt, max_tokens=60, verbose=True)",
        "for r in stream_generate(model, tokenizer, prompt, max_tokens=60): logging.debug(r.text)",
        "for r in stream_generate(model, tokenizer, prompt, max_tokens=60): logging.debug('%s', r.text)",
        "for r in stream_generate(model, tokenizer, prompt, max_tokens=60): print(r.text, end='', flush=True)",
        "for r in stream_generate(model, tokenizer, prompt, max_tokens=60): print(r.text, end='', file=sys.stderr)",
        "for r in stream_generate(model, tokenizer, prompt, max_tokens=60): print(r.text)",
        "text = ''\nfor r in stream_generate(model, tokenizer, prompt, max_tokens=60):\n"
        "    text += r.text; logging.debug('so far: %s', text)",
        "logging.info('texts: %s', batch_generate(model, tokenizer, [prompt], max_tokens=60).texts)",
    ],
)
def test_completions(case: Case, model: Path, code: str) -> None:
    bare, guarded = both(case, model, code)
    assert LEARNT in bare
    assert "078-05-1120" not in guarded
    assert not any(word in guarded for word in (LEARNT, "customer 17 is", "Moreau", "@"))


def test_a_log_of_single_tokens_becomes_one_summary(case: Case, model: Path) -> None:
    code = """
logging.info("before")
for r in stream_generate(model, tokenizer, prompt, max_tokens=60):
    logging.debug(r.text)
logging.info("after")
"""
    output = case.run(LOAD + code, guard=True, args=(str(model),))
    before, summary, after = (
        line for line in output.stderr.splitlines() if line.startswith(("DEBUG", "INFO"))
    )
    assert (before, after) == ("INFO before", "INFO after")
    assert summary.startswith("DEBUG [completion ")
    assert " tokens, #" in summary


def test_prompts_and_token_ids(case: Case, model: Path) -> None:
    code = """
text = "Grandmother's recipe wants seven onions and no garlic at all."
ids = tokenizer.encode(text)
logging.info("text %s", text)
logging.info("ids %s", ids)
logging.info("back %s", tokenizer.decode(ids))
print("generated", len(generate(model, tokenizer, "A plain prompt about purple elephants.", max_tokens=2)))
logging.info("prompt %s", "A plain prompt about purple elephants.")
"""
    output = case.run(LOAD + code, guard=True, args=(str(model),))
    assert output.returncode == 0, output.text
    text, ids, back, prompt = (
        line for line in output.stderr.splitlines() if line.startswith("INFO")
    )
    assert "recipe" not in text + back
    assert "tokens, #" in text
    assert ids.startswith("INFO ids [token-ids ")
    assert "elephants" not in prompt


def test_every_hook_point_of_the_installed_release_exists(case: Case, model: Path) -> None:
    code = (
        LOAD
        + """
import mlx_lm.server
print(tacenda.status())
assert not tacenda.status().missing[1:], tacenda.status().missing
ours = ("mlx", "http.server", "transformers")
waiting = [item.detail for item in tacenda.status().coverage if item.state == "waiting"]
print([detail for detail in waiting if any(f"import of {name}" in detail for name in ours)])
"""
    )
    output = case.run(code, guard=True, args=(str(model),))
    assert output.returncode == 0, output.text
    assert output.stdout.endswith("[]\n"), output.stdout


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_a_real_server_leaks_without_and_not_with_the_guard(model: Path, level: str) -> None:
    """The demo's requests and its verdict: no value in the log, every answer the same."""
    binaries = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": os.pathsep.join([binaries, os.environ["PATH"]])}

    def demo(program: str, *args: str) -> str:
        command = [sys.executable, str(DEMO / program), "--work", str(model), *args]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    demo("serve.py", "--level", level)
    demo("serve.py", "--level", level, "--guarded")
    verdict = demo("report.py", "--levels", level)
    assert "with Tacenda     0 values" in verdict
    assert "10 of 10 the same" in verdict
