"""Replacing attributes of other modules, and putting them back."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from tacenda._status import Coverage

_ABSENT = object()


class Patches:
    """Replaced attributes, in order, and what became of each channel."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], object]] = []
        self.coverage: dict[str, Coverage] = {}

    def replace(self, owner: Any, name: str, new: Any) -> None:
        """Sets `owner.name`, remembering what was there."""
        old = vars(owner).get(name, _ABSENT)
        if old is _ABSENT:
            self.on_undo(lambda: delattr(owner, name))
        else:
            self.on_undo(lambda: setattr(owner, name, old))
        setattr(owner, name, new)

    def set_variable(self, name: str, value: str) -> None:
        """Sets an environment variable, remembering what it was."""
        old = os.environ.get(name)
        if old is None:
            self.on_undo(lambda: os.environ.pop(name, None))
        else:
            self.on_undo(lambda: os.environ.update({name: old}))
        os.environ[name] = value

    def on_undo(self, call: Callable[[], object]) -> None:
        """Calls this when everything is put back."""
        self._undo.append(call)

    def cover(self, channel: str, detail: str = "") -> None:
        """Notes that a channel is covered."""
        self.coverage[channel] = Coverage(channel, "covered", detail)

    def miss(self, channel: str, detail: str) -> None:
        """Notes that a place to hook does not exist."""
        self.coverage[channel] = Coverage(channel, "missing", detail)

    def off(self, channel: str, detail: str) -> None:
        """Notes that the policy leaves a channel alone."""
        self.coverage[channel] = Coverage(channel, "off", detail)

    def wait(self, channel: str, module: str) -> None:
        """Notes that a channel is covered as soon as a module is imported."""
        self.coverage[channel] = Coverage(channel, "waiting", f"for the import of {module}")

    def undo(self) -> None:
        """Puts everything back, last first."""
        while self._undo:
            self._undo.pop()()


OnImport = Callable[[ModuleType], None]


class ImportWatch:
    """Calls a function on a module as soon as it has been imported, or now if it is.

    A meta path finder (PEP 302), without the base class: that one costs ten milliseconds to import.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, list[OnImport]] = {}
        self._finding = False

    def start(self) -> None:
        """Begins to watch."""
        sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """Ends it."""
        self._waiting.clear()
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def when(self, name: str, call: OnImport) -> None:
        """Calls `call(module)` once `name` is imported. It must not raise."""
        module = sys.modules.get(name)
        if module is not None:
            call(module)
        else:
            self._waiting.setdefault(name, []).append(call)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Finds the module as the others would, and has its loader tell when it is done."""
        if fullname not in self._waiting or self._finding:
            return None
        self._finding = True
        try:
            spec = importlib.util.find_spec(fullname)
        except (ImportError, ValueError):
            return None
        finally:
            self._finding = False
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return None
        loader = spec.loader
        exec_module = loader.exec_module

        def exec_then_tell(module: ModuleType) -> None:
            exec_module(module)
            for call in self._waiting.pop(fullname, ()):
                call(module)

        # Loaders are made per module by the standard finders.
        loader.exec_module = exec_then_tell  # type: ignore[method-assign]
        return spec


def hook_imports(
    patches: Patches, imports: ImportWatch, *places: tuple[str, str, Callable[[Any], None]]
) -> None:
    """Calls a hook on each module once it is imported, and notes what became of its channel.

    A version of the module that has other insides is noted as missing, and is left alone.

    Args:
        patches: Where channels are noted.
        imports: What tells of imports.
        places: Channels, modules and hooks.
    """
    for channel, module, hook in places:
        patches.wait(channel, module)
        imports.when(module, _noted(patches, channel, hook))


def _noted(patches: Patches, channel: str, hook: Callable[[Any], None]) -> OnImport:
    def call(module: ModuleType) -> None:
        try:
            hook(module)
        except Exception:  # of the module that the application imports
            patches.miss(channel, f"this version of {module.__name__} has other insides")
        else:
            patches.cover(channel)

    return call
