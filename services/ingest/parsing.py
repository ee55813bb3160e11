"""From the bytes of a request to what they ask for, or to a refusal that says what would be right.

The format is the one that users already send (docs/alert-format.md). Fields that are not in it are
ignored here and kept in the stored body.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from libs.common.contracts.alert import Order
from libs.common.contracts.route import Route, RouteSettings
from libs.common.contracts.words import Action, OrderType
from services.ingest.body_secret import is_wrong, redacted, redacted_text
from services.ingest.fields import read_label, read_positive, read_text, read_whole, read_word
from services.ingest.meanings import CHANGING, read_meaning
from services.ingest.objects import Body, read_body, unwrapped
from services.ingest.refusals import FieldRefused, Refusal, missing, shortened
from services.ingest.sizes import read_size
from services.ingest.vocabulary import (
    CLOSE_SIDE,
    DISTANCE_UNITS,
    MARGIN_MODES,
    ORDER_TYPES,
    PLATFORMS,
    SIDES,
    TICKER,
    TRIGGERS,
)

_TICKER_MAX = 64
_LABEL_MAX = 512
_EXPLICIT_ID_MAX = 128
_LEVERAGE_MAX = 500


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


def parse_alert(data: bytes, *, route: Route, is_trusted: bool = False) -> Parsed | Unparsed:
    """What a body asks of a route: object first, then the secret, then field by field. Of who is
    trusted otherwise no secret is asked.
    """
    data = unwrapped(data)
    body = read_body(data)
    if isinstance(body, Refusal):
        safe = redacted_text(
            data.decode(errors="replace"), secret_expected=route.body_secret_sha256 is not None
        )
        return Unparsed(refusal=replace(body, value=shortened(safe)), body=safe)
    text = redacted(body)
    expected = None if is_trusted else route.body_secret_sha256
    if wrong := is_wrong(body, expected_sha256=expected):
        return Unparsed(refusal=wrong, body=text)
    try:
        return Parsed(
            order=_order(body, route=route.settings),
            explicit_id=read_label(body, ("alert_id",), length_max=_EXPLICIT_ID_MAX),
            body=text,
        )
    except FieldRefused as error:
        return Unparsed(refusal=error.refusal, body=text)


class _Protection(NamedTuple):
    """The fields of an order that protect a position."""

    stop_distance: Decimal | None
    target_distance: Decimal | None
    stop_price: Decimal | None
    target_price: Decimal | None
    trailing_ticks: Decimal | None


def _order(body: Body, *, route: RouteSettings) -> Order:
    read_word(body, ("platform_name",), PLATFORMS)
    ticker = read_text(body, TICKER, length_max=_TICKER_MAX)
    if ticker is None:
        raise missing(field=TICKER[0], message="ticker must name the instrument, like BTCUSDT.P.")
    meaning = read_meaning(body, route_mode=route.trade_mode)
    size = read_size(body, meaning=meaning, sizing=route.sizing)
    order_type = read_word(body, ("order_type",), ORDER_TYPES) or OrderType.MARKET
    price = read_positive(body, ("price",))
    if price is None and order_type is not OrderType.MARKET and meaning.action not in CHANGING:
        message = f"price must be given where order_type is {order_type}."
        raise missing(field="price", message=message)
    return Order(
        ticker=ticker,
        action=meaning.action,
        quantity=size.quantity,
        quantity_percent=size.percent,
        wanted=meaning.target.side if meaning.target else None,
        previous=meaning.previous.side if meaning.previous else None,
        order_type=order_type,
        price=price,
        **_protection(body, action=meaning.action)._asdict(),
        distance_unit=read_word(body, ("sltp_type",), DISTANCE_UNITS),
        trigger=read_word(body, ("trigger",), TRIGGERS),
        trade_mode=meaning.trade_mode,
        inverse=meaning.inverse,
        close_side=read_word(body, CLOSE_SIDE, SIDES),
        leverage=read_whole(body, ("leverage",), low=1, high=_LEVERAGE_MAX),
        margin_mode=read_word(body, ("margin_mode",), MARGIN_MODES),
        comment=read_label(body, ("comment",), length_max=_LABEL_MAX),
        order_id=read_label(body, ("order_id",), length_max=_LABEL_MAX),
    )


def _protection(body: Body, *, action: Action) -> _Protection:
    found = _Protection(
        stop_distance=read_positive(body, ("stop_loss",)),
        target_distance=read_positive(body, ("take_profit",)),
        stop_price=read_positive(body, ("sl_price",)),
        target_price=read_positive(body, ("tp_price",)),
        trailing_ticks=read_positive(body, ("trailing_pips",)),
    )
    if action is Action.MODIFY and not any(found):
        message = (
            "sl_price must be given with modify, or another of tp_price, stop_loss, take_profit"
            " and trailing_pips: nothing else can be modified."
        )
        raise missing(field="sl_price", message=message)
    return found
