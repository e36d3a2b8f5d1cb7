"""SQLite databases in directories that are logs: what is bound to a statement, and its own text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tacenda._core import MARKER, Core
from tacenda._patch import ImportWatch, Patches, hook_imports

_METHODS = ("execute", "executemany", "executescript")


def start(core: Core, patches: Patches, imports: ImportWatch, holds: Callable[[Any], bool]) -> None:
    """Hooks `sqlite3.connect`.

    Args:
        core: The core.
        patches: Where replaced attributes are noted.
        imports: What tells of imports.
        holds: Whether a file lies in one of the directories.
    """

    def hook(module: Any) -> None:
        original = module.connect

        def connect(database: Any, *args: Any, **kwargs: Any) -> Any:
            if holds(_path(database)) and "factory" not in kwargs and len(args) < _FACTORY:
                kwargs["factory"] = _connection(module, core)
            return original(database, *args, **kwargs)

        patches.replace(module, "connect", connect)
        package = sys.modules.get("sqlite3")
        if package is not None and getattr(package, "connect", None) is original:
            patches.replace(package, "connect", connect)

    hook_imports(patches, imports, ("SQLite databases", "sqlite3.dbapi2", hook))


# Where the parameter is that names the class of a connection, behind the database.
_FACTORY = 5


def _path(database: Any) -> Any:
    if isinstance(database, str) and database.startswith("file:"):
        return database[len("file:") :].partition("?")[0]
    return database


def _connection(module: Any, core: Core) -> Any:
    """The class of a connection that writes nothing sensitive."""

    def cleaning(owner: Any) -> dict[str, Any]:
        def method(name: str) -> Any:
            original = getattr(owner, name)

            def call(self: Any, sql: Any, *values: Any) -> Any:
                return original(self, *_clean(name, sql, values, core))

            return call

        return {name: method(name) for name in _METHODS}

    cursor = type("Cursor", (module.Cursor,), cleaning(module.Cursor))

    def make_cursor(self: Any, factory: Any = cursor) -> Any:
        return module.Connection.cursor(self, factory)

    return type(
        "Connection", (module.Connection,), {**cleaning(module.Connection), "cursor": make_cursor}
    )


def _clean(name: str, sql: Any, values: tuple[Any, ...], core: Core) -> tuple[Any, ...]:
    sql = _value(sql, core)
    if not values:
        return (sql,)
    if name == "executemany":
        return (sql, _rows(values[0], core))
    return (sql, _row(values[0], core))


def _rows(rows: Iterable[Any], core: Core) -> Iterator[Any]:
    return (_row(row, core) for row in rows)


def _row(row: Any, core: Core) -> Any:
    if isinstance(row, Mapping):
        return {name: _value(value, core) for name, value in row.items()}
    if isinstance(row, (list, tuple)):
        return [_value(value, core) for value in row]
    return row


def _value(value: Any, core: Core) -> Any:
    try:
        if isinstance(value, str):
            return core.redact(value)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return core.blank(bytes(value))
    except Exception:
        return MARKER
    return value
