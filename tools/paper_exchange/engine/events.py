"""What a command changed, for those who tell others: the private pushes and the public tape. Events
hold the changed things themselves, so they are to be read before the next command is applied.
"""

from dataclasses import dataclass

from tools.paper_exchange.engine.state import Account, Deal, Order, Position


@dataclass(frozen=True, slots=True)
class OrderChanged:
    account: Account
    order: Order


@dataclass(frozen=True, slots=True)
class DealMade:
    """A fill. The other side of it is the market."""

    account: Account
    order: Order
    deal: Deal


@dataclass(frozen=True, slots=True)
class PositionChanged:
    """A position was opened, grew, shrank, was closed (no volume is left) or changed its margin."""

    account: Account
    position: Position


@dataclass(frozen=True, slots=True)
class WalletChanged:
    account: Account
    currency: str


@dataclass(frozen=True, slots=True)
class PriceChanged:
    """The last, fair or index price, or the depth, of a contract."""

    symbol: str


@dataclass(frozen=True, slots=True)
class PositionModeChanged:
    account: Account


Event = (
    OrderChanged | DealMade | PositionChanged | WalletChanged | PriceChanged | PositionModeChanged
)
