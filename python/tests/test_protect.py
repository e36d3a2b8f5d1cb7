"""Protected values: what is found, for how long, and by which call."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import queue
import random
import threading
from collections.abc import AsyncGenerator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import tacenda
from cases import PROMPT
from tacenda import _protect

OTHER = "Grandmother's recipe wants seven onions and no garlic at all."


@pytest.fixture(autouse=True)
def guard() -> Iterator[tacenda.Guard]:
    with tacenda.install(stdout="output") as guard:
        yield guard


def found(text: str = PROMPT) -> bool:
    return text not in tacenda.redact(f"<{text}>")


def test_a_plain_call_protects_from_then_on() -> None:
    assert not found()
    protection = tacenda.protect(PROMPT)
    assert protection.active
    assert found()
    protection.release()
    assert not found()


def test_a_context_manager_protects_its_block() -> None:
    with tacenda.protect(PROMPT, kind="personal"):
        assert tacenda.redact(PROMPT).startswith("[personal #")
    assert not found()


def test_a_decorator_protects_what_goes_in_and_comes_out() -> None:
    @tacenda.protect(kind="completion")
    def answer(question: str) -> str:
        assert found(question)
        return OTHER

    @tacenda.protect
    def pieces(question: str) -> Iterator[str]:
        yield OTHER + question[:1]

    @tacenda.protect(kind="completion")
    async def later(*, question: str) -> dict[str, str]:
        assert found(question)
        return {"text": OTHER + "!"}

    answer(PROMPT)
    assert not found()
    assert found(OTHER)
    assert list(pieces(PROMPT)) == [OTHER + "M"]
    assert asyncio.run(later(question=PROMPT)) == {"text": OTHER + "!"}
    assert answer.__name__ == "answer"


def test_messages_and_bytes() -> None:
    with tacenda.protect([{"role": "user", "content": PROMPT}, {"content": [{"text": OTHER}]}]):
        assert found()
        assert found(OTHER)
    with tacenda.protect(PROMPT.encode()):
        assert found()


@pytest.mark.parametrize("value", [3, object(), 2.5])
def test_what_holds_no_text_is_an_error(value: object) -> None:
    with pytest.raises(TypeError, match="give text"):
        tacenda.protect(value)  # type: ignore[call-overload]


def test_an_unknown_kind_is_an_error_that_names_the_kinds() -> None:
    with pytest.raises(ValueError, match="prompt, completion"):
        tacenda.protect(PROMPT, kind="promt")


def test_short_values_count_as_whole_words() -> None:
    with tacenda.protect("teal roe", kind="personal"):
        assert "teal" not in tacenda.redact("user teal roe logged in")
        assert tacenda.redact("teal roemer") == "teal roemer"
    assert not tacenda.protect("ok").active


def test_a_request_scope_reaches_threads_and_pools() -> None:
    held: list[int] = []
    with ThreadPoolExecutor(1) as pool, tacenda.request_scope():
        thread = threading.Thread(target=lambda: tacenda.protect(PROMPT))
        thread.start()
        thread.join()
        pool.submit(lambda: tacenda.protect(OTHER)).result()
        held.append(tacenda.status().protected_values)
        assert found()
        assert found(OTHER)
    # Logs of other threads are cleaned for a while after the request.
    assert held == [2]
    assert found()


def test_a_thread_that_outlives_the_request_belongs_to_none() -> None:
    texts: queue.Queue[str] = queue.Queue()
    protections: queue.Queue[tacenda.Protection] = queue.Queue()

    def work() -> None:
        while text := texts.get():
            protections.put(tacenda.protect(text))

    with tacenda.request_scope():
        thread = threading.Thread(target=work)
        thread.start()
        texts.put(PROMPT)
        protections.get()
    texts.put(OTHER)
    protections.get()
    texts.put("")
    thread.join()
    assert found(OTHER)
    with tacenda.request_scope():
        over = _protect.current_scope()
    assert over is not None
    with _protect.entered(over):
        assert _protect.current_scope() is None


def test_an_argument_of_any_name_is_protected() -> None:
    seen: list[bool] = []

    @tacenda.protect(kind="prompt")
    def call(tool: str, *, arguments: dict[str, str]) -> None:
        seen.extend(map(found, (tool, arguments["text"])))

    call(PROMPT, arguments={"text": OTHER})
    assert seen == [True, True]


def test_a_secret_is_protected_by_a_guard_that_comes_later(guard: tacenda.Guard) -> None:
    tacenda.uninstall()
    secret = tacenda.Secret(PROMPT)
    assert not found()
    with tacenda.install(stdout="output"):
        assert found()
    with tacenda.install(stdout="output"):
        assert found()
    del secret
    with tacenda.install(stdout="output"):
        assert not found()


def test_repr_and_status_tell_numbers_only() -> None:
    protection = tacenda.protect(PROMPT)
    assert repr(protection) == "<Protection of 1 values>"
    assert "heron" not in str(tacenda.status())


def test_without_a_guard_protecting_does_nothing(guard: tacenda.Guard) -> None:
    tacenda.uninstall()
    assert not tacenda.protect(PROMPT).active
    with pytest.raises(ValueError, match="prompt, completion"):
        tacenda.protect(PROMPT, kind="promt")
    logging.getLogger("x").info(PROMPT)


def test_a_document_is_found_as_logs_show_it() -> None:
    document = {
        "model": "mlx-community/Some-Model-4bit",
        "messages": [{"role": "user", "content": "Call Bob"}],
        "names": ["Ann Lee", "Bo Ray"],
        "max_tokens": 4,
    }
    with tacenda.protect(document):
        for shown in (json.dumps(document, indent="\t"), repr(document), str([document])):
            clean = tacenda.redact(shown)
            assert "Bob" not in clean
            assert "Ann" not in clean
            assert "Ray" not in clean
            assert "mlx-community/Some-Model-4bit" in clean
            assert "max_tokens" in clean
        assert tacenda.redact("Call Bob back") == "Call Bob back"
        assert tacenda.redact('"role": "assistant"') == '"role": "assistant"'


def test_a_picture_in_a_request_costs_little_and_is_found() -> None:
    picture = base64.b64encode(random.Random(1).randbytes(3_000_000)).decode()
    url = f"data:image/png;base64,{picture}"
    tacenda.protect({"messages": [{"content": [{"text": PROMPT}, {"image_url": {"url": url}}]}]})
    tacenda.protect({"images": [picture]})
    assert tacenda.status().protected_bytes < 1 << 20
    assert found()
    for shown in (picture, picture[:5000], picture[-5000:], url, json.dumps([picture])):
        assert len(tacenda.redact(f"<{shown}>")) < 100


def test_of_a_body_that_is_no_text_what_is_text_is_protected() -> None:
    picture = random.Random(2).randbytes(3_000_000)
    part = b'--x\r\nContent-Disposition: form-data; name="said"\r\n\r\n%s\r\n--x\r\n\r\n%s\r\n--x--'
    core = _protect.core_in_use()
    assert core is not None
    core.protect_document(part % (PROMPT.encode(), picture), "prompt")
    assert tacenda.status().protected_bytes < 1 << 20
    assert found()
    core.protect_document(OTHER.encode("utf-16"), "prompt")
    assert found(OTHER)


def test_arguments_that_json_cannot_hold_are_no_error() -> None:
    class Broken(dict):  # type: ignore[type-arg]
        def items(self):  # type: ignore[no-untyped-def]
            raise RuntimeError("its own")

    circle: list[object] = [PROMPT]
    circle.append(circle)
    deep: object = OTHER
    for _ in range(5000):
        deep = [deep]

    @tacenda.protect(kind="prompt")
    def answer(*questions: object) -> bool:
        return found() or found(OTHER)

    assert answer({(1, 2): PROMPT})
    assert answer(circle)
    assert answer({"a set": {OTHER}})
    assert answer({PROMPT: object()})
    assert answer(Broken(), PROMPT) in (True, False)
    assert answer(deep) in (True, False)


def test_a_generator_keeps_what_is_sent_thrown_and_returned() -> None:
    @tacenda.protect(kind="completion")
    def answer(question: str) -> Generator[str, str, str]:
        assert found(question)
        sent = yield PROMPT
        try:
            yield sent.upper()
        except KeyError:
            yield OTHER
        return "the end"

    generator = answer("how many onions are in the garden of the north?")
    assert next(generator) == PROMPT
    assert found()
    assert generator.send("x") == "X"
    assert generator.throw(KeyError("y")) == OTHER
    assert found(OTHER)
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "the end"
    closed = answer("how many onions are in the garden of the south?")
    next(closed)
    closed.close()
    assert not found("how many onions are in the garden of the south?")


def test_an_asynchronous_generator_is_protected_while_it_runs() -> None:
    ended = []

    @tacenda.protect(kind="completion")
    async def answer(question: str) -> AsyncGenerator[str, str]:
        try:
            assert found(question)
            sent = yield PROMPT
            try:
                yield (sent or "").upper()
            except KeyError:
                yield OTHER
        finally:
            ended.append(question)

    async def main() -> None:
        generator = answer("how many onions are in the garden of the north?")
        assert await generator.__anext__() == PROMPT
        assert found()
        assert await generator.asend("x") == "X"
        assert await generator.athrow(KeyError("y")) == OTHER
        with pytest.raises(StopAsyncIteration):
            await generator.__anext__()
        async for _ in answer("and in the south?"):
            pass
        closed = answer("and in the east?")
        await closed.__anext__()
        await closed.aclose()

    asyncio.run(main())
    assert len(ended) == 3
