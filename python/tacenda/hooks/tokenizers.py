"""Tokenizers of `transformers`: what goes in is a prompt, what comes out a completion."""

from __future__ import annotations

import threading
from collections.abc import Sized
from types import ModuleType
from typing import Any

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches
from tacenda._protect import register

_CHANNEL = "transformers tokenizers"
_MODULE = "transformers.tokenization_utils_base"

# Set while mlx-lm decodes a completion piece by piece: each piece is registered there.
streaming = threading.local()


def start(core: Core, patches: Patches, imports: ImportWatch) -> None:
    """Hooks `PreTrainedTokenizerBase`."""
    patches.wait(_CHANNEL, _MODULE)

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


def _input(original: Any) -> Any:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        text = args[0] if args else next(iter(kwargs.values()), None)
        result = original(self, *args, **kwargs)
        quietly(text, "prompt", tokens=len(result) if _is_ids(result) else None)
        if isinstance(result, str):  # a rendered chat template
            quietly(result, "prompt")
        return result

    call.__name__ = original.__name__
    call.__doc__ = original.__doc__
    call.__wrapped__ = original  # type: ignore[attr-defined]
    return call


def _output(original: Any) -> Any:
    def decode(self: Any, *args: Any, **kwargs: Any) -> Any:
        text = original(self, *args, **kwargs)
        if not getattr(streaming, "on", False):
            ids = args[0] if args else kwargs.get("token_ids")
            quietly(text, "completion", tokens=len(ids) if isinstance(ids, Sized) else None)
        return text

    decode.__doc__ = original.__doc__
    decode.__wrapped__ = original  # type: ignore[attr-defined]
    return decode


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
