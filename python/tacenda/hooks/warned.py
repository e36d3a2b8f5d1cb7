"""Warnings whose values the slot map names: `warnings.warn` makes no record."""

from __future__ import annotations

import warnings
from typing import Any

from tacenda._core import MARKER
from tacenda._patch import Patches
from tacenda.hooks.slots import Slots

_CHANNEL = "warnings by their place"


def start(patches: Patches, slots: Slots | None) -> None:
    """Hooks what shows a warning, if there is a slot map."""
    if slots is None:
        return
    module: Any = warnings
    original = getattr(module, "_showwarnmsg", None)
    if original is None:
        patches.miss(_CHANNEL, "this version of warnings has other insides")
        return

    def show(warning: Any) -> None:
        original(_masked(slots, warning))

    patches.replace(module, "_showwarnmsg", show)
    patches.cover(_CHANNEL)


def _masked(slots: Slots, warning: Any) -> Any:
    """The warning without the values that its call is known to write; itself if there are none."""
    try:
        text = str(warning.message)
        calls = slots.calls(warning.filename, warning.lineno, "", text)
        clean = slots.message(calls, text, formatted=True) if calls else text
    except Exception:
        clean = MARKER
    else:
        if clean is text:
            return warning
    return warnings.WarningMessage(
        clean, warning.category, warning.filename, warning.lineno, warning.file, warning.line
    )
