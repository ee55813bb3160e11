"""What a command changed, for those who tell others: the private pushes and the public tape. Events
hold the changed things themselves, so they are to be read before the next command is applied.
"""

from dataclasses import dataclass

from tools.paper_exchange.engine.state import Account, Deal, Order, Position
from tools.paper_exchange.engine.triggers.state import PlanOrder, StopOrder, TrackOrder
from tools.paper_exchange.engine.words import PositionType


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
class LiquidationRisk:
    """A position has come near to being taken over."""

    account: Account
    position: Position


@dataclass(frozen=True, slots=True)
class PositionReversed:
    """A position was closed to open the other side; `error` says why that could not be opened."""

    account: Account
    contract_id: int
    position_id: int
    error: int


@dataclass(frozen=True, slots=True)
class RiskLimitChanged:
    """Another leverage allows another volume."""

    account: Account
    symbol: str
    type: PositionType


@dataclass(frozen=True, slots=True)
class CloseAllFailed:
    """Not everything that was to be closed could be."""

    account: Account


@dataclass(frozen=True, slots=True)
class PositionModeChanged:
    account: Account


@dataclass(frozen=True, slots=True)
class PlanChanged:
    account: Account
    plan: PlanOrder


@dataclass(frozen=True, slots=True)
class StopChanged:
    account: Account
    stop: StopOrder


@dataclass(frozen=True, slots=True)
class TrackChanged:
    account: Account
    track: TrackOrder


@dataclass(frozen=True, slots=True)
class AttachedChanged:
    """The take profit or stop loss that an order carries was set, changed or taken away."""

    account: Account
    order: Order


Event = (
    OrderChanged
    | DealMade
    | PositionChanged
    | WalletChanged
    | PriceChanged
    | PositionModeChanged
    | LiquidationRisk
    | PositionReversed
    | CloseAllFailed
    | RiskLimitChanged
    | PlanChanged
    | StopChanged
    | TrackChanged
    | AttachedChanged
)
