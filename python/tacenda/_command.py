"""Where the native command is."""

from __future__ import annotations

import os
import sys


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
