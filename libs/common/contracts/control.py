"""What is halted by hand, as it stands in the `controls` bucket: a key for everything, and one for
each account and each route. A resume deletes the key.
"""

from datetime import datetime
from enum import StrEnum

from libs.common.contracts.messages import Part
from libs.common.contracts.words import AccountId, AlertId


class Scope(StrEnum):
    ALL = "all"
    ACCOUNT = "account"
    ROUTE = "route"


class Control(Part, frozen=True, kw_only=True):
    scope: Scope
    id: str | None = None
    """The account's or the route's; None for everything."""
    halt_id: AlertId
    """A UUIDv7: what is closed by this halt has ids that are made of it."""
    at: datetime
    reason: str = ""
    """In the words of who halted it."""
    by: str = ""
    """Who halted it, as they say."""
    flatten: bool = False
    """Close what the scope holds."""
    accounts: tuple[AccountId, ...] = ()
    """What is flattened: the accounts that were in the scope then. One that comes to it later was
    never meant, and what it holds stays.
    """

    def __post_init__(self) -> None:
        if (self.scope is Scope.ALL) != (self.id is None):
            raise ValueError(f"a halt of {self.scope.value} names {self.id or 'nothing'}")

    @property
    def what(self) -> str:
        """For people."""
        return "everything" if self.id is None else f"{self.scope.value} {self.id}"
