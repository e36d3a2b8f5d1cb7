"""Messages of `multiprocessing`: what is added to them, and when nothing is."""

from __future__ import annotations

from cases import Case

# Who reads as it came sees what was sent.
PEERS = """
import multiprocessing.connection as m
import sys, threading
tacenda.protect(PROMPT)
key = {key}
with m.Listener(("127.0.0.1", 0), authkey=key) as listener:
    accepted = []
    thread = threading.Thread(target=lambda: accepted.append(listener.accept()))
    thread.start()
    there = m.Client(listener.address, authkey=key)
    thread.join()
    here = accepted[0]
    for one, other in ((here, there), (there, here)):
        one.send({{"said": PROMPT}})
        sys.__stdout__.write(f"{{b'tacenda' in other.recv_bytes()}}\\n")
        one.send({{"said": "nothing"}})
        sys.__stdout__.write(f"{{b'tacenda' in other.recv_bytes()}}\\n")
"""


def test_another_program_is_sent_what_it_can_read(case: Case) -> None:
    for key in ("None", "b'known to both'"):
        assert case.run(PEERS.format(key=key), guard=True).stdout.split() == ["False"] * 4


def test_only_what_holds_a_protected_value_is_sent_otherwise(case: Case) -> None:
    ours = "__import__('multiprocessing').current_process().authkey"
    sent = case.run(PEERS.format(key=ours), guard=True).stdout.split()
    assert sent == ["True", "False"] * 2


def test_a_message_is_the_same_when_it_is_read(case: Case) -> None:
    code = """
    import multiprocessing as m, sys
    tacenda.protect(PROMPT)
    message = {"said": [PROMPT, 1.5, b"x"], PROMPT: {PROMPT}}
    one, other = m.Pipe()
    one.send(message)
    sys.__stdout__.write(f"{other.recv() == message}\\n")
    q = m.get_context("spawn").SimpleQueue()
    q.put(message)
    sys.__stdout__.write(f"{q.get() == message}\\n")
    """
    assert case.run(code, guard=True).stdout.split() == ["True", "True"]
