"""Tacenda keeps prompts, answers and secrets out of the logs of MLX applications.

    import tacenda

    tacenda.install()

From then on whatever the process logs, prints or reports goes through detection and redaction.
"""

from tacenda._core import MARKER, PolicyError, __version__
from tacenda._describe import Summary, summary, user
from tacenda._guard import Guard, install, redact, status, uninstall
from tacenda._journal import JournalHandler
from tacenda._protect import Protection, protect, request_scope
from tacenda._secret import Secret, reveal
from tacenda._status import Coverage, Status

__all__ = [
    "MARKER",
    "Coverage",
    "Guard",
    "JournalHandler",
    "PolicyError",
    "Protection",
    "Secret",
    "Status",
    "Summary",
    "__version__",
    "install",
    "protect",
    "redact",
    "request_scope",
    "reveal",
    "status",
    "summary",
    "uninstall",
    "user",
]
