"""What is covered, and what is not."""

from __future__ import annotations

from typing import Literal, NamedTuple

State = Literal["covered", "waiting", "missing", "off"]

_NOT_COVERED = (
    "files that the application itself writes outside guard.log_directories",
    "command lines of child processes, as the process table shows them",
    "data that the application sends over the network",
)


class Coverage(NamedTuple):
    """One channel, or one source of protected values.

    `state` is `covered`; `waiting` while the module that it belongs to has not been imported;
    `missing` when that module has no such place (a release that Tacenda does not know, say); or
    `off` when the policy leaves the channel alone.
    """

    channel: str
    state: State
    detail: str = ""


class Status(NamedTuple):
    """The state of the guard in this process. Numbers and names, never values."""

    installed: bool
    version: str
    environment: str = ""
    coverage: tuple[Coverage, ...] = ()
    protected_values: int = 0
    protected_bytes: int = 0
    evicted_values: int = 0
    not_covered: tuple[str, ...] = _NOT_COVERED

    @property
    def missing(self) -> tuple[Coverage, ...]:
        """The places that were expected and are not there."""
        return tuple(item for item in self.coverage if item.state == "missing")

    def __str__(self) -> str:
        """A table for people."""
        if not self.installed:
            return f"tacenda {self.version}: not installed in this process"
        lines = [f"tacenda {self.version}: installed, environment {self.environment}"]
        width = max((len(item.channel) for item in self.coverage), default=0)
        lines += [
            f"  {item.state:<8} {item.channel:<{width}}  {item.detail}".rstrip()
            for item in self.coverage
        ]
        lines += [f"  {'no':<8} {name}" for name in self.not_covered]
        lines.append(f"  {self.protected_values} protected values, {self.protected_bytes} bytes")
        return "\n".join(lines)
