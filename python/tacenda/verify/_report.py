"""What was found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, and where."""

    place: str
    what: str
    # The log says that it is gone, and it is there.
    remains: bool = False


@dataclass(frozen=True)
class Sight:
    """What a witness has seen of the log: it vouches for no later entry."""

    witness: str
    entries: int
    # By its own clock, in seconds since 1970.
    time: int | None


@dataclass
class Report:
    """What was found."""

    findings: list[Finding] = field(default_factory=list)
    entries: int = 0
    segments: int = 0
    records: int = 0
    # Segments that were written anew since they were sealed: content was erased, or has expired.
    rewritten: int = 0
    # The newest that each witness which was named has signed.
    witnessed: list[Sight] = field(default_factory=list)

    def has(self, place: str) -> bool:
        """Whether something is wrong with a place."""
        return any(one.place == shown(place) for one in self.findings)

    def find(self, place: str, what: str, *, remains: bool = False) -> None:
        """Adds a finding."""
        self.findings.append(Finding(shown(place), what, remains))


def shown(place: str) -> str:
    """A place as it is told: a name may have any bytes."""
    return place.encode(errors="surrogateescape").decode(errors="replace")
