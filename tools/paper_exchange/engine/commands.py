"""What can be asked of the engine. Commands carry the time and everything random, and are what
the journal stores.
"""

from decimal import Decimal
from enum import StrEnum

from tools.paper_exchange.engine.journaled import JournaledCommand as _Command
from tools.paper_exchange.engine.restrictions import ContractChanges, Restrictions
from tools.paper_exchange.engine.state import ZERO
from tools.paper_exchange.engine.triggers.commands import TriggerCommand


class DuplicateRule(StrEnum):
    """What happens to an order whose externalOid an accepted order already carried."""

    REJECT = "reject"
    ASYNC = "async"
    ACCEPT = "accept"


class Twist(StrEnum):
    """A fault that befalls one order."""

    ASYNC_REJECT = "async_reject"
    PARTIAL_FILL = "partial_fill"


class AddAccount(_Command, frozen=True):
    access_key: str
    secret_key: str
    permissions: list[str]
    ip_whitelist: list[str]
    expires_ms: int | None
    balance: Decimal
    position_mode: int

    def __repr__(self) -> str:
        return f"AddAccount({self.access_key})"


class PlaceOrder(_Command, frozen=True):
    account_id: int
    symbol: str
    side: int
    type: int
    vol: Decimal
    open_type: int
    price: Decimal = ZERO
    leverage: int | None = None
    position_mode: int | None = None
    reduce_only: bool = False
    external_oid: str = ""
    attached: dict[str, Decimal | int] = {}
    position_id: int = 0
    bbo_type: int = 0
    stp_mode: int = 0
    duplicates: DuplicateRule = DuplicateRule.REJECT
    twist: Twist | None = None
    twist_error: int | None = None
    hidden_ms: int = 0


class CancelOrder(_Command, frozen=True):
    account_id: int
    order_id: int


class ChangeOrder(_Command, frozen=True):
    """A new price and volume for an open limit order, which gets a new id by it."""

    account_id: int
    order_id: int
    price: Decimal
    vol: Decimal


class ChaseOrder(_Command, frozen=True):
    """Moves an open limit order to the best price of its own side."""

    account_id: int
    order_id: int


class SetLeverage(_Command, frozen=True):
    account_id: int
    symbol: str
    position_type: int
    leverage: int
    open_type: int | None = None


class SetPositionMode(_Command, frozen=True):
    account_id: int
    position_mode: int


class ChangeMargin(_Command, frozen=True):
    """Adds to an isolated position's margin, or takes from it where `amount` is below zero."""

    account_id: int
    position_id: int
    amount: Decimal


class SetAutoAdd(_Command, frozen=True):
    account_id: int
    position_id: int
    enabled: bool


class CloseAll(_Command, frozen=True):
    account_id: int


class ReversePosition(_Command, frozen=True):
    """Without `vol` all of it."""

    account_id: int
    symbol: str
    position_id: int
    vol: Decimal | None = None


class SettleFunding(_Command, frozen=True):
    """At the time of the command, for all who hold the contract."""

    symbol: str
    rate: Decimal


class SetPrice(_Command, frozen=True):
    symbol: str
    last: Decimal
    fair: Decimal | None = None
    index: Decimal | None = None


class SetDepth(_Command, frozen=True):
    """Both sides best first, `[price, volume]`; None makes the depth unlimited again."""

    symbol: str
    bids: list[list[Decimal]] | None = None
    asks: list[list[Decimal]] | None = None


class SetContract(_Command, frozen=True):
    """All that differs from the catalogue; no changes is the catalogue's contract again."""

    symbol: str
    changes: ContractChanges


class SetRestrictions(_Command, frozen=True):
    """All restrictions of an account; the old ones end."""

    account_id: int
    restrictions: Restrictions


class Reset(_Command, frozen=True):
    """Empties the books: orders, positions and balances are as when the accounts were made."""


Command = (
    AddAccount
    | PlaceOrder
    | CancelOrder
    | ChangeOrder
    | ChaseOrder
    | SetLeverage
    | SetPositionMode
    | ChangeMargin
    | SetAutoAdd
    | CloseAll
    | ReversePosition
    | SettleFunding
    | SetPrice
    | SetDepth
    | SetContract
    | SetRestrictions
    | Reset
    | TriggerCommand
)
