"""Log records, in all the forms in which `logging` carries a value."""

from __future__ import annotations

import json
import re

import pytest
from cases import CARD, EMAIL, SSN, Case

BASIC = """
import logging
logging.basicConfig(level=logging.DEBUG, format="%(asctime)s - %(levelname)s - %(name)s - %(message)s")
log = logging.getLogger("app.db")
"""


@pytest.mark.parametrize(
    "call",
    [
        "log.info('mail ' + EMAIL)",
        "log.info('mail %s', EMAIL)",
        "log.info('mail %r', EMAIL)",
        "log.info('mail %(mail)s', {'mail': EMAIL})",
        "log.info('%s%s', EMAIL[:9], EMAIL[9:])",
        "log.info('mail %s', [EMAIL])",
        "log.info('mail %s', Exception(EMAIL))",
        "log.info(Exception(EMAIL))",
        "log.info('%d', EMAIL)",
        "log.info('%s %s', EMAIL)",
        "log.log(25, EMAIL)",
        "log.info('x', stack_info=True); log.error('mail', exc_info=ValueError(EMAIL))",
        "logging.getLogger(EMAIL).info('name')",
        "logging.getLogger().handle(logging.makeLogRecord({'msg': EMAIL, 'levelno': 30}))",
        "log.propagate = False; log.addHandler(logging.StreamHandler()); log.info(EMAIL)",
        "logging.lastResort.handle(logging.makeLogRecord({'msg': EMAIL, 'levelno': 30}))",
        "logging.captureWarnings(True); import warnings; warnings.warn(EMAIL)",
        "import threading; threading.current_thread().name = EMAIL\n"
        "logging.getLogger().handlers[0].setFormatter(logging.Formatter('%(threadName)s'))\n"
        "log.info('x')",
    ],
)
def test_every_form_of_a_call(case: Case, call: str) -> None:
    case.leak(BASIC + call, EMAIL)


def test_a_redacted_record_keeps_its_frame(case: Case) -> None:
    guarded = case.leak(BASIC + "log.warning('user %s has paid %d', EMAIL, 12)", EMAIL)
    time, level, name, message = guarded.stderr.strip().split(" - ")
    assert time[:2] == "20"
    assert (level, name) == ("WARNING", "app.db")
    assert message.startswith("user [email #")
    assert message.endswith("] has paid 12")


def test_extra_and_arguments_keep_their_shape(case: Case) -> None:
    code = (
        BASIC
        + """
import json
class Probe(logging.Handler):
    def emit(self, record):
        print(json.dumps([str(record.msg), list(record.args), record.user, record.nested]))
log.addHandler(Probe())
log.propagate = False
log.info("%s paid %d with %s", EMAIL, 12, CARD, extra={"user": EMAIL, "nested": {"password": "hunter2-hunter2", "n": [CARD]}})
"""
    )
    guarded = case.leak(code, EMAIL, CARD, "hunter2-hunter2")
    msg, args, user, nested = json.loads(guarded.stdout)
    assert msg == "%s paid %d with %s"
    assert [type(arg) for arg in args] == [str, int, str]
    assert args[1] == 12
    assert user.startswith("[email #")
    assert list(nested) == ["password", "n"]


def test_arguments_become_text_once(case: Case) -> None:
    code = (
        BASIC
        + """
class Costly:
    def __str__(self):
        print("turned into text")
        return "costly " + EMAIL
log.info("a %s", Costly())
"""
    )
    guarded = case.leak(code, EMAIL)
    assert guarded.stdout.count("turned into text") == 1


def test_a_value_split_over_arguments_leaves_none_of_them(case: Case) -> None:
    code = (
        BASIC
        + """
class Probe(logging.Handler):
    def emit(self, record):
        print(record.args, record.getMessage())
log.addHandler(Probe())
log.info("%s@%s", "jane.roe.canary", "example.com")
"""
    )
    case.leak(code, "jane.roe.canary")


_SHAPES = (
    BASIC
    + """
import json
class Probe(logging.Handler):
    def emit(self, record):
        print(json.dumps([type(record.msg).__name__, record.msg, record.args, record.getMessage()], default=repr))
log.addHandler(Probe())
log.propagate = False
class Thing:
    def __repr__(self): return "a thing"
"""
)


@pytest.mark.parametrize(
    "arguments",
    [
        '"batch %s done", [1, 2]',
        '"batch %s done", {"rows": 5}',
        '"%(rows)s rows of %(thing)s", {"rows": 5, "thing": Thing()}',
        '"%s and %r", Thing, Thing()',
        '"%s of %d", (1, {2: [3]}), 4',
    ],
)
def test_a_record_that_holds_nothing_keeps_its_template(case: Case, arguments: str) -> None:
    code = _SHAPES + f"log.info({arguments})"
    bare, guarded = (case.run(code, guard=guard) for guard in (False, True))
    assert guarded == bare


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ('"mailed %s %s", [EMAIL], 3', ["str", "mailed %s %s", 3]),
        ('"mailed %s %s", {"to": EMAIL}, 3', ["str", "mailed %s %s", 3]),
        ('"mailed %s %s", (EMAIL, Thing()), 3', ["Text", None, 3]),
        ('"mailed %s%s %s", "jane.roe.canary@", "example.com", [3]', ["Text", None, "[redacted]"]),
    ],
)
def test_arguments_that_hold_nothing_stay(case: Case, arguments: str, kept: list[object]) -> None:
    output = case.run(_SHAPES + f"log.info({arguments})", guard=True)
    kind, message, args, _ = json.loads(output.stdout)
    assert EMAIL not in output.text
    assert kind == kept[0]
    assert kept[1] in (None, message)
    assert args[-1] == kept[2]
    assert args[0] not in ("jane.roe.canary@", EMAIL)


def test_a_queue_listener_and_a_socket_see_clean_records(case: Case) -> None:
    code = """
import logging, logging.handlers, queue, pickle
q = queue.Queue()
log = logging.getLogger("q")
log.addHandler(logging.handlers.QueueHandler(q))
class Socket(logging.handlers.SocketHandler):
    def send(self, data):
        print(pickle.loads(data[4:]))
log.addHandler(Socket("127.0.0.1", 9))
log.warning("mail %s", EMAIL, extra={"card": CARD})
print(vars(q.get()))
"""
    case.leak(code, EMAIL, CARD)


def test_exceptions_with_notes_causes_and_groups(case: Case) -> None:
    code = (
        BASIC
        + """
try:
    try:
        raise KeyError(EMAIL)
    except KeyError as error:
        raise ValueError(f"card {CARD}") from error
except ValueError as error:
    if hasattr(error, "add_note"):
        error.add_note(f"ssn {SSN}")
    log.exception("failed")
"""
    )
    bare = case.run(code, guard=False)
    assert EMAIL in bare.text
    assert CARD in bare.text
    guarded = case.run(code, guard=True)
    assert "ValueError: card [payment-card" in guarded.text
    for value in (EMAIL, CARD, SSN):
        # Source lines in a traceback name the variable, not its value.
        assert value not in guarded.text


def test_disabled_levels_do_not_reach_the_guard(case: Case) -> None:
    code = """
import logging
log = logging.getLogger("x")
class Explodes:
    def __str__(self):
        raise SystemExit(3)
log.debug("%s", Explodes())
print("alive")
"""
    assert case.run(code, guard=True).stdout == "alive\n"


def test_a_protected_value_in_a_record(case: Case) -> None:
    code = (
        BASIC
        + """
import base64, json, urllib.parse
with tacenda.protect(PROMPT, tokens=17):
    log.info("plain %s", PROMPT)
    log.info("json %s", json.dumps({"messages": [{"content": PROMPT}]}))
    log.info("repr %r", [PROMPT])
    log.info("url /?q=%s", urllib.parse.quote_plus(PROMPT))
    log.info("base64 %s", base64.b64encode(PROMPT.encode()).decode())
    log.info("cut %s...", PROMPT[11:40])
    log.info("lines %s", PROMPT.replace(" ", "\\n"))
"""
    )
    bare = case.run(code, guard=False)
    assert "canary" in bare.stderr
    guarded = case.run(code, guard=True)
    lines = guarded.stderr.strip().splitlines()
    assert len(lines) == 7
    for line in lines:
        assert "[prompt 69 chars, 17 tokens, #" in line
        assert not any(word in line for word in ("heron", "canary", "tides", "TXkgaGVyb24g")), line


def test_a_name_that_is_sensitive_stays_so_in_the_next_record(case: Case) -> None:
    code = (
        BASIC
        + """
log = logging.getLogger(EMAIL)
for _ in range(3):
    log.info("the same message")
"""
    )
    guarded = case.leak(code, EMAIL)
    assert guarded.stderr.count("the same message") == 3


def test_a_structured_message_stays_one(case: Case) -> None:
    code = """
import logging
class Renderer(logging.Formatter):
    def format(self, record):
        event = record.msg.copy()
        return f"{event['event']} by {event['user']}, {event['n']}"
handler = logging.StreamHandler()
handler.setFormatter(Renderer())
log = logging.getLogger("structured")
log.addHandler(handler)
log.warning({"event": "login", "user": "somebody", "n": 1})
log.warning({"event": "login", "user": EMAIL, "n": 1})
"""
    clean, dirty = case.leak(code, EMAIL).stderr.splitlines()
    assert clean == "login by somebody, 1"
    assert dirty.startswith("login by [email #")


def test_scrubbed_records_can_be_pickled(case: Case) -> None:
    code = (
        BASIC
        + """
import pickle
class Probe(logging.Handler):
    def emit(self, record):
        print(pickle.loads(pickle.dumps(record.__dict__))["msg"])
log.addHandler(Probe())
log.info(f"mail {EMAIL}")
log.info("list %s", [EMAIL])
"""
    )
    case.leak(code, EMAIL)


def test_clean_extra_is_the_same_object(case: Case) -> None:
    code = (
        BASIC
        + """
import collections
extra = {"order": collections.OrderedDict(a=[1, (2, "b")]), "raw": bytearray(b"x")}
class Probe(logging.Handler):
    def emit(self, record):
        print(record.order is extra["order"], record.raw is extra["raw"])
log.addHandler(Probe())
log.info("clean", extra=extra)
"""
    )
    assert case.run(code, guard=True).stdout == "True True\n"


def test_a_fault_of_the_application_is_reported_as_one(case: Case) -> None:
    code = (
        BASIC
        + """
class Bad:
    def __str__(self): raise ValueError("no text")
log.info("%s", Bad())
print("alive")
"""
    )
    guarded = case.run(code, guard=True)
    assert guarded.stdout == "alive\n"
    assert "ValueError: no text" in guarded.stderr
    assert "internal error" not in guarded.stderr


# What an application may log, and a guard may not stumble over.
ODD_EXCEPTIONS = """
import logging, sys
logging.basicConfig(format="%(message)s")
a, b = ValueError("a"), KeyError("b")
a.__context__, b.__context__, a.__cause__ = b, a, KeyError("c")
a.__cause__.__context__ = b
b.__cause__ = ValueError("d")
b.__cause__.__context__ = a
logging.error("circle", exc_info=a)
chain = ValueError("e0")
for n in range(40):
    new = ValueError(f"e{n}")
    new.__context__ = chain
    new.__cause__ = chain
    chain = new
logging.error("chain", exc_info=chain)
class M(Exception): exceptions = None
logging.error("members", exc_info=M("hello"))
class S(Exception):
    def __str__(self): raise ValueError("no text")
logging.error("text", exc_info=S("x"))
class Slow:
    def __str__(self): print("asked for its text"); return "slow"
e = ValueError("attribute"); e.batch = Slow(); e.rows = [{"n": i} for i in range(100_000)]
logging.error("attributes", exc_info=e)
own = []; own += [own] * 7
shared = [1]
for _ in range(9): shared = [shared] * 9
logging.error("containers", extra={"own": own, "shared": shared})
"""


def test_odd_exceptions_and_containers_are_logged_as_without_the_guard(case: Case) -> None:
    bare, guarded = (case.run(ODD_EXCEPTIONS, guard=guard) for guard in (False, True))
    assert "asked" not in guarded.stdout
    assert guarded.stderr == bare.stderr
    assert guarded.returncode == bare.returncode == 0


SENSITIVE_EXCEPTIONS = """
import json, logging
class ApiError(Exception):
    kinds = {}
    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        ApiError.kinds[cls.__name__] = cls
class NotFound(ApiError): pass
class Keyword(Exception):
    def __init__(self, *, user): self.user = user
    def __str__(self): return f"user {self.user}"
class Probe(logging.Handler):
    def emit(self, record):
        error = record.exc_info[1]
        print(type(error).__name__, error, error.args, vars(error), record.exc_info[0] is type(error))
        print(isinstance(error, OSError) and error.errno)
logging.getLogger().addHandler(Probe())
for error in (NotFound(EMAIL), Keyword(user=EMAIL), OSError(2, "no such file", EMAIL)):
    try: raise error
    except Exception: logging.exception("x")
print(ApiError.kinds["NotFound"]("no order 17"))
"""


def test_a_handler_gets_an_exception_of_the_same_class_without_the_value(case: Case) -> None:
    guarded = case.leak(SENSITIVE_EXCEPTIONS, EMAIL)
    lines = guarded.stdout.splitlines()
    assert lines[0].startswith("NotFound [email")
    assert lines[2].startswith("Keyword user [email")
    assert lines[4].startswith("FileNotFoundError [Errno 2] no such file")
    assert lines[5] == "2"
    assert lines[6] == "no order 17"


def test_values_in_slots_of_an_exception_stay_as_clean_as_the_others(case: Case) -> None:
    code = """
import logging
class Base(Exception):
    __slots__ = ("status",)
class Refused(Base):
    __slots__ = ("body", "__hidden")
    def __init__(self, body):
        super().__init__("refused")
        self.body, self.status, self.__hidden = body, 422, "kept"
    def hidden(self):
        return self.__hidden
class Handler(logging.Handler):
    def emit(self, record):
        error = record.exc_info[1]
        print(error.body, error.status, error.hidden(), flush=True)
logging.getLogger().addHandler(Handler())
try:
    raise Refused({"mail": EMAIL})
except Refused:
    logging.exception("x")
"""
    output = case.leak(code, EMAIL)
    assert "[email #" in output.stdout
    assert output.stdout.endswith(" 422 kept\n")


TOKENS = """
import json, logging, sys, threading
tacenda.install(stdout="log")
from tacenda import _protect
core = _protect.core_in_use()
completion = core.open_completion()
def tokens():
    for token in ["The", " te", "al", " her", "on", " ships", " to", " Ber", "gen", "'s", " quay"]:
        core.extend_completion(completion, token)
        yield token
logging.basicConfig(level=10, format="%(asctime)s %(message)s")
"""


@pytest.mark.parametrize(
    "write",
    [
        "logging.debug('token %s', token)",
        "logging.debug('%d: %r', place, token)",
        "logging.debug(f'token {token!r} of 99')",
        "logging.debug(json.dumps({'n': place, 'delta': {'content': token}}))",
        "print(f'token: {token}')",
        "print('data: ' + json.dumps({'choices': [{'delta': {'content': token}}]}), flush=True)",
        "loguru.logger.debug(token)",
        "loguru.logger.debug('token {}', token)",
        "structlog.get_logger().debug(token)",
        "structlog.get_logger().debug('token', text=token, place=place)",
        "thread = threading.Thread(target=logging.debug, args=(token,)); thread.start(); thread.join()",
    ],
)
def test_single_tokens_among_words_of_the_log(case: Case, write: str) -> None:
    library = next((name for name in ("loguru", "structlog") if name in write), "logging")
    pytest.importorskip(library)
    code = f"""
import {library}
if {library!r} == "loguru":
    loguru.logger.add("app.log", format="{{time}} {{message}}")
for place, token in enumerate(tokens()):
    {write}
logging.info("all is well")
if {library!r} == "loguru":
    print(open("app.log").read())
"""
    output = case.run("import tacenda\n" + TOKENS + code, guard=False)
    assert output.returncode == 0, output.text
    assert "all is well" in output.text
    # Only the first one cannot be told from any other word.
    for word in ("te", "al", "her", "on", "ships", "Ber", "gen", "quay"):
        assert not re.search(rf"\b{word}\b", output.text), output.text
