"""Protected values that lie in a structure in pieces."""

from __future__ import annotations

import json

import pytest
from cases import EMAIL, Case

# What a program puts into a structure, and what of it can be read again.
_READ = """
import json, logging, sys
W, B = PROMPT.split(), list(PROMPT.encode())
def read(value):
    if hasattr(value, "values"): return "".join(map(read, value.values()))
    if isinstance(value, (list, tuple, set)): return "".join(map(read, value))
    if isinstance(value, bytes): return value.decode()
    if isinstance(value, int): return chr(value) if 31 < value < 127 else ""
    return "" if value == "NOUN" else str(value)
class Probe(logging.Handler):
    def emit(self, record):
        words = read(record.said).replace(" ", "")
        print("can be read" if "tealone,ithumsatthecanary" in words else "is gone", file=sys.stderr)
        print(json.dumps(record.said, default=repr))
log = logging.getLogger("app")
log.propagate = False
log.addHandler(Probe())
tacenda.protect(PROMPT)
"""


@pytest.mark.parametrize(
    "said",
    [
        "W",
        "tuple(W)",
        "[PROMPT[i:i+5] for i in range(0, len(PROMPT), 5)]",
        "list(PROMPT)",
        "B",
        "[ord(c) for c in PROMPT]",
        "[w.encode() for w in W]",
        "{str(i): w for i, w in enumerate(W)}",
        "{i: w for i, w in enumerate(W)}",
        "[{'t': w} for w in W]",
        "[{'t': w, 'tag': 'NOUN', 'at': i} for i, w in enumerate(W)]",
        "[[w, 'NOUN', i] for i, w in enumerate(W)]",
        "{'a': {'b': [W[:4], [W[4:]]]}}",
        "['see', *W, 'and more']",
    ],
)
def test_pieces_of_a_value_are_found(case: Case, said: str) -> None:
    code = _READ + f"log.warning('said', extra={{'said': {said}}})"
    bare, guarded = (case.run(code, guard=guard) for guard in (False, True))
    assert bare.stderr == "can be read\n"
    assert guarded.stderr == "is gone\n"


def test_only_the_pieces_go(case: Case) -> None:
    code = _READ + (
        "log.warning('said', extra={'said': {'n': 7, 'tags': ['a', 'b'], 'mail': 'to ' + EMAIL, "
        "'twice': [PROMPT, 'x ' + PROMPT], 'words': ['see', *W, 'end'], "
        "'rows': [[1, 'one'], [2, 'two']], 'numbers': [4111, 1111, 1111, 1111]}})"
    )
    said = json.loads(case.leak(code, EMAIL).stdout)
    assert said["n"] == 7
    assert said["tags"] == ["a", "b"]
    assert said["mail"].startswith("to [email #")
    assert said["twice"][0].startswith("[prompt ")
    assert said["twice"][1].startswith("x [prompt ")
    assert [said["words"][0], said["words"][-1]] == ["see", "end"]
    assert set(said["words"][1:-1]) == {"[redacted]"}
    assert said["rows"] == [[1, "one"], [2, "two"]]
    assert said["numbers"] == [4111, 1111, 1111, 1111]


def test_structures_that_end_nowhere(case: Case) -> None:
    code = _READ + (
        "circle = ['x', W]; circle.append(circle)\n"
        "deep = W\n"
        "for _ in range(500): deep = [deep]\n"
        "from tacenda.hooks.values import Scrubber\n"
        "clean = Scrubber(tacenda.install().core).value\n"
        "print(clean([circle, deep, W]), clean([W] * 9), clean({'a': W, 'b': W}))\n"
        "long = ['word %d' % n for n in range(200_000)]\n"
        "assert clean(long) is long\n"
        "long[150_000:150_000] = W\n"
        "print(clean(long)[149_999:150_015])\n"
        "assert clean([1, 2, *B, 3]) == [1, 2, *[0] * len(B), 3]"
    )
    output = case.run(code, guard=True)
    assert output.returncode == 0, output.stderr
    assert "heron" not in output.text
    assert "'word 149999', '[redacted]'" in output.stdout


def test_a_word_that_is_innocent_stays(case: Case) -> None:
    code = _READ + (
        "from tacenda.hooks.values import Scrubber\n"
        "clean = Scrubber(tacenda.install().core).value\n"
        "for said in (['My', 'heron', 'sleeps'], {'name': 'password', 'value': 'none'}, B[:5], [W[3]]):\n"
        "    assert clean(said) is said, said\n"
    )
    assert case.run(code, guard=True).returncode == 0
