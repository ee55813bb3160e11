"""How much a body asks for: a number, a percentage, or nothing where the route has a size.

What a percentage is a part of depends on action and route; where both could be meant, the body is
refused.
"""

from decimal import Decimal
from typing import NamedTuple

from libs.common.contracts.route import Sizing
from libs.common.contracts.words import Action, MarketPosition, SizingMode
from services.ingest.fields import Amount, Names, read_amount, sent_name, sent_text
from services.ingest.meanings import Meaning
from services.ingest.objects import Body
from services.ingest.refusals import FieldRefused, ambiguous, invalid, missing
from services.ingest.targets import Position
from services.ingest.vocabulary import POSITION_SIZE, QUANTITY, SIGNED_SIZE

_BY_ALERT = frozenset({SizingMode.BASE, SizingMode.CONTRACTS})
_IN_PERCENT = frozenset(
    {SizingMode.PERCENT_EQUITY, SizingMode.PERCENT_POSITION, SizingMode.RISK_PERCENT}
)
_MODES_IN_PERCENT = "percent_equity, percent_position or risk_percent"
_ENTRIES = frozenset({Action.BUY, Action.SELL, Action.REVERSE})
_IN_PART = frozenset({Action.FLAT, Action.CLOSE_LONG, Action.CLOSE_SHORT})


class Wanted(NamedTuple):
    quantity: Decimal | None = None
    percent: Decimal | None = None


class _Given(NamedTuple):
    """An amount, and the field that says it."""

    amount: Amount
    field: str
    text: str


def read_size(body: Body, *, meaning: Meaning, sizing: Sizing) -> Wanted:
    given = _given(body, QUANTITY)
    if given is not None:
        _check_sign(given)
    if meaning.target is not None:
        return _of_target(body, given, target=meaning.target, sizing=sizing)
    if meaning.action in _ENTRIES:
        return _of_entry(given, action=meaning.action, sizing=sizing)
    if given is not None and given.amount.is_percent:
        _check_part(given, action=meaning.action)
    return _wanted(given)


def sized_by_route(sizing: Sizing) -> bool:
    """Whether an entry needs no size of its own."""
    return sizing.value is not None and sizing.mode not in _BY_ALERT


def _of_entry(given: _Given | None, *, action: Action, sizing: Sizing) -> Wanted:
    if given is None:
        # A reverse opens as much as it closes.
        if action is Action.REVERSE or sized_by_route(sizing):
            return Wanted()
        message = f"order_contracts must say how much to {action}, like 0.001."
        raise missing(field=QUANTITY[0], message=message)
    if given.amount.number == 0:
        message = f"{given.field} must be above 0; to close a position, send flat."
        raise invalid(field=given.field, message=message, value=given.text)
    _check_percent(given, sizing=sizing)
    return _wanted(given)


def _of_target(body: Body, order: _Given | None, *, target: Position, sizing: Sizing) -> Wanted:
    """`order` is `order_contracts`: what the strategy traded, not what it holds."""
    if order is not None and order.amount.is_percent:
        if target.side is MarketPosition.FLAT or target.size is not None:
            raise _two_sizes(order, target, meant=f"move to {target}")
        _check_percent(order, sizing=sizing)
        return _wanted(order)
    if target.side is MarketPosition.FLAT:
        return Wanted(quantity=Decimal(0) if target.size is not None else None)
    if target.size is not None:
        size_names = POSITION_SIZE if _given(body, POSITION_SIZE) else SIGNED_SIZE
        size = _given(body, size_names)
        if size is not None:
            _check_percent(size, sizing=sizing)
        return _wanted_of(target.size)
    if sized_by_route(sizing) and (order is None or sizing.mode is SizingMode.FIXED):
        return Wanted()
    if order is None:
        message = f"market_position_size must say how much {target.side.value} to be, like 0.001."
        raise missing(field=POSITION_SIZE[0], message=message)
    meant = f"trade {order.amount} and be {target.side.value}"
    raise _two_sizes(order, target, meant=meant)


def _two_sizes(order: _Given, target: Position, *, meant: str) -> FieldRefused:
    closed = f"close {order.amount}"
    opened = f"move to {target.side.value} {order.amount}"
    return ambiguous(
        field=order.field,
        value=f"{order.text} / {target}",
        because=f"{order.field} {order.amount} stands beside {target.field} {target.side.value}",
        readings=(closed if target.side is MarketPosition.FLAT else opened, meant),
        cure=f"send the wanted size as market_position_size, and leave out {order.field}",
    )


def _check_sign(given: _Given) -> None:
    if given.amount.number < 0:
        message = f"{given.field} must not be negative; the direction is order_action's to say."
        raise invalid(field=given.field, message=message, value=given.text)
    if given.amount.is_percent and given.amount.number == 0:
        message = f"{given.field} must be above 0 %."
        raise invalid(field=given.field, message=message, value=given.text)


def _check_percent(given: _Given, *, sizing: Sizing) -> None:
    if not given.amount.is_percent or sizing.mode in _IN_PERCENT:
        return
    raise ambiguous(
        field=given.field,
        value=given.text,
        because=f"{given.field} is a percentage, and the route's sizing.mode is {sizing.mode}",
        readings=(f"{given.amount} of the equity", f"{given.amount} of the position"),
        cure=f"send a number, or set the route's sizing.mode to {_MODES_IN_PERCENT}",
    )


def _check_part(given: _Given, *, action: Action) -> None:
    """Of what is held, a part is closed by flat, closelong and closeshort alone."""
    if action is Action.CLOSE_ALL:
        raise ambiguous(
            field=given.field,
            value=given.text,
            because=f"{given.field} is a part, and closeall is everything",
            readings=(f"close {given.amount} of what is held", "close everything"),
            cure=f"send flat for a part, or closeall without {given.field}",
        )
    if action not in _IN_PART:
        message = f"{given.field} must not be a percentage with {action}, which has no size."
        raise invalid(field=given.field, message=message, value=given.text)
    if given.amount.number > 100:
        message = f"{given.field} must be at most 100 % of what is held."
        raise invalid(field=given.field, message=message, value=given.text)


def _given(body: Body, names: Names) -> _Given | None:
    amount = read_amount(body, names)
    if amount is None:
        return None
    return _Given(amount=amount, field=sent_name(body, names), text=sent_text(body, names))


def _wanted(given: _Given | None) -> Wanted:
    return Wanted() if given is None else _wanted_of(given.amount)


def _wanted_of(amount: Amount) -> Wanted:
    if amount.is_percent:
        return Wanted(percent=amount.number)
    return Wanted(quantity=amount.number)
