"""What presidio-analyzer (its patterns) and scrubadub take for the same logs.

    python benches/detect/peers.py LOG...

Prints one JSON object: for each tool the bytes a second per log, line by line as a logging filter
would call it, the share of lines in which it found something, and the memory it has taken. Neither
tool gets a language model: presidio's pattern recognizers are called without one, and scrubadub's
default detectors need none.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def peak() -> int:
    """Most memory that this process has held, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def presidio() -> Callable[[str], bool]:
    from presidio_analyzer import PatternRecognizer, RecognizerRegistry

    registry = RecognizerRegistry()
    registry.load_predefined_recognizers()
    recognizers = [one for one in registry.recognizers if isinstance(one, PatternRecognizer)]

    def find(line: str) -> bool:
        found = [one.analyze(line, one.supported_entities, None) for one in recognizers]
        return any(found)

    return find


def scrubadub() -> Callable[[str], bool]:
    import scrubadub

    scrubber = scrubadub.Scrubber()

    def clean(line: str) -> bool:
        cleaned: str = scrubber.clean(line)
        return cleaned != line

    return clean


def measure(tool: Callable[[], Callable[[str], bool]], logs: list[Path]) -> dict[str, object]:
    before = peak()
    try:
        look = tool()
    except ImportError as error:
        return {"missing": str(error.name)}
    look("warm up: one line")
    figures = {}
    for path in logs:
        lines = path.read_text().splitlines()
        size = path.stat().st_size
        began = time.process_time()
        found = sum(map(look, lines))
        seconds = time.process_time() - began
        figures[path.stem] = {"bytes_per_second": size / seconds, "lines": found / len(lines)}
    return {"logs": figures, "memory": peak() - before}


def main() -> None:
    logs = [Path(name) for name in sys.argv[1:]]
    tools = {"presidio-analyzer": presidio, "scrubadub": scrubadub}
    print(json.dumps({name: measure(tool, logs) for name, tool in tools.items()}))


if __name__ == "__main__":
    main()
