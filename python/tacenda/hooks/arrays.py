"""MLX arrays: their shape and type in place of their values, without evaluating them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from tacenda._core import Core
from tacenda._patch import ImportWatch, Patches

_CHANNEL = "mlx.core.array"


def start(core: Core, patches: Patches, imports: ImportWatch) -> None:
    """Hooks the text forms of `mlx.core.array`."""
    if core.keeps("tensor"):
        patches.off(_CHANNEL, "the policy keeps tensors")
        return
    patches.wait(_CHANNEL, "mlx.core")

    def hook(module: ModuleType) -> None:
        array: Any = getattr(module, "array", None)
        try:
            original = array.__format__

            def format_array(self: Any, spec: str) -> str:
                # A number format on a scalar asks for exactly this number: `f"{loss:.3f}"`.
                return original(self, spec) if spec and self.ndim == 0 else summary(self)

            patches.replace(array, "__repr__", summary)
            patches.replace(array, "__str__", summary)
            patches.replace(array, "__format__", format_array)
        except (AttributeError, TypeError):
            patches.miss(_CHANNEL, "mlx.core.array cannot be hooked")
        else:
            patches.cover(_CHANNEL, "shape and type only")

    imports.when("mlx.core", hook)


def summary(array: Any) -> str:
    """`array(shape=(2, 3), dtype=float32)`. Reads no element, so a lazy array stays lazy."""
    try:
        dtype = str(array.dtype).rpartition(".")[2]
        return f"array(shape={tuple(array.shape)}, dtype={dtype})"
    except Exception:
        return "array(...)"
