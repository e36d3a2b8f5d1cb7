"""Installs the guard in a Python child process, before any of its own code runs.

`tacenda run` and `tacenda.install()` put this directory first on PYTHONPATH.
"""

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

_HERE = str(Path(__file__).resolve().parent)


def _install() -> None:
    # The child may be another interpreter, in which the package is not installed.
    package = str(Path(_HERE).parent.parent)
    added = package not in sys.path
    if added:
        sys.path.append(package)
    try:
        import tacenda

        tacenda.install()
    except Exception as error:
        kind = type(error).__name__
        sys.stderr.write(f"tacenda: this process is not guarded from inside: {kind}\n")
    finally:
        if added and package in sys.path:
            sys.path.remove(package)


def _run_shadowed() -> None:
    """Runs the `sitecustomize` that this one stands in front of, if there is one."""
    rest = [path for path in sys.path if path and Path(path).resolve() != Path(_HERE)]
    spec = PathFinder.find_spec("sitecustomize", rest)
    if spec is None or spec.loader is None:
        return
    spec.loader.exec_module(module_from_spec(spec))


_install()
_run_shadowed()
