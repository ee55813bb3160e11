"""From the bytes of a request to what they ask for, or to a refusal that says what would be right.

The format is the one that users already send (docs/alert-format.md). Fields that are not in it are
ignored here and kept in the stored body.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from libs.common.contracts.alert import Order
from libs.common.contracts.route import Route
from libs.common.contracts.words import (
    Action,
    DistanceUnit,
    MarginMode,
    OrderType,
    PositionSide,
    TradeMode,
)
from services.ingest.body_secret import is_wrong, redacted, redacted_text
from services.ingest.fields import (
    read_decimal,
    read_label,
    read_positive,
    read_text,
    read_whole,
    read_word,
    sent_name,
)
from services.ingest.objects import Body, read_body
from services.ingest.refusals import FieldRefused, Refusal, invalid, missing, shortened

TICKER = ("ticker", "symbol")
ACTION = ("order_action", "action", "side")
QUANTITY = ("order_contracts", "quantity", "qty", "volume", "q")

ACTIONS = {
    "buy": Action.BUY,
    "sell": Action.SELL,
    "long": Action.BUY,
    "short": Action.SELL,
    "flat": Action.FLAT,
    "close": Action.FLAT,
    "closeall": Action.CLOSE_ALL,
    "closelong": Action.CLOSE_LONG,
    "closeshort": Action.CLOSE_SHORT,
    "modify": Action.MODIFY,
    "breakeven": Action.BREAKEVEN,
}
ENTRIES = frozenset({Action.BUY, Action.SELL})

_TICKER_MAX = 64
_LABEL_MAX = 512
_EXPLICIT_ID_MAX = 128
_LEVERAGE_MAX = 500
_PLATFORMS = {"mexc": "mexc"}
_ORDER_TYPES = {word.value: word for word in OrderType}
_MARGIN_MODES = {word.value: word for word in MarginMode}
_TRIGGERS = {word: word for word in ("last", "mark", "index")}
_DISTANCE_UNITS = {
    "pips": DistanceUnit.TICKS,
    "ticks": DistanceUnit.TICKS,
    "percent": DistanceUnit.PERCENT,
    "price": DistanceUnit.PRICE,
}
_CLOSE_SIDES = {
    "long": PositionSide.LONG,
    "buy": PositionSide.LONG,
    "short": PositionSide.SHORT,
    "sell": PositionSide.SHORT,
}
_INVERSE = "inverse"
_TRADE_TYPES: dict[str, TradeMode | str] = {
    **{word.value: word for word in TradeMode},
    _INVERSE: _INVERSE,
}


@dataclass(frozen=True, kw_only=True)
class Parsed:
    order: Order
    explicit_id: str | None
    body: str
    """As it came, but for a secret's value."""


@dataclass(frozen=True, kw_only=True)
class Unparsed:
    refusal: Refusal
    body: str
    """As it came, unreadable bytes replaced, and without a secret's value."""


def parse_alert(data: bytes, *, route: Route) -> Parsed | Unparsed:
    """What a body asks of a route: object first, then the secret, then field by field."""
    body = read_body(data)
    if isinstance(body, Refusal):
        safe = redacted_text(
            data.decode(errors="replace"), secret_expected=route.body_secret_sha256 is not None
        )
        return Unparsed(refusal=replace(body, value=shortened(safe)), body=safe)
    text = redacted(body)
    if wrong := is_wrong(body, expected_sha256=route.body_secret_sha256):
        return Unparsed(refusal=wrong, body=text)
    try:
        return Parsed(
            order=_order(body, sized_by_route=route.settings.sizing.value is not None),
            explicit_id=read_label(body, ("alert_id",), length_max=_EXPLICIT_ID_MAX),
            body=text,
        )
    except FieldRefused as error:
        return Unparsed(refusal=error.refusal, body=text)


def parse_order(data: bytes, *, sized_by_route: bool) -> Order | Refusal:
    """The order alone; `sized_by_route` says that an entry needs no quantity of its own."""
    body = read_body(data)
    if isinstance(body, Refusal):
        return body
    try:
        return _order(body, sized_by_route=sized_by_route)
    except FieldRefused as error:
        return error.refusal


def _order(body: Body, *, sized_by_route: bool) -> Order:
    read_word(body, ("platform_name",), _PLATFORMS)
    ticker = read_text(body, TICKER, length_max=_TICKER_MAX)
    if ticker is None:
        raise missing(field=TICKER[0], message="ticker must name the instrument, like BTCUSDT.P.")
    action = read_word(body, ACTION, ACTIONS)
    if action is None:
        message = f"order_action must be one of {', '.join(ACTIONS)}."
        raise missing(field=ACTION[0], message=message)
    order_type = read_word(body, ("order_type",), _ORDER_TYPES) or OrderType.MARKET
    price = read_positive(body, ("price",))
    if price is None and order_type is not OrderType.MARKET:
        message = f"price must be given where order_type is {order_type}."
        raise missing(field="price", message=message)
    trade_type = read_word(body, ("trade_type",), _TRADE_TYPES)
    return Order(
        ticker=ticker,
        action=action,
        quantity=_quantity(body, action=action, sized_by_route=sized_by_route),
        order_type=order_type,
        price=price,
        stop_distance=read_positive(body, ("stop_loss",)),
        target_distance=read_positive(body, ("take_profit",)),
        stop_price=read_positive(body, ("sl_price",)),
        target_price=read_positive(body, ("tp_price",)),
        distance_unit=read_word(body, ("sltp_type",), _DISTANCE_UNITS),
        trailing_ticks=read_positive(body, ("trailing_pips",)),
        trigger=read_word(body, ("trigger",), _TRIGGERS),
        trade_mode=trade_type if isinstance(trade_type, TradeMode) else None,
        inverse=trade_type == _INVERSE,
        close_side=read_word(body, ("close_side",), _CLOSE_SIDES),
        leverage=read_whole(body, ("leverage",), low=1, high=_LEVERAGE_MAX),
        margin_mode=read_word(body, ("margin_mode",), _MARGIN_MODES),
        comment=read_label(body, ("comment",), length_max=_LABEL_MAX),
        order_id=read_label(body, ("order_id",), length_max=_LABEL_MAX),
    )


def _quantity(body: Body, *, action: Action, sized_by_route: bool) -> Decimal | None:
    quantity = read_decimal(body, QUANTITY)
    entry = action in ENTRIES
    if quantity is None:
        if entry and not sized_by_route:
            message = f"order_contracts must say how much to {action}, like 0.001."
            raise missing(field=QUANTITY[0], message=message)
        return None
    if quantity < 0 or (entry and quantity == 0):
        name = sent_name(body, QUANTITY)
        bound = "above 0" if entry else "0 or more"
        message = f"{name} must be {bound}; the direction is order_action's to say."
        raise invalid(field=name, message=message, value=str(quantity))
    return quantity
