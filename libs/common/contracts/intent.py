"""Intents: what is wanted of one account, in our words and the exchange's symbol, before any
position is known; and denials, by which we refuse before anything is sent.
"""

from datetime import datetime
from decimal import Decimal

from libs.common.contracts.calls import ExchangeCall
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.messages import Message, Part, guard
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    AccountId,
    Action,
    AlertId,
    DistanceUnit,
    IntentId,
    MarginMode,
    MarketPosition,
    OrderType,
    PositionSide,
    RouteId,
    SizingMode,
    TradeMode,
    TriggerSource,
    VenueSymbol,
)


class Denial(Part, frozen=True, kw_only=True):
    """We refuse: a code of the closed list, one sentence for people, and the numbers behind it."""

    reason: Reason
    message: str
    context: dict[str, str] = {}


class Size(Part, frozen=True, kw_only=True):
    """A size that only the live picture can turn into contracts."""

    mode: SizingMode
    value: Decimal
    """Percent, or units of the quote currency."""
    multiplier: Decimal = Decimal(1)
    """The route's times the account's."""

    def __post_init__(self) -> None:
        guard("value", self.value)
        guard("multiplier", self.multiplier)


class Offset(Part, frozen=True, kw_only=True):
    """A protective price: absolute, or as a distance from the reference price."""

    price: Decimal | None = None
    """In the exchange's units, not yet on the tick; it wins over the distance."""
    distance: Decimal | None = None
    unit: DistanceUnit = DistanceUnit.PRICE

    def __post_init__(self) -> None:
        guard("price", self.price)
        guard("distance", self.distance)


class Protection(Part, frozen=True, kw_only=True):
    stop: Offset | None = None
    target: Offset | None = None
    trailing_ticks: Decimal | None = None

    def __post_init__(self) -> None:
        guard("trailing_ticks", self.trailing_ticks)


class Limits(Part, frozen=True, kw_only=True):
    """The route's guards that need the position or a live price, in the quote currency."""

    max_order_notional: Decimal | None = None
    """None also where the router has checked it already."""
    max_position_notional: Decimal | None = None
    pyramiding: bool = True

    def __post_init__(self) -> None:
        guard("max_order_notional", self.max_order_notional)
        guard("max_position_notional", self.max_position_notional)


class Intent(Message, frozen=True, kw_only=True, tag="intent.accepted"):
    intent_id: IntentId
    alert_id: AlertId
    route: RouteId
    account: AccountId
    symbol: VenueSymbol
    at: datetime
    received_at: datetime
    """When ingest received the alert: an entry's age counts from here."""
    action: Action
    contracts: Decimal | None
    """Whole steps of the instrument; None where the action needs no size, or `size` is to be
    settled first.
    """
    size: Size | None = None
    close_percent: Decimal | None = None
    """Of `flat`: how much of what is held is closed; None is all."""
    wanted: MarketPosition | None = None
    """Of `target`: the side to move to, inverse already applied; how much is `contracts`."""
    previous: MarketPosition | None = None
    order_type: OrderType = OrderType.MARKET
    price: Decimal | None = None
    """Limit or trigger price, or of a market order the alert's reference price; in the exchange's
    units, not yet on the tick.
    """
    trigger: TriggerSource = TriggerSource.LAST
    protection: Protection = Protection()
    limits: Limits = Limits()
    opening_denied: Denial | None = None
    """Why nothing may be opened, whatever the plan is: what closes is done all the same."""
    order_id: str | None = None
    comment: str | None = None
    trade_mode: TradeMode
    margin_mode: MarginMode
    leverage: int
    max_age_s: int
    close_side: PositionSide | None = None
    instrument: Instrument
    """As it was when the size was computed, so that the decision can be repeated."""
    steps: tuple[str, ...] = ()
    """How ticker and quantity became symbol and contracts, one sentence each."""

    def __post_init__(self) -> None:
        for name in ("contracts", "close_percent", "price"):
            guard(name, getattr(self, name))


class IntentDenied(Message, frozen=True, kw_only=True, tag="intent.denied"):
    alert_id: AlertId
    route: RouteId
    at: datetime
    denial: Denial
    account: AccountId | None = None
    symbol: VenueSymbol | None = None
    intent_id: IntentId | None = None
    calls: tuple[ExchangeCall, ...] = ()
    """What was asked of the exchange before it was denied."""
