"""Numbers of a chart in the exchange's units: pure. One unit of a chart's ticker may be a thousand
of the exchange's; quantities are multiplied by that, and prices divided.
"""

from decimal import Context, Decimal, localcontext

from libs.common.contracts.messages import EXPONENT_MAX
from libs.common.domain.quantity import plain

_EXACT = Context(prec=120)
# What a message carries: at most 40 digits, of which 20 behind the point.
_TRAVELS = Context(prec=38)
_FINEST = Decimal(1).scaleb(-EXPONENT_MAX)


def rescaled_price(price: Decimal, *, per_unit: Decimal) -> Decimal | None:
    """The price of one of the exchange's units; None where no number that travels is left."""
    if price <= 0:
        return None
    if per_unit == 1:
        return price
    with localcontext(_EXACT):
        return fitted(price / per_unit)


def fitted(value: Decimal) -> Decimal | None:
    """The value as far as a message carries it; None of one that is too large, or almost 0."""
    if value.adjusted() > EXPONENT_MAX:
        return None
    rounded = _TRAVELS.plus(value)
    exponent = rounded.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -EXPONENT_MAX:
        rounded = rounded.quantize(_FINEST, context=_EXACT)
    return Decimal(plain(rounded)) if rounded > 0 else None
