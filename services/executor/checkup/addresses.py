"""Our own address, as independent services see it: what a checkup needs to know of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class OwnAddress(Protocol):
    @property
    def addresses(self) -> tuple[str, ...]:
        """What was seen last; empty where it is not known."""

    @property
    def expected(self) -> tuple[str, ...]:
        """Those of this executor, as addresses or networks."""

    @property
    def problem(self) -> str | None:
        """Why it is not known, or not the right one."""

    @property
    def seen_at(self) -> datetime | None:
        """When the addresses were told last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenAddress:
    """An `OwnAddress` that does not change; as it stands, nobody looks at it."""

    addresses: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    problem: str | None = None
    seen_at: datetime | None = None


UNSEEN = SeenAddress()
