"""Where the native command is, and what this program is called."""

from __future__ import annotations

import os
import sys


def program_name() -> str:
    """What this program is called: of its script, else of its interpreter."""
    name = os.path.basename(sys.argv[0]) if sys.argv else ""
    # `python -c`, and `python -m` before the module is found.
    return os.path.basename(sys.executable) if not name or name.startswith("-") else name


def native_command() -> str | None:
    """The native command that came with this package."""
    package = os.path.dirname(os.path.abspath(__file__))
    # <prefix>/lib/pythonX.Y/site-packages/tacenda
    prefix = os.path.join(package, *[os.pardir] * 4)
    for directory in (os.path.dirname(sys.executable), os.path.join(prefix, "bin")):
        path = os.path.normpath(os.path.join(directory, "tacenda"))
        if os.access(path, os.X_OK):
            return path
    return None
