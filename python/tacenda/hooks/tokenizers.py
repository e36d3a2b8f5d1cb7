"""Tokenizers, of `transformers` and by themselves: prompts go in, completions come out.

The ids of a prompt are protected as it is: with the public tokenizer they are the text.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Mapping, Sized
from types import ModuleType
from typing import Any

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches, hook_imports
from tacenda._protect import register

_CHANNEL = "transformers tokenizers"
_MODULE = "transformers.tokenization_utils_base"
_RAW_CHANNEL = "tokenizers"

# Of longer prompts the first ids are protected: they cost as much memory as the text.
_MOST_IDS = 1024
# Ids that are repeated, such as those that fill up a batch, tell nothing.
_MOST_REPEATED = 2

# What a call may name its text.
_TEXTS = ("text", "text_pair", "text_target", "conversation", "sequence", "pair", "input")

# `on` is set while mlx-lm decodes a completion piece by piece: each piece is registered there.
streaming = threading.local()
# `on` is set while `transformers` uses a tokenizer below it.
_above = threading.local()


def start(core: Core, patches: Patches, imports: ImportWatch) -> None:
    """Hooks `PreTrainedTokenizerBase` of `transformers`, and `Tokenizer` of `tokenizers`."""
    patches.wait(_CHANNEL, _MODULE)
    hook_imports(
        patches, imports, (_RAW_CHANNEL, "tokenizers", lambda module: _hook_raw(module, patches))
    )

    def hook(module: ModuleType) -> None:
        base = getattr(module, "PreTrainedTokenizerBase", None)
        missing = []
        for name, wrap in (
            ("__call__", _input),
            ("encode", _input),
            ("apply_chat_template", _input),
            ("decode", _output),
        ):
            original = vars(base).get(name) if base is not None else None
            if original is None:
                missing.append(name)
            else:
                patches.replace(base, name, wrap(original))
        if missing:
            patches.miss(_CHANNEL, f"PreTrainedTokenizerBase has no {', '.join(missing)}")
        else:
            patches.cover(_CHANNEL, "inputs and outputs")

    imports.when(_MODULE, hook)


def _hook_raw(module: ModuleType, patches: Patches) -> None:
    tokenizer: Any = module.Tokenizer
    methods = vars(tokenizer)
    for name in ("encode", "encode_batch", "encode_batch_fast"):
        for method in (name, f"async_{name}"):
            # Not every version has all of them.
            if method in methods or method == "encode":
                patches.replace(tokenizer, method, _raw_input(methods[method]))
    for name in ("decode", "decode_batch"):
        patches.replace(tokenizer, name, _raw_output(methods[name]))


def _input(original: Any) -> Any:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        before, _above.on = getattr(_above, "on", False), True
        try:
            result = original(self, *args, **kwargs)
        finally:
            _above.on = before
        _protect_texts(args, kwargs, tokens=len(result) if _is_ids(result) else None)
        if isinstance(result, str):  # a rendered chat template
            quietly(result, "prompt")
        if not before:
            _protect_ids(result)
        return result

    return call


def _output(original: Any) -> Any:
    @functools.wraps(original)
    def decode(self: Any, *args: Any, **kwargs: Any) -> Any:
        before, _above.on = getattr(_above, "on", False), True
        try:
            text = original(self, *args, **kwargs)
        finally:
            _above.on = before
        if not getattr(streaming, "on", False):
            ids = args[0] if args else kwargs.get("token_ids")
            quietly(text, "completion", tokens=len(ids) if isinstance(ids, Sized) else None)
        return text

    return decode


def _raw_input(original: Any) -> Any:
    @functools.wraps(original)
    def encode(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        if not getattr(_above, "on", False):
            _protect_texts(args, kwargs)
            _protect_ids(result)
        return result

    return encode


def _raw_output(original: Any) -> Any:
    @functools.wraps(original)
    def decode(self: Any, *args: Any, **kwargs: Any) -> Any:
        text = original(self, *args, **kwargs)
        if not getattr(_above, "on", False) and not getattr(streaming, "on", False):
            quietly(text, "completion")
        return text

    return decode


def _protect_texts(args: Any, kwargs: Any, tokens: int | None = None) -> None:
    quietly(args[0] if args else None, "prompt", tokens=tokens)
    for value in (*args[1:2], *(kwargs.get(name) for name in _TEXTS)):
        quietly(value, "prompt")


def _protect_ids(result: Any) -> None:
    """Protects the ids of a prompt, or of a batch of them, as they stand in a log of numbers."""
    try:
        for ids in _ids_of(result):
            told = [id for at, id in enumerate(ids) if ids[at - _MOST_REPEATED : at] != [id] * 2]
            quietly(" ".join(map(str, told)), "token-ids", tokens=len(ids))
    except Exception:
        return


def _ids_of(result: Any) -> Iterator[list[int]]:
    """The ids of what a tokenizer has given; those of arrays are left alone."""
    if isinstance(result, Mapping):
        result = result.get("input_ids")
    result = getattr(result, "ids", result)
    if _is_ids(result):
        yield list(result[:_MOST_IDS])
    elif isinstance(result, list):
        for each in result:
            yield from _ids_of(each)


def quietly(value: Any, kind: str, tokens: int | None = None) -> None:
    """Protects a value if it holds text; never raises into the application."""
    try:
        if isinstance(value, (str, list, tuple, dict)) and not _is_ids(value):
            # A short text is nobody's secret only because a tokenizer has seen it.
            register(value, kind, tokens=tokens, automatic=True)
    except Exception:
        return


def _is_ids(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and isinstance(value[0], int)
