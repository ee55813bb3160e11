"""Prices to the exchange's tick: pure, exact, and never rounded to the trader's cost."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext

from libs.common.contracts.words import Effect, OrderType, PositionSide
from libs.common.domain.quantity import plain

_EXACT = Context(prec=120)


def tick_down(price: Decimal, *, tick: Decimal) -> Decimal:
    return _to_tick(price, tick=tick, rounding=ROUND_FLOOR)


def tick_up(price: Decimal, *, tick: Decimal) -> Decimal:
    return _to_tick(price, tick=tick, rounding=ROUND_CEILING)


def buys(effect: Effect, side: PositionSide) -> bool:
    """Opening long and closing short buy; the other two sell."""
    return (effect is Effect.OPEN) == (side is PositionSide.LONG)


def order_price(asked: Decimal, *, order_type: OrderType, buying: bool, tick: Decimal) -> Decimal:
    """A limit is never worse than asked; a trigger never fires before the asked price."""
    up = buying if order_type is OrderType.STOP else not buying
    return tick_up(asked, tick=tick) if up else tick_down(asked, tick=tick)


def stop_to_tick(price: Decimal, *, side: PositionSide, tick: Decimal) -> Decimal:
    """Towards the entry: a long's stop up, a short's down."""
    up = side is PositionSide.LONG
    return tick_up(price, tick=tick) if up else tick_down(price, tick=tick)


def target_to_tick(price: Decimal, *, side: PositionSide, tick: Decimal) -> Decimal:
    """Towards the entry: a long's target down, a short's up."""
    up = side is PositionSide.SHORT
    return tick_up(price, tick=tick) if up else tick_down(price, tick=tick)


def _to_tick(price: Decimal, *, tick: Decimal, rounding: str) -> Decimal:
    with localcontext(_EXACT):
        return Decimal(plain((price / tick).to_integral_value(rounding=rounding) * tick))
