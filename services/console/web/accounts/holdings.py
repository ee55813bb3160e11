"""What an account holds, in words for people: pure. What is not known is told as such, never as a
zero: an account that could not be read is not flat.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from libs.common.contracts.account_picture import (
    AccountPicture,
    PictureState,
    PositionSeen,
    WaitingKind,
    WaitingOrder,
)
from libs.common.contracts.drift import Held
from libs.common.contracts.words import AlertId, Effect, OrderType, PositionMode, PositionSide
from libs.common.domain.quantity import plain

MODES = {PositionMode.HEDGE: "hedge", PositionMode.ONE_WAY: "one-way"}
_STATES = {
    PictureState.LIVE: "live",
    PictureState.ASKED: "asked",
    PictureState.UNTRUSTED: "not trusted",
}
_ORDER_TYPES = {OrderType.LIMIT: "limit", OrderType.MARKET: "market"}
_PROFIT_PLACES = Decimal("0.0001")
_CENTS = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How far the positions can be trusted."""

    state: str
    """As a badge."""
    label: str
    words: str
    doubt: str
    """Why the pushes alone are not to be trusted."""


@dataclass(frozen=True, kw_only=True)
class PositionLine:
    key: str
    symbol: str
    side: PositionSide
    contracts: str
    base: str
    average: str
    mark: str
    liquidation: str
    leverage: str
    profit: str
    """With its sign; nothing where it is not known."""
    currency: str
    tone: str
    """`buy` for a profit, `sell` for a loss, nothing for neither."""
    realised: str


@dataclass(frozen=True, kw_only=True)
class WaitingLine:
    key: str
    kind: str
    what: str
    effect: Effect
    side: PositionSide
    symbol: str
    size: str
    filled: str
    price: str
    trigger: str
    stop: str
    target: str
    since: datetime | None
    alert_id: AlertId | None
    whose: str


@dataclass(frozen=True, kw_only=True)
class DriftLine:
    symbol: str
    at: datetime
    held: str
    expected: str
    alert_id: AlertId


@dataclass(frozen=True, kw_only=True)
class Mode:
    """The position mode at the exchange beside that of the account here."""

    told: str
    expected: str
    is_wrong: bool
    mend: str


def freshness(picture: AccountPicture) -> Freshness:
    age = seconds(picture.age_ms)
    match picture.state:
        case PictureState.LIVE:
            words = f"pushed {age} ago" if age else "pushed"
        case PictureState.ASKED:
            words = f"the exchange answered {age} ago" if age else "asked"
        case PictureState.UNTRUSTED:
            words = f"what was known {age} ago" if age else "nothing is known"
    return Freshness(
        state=picture.state.value, label=_STATES[picture.state], words=words, doubt=picture.why
    )


def positions(picture: AccountPicture) -> list[PositionLine] | None:
    """None: not known."""
    if picture.positions is None:
        return None
    return [_position(each) for each in picture.positions]


def waiting(picture: AccountPicture) -> list[WaitingLine] | None:
    """None: not known."""
    if picture.orders is None:
        return None
    return [_waiting(each) for each in picture.orders]


def drift(picture: AccountPicture) -> DriftLine | None:
    found = picture.drift
    if found is None:
        return None
    return DriftLine(
        symbol=found.symbol,
        at=found.at,
        held=_sides(found.held),
        expected=_sides(found.expected),
        alert_id=found.alert_id,
    )


def mode(picture: AccountPicture) -> Mode:
    told, expected = picture.position_mode, picture.expected_position_mode
    is_wrong = told is not None and told is not expected
    mend = (
        f"Nothing is opened until both agree: set this account here to {MODES[told]}, or Position"
        f" Mode at the exchange to {MODES[expected]} while nothing is held."
        if is_wrong and told is not None
        else ""
    )
    return Mode(
        told=MODES[told] if told is not None else "",
        expected=MODES[expected],
        is_wrong=is_wrong,
        mend=mend,
    )


def missing(picture: AccountPicture) -> Iterator[str]:
    for one in picture.missing:
        of = f" of {one.symbol}" if one.symbol else ""
        yield f"{one.what.replace('_', ' ')}{of}: {one.why}"


def seconds(milliseconds: int | None) -> str:
    """Nothing where it is not known."""
    if milliseconds is None:
        return ""
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes = milliseconds // 60_000
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def number(value: Decimal | None) -> str:
    """Nothing where it is not known."""
    return "" if value is None else plain(value)


def money(value: Decimal) -> str:
    """Cents are enough where there are many, and what is small keeps its digits."""
    return f"{_rounded(value, _CENTS):,}" if abs(value) >= 1 else plain(value)


def _rounded(value: Decimal, places: Decimal) -> Decimal:
    # Whatever the process has set for its decimals.
    return value.quantize(places, ROUND_HALF_EVEN)


def _position(one: PositionSeen) -> PositionLine:
    profit = one.unrealised_profit
    coin = one.symbol.partition("_")[0]
    return PositionLine(
        key=f"{one.symbol}-{one.side.value}",
        symbol=one.symbol,
        side=one.side,
        contracts=plain(one.contracts),
        base=f"{plain(one.base_quantity)} {coin}" if one.base_quantity is not None else "",
        average=plain(one.average_price),
        mark=number(one.mark_price),
        liquidation=number(one.liquidation_price),
        leverage=f"{one.margin_mode.value} {one.leverage}x",
        profit=_signed(profit) if profit is not None else "",
        currency=one.profit_currency or "",
        tone="buy" if profit and profit > 0 else "sell" if profit else "",
        realised=_signed(one.realised_profit) if one.realised_profit is not None else "",
    )


def _signed(value: Decimal) -> str:
    text = plain(value if abs(value) < 1 else _rounded(value, _PROFIT_PLACES))
    return f"+{text}" if value > 0 else text.replace("-", "\N{MINUS SIGN}")


def _waiting(one: WaitingOrder) -> WaitingLine:
    filled = one.filled_contracts
    trail = f"follows by {plain(one.trail_distance)}" if one.trail_distance is not None else ""
    begins = f"at {plain(one.trigger_price)}" if one.trigger_price is not None else ""
    return WaitingLine(
        key=f"{one.kind.value}-{one.exchange_id}",
        kind=_kind(one),
        what=f"{one.effect.value} {one.position_side.value}",
        effect=one.effect,
        side=one.position_side,
        symbol=one.symbol,
        size="all" if one.contracts is None else plain(one.contracts),
        filled=plain(filled) if filled else "",
        price=number(one.price),
        trigger=", ".join(filter(None, [begins, trail])),
        stop=number(one.stop_price),
        target=number(one.target_price),
        since=one.since,
        alert_id=one.alert_id,
        whose=_whose(one),
    )


def _kind(one: WaitingOrder) -> str:
    order_type = one.order_type
    told = _ORDER_TYPES.get(order_type, order_type.value.replace("_", " ")) if order_type else ""
    match one.kind:
        case WaitingKind.ORDER:
            return told or "order"
        case WaitingKind.TRIGGER:
            return f"trigger, then {told or 'an order'}"
        case WaitingKind.PROTECTION:
            return "protection"
        case WaitingKind.TRAILING:
            return "trailing stop"


def _whose(one: WaitingOrder) -> str:
    if one.route is None:
        return "not ours"
    return f"{one.route} {one.order_id}" if one.order_id else str(one.route)


def _sides(held: tuple[Held, ...]) -> str:
    return ", ".join(f"{one.side.value} {plain(one.contracts)}" for one in held) or "nothing"
