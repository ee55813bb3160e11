"""What can be asked of the engine. Commands carry the time and everything random, and are what
the journal stores.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from tools.paper_exchange.engine.state import ZERO


class DuplicateRule(StrEnum):
    """What happens to an order whose externalOid an accepted order already carried."""

    REJECT = "reject"
    ASYNC = "async"
    ACCEPT = "accept"


class Twist(StrEnum):
    """A fault that befalls one order."""

    ASYNC_REJECT = "async_reject"
    PARTIAL_FILL = "partial_fill"


class _Command(
    msgspec.Struct, kw_only=True, frozen=True, tag=True, tag_field="command", omit_defaults=True
):
    at_ms: int


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
    duplicates: DuplicateRule = DuplicateRule.REJECT
    twist: Twist | None = None
    twist_error: int | None = None
    hidden_ms: int = 0


class CancelOrder(_Command, frozen=True):
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


class Reset(_Command, frozen=True):
    """Empties the books: orders, positions and balances are as when the accounts were made."""


Command = (
    AddAccount
    | PlaceOrder
    | CancelOrder
    | SetLeverage
    | SetPositionMode
    | SetPrice
    | SetDepth
    | Reset
)
