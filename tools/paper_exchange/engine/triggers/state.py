"""Triggers as they are remembered: of an account, and by the symbol whose price they wait for."""

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

from tools.paper_exchange.engine.triggers.words import (
    BackType,
    Condition,
    Cycle,
    Leg,
    TrackState,
    Trend,
    TriggerState,
)
from tools.paper_exchange.engine.words import (
    OpenType,
    OrderType,
    PositionMode,
    PositionType,
    Side,
)

ZERO = Decimal(0)
FINISHED_KEPT = 1_000

T = TypeVar("T")


class PlanOrder(msgspec.Struct, kw_only=True):
    """An order that is placed when a price comes."""

    id: int
    symbol: str
    side: Side
    type: OrderType
    vol: Decimal
    price: Decimal
    # None: whatever the account has set when it fires.
    leverage: int | None
    open_type: OpenType
    position_mode: PositionMode
    reduce_only: bool
    trigger_price: Decimal
    condition: Condition
    trend: Trend
    cycle: Cycle
    price_protect: int
    attached: dict[str, Decimal | int]
    created_ms: int
    updated_ms: int
    state: TriggerState = TriggerState.WAITING
    error: int = 0
    order_id: int = 0

    @property
    def expires_ms(self) -> int:
        return self.created_ms + self.cycle.lasts_ms

    def is_reached(self, price: Decimal) -> bool:
        if self.condition is Condition.AT_LEAST:
            return price >= self.trigger_price
        return price <= self.trigger_price


class StopLeg(msgspec.Struct, kw_only=True, frozen=True):
    """The take profit or the stop loss of a stop. An `order_price` makes it close by a limit order
    instead of at market; `reverse` opens the other side afterwards.
    """

    price: Decimal
    vol: Decimal
    trend: int = Trend.LAST
    order_price: Decimal = ZERO
    reverse: bool = False


class StopOrder(msgspec.Struct, kw_only=True):
    """Take profit and stop loss of a position; when one of them fires, the other is gone."""

    id: int
    symbol: str
    position_id: int
    position_type: PositionType
    vol: Decimal
    profit: StopLeg | None
    loss: StopLeg | None
    created_ms: int
    updated_ms: int
    # The order that it came with; zero when it was made for the position itself.
    order_id: int = 0
    # It closes all that is held by then.
    is_whole: bool = False
    # Its legs may have volumes of their own.
    is_separate: bool = False
    price_protect: int = 0
    state: TriggerState = TriggerState.WAITING
    fired: Leg = Leg.NONE
    closed_vol: Decimal = ZERO
    placed_id: int = 0
    error: int = 0
    close_tries: int = 0
    reverse_tries: int = 0
    reverse_error: int = 0
    version: int = 0

    def leg(self, which: Leg) -> StopLeg | None:
        return self.profit if which is Leg.PROFIT else self.loss

    def is_reached(self, which: Leg, price: Decimal) -> bool:
        leg = self.leg(which)
        if leg is None:
            return False
        upwards = (which is Leg.PROFIT) is (self.position_type is PositionType.LONG)
        return price >= leg.price if upwards else price <= leg.price


class TrackOrder(msgspec.Struct, kw_only=True):
    """Follows the price to its extreme, and is placed at market when the price comes back."""

    id: int
    symbol: str
    side: Side
    vol: Decimal
    leverage: int
    open_type: OpenType
    position_mode: PositionMode
    reduce_only: bool
    trend: Trend
    # Zero: active at once.
    active_price: Decimal
    back_type: BackType
    back_value: Decimal
    created_ms: int
    updated_ms: int
    state: TrackState = TrackState.INACTIVE
    # The lowest price for buyers, the highest for sellers, since it became active.
    extreme: Decimal = ZERO
    trigger_price: Decimal = ZERO
    error: int = 0
    order_id: int = 0


class Shelf(msgspec.Struct, Generic[T]):
    """Triggers of one kind of one account, by id; the finished ones are a bounded ring."""

    open: dict[int, T] = {}
    finished: dict[int, T] = {}


class Triggers(msgspec.Struct):
    """All triggers of one account."""

    plans: Shelf[PlanOrder] = msgspec.field(default_factory=Shelf)
    stops: Shelf[StopOrder] = msgspec.field(default_factory=Shelf)
    tracks: Shelf[TrackOrder] = msgspec.field(default_factory=Shelf)

    @property
    def any_open(self) -> bool:
        return bool(self.plans.open or self.stops.open or self.tracks.open)


class Waiting(msgspec.Struct):
    """Who waits for the price of one symbol, oldest first: trigger id to account id."""

    plans: dict[int, int] = {}
    stops: dict[int, int] = {}
    tracks: dict[int, int] = {}


AnyShelf = Shelf[PlanOrder] | Shelf[StopOrder] | Shelf[TrackOrder]
Trigger = PlanOrder | StopOrder | TrackOrder
