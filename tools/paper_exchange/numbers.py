"""Numbers on the wire: written as plain JSON numbers, exact and without exponents; read into
decimals without ever being floats.
"""

from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from tools.paper_exchange.engine.refusals import Refused

_WIDEST = 20
_MOST_DIGITS = 36


def plain(value: Decimal) -> str:
    """The digits of a decimal as people write them: no exponent, no needless zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def number(value: Decimal) -> msgspec.Raw:
    return msgspec.Raw(plain(value).encode())


def sane(value: Decimal) -> Decimal:
    """A number that can be reckoned with, or `Refused`: no NaN, no infinity, no absurd size."""
    if not value.is_finite() or len(value.as_tuple().digits) > _MOST_DIGITS:
        raise Refused(600)
    if value and not -_WIDEST <= value.adjusted() <= _WIDEST:
        raise Refused(600)
    return value


def to_tick(value: Decimal, tick: Decimal, *, least: int = 1) -> Decimal:
    """The nearest multiple of the tick, of so many ticks at least."""
    ticks = (value / tick).to_integral_value(ROUND_HALF_EVEN)
    return max(ticks, Decimal(least)) * tick
