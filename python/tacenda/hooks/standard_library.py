"""What the standard library writes past streams and `logging`: `syslog`, files of `cgitb`."""

from __future__ import annotations

from typing import Any

from tacenda._core import MARKER, Core
from tacenda._patch import ImportWatch, Patches, hook_imports


def start(core: Core, patches: Patches, imports: ImportWatch) -> None:
    """Hooks `syslog.syslog`, and what `cgitb` makes of an error."""

    def syslog(module: Any) -> None:
        original = module.syslog

        def write(*args: Any) -> None:
            # (priority, message) or (message).
            if args and isinstance(args[-1], str):
                args = (*args[:-1], _redacted(args[-1], core))
            original(*args)

        patches.replace(module, "syslog", write)

    def cgitb(module: Any) -> None:
        for name in ("text", "html"):
            patches.replace(module, name, _redacting(getattr(module, name), core))

    hook_imports(
        patches, imports, ("syslog.syslog", "syslog", syslog), ("cgitb reports", "cgitb", cgitb)
    )


def _redacting(original: Any, core: Core) -> Any:
    def report(*args: Any, **kwargs: Any) -> str:
        return _redacted(original(*args, **kwargs), core)

    return report


def _redacted(text: str, core: Core) -> str:
    try:
        return core.redact(text)
    except Exception:
        return MARKER
