"""mlx-lm: prompts of `generate`, and completions as they grow token by token."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches
from tacenda.hooks.tokenizers import quietly, streaming

_COMPLETIONS = "mlx-lm completions"
_PROMPTS = "mlx-lm prompts"
_GENERATORS = ("generate", "stream_generate", "batch_generate")


def start(core: Core, patches: Patches, imports: ImportWatch) -> None:
    """Hooks the detokenizers and the generating functions of mlx-lm."""
    patches.wait(_COMPLETIONS, "mlx_lm.tokenizer_utils")
    patches.wait(_PROMPTS, "mlx_lm.generate")
    imports.when("mlx_lm.tokenizer_utils", lambda module: _hook_completions(module, core, patches))
    imports.when("mlx_lm.generate", lambda module: _hook_prompts(module, patches))


def _hook_completions(module: ModuleType, core: Core, patches: Patches) -> None:
    base: Any = getattr(module, "StreamingDetokenizer", None)
    segment = vars(base).get("last_segment") if base is not None else None
    if not isinstance(segment, property) or segment.fget is None:
        patches.miss(_COMPLETIONS, "StreamingDetokenizer.last_segment is not what it was")
        return
    read = segment.fget
    completions: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    def last_segment(self: Any) -> Any:
        # The text of the next token: read once per token, before anybody can log it.
        streaming.on = True
        try:
            text = read(self)
        finally:
            streaming.on = False
        try:
            id = completions.get(self)
            if id is None:
                id = completions[self] = core.open_completion()
            core.extend_completion(id, text)
        except Exception:
            patches.miss(_COMPLETIONS, "a completion could not be followed")
        return text

    patches.replace(base, "last_segment", property(last_segment, doc=segment.__doc__))

    for owner in _subclasses(base):
        for name in ("reset", "finalize"):
            method = vars(owner).get(name)
            if method is not None:
                patches.replace(owner, name, _closing(method, completions, core, name))
    patches.cover(_COMPLETIONS, "token by token")


def _closing(method: Any, completions: WeakKeyDictionary[Any, int], core: Core, name: str) -> Any:
    @functools.wraps(method)
    def close(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, *args, **kwargs)
        # `reset` begins another completion; after `finalize` one last piece may be read.
        id = completions.pop(self, None) if name == "reset" else completions.get(self)
        if id is not None:
            core.close_completion(id)
        return result

    return close


def _subclasses(base: type) -> list[type]:
    found = [base]
    for owner in found:
        found += owner.__subclasses__()
    return found


def _hook_prompts(module: ModuleType, patches: Patches) -> None:
    missing = []
    for name in _GENERATORS:
        function = getattr(module, name, None)
        if function is None:
            missing.append(name)
        else:
            patches.replace(module, name, _protecting_prompt(function))
    if missing:
        patches.miss(_PROMPTS, f"mlx_lm.generate has no {', '.join(missing)}")
    else:
        patches.cover(_PROMPTS, ", ".join(_GENERATORS))


def _protecting_prompt(function: Any) -> Any:
    @functools.wraps(function)
    def generate(*args: Any, **kwargs: Any) -> Any:
        # generate(model, tokenizer, prompt, ...)
        prompt = kwargs.get("prompt", kwargs.get("prompts", args[2] if len(args) > 2 else None))
        quietly(prompt, "prompt")
        return function(*args, **kwargs)

    return generate
