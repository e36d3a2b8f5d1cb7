"""Values that no detector knows, masked by the place at which they are logged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMMAND = Path(sys.executable).with_name("tacenda")

# No detector knows it, and nobody protects it.
VALUE = "blue heron at dawn"

HEAD = """\
import logging
import sys

if "guard" in sys.argv:
    import tacenda
    tacenda.install()
handler = logging.StreamHandler()
handler.setFormatter(
    logging.Formatter("%(message)s|%(user_prompt)s", defaults={"user_prompt": ""})
)
logging.basicConfig(level=logging.DEBUG, handlers=[handler])
logger = logging.getLogger("app")
llm = tokenizer = None  # what makes it code about models


def serve(prompt, count):
"""
TAIL = f'\n\nserve("{VALUE}", 7)\n'


class App:
    """A program, its slot map and its policy."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.policy('guard.slot_map = "map.json"\n')

    def policy(self, text: str) -> None:
        (self.directory / "tacenda.toml").write_text(text)

    def write(self, body: str, *, head: str = HEAD, tail: str = TAIL, name: str = "app.py") -> None:
        lines = [f"    {line}".rstrip() for line in body.strip().splitlines()]
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(head + "\n".join(lines) + tail)

    def scan(self) -> dict[str, Any]:
        command = [COMMAND, "scan", "--quiet", "--no-cache", "--slot-map", "map.json", "."]
        done = self._run([str(part) for part in command])
        assert done.returncode in (0, 1), done.stderr
        found: dict[str, Any] = json.loads((self.directory / "map.json").read_text())
        return found

    def run(self, *args: str, name: str = "app.py") -> str:
        done = self._run([sys.executable, name, *args])
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def masked(self) -> str:
        """What the program logs with the map. Without it, the value is in its log."""
        assert VALUE in self.run()
        map_json = self.directory / "map.json"
        if map_json.exists():
            map_json.unlink()
        self.policy("")
        assert VALUE in self.run("guard"), "a detector knows the value"
        self.policy('guard.slot_map = "map.json"\n')
        self.scan()
        logged = self.run("guard")
        for word in ("blue", "heron", "dawn"):
            assert word not in logged, logged
        return logged

    def command(self, *args: str) -> subprocess.CompletedProcess[str]:
        return self._run([str(COMMAND), *args])

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        return self._run([sys.executable, "-c", code])

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        ours = ("TACENDA_", "PYTHON")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        return subprocess.run(
            command,
            cwd=self.directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path)


FORMS = {
    "arguments": (
        'logger.info("asked %s, %d tokens", prompt, count)',
        "asked [prompt 18 chars, #",
        "], 7 tokens",
    ),
    "f-string": ('logger.info(f"asked {prompt}, {count} tokens")', "asked [prompt ", "], 7 tokens"),
    "warning": (
        'import warnings\nwarnings.warn(f"asked {prompt}, {count} tokens", UserWarning)',
        "UserWarning: asked [prompt ",
        "], 7 tokens",
    ),
    "both": ('logger.info(f"asked {prompt}, %d tokens", count)', "asked [prompt ", "], 7 tokens"),
    "sum": ('logger.info("asked " + prompt + ", %d!", count)', "asked [prompt ", "], 7!"),
    "percent": ('logger.info("asked %s, %d!" % (prompt, count))', "asked [prompt ", "], 7!"),
    "format": ('logger.info("asked {}, {n}!".format(prompt, n=count))', "asked [prompt ", "], 7!"),
    "mapping": ('logger.info("%(q)s, %(n)d!", {"q": prompt, "n": count})', "[prompt ", "], 7!"),
    "a variable as mapping": (
        'data = {"q": prompt, "n": count}\nlogger.info("%(q)s!", data)',
        "[prompt ",
        "]!",
    ),
    "extra": ('logger.info("asked", extra={"user_prompt": prompt})', "asked|[prompt "),
    "a variable as extra": (
        'more = {"user_prompt": prompt}\nlogger.info("asked", extra=more)',
        "asked|[prompt ",
    ),
    "variable": ('line = f"asked: {prompt[:40]}"\nlogger.info(line)', "[prompt "),
    "level": ('logger.log(25, "asked %s", prompt)', "asked [prompt "),
    "several lines": ('logger.info(\n    "asked %s",\n    prompt,\n)', "asked [prompt "),
    "bytes": ('logger.info("asked %s", prompt.encode())', "asked [prompt 18 chars"),
    "list": ('logger.info("asked %s", [prompt])', "asked [prompt "),
    "unpacked": ('rest = [prompt, count]\nlogger.info("%s %d!", *rest)', "[prompt ", "!"),
    "method as variable": ('log = logger.info\nlog("asked %s", prompt)', "asked [prompt "),
    "one line": (
        'logger.info("a"); logger.info("asked %s", prompt); logger.info("b")',
        "a|",
        "asked [prompt ",
        "b|",
    ),
    "adapter": (
        "class Numbered(logging.LoggerAdapter):\n"
        "    def process(self, message, options):\n"
        '        return f"7: {message}", options\n'
        'logger = Numbered(logging.getLogger("app"), {})\n'
        'logger.info(f"asked {prompt} now")',
        "7: asked [prompt ",
        "] now",
    ),
    "either on one line": (
        'logger.info(f"did {count} things") if count < 7 else logger.info(prompt)',
        "[prompt ",
    ),
    "lambda": ('say = lambda: logger.info("asked %s", prompt)\nsay()', "asked [prompt "),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_call(app: App, form: str) -> None:
    body, *left = FORMS[form]
    app.write(body)
    logged = app.masked()
    for text in left:
        assert text in logged


def test_what_is_not_sensitive_stays(app: App) -> None:
    body = (
        'logger.info("served %d tokens to %s", count, "a client")\nlogger.info("asked %s", prompt)'
    )
    app.write(body)
    assert "served 7 tokens to a client|" in app.masked()


def test_a_number_stays_a_number(app: App) -> None:
    app.write('password = int("48151623")\nlogger.info("pin %d of %s", password, prompt)')
    app.scan()
    text = (app.directory / "map.json").read_text()
    (app.directory / "map.json").write_text(text.replace('{"label":"safe"}', CREDENTIAL))
    logged = app.run("guard")
    assert "48151623" not in logged
    assert "Traceback" not in logged
    assert "pin 0 of " in logged


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('from decimal import Decimal\npin = Decimal("48151623")\nlogger.info("pin %d", pin)', "0"),
        (
            "class Scalar:\n"
            "    shape = ()\n"
            "    def __float__(self):\n"
            "        return 48151623.0\n"
            "pin = Scalar()\n"
            'logger.info("pin %.2f", pin)',
            "0.00",
        ),
        ('pin = 48151623\nlogger.info("pin %(n)d", {"n": pin})', "0"),
        ('pin = "4"\nlogger.info("pin %c", pin)', None),
    ],
)
def test_any_number_stays_a_number(app: App, body: str, shown: str | None) -> None:
    app.write(body + '\nlogger.info("asked %s", prompt)')
    app.scan()
    text = (app.directory / "map.json").read_text()
    call = next(line for line in text.splitlines() if '"template":["pin ' in line)
    value = '{"label":"credential","confidence":"high"}'
    fields = f'"fields":{{"n":{value}}}' if '"fields"' in call else f'"arguments":[{value}]'
    labelled = call[: call.index(',"arguments"')] + f",{fields}}},"
    (app.directory / "map.json").write_text(text.replace(call, labelled))
    logged = app.run("guard")
    assert "48151623" not in logged
    assert "Traceback" not in logged
    marker = "[tacenda: text withheld after an internal error]|"
    assert (f"pin {shown}|" if shown else marker) in logged


CREDENTIAL = '{"label":"credential","confidence":"high"}'


def test_the_policy_decides_what_is_shown(app: App) -> None:
    app.write('logger.info("asked %s", prompt)')
    app.scan()
    for action, shown in [("mask", "asked [prompt]|"), ("drop", "asked |"), ("keep", VALUE)]:
        app.policy(f'guard.slot_map = "map.json"\nactions.prompt = "{action}"\n')
        assert shown in app.run("guard")


def test_a_value_without_a_text_does_not_harm_the_program(app: App) -> None:
    body = """
class Broken:
    def __str__(self):
        raise ValueError("no text")
prompt = Broken()
logger.info("asked %s", prompt)
logger.info("done")
"""
    app.write(body)
    app.scan()
    logged = app.run("guard")
    assert "asked [tacenda: text withheld after an internal error]|" in logged
    assert "done|" in logged


STATUS = "\nif 'guard' in sys.argv:\n    print(tacenda.status())\n"


def test_a_map_says_that_it_fits(app: App) -> None:
    app.write('logger.info("asked %s", prompt)', tail=TAIL + STATUS)
    assert "covered  values by their place" in app.masked()


def test_code_that_moved_is_told_and_its_values_are_masked(app: App) -> None:
    app.write(
        'logger.info("asked %s", prompt)\nlogger.info(f"{prompt} was asked")', tail=TAIL + STATUS
    )
    app.scan()
    # One line more above, so that each call stands where the other one stood.
    app.write(
        'logger.info("new: %d", count)\n'
        'logger.info("asked %s", prompt)\nlogger.info(f"{prompt} was asked")',
        tail=TAIL + STATUS,
    )
    logged = app.run("guard")
    assert VALUE not in logged
    assert "new: 7|" in logged
    assert "asked [prompt " in logged
    assert "] was asked|" in logged
    assert "changed since the scan, matched by template: app.py" in logged
    done = app.command("doctor", "--python", sys.executable)
    assert done.returncode == 1
    assert "missing  values by their place" in done.stdout


def test_in_a_stale_file_a_template_counts_wherever_it_stands(app: App) -> None:
    app.write('logger.info("value %s", prompt)')
    app.scan()
    app.write(
        'other = prompt\nlogger.info("value %s", other)',
        head=HEAD.replace("serve(", "other("),
        tail=TAIL.replace("serve(", "other("),
    )
    assert VALUE not in app.run("guard")


def test_a_stale_whole_message_is_masked_in_its_function_only(app: App) -> None:
    app.write("logger.info(prompt)")
    app.scan()
    other = "\n\ndef ready():\n    logger.info('ready')\n\n\nready()\n"
    app.write("\nlogger.info(prompt)", tail=other + TAIL)
    logged = app.run("guard")
    assert VALUE not in logged
    assert "ready|" in logged


def test_a_file_of_the_same_name_is_another_one(app: App) -> None:
    app.write('logger.info("asked %s", prompt)')
    app.scan()
    app.write('logger.info("asked %s", prompt + "!")', name="lib/app.py")
    assert VALUE in app.run("guard", name="lib/app.py")


def test_a_file_is_known_by_its_contents_wherever_it_lies(app: App) -> None:
    app.write('logger.info("asked %s", prompt)')
    app.scan()
    (app.directory / "lib").mkdir()
    (app.directory / "app.py").rename(app.directory / "lib" / "app.py")
    assert VALUE not in app.run("guard", name="lib/app.py")


def test_a_file_is_known_below_another_directory(app: App) -> None:
    app.write('logger.info("asked %s", prompt)', name="src/app.py", tail=TAIL + STATUS)
    (app.directory / "src" / "pkg").mkdir()
    (app.directory / "src" / "app.py").rename(app.directory / "src" / "pkg" / "app.py")
    app.scan()
    site = app.directory / "site-packages"
    (app.directory / "src").rename(site)
    logged = app.run("guard", name="site-packages/pkg/app.py")
    assert VALUE not in logged
    assert "covered  values by their place" in logged
    path = site / "pkg" / "app.py"
    path.write_text("# moved\n" + path.read_text())
    logged = app.run("guard", name="site-packages/pkg/app.py")
    assert VALUE not in logged
    assert "changed since the scan, matched by template: src/pkg/app.py" in logged


def test_a_map_of_files_that_are_elsewhere(app: App) -> None:
    app.write('logger.info("asked %s", prompt)', tail=TAIL + STATUS, name="src/app.py")
    for scanned in (app.directory / "src", "../program/src"):
        (app.directory / "program").mkdir(exist_ok=True)
        command = [str(COMMAND), "scan", "--quiet", "--no-cache", "--slot-map", "../map.json"]
        subprocess.run([*command, str(scanned)], cwd=app.directory / "program", check=False)
        if not (app.directory / "program" / "src").exists():
            (app.directory / "src").rename(app.directory / "program" / "src")
        logged = app.run("guard", name="program/src/app.py")
        assert VALUE not in logged
        assert "covered  values by their place" in logged


def test_a_file_that_nobody_finds_is_told(app: App) -> None:
    app.write('logger.info("asked %s", prompt)', name="lib/gone.py")
    app.write('logger.info("ready")', tail=TAIL + STATUS)
    app.scan()
    (app.directory / "lib" / "gone.py").unlink()
    logged = app.run("guard")
    assert "not found, and not seen to log yet: lib/gone.py" in logged


@pytest.mark.parametrize(
    "line",
    ["logger.debug(message % values)", 'logger.debug(" ".join(map(str, (message, *values))))'],
)
def test_a_function_that_makes_messages_of_its_own(app: App, line: str) -> None:
    head = HEAD.replace("def serve", f"def log_debug(message, *values):\n    {line}\n\n\ndef serve")
    app.write('log_debug("asked %s", prompt)\nlog_debug("ready")', head=head)
    app.masked()


def test_a_stale_function_that_hands_messages_on(app: App) -> None:
    wrapper = "import logging\n\n\ndef log_debug(message):\n    logging.debug(message)\n"
    (app.directory / "wrapper.py").write_text(wrapper)
    app.write("import wrapper\nwrapper.log_debug(prompt)")
    app.scan()
    (app.directory / "wrapper.py").write_text("# moved\n" + wrapper)
    assert VALUE not in app.run("guard")


def test_a_template_in_a_variable_shifts_nothing(app: App) -> None:
    app.write('pattern = " ".join(["%s:", "%s"])\nlogger.info(pattern, "chat", prompt)')
    assert "chat: [prompt " in app.masked()


def test_a_function_that_hands_messages_on_masks_what_its_callers_told(app: App) -> None:
    head = HEAD.replace(
        "def serve",
        "def log_debug(message, *values):\n    logger.info(message, *values)\n\n\ndef serve",
    )
    body = 'log_debug("ready for %d", count)\nlog_debug("asked %s", prompt)\nlog_debug(f"did {prompt}!")'
    app.write(body, head=head)
    logged = app.masked()
    assert "ready for 7|" in logged
    assert "asked [prompt " in logged
    assert "did [prompt " in logged


def test_a_value_that_another_file_logs(app: App) -> None:
    app.write("", name="store.py", tail="", head=STORE)
    app.write("import store\nstore.keep(prompt, count)")
    logged = app.masked()
    assert "kept 7 and [prompt " in logged


STORE = """\
import logging


def keep(value, number):
    logging.getLogger("store").info(f"kept {number} and {value}")
"""


def test_a_call_stands_for_the_function_that_it_calls(app: App) -> None:
    head = HEAD.replace(
        "def serve",
        "def log_debug(message, *values):\n"
        "    logger.info(message, *values, stacklevel=2)\n\n\ndef serve",
    )
    app.write('log_debug("asked %s", prompt)', head=head)
    assert "asked [prompt " in app.masked()


LOGURU = """\
import sys

if "guard" in sys.argv:
    import tacenda
    tacenda.install()
from loguru import logger

logger.remove()
logger.add(sys.stdout, format="{message}|{extra}")
llm = tokenizer = None


def serve(prompt, count):
"""


@pytest.mark.parametrize(
    "call",
    [
        'logger.info("asked {}, {} tokens", prompt, count)',
        'logger.info(f"asked {prompt}, {count} tokens")',
        'logger.info("asked {p}, {n} tokens", p=prompt, n=count)',
        'logger.opt(depth=0).bind(a=1).info(f"asked {prompt}, {count} tokens")',
    ],
)
def test_loguru(app: App, call: str) -> None:
    app.write(call, head=LOGURU)
    logged = app.masked()
    assert "asked [prompt " in logged
    assert "], 7 tokens|" in logged


@pytest.mark.parametrize(
    "call",
    [
        'logger.info("asked 50% {q}", q=prompt)',
        'payload = {"q": prompt}\nlogger.info("asked {q}", **payload)',
        'w = 30\nlogger.info("asked {q!r:>{w}}", q=prompt, w=w)',
        'logger.info("asked " + "{q}", q=prompt)',
        'template = " ".join(["asked", "{q}"])\nlogger.info(template, q=prompt)',
        'template = " ".join(["asked", "{}"])\nlogger.info(template, prompt)',
    ],
)
def test_loguru_templates_that_are_hard_to_read(app: App, call: str) -> None:
    app.write(call, head=LOGURU)
    app.masked()


def test_what_loguru_keeps_beside_the_message_leaves_it(app: App) -> None:
    app.write('logger.info("asked {} times", count, words=prompt)', head=LOGURU)
    assert "asked 7 times|" in app.masked()


STRUCTLOG = """\
import sys

if "guard" in sys.argv:
    import tacenda
    tacenda.install()
import structlog

structlog.configure(processors=[structlog.processors.JSONRenderer()])
logger = structlog.get_logger()
llm = tokenizer = None


def serve(prompt, count):
"""


def test_structlog(app: App) -> None:
    app.write('logger.info("asked", words=prompt, count=count)', head=STRUCTLOG)
    event = json.loads(app.masked())
    assert event["words"].startswith("[prompt 18 chars")
    assert (event["event"], event["count"]) == ("asked", 7)


STRUCTLOG_ON_LOGGING = STRUCTLOG.replace(
    "structlog.configure(processors=[",
    "import logging\n\nlogging.basicConfig(level=logging.INFO, format='%(message)s')\n"
    "structlog.configure(\n"
    "    logger_factory=structlog.stdlib.LoggerFactory(),\n"
    "    wrapper_class=structlog.stdlib.BoundLogger,\n"
    "    processors=[structlog.stdlib.PositionalArgumentsFormatter(), ",
)


@pytest.mark.parametrize(
    ("head", "call"),
    [
        (STRUCTLOG_ON_LOGGING, 'logger.info("asked %s", prompt, count=count)'),
        (STRUCTLOG_ON_LOGGING, 'logger.info(f"asked {prompt}", count=count)'),
        (STRUCTLOG, 'logger.info(f"asked {prompt}", count=count)'),
        (STRUCTLOG_ON_LOGGING, "logger.bind(n=1).info(f'asked {prompt}', count=count)"),
        (
            STRUCTLOG,
            "import asyncio\n"
            "async def say():\n"
            "    await logger.ainfo(f'asked {prompt}', count=count)\n"
            "asyncio.run(say())\n",
        ),
    ],
)
def test_structlog_messages(app: App, head: str, call: str) -> None:
    app.write(call, head=head)
    event = json.loads(app.masked())
    assert event["event"].startswith("asked [prompt 18 chars")
    assert event["count"] == 7


def test_a_structlog_message_that_was_put_together_before(app: App) -> None:
    app.write('logger.info("asked %s", prompt, count=count)', head=STRUCTLOG)
    event = json.loads(app.masked())
    assert event["event"].startswith("[prompt ")
    assert event["count"] == 7


def test_a_bad_map_is_an_error_with_its_place(app: App) -> None:
    app.write('logger.info("asked %s", prompt)')
    app.scan()
    path = app.directory / "map.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": "violet"'))
    done = app.command("run", "--", sys.executable, "app.py")
    assert done.returncode == 2
    assert "the slot map is not valid: expected u32" in done.stderr
    assert "map.json:2:" in done.stderr
    for code in ("import tacenda; tacenda.install()",):
        failed = app.python(code)
        assert failed.returncode == 1
        assert "PolicyError: the slot map is not valid: expected u32" in failed.stderr
        assert "map.json:2:" in failed.stderr
        assert "violet" not in failed.stderr
    path.unlink()
    assert app.command("config", "--check").returncode == 2


def test_a_child_without_the_map_is_guarded_and_says_so(app: App) -> None:
    app.write('logger.info("asked %s", prompt)')
    app.scan()
    code = """
import os, subprocess, sys, tacenda
tacenda.install()
os.unlink("map.json")
child = "import tacenda; tacenda.install(); print(tacenda.status()); import logging; logging.warning('mail jane.roe.canary@example.com')"
subprocess.run([sys.executable, "-c", child])
"""
    done = app.python(code)
    assert "missing  values by their place" in done.stdout
    assert "no value is masked by its place" in done.stderr
    assert "mail [email " in done.stderr


class _Core:
    """What `Call` asks of the core."""

    def keeps(self, kind: str) -> bool:
        return kind == "network"


def _call(*template: str | None) -> Any:
    from tacenda._slot_map import Call

    pieces = [{"label": "prompt"} if piece is None else piece for piece in template]
    return Call(_Core(), {"function": "f", "template": pieces})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("template", "message", "values"),
    [
        (("a ", None, " b"), "a x b", ["x"]),
        (("a ", None, " b"), "a x b y b", ["x b y"]),
        # Which of both the text in the middle belongs to is not known: each may have it.
        ((None, " in ", None), "a in b in c", ["a in b", "b in c"]),
        (("a", None, None, "b"), "axyb", ["xy", "xy"]),
        ((None,), "x", ["x"]),
        (("ab", None, "bc"), "abc", None),
        (("a ", None), "b x", None),
        (("a",), "a", []),
        (("a",), "ab", None),
        (("a\n", None), "a\nx\ny", ["x\ny"]),
    ],
)
def test_where_values_stand(
    template: tuple[str | None, ...], message: str, values: list[str] | None
) -> None:
    places = _call(*template).places(message)
    assert (places and [message[start:end] for start, end in places]) == (values or places)
    assert (places is None) == (values is None)


ROOT = Path(__file__).resolve().parents[2]


def test_a_map_follows_its_schema() -> None:
    schema = ROOT / "docs/reference/slot-map.schema.json"
    fixture = ROOT / "crates/tacenda-scan/fixtures/slots/map.json"
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), str(fixture)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
