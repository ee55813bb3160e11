"""Alerts: what arrived, as facts. A received alert was understood; a refused one was not."""

from datetime import datetime
from decimal import Decimal

from libs.common.contracts.messages import Message, Part, guard
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    Action,
    AlertId,
    DistanceUnit,
    MarginMode,
    MarketPosition,
    OrderType,
    PositionSide,
    RouteId,
    TradeMode,
    TriggerSource,
)


class Order(Part, frozen=True, kw_only=True):
    """What the body says, field by field, in the sender's units; None where it says nothing."""

    ticker: str
    action: Action
    quantity: Decimal | None = None
    """`order_contracts`, or of a target the size that is wanted, never negative: in the unit of the
    route's sizing mode, by default base units.
    """
    quantity_percent: Decimal | None = None
    """`order_contracts` where it ended in `%`; then `quantity` is None."""
    wanted: MarketPosition | None = None
    """Of action `target` alone: the position to move to."""
    previous: MarketPosition | None = None
    """What the strategy says that it held before: a check, not an order."""
    order_type: OrderType = OrderType.MARKET
    price: Decimal | None = None
    stop_distance: Decimal | None = None
    target_distance: Decimal | None = None
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    distance_unit: DistanceUnit | None = None
    trailing_ticks: Decimal | None = None
    trigger: TriggerSource | None = None
    trade_mode: TradeMode | None = None
    inverse: bool = False
    close_side: PositionSide | None = None
    leverage: int | None = None
    margin_mode: MarginMode | None = None
    comment: str | None = None
    order_id: str | None = None

    def __post_init__(self) -> None:
        for name in (
            *("quantity", "quantity_percent", "price", "stop_distance", "target_distance"),
            *("stop_price", "target_price", "trailing_ticks"),
        ):
            guard(name, getattr(self, name))


class Alert(Message, frozen=True, kw_only=True, tag="alert.received"):
    alert_id: AlertId
    route: RouteId
    at: datetime
    """When ingest had the whole body; aware UTC."""
    order: Order
    body: str
    """The body as it came; a body secret's value is replaced by stars."""
    body_sha256: str
    """Of the bytes as they came, so that a body can be proven even where it was redacted."""
    content_type: str = ""
    source_address: str = ""
    explicit_id: str | None = None
    test_by: str | None = None
    """Who sent it from the console as a test; None of one that came to the webhook."""


class AlertDuplicate(Message, frozen=True, kw_only=True, tag="alert.duplicate"):
    """A resend was recognised; it is recorded in the first alert's journey and does nothing."""

    alert_id: AlertId
    """The first alert's id."""
    route: RouteId
    at: datetime
    source_address: str = ""
    first_at: datetime | None = None
    test_by: str | None = None
    """Of the resend: who sent it as a test."""


class AlertRefused(Message, frozen=True, kw_only=True, tag="alert.refused"):
    alert_id: AlertId
    route: RouteId
    at: datetime
    status: int
    """The HTTP status that the sender got."""
    reason: Reason
    message: str
    field: str | None = None
    value: str | None = None
    body: str = ""
    """The body as text, unreadable bytes replaced; empty where it was too large to keep."""
    body_sha256: str = ""
    content_type: str = ""
    source_address: str = ""
    test_by: str | None = None
    """Who sent it from the console as a test."""
