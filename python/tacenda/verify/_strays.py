"""Names that are none of a journal's, and what has a name of its own and is none of it.

What lies in `segments/` and `active/` is judged with them.
"""

from __future__ import annotations

from ._files import Files, NotOurs
from ._log import NUMBER, Log, names_of

ROOT = {
    **dict.fromkeys(("lock", "reserve", "reserve.new"), "file"),
    **dict.fromkeys(("active", "keys", "log", "quarantine", "segments"), "directory"),
    "owner": "socket",
}
LOG = {
    **dict.fromkeys(("checkpoint", "checkpoint.new", "pending", "pending.new"), "file"),
    **dict.fromkeys(("checkpoints", "tile", "witnessed"), "directory"),
}
# Other names are nobody's concern, and are not written to.
KEYS = {"log", "signing", "next"}
# Directories below `tile/`: a level, and of the number three digits each.
TILE_DEPTH = 9


def find_strays(files: Files, log: Log) -> None:
    """Finds them."""
    for name in files.names(""):
        check_name(files, name, ROOT.get(name), log)
    for name in names_of(files, "log", log):
        check_name(files, f"log/{name}", LOG.get(name), log)
    for name in names_of(files, "log/checkpoints", log):
        known = name.removesuffix(".new")
        number = int(known) if NUMBER.fullmatch(known) else 0
        ours = 0 < number <= log.size + (name != known)
        check_name(files, f"log/checkpoints/{name}", "file" if ours else None, log)
    check_tiles(files, "log/tile", TILE_DEPTH, log)
    for folder in ("keys", "quarantine"):
        if files.stranger(folder, "directory") is not None or not files.has(folder):
            continue
        for name in files.names(folder):
            is_key = name.removesuffix(".new") in KEYS
            is_cut = name.partition(".")[2].startswith("wal")
            if is_key if folder == "keys" else is_cut:
                check_name(files, f"{folder}/{name}", "file", log)


def check_tiles(files: Files, path: str, depth: int, log: Log) -> None:
    """Finds what is no tile."""
    try:
        names = files.names(path)
    except (FileNotFoundError, NotOurs):
        return
    for name in names:
        inner = f"{path}/{name}"
        if depth > 0 and files.stranger(inner, "directory") is None:
            check_tiles(files, inner, depth - 1, log)
        else:
            check_name(files, inner, "file", log)


def check_name(files: Files, path: str, kind: str | None, log: Log) -> None:
    """Finds what has a name, unless it is of this kind or was found where it was read."""
    why = "nobody wrote it" if kind is None else files.stranger(path, kind)
    if why is not None and not log.report.has(path):
        log.report.find(path, why)
