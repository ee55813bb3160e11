"""Plans: the ordered legs that take the present position to the wanted one. A plan is made once
and stored before its first leg leaves; a redelivery resumes it.
"""

from datetime import datetime
from decimal import Decimal

from libs.common.contracts.calls import ExchangeCall
from libs.common.contracts.intent import Denial
from libs.common.contracts.messages import Message, Part, guard
from libs.common.contracts.words import (
    AccountId,
    AlertId,
    ChangeKind,
    ClientOrderId,
    Effect,
    IntentId,
    MarginMode,
    OrderType,
    PendingKind,
    PositionMode,
    PositionSide,
    RouteId,
    TriggerSource,
    VenueSymbol,
)

__all__ = [
    "Change",
    "ExchangeCall",
    "Holding",
    "Leg",
    "Pending",
    "Plan",
    "Protective",
    "Trail",
]


class Holding(Part, frozen=True, kw_only=True):
    """One side of a position, as the exchange tells it."""

    side: PositionSide
    contracts: Decimal
    free_contracts: Decimal
    """What may still be closed: held less what resting orders have frozen."""
    average_price: Decimal
    margin_mode: MarginMode
    leverage: int
    position_id: str

    def __post_init__(self) -> None:
        for name in ("contracts", "free_contracts", "average_price"):
            guard(name, getattr(self, name))


class Pending(Part, frozen=True, kw_only=True):
    """An order that waits at the exchange, as it tells it; ours or not."""

    kind: PendingKind
    exchange_order_id: str
    client_order_id: str | None = None
    effect: Effect
    position_side: PositionSide
    contracts: Decimal
    price: Decimal
    """Limit price, or the trigger price."""
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    order_id: str | None = None
    """The label that its alert gave it, where that is known."""
    comment: str | None = None

    def __post_init__(self) -> None:
        for name in ("contracts", "price", "stop_price", "target_price"):
            guard(name, getattr(self, name))


class Protective(Part, frozen=True, kw_only=True):
    """A stop, a target or both that wait at the exchange for a position."""

    exchange_id: str
    position_id: str
    position_side: PositionSide
    contracts: Decimal
    """Of the position, as it was when this was placed."""
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    whole: bool = False
    """It is for all of the position, however large that is when it comes to it."""

    def __post_init__(self) -> None:
        for name in ("contracts", "stop_price", "target_price"):
            guard(name, getattr(self, name))


class Trail(Part, frozen=True, kw_only=True):
    """A trailing stop that waits at the exchange."""

    exchange_id: str
    position_side: PositionSide
    contracts: Decimal
    distance: Decimal
    created_ms: int

    def __post_init__(self) -> None:
        guard("contracts", self.contracts)
        guard("distance", self.distance)


class Leg(Part, frozen=True, kw_only=True):
    """One order of a plan."""

    client_order_id: ClientOrderId
    effect: Effect
    position_side: PositionSide
    contracts: Decimal
    margin_mode: MarginMode
    leverage: int
    position_mode: PositionMode
    position_id: str | None = None
    """The exchange's id of the position to close; None for an opening leg."""
    order_type: OrderType = OrderType.MARKET
    price: Decimal | None = None
    """Limit price, or the trigger price of a stop order, on the tick; None of a market order."""
    trigger: TriggerSource = TriggerSource.LAST
    """Which price triggers the stop order, and the attached prices."""
    stop_price: Decimal | None = None
    """Attached to the order, on the tick; on opening legs only."""
    target_price: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("contracts", "price", "stop_price", "target_price"):
            guard(name, getattr(self, name))
        if self.contracts <= 0:
            raise ValueError(f"a leg needs contracts, not {self.contracts}")


class Change(Part, frozen=True, kw_only=True):
    """One call that makes no order of its own. Done after the legs, in the order of the plan."""

    change_id: ClientOrderId
    """What its executions are told apart by; the exchange never sees it."""
    kind: ChangeKind
    exchange_ids: tuple[str, ...] = ()
    """What is changed or canceled; of `protect` the position's id."""
    position_side: PositionSide | None = None
    contracts: Decimal | None = None
    """Of `trail` and `protect`: how much of the position."""
    stop_price: Decimal | None = None
    """On the tick. Both prices are given whole: None leaves the position without one."""
    target_price: Decimal | None = None
    trigger: TriggerSource = TriggerSource.LAST
    trail_distance: Decimal | None = None
    """In units of price, on the tick."""
    margin_mode: MarginMode | None = None
    leverage: int | None = None
    position_mode: PositionMode | None = None

    def __post_init__(self) -> None:
        for name in ("contracts", "stop_price", "target_price", "trail_distance"):
            guard(name, getattr(self, name))


class Plan(Message, frozen=True, kw_only=True, tag="order.planned"):
    intent_id: IntentId
    alert_id: AlertId
    route: RouteId
    account: AccountId
    symbol: VenueSymbol
    at: datetime
    holdings: tuple[Holding, ...]
    legs: tuple[Leg, ...]
    """In the order in which they are sent; empty where the wanted position is held already."""
    summary: str = ""
    calls: tuple[ExchangeCall, ...] = ()
    """How the position was learnt."""
    changes: tuple[Change, ...] = ()
    """What is done after the legs."""
    withheld: Denial | None = None
    """Why a part of what was wanted is not in the plan: then the legs are closing ones alone."""
    steps: tuple[str, ...] = ()
    """How size, prices and legs came about, one sentence each."""
    order_id: str | None = None
    comment: str | None = None
