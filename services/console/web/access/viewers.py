"""Who looks at the pages, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    VIEWER = "viewer"
    """Sees everything but keys, changes nothing."""
    OPERATOR = "operator"
    """Changes, sends and halts."""


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Somebody who has signed in, as one request knows them."""

    name: str
    role: Role
    csrf: str
    """What a form of theirs must bring along."""
    address: str

    @property
    def may_change(self) -> bool:
        return self.role is Role.OPERATOR
