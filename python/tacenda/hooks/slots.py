"""Values in logging calls that a scan knows to be sensitive, masked by their place.

The slot map (`guard.slot_map`) says of each logging call what its values are. A record tells which
call made it: by file and line, as long as the file is what was scanned; else by its template, for
which all calls of the file with that template count.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

from tacenda import _describe
from tacenda._core import MARKER, Core
from tacenda._slot_map import Call, File
from tacenda._status import Coverage
from tacenda.hooks.values import Text

CHANNEL = "values by their place"

# What stands for every field that has no label of its own.
_ANY = "*"

# Names of files that are told in one line, and paths that are remembered.
_MOST_NAMES = 3
_MOST_PATHS = 10_000
# So many parts at the end of their paths files have in common that may be the same one.
_LEAST_COMMON = 2


class _Thread(threading.local):
    """The place whose event is on its way to becoming a record."""

    place: tuple[str, int] | None = None


class Slots(dict[str, File | None]):
    """The slot map in force: the files of the map by the paths under which code knows them."""

    def __init__(self, core: Core, root: str, entries: Iterable[Mapping[str, Any]]) -> None:
        super().__init__()
        self._core = core
        self._root = root
        self._thread = _Thread()
        self._files: list[File] = []
        by_path: dict[str, File] = {}
        entries = list(entries)
        for entry in entries:
            file = File(core, entry)
            self._files.append(file)
            by_path[file.path] = file
        for file, entry in zip(self._files, entries, strict=True):
            for (_, call), one in zip(list(file.calls), entry["calls"], strict=False):
                for through in one.get("through", ()):
                    if through["path"] in by_path:
                        by_path[through["path"]].add_through(call, through["line"])
        self._by_name: dict[str, list[File]] = {}
        for file in self._files:
            file.settle()
            self._by_name.setdefault(file.parts[-1], []).append(file)

    def __missing__(self, pathname: str) -> File | None:
        file = self._resolve(pathname)
        if len(self) < _MOST_PATHS:
            self[pathname] = file
        return file

    def calls(self, pathname: str, line: int, function: str, message: object) -> list[Call]:
        """The calls of which one has made a record, if they have something to mask."""
        file = self[pathname]
        if file is None or self._thread.place == (pathname, line):
            return []
        here = None if file.is_stale else file.by_line.get(line)
        if here is not None:
            if not here:
                return here
            alike = here if len(here) < 2 else _alike(here, message)
            # Of a message that is like none of them, a logger has made another one.
            return _sensitive(alike or here)
        # Any message is like a template without a text: there the function has to be the same.
        calls = [
            call
            for writer, call in file.calls
            if call.has_text or (file.is_stale and writer == function)
        ]
        return _sensitive(_alike(calls, message))

    @contextmanager
    def written(self, place: tuple[str, int] | None) -> Iterator[None]:
        """Nothing is masked meanwhile of what this thread logs at a place: it has been."""
        before = self._thread.place
        self._thread.place = place
        try:
            yield
        finally:
            self._thread.place = before

    def message(
        self, calls: list[Call], message: Any, *, formatted: bool = False, named: bool = False
    ) -> Any:
        """A message without its sensitive values.

        Args:
            calls: The calls of which one has made it.
            message: The message.
            formatted: The values for the placeholders are in it as well.
            named: So are values with names.
        """
        kinds = [kind for call in calls for kind in call.kinds if kind]
        if formatted:
            kinds += [kind for call in calls for kind in (*call.arguments, call.rest) if kind]
        if named:
            kinds += [kind for call in calls for kind in call.fields.values() if kind]
        if not kinds:
            return message
        if not isinstance(message, str):
            return Text(self.value(message, kinds[0]))
        spans: list[tuple[int, int, str]] = []
        for call in calls:
            if not call.sensitive:
                continue
            places = call.places(message)
            if places is None:
                places = call.places(message, loose=True)
            if (
                places is None
                or (formatted and not _is_explained(call, len(places)))
                or (named and not call.has_text and any(call.fields.values()))
            ):
                return Text(self._core.redact_known(message, kinds[0]))
            found = zip(places, call.kinds, strict=True)
            spans += [(start, end, kind) for (start, end), kind in found if kind]
        return self._replaced(message, sorted(spans))

    def template(self, calls: list[Call], message: Any, args: Any) -> tuple[Any, Any]:
        """A message and the values for its placeholders without what is sensitive in them."""
        clean = self.message(calls, message)
        masked, kinds = self._arguments(calls, args)
        if masked is args or not isinstance(clean, str) or isinstance(clean, Text):
            return clean, masked
        # What does not fit by itself is the program's own mistake.
        if _fits(clean, masked) or not _fits(clean, args):
            return clean, masked
        # Where a number is wanted.
        blank = _blank(args, masked, kinds)
        return (clean, blank) if _fits(clean, blank) else (Text(MARKER), ())

    def _arguments(self, calls: list[Call], args: Any) -> tuple[Any, Any]:
        """The arguments of a record without what is sensitive among them, and the kinds of that."""
        if isinstance(args, Mapping):
            others = _kind_of(calls, 0)
            kinds = {name: _kind_of_field(calls, name, others) for name in args}
            return self.fields(calls, args, others), kinds
        if not isinstance(args, tuple):
            return args, ()
        places = [_kind_of(calls, place) for place in range(len(args))]
        if not any(places):
            return args, places
        masked = (
            self.value(value, kind) if kind else value
            for value, kind in zip(args, places, strict=True)
        )
        return tuple(masked), places

    def fields(
        self, calls: list[Call], fields: Mapping[Any, Any], others: str | None = None
    ) -> Mapping[Any, Any]:
        """Values with names without what is sensitive among them; the same object if none is.

        `others` is the kind of those that the map does not name.
        """
        kinds = {name: kind for name in fields if (kind := _kind_of_field(calls, name, others))}
        if not kinds:
            return fields
        return {
            name: self.value(value, kinds[name]) if name in kinds else value
            for name, value in fields.items()
        }

    def value(self, value: Any, kind: str) -> Any:
        """What stands in place of a value."""
        if value is None or isinstance(value, bool):
            return value
        try:
            if isinstance(value, (bytes, bytearray)):
                value = bytes(value).decode("utf-8", "replace")
            elif not isinstance(value, str):
                if isinstance(getattr(value, "shape", None), tuple):
                    # An array, which is not evaluated.
                    return str(_describe.summary(value))
                value = str(value)
            return self._core.redact_known(value, kind)
        except Exception:
            return MARKER

    def coverage(self) -> Coverage:
        """Whether the map fits the files that are here."""
        states = {file.path: self._is_stale(file) for file in self._files}
        stale = [path for path, is_stale in states.items() if is_stale]
        absent = [path for path, is_stale in states.items() if is_stale is None]
        found = []
        if stale:
            found.append(f"changed since the scan, matched by template: {_names(stale)}")
        if absent:
            found.append(f"not found, and not seen to log yet: {_names(absent)}")
        if found:
            return Coverage(CHANNEL, "missing", "; ".join(found))
        calls = {id(call) for file in self._files for _, call in file.calls if call.sensitive}
        detail = f"{len(calls)} logging calls, {len(self._files)} files"
        return Coverage(CHANNEL, "covered", detail)

    def _is_stale(self, file: File) -> bool | None:
        """Whether a file is another now; None if it is nowhere to be found."""
        if file.is_stale is not None:
            return file.is_stale
        places = [self._at_root(file)]
        # `src/app/main.py` is installed as `app/main.py`.
        ends = [os.path.join(*file.parts[start:]) for start in range(len(file.parts))]
        places += [os.path.join(folder, end) for folder in sys.path for end in ends]
        found = [_sha256(place) for place in dict.fromkeys(places) if os.path.isfile(place)]
        if file.sha256 in found:
            return False
        return True if os.path.exists(places[0]) else None

    def _at_root(self, file: File) -> str:
        return os.path.realpath(os.path.join(self._root, file.path))

    def _resolve(self, pathname: str) -> File | None:
        if not isinstance(pathname, str):
            return None
        named = self._by_name.get(os.path.basename(pathname))
        if not named:
            return None
        from pathlib import Path  # costs milliseconds, which a program without a map need not pay

        path = Path(os.path.abspath(pathname))
        real = os.path.realpath(path)
        # What has the most of the path in common comes first; what lies at the root, before all.
        near = {id(file): _common(file.parts, path.parts) for file in named}
        near |= {id(file): len(real) for file in named if self._at_root(file) == real}
        named = sorted(named, key=lambda file: near[id(file)], reverse=True)
        sha256 = _sha256(str(path))
        for file in named:
            if file.sha256 == sha256:
                file.is_stale = False
                return file
        # A name alone is no reason to take one file for another.
        file = named[0]
        if near[id(file)] < _LEAST_COMMON:
            return None
        if file.is_stale is None:
            file.is_stale = True
        return file.stale()

    def _replaced(self, message: str, spans: list[tuple[int, int, str]]) -> str:
        parts, at = [], 0
        while spans:
            start, end, kind = spans.pop(0)
            while spans and spans[0][0] < end:
                end = max(end, spans.pop(0)[1])
            parts += [message[at:start], self._core.redact_known(message[start:end], kind)]
            at = end
        return "".join([*parts, message[at:]])


def load(core: Core) -> Slots | None:
    """The slot map of the policy; None if it names none, or there is nothing to mask."""
    given = core.slot_map()
    if given is None:
        return None
    import json  # costs two milliseconds, which most programs need not pay

    root, files = given
    return Slots(core, str(root), json.loads(files))


def coverage(core: Core, slots: Slots | None) -> list[Coverage]:
    """What became of the slot map, if the policy names one."""
    if slots is not None:
        return [slots.coverage()]
    if core.has_slot_map:
        return [Coverage(CHANNEL, "missing", "the slot map cannot be used")]
    return []


def _alike(calls: list[Call], message: object) -> list[Call]:
    """The calls that a message may come from."""
    if not isinstance(message, str):
        return [call for call in calls if not call.has_text]
    alike = [call for call in calls if call.matches(message)]
    # A message that is a text of the code as it stands there holds no value, whoever has made it.
    return [call for call in alike if len(call.literals) == 1] or alike


def _is_explained(call: Call, places: int) -> bool:
    """Whether the template tells where the arguments are that it was formatted with."""
    given = {kind for kind in (*call.arguments, call.rest) if kind}
    return places >= len(call.arguments) and given <= set(call.kinds)


def _sensitive(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.sensitive]


def _kind_of(calls: list[Call], place: int) -> str | None:
    """The kind of an argument, if one of the calls has something sensitive there."""
    for call in calls:
        kind = call.arguments[place] if place < len(call.arguments) else call.rest
        if kind:
            return kind
    return None


def _kind_of_field(calls: list[Call], name: object, others: str | None) -> str | None:
    for call in calls:
        if isinstance(name, str) and name in call.fields:
            kind = call.fields[name]
        else:
            kind = call.fields.get(_ANY, others)
        if kind:
            return kind
    return None


def _is_number(value: object) -> bool:
    numeric = ("__index__", "__int__", "__float__")
    return not isinstance(value, (str, bool)) and any(
        hasattr(type(value), name) for name in numeric
    )


def _blank(args: Any, masked: Any, kinds: Any) -> Any:
    """Masked arguments with 0 for each that was a number."""
    if isinstance(args, Mapping):
        return {
            name: 0 if kinds[name] and _is_number(value) else masked[name]
            for name, value in args.items()
        }
    return tuple(
        0 if kind and _is_number(value) else clean
        for value, clean, kind in zip(args, masked, kinds, strict=True)
    )


def _fits(message: str, args: Any) -> bool:
    """Whether a message can be made of a template and its arguments."""
    try:
        _ = message % args
    except Exception:
        return False
    return True


def _sha256(path: str) -> str | None:
    import hashlib  # as above

    try:
        with io.open_code(path) as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return None


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many parts at the end of two paths are the same."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _names(paths: list[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMES} more" if len(paths) > _MOST_NAMES else ""
    return ", ".join(paths[:_MOST_NAMES]) + more
