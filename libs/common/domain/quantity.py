"""Quantity to contracts: pure, exact, always down to the step and never up."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial
from libs.common.contracts.messages import EXPONENT_MAX
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import SizingMode
from libs.common.domain.identity import CHUNKS_MAX

# Wide enough that products and quotients of guarded numbers lose no digit that a step could see.
_EXACT = Context(prec=120)
_TRAVELS = Decimal(10) ** EXPONENT_MAX
"""More contracts than that no message carries."""


@dataclass(frozen=True, kw_only=True)
class Sized:
    contracts: Decimal
    step: str
    """How the size came about, for people."""


def to_contracts(
    quantity: Decimal,
    *,
    mode: SizingMode,
    per_unit: Decimal,
    multiplier: Decimal,
    instrument: Instrument,
) -> Sized | Denial:
    """Whole steps of the instrument for a quantity in base units or in contracts.

    `per_unit` rescales a chart's multiplied coin and `multiplier` is the route's times the
    account's. A size under the contract's minimum is denied, not raised.
    """
    with localcontext(_EXACT):
        if mode is SizingMode.CONTRACTS:
            raw = quantity * multiplier
            how = f"{plain(quantity)} contracts"
        else:
            raw = quantity * per_unit * multiplier / instrument.contract_size
            how = f"{plain(quantity)} {instrument.base}"
            if per_unit != 1:
                how += f" x {plain(per_unit)} per unit"
        if multiplier != 1:
            how += f" x {plain(multiplier)}"
        if mode is not SizingMode.CONTRACTS:
            how += f" / {plain(instrument.contract_size)} {instrument.base} per contract"
    return _settled(raw, how=how, quantity=quantity, instrument=instrument)


def of_quote(
    value: Decimal, *, price: Decimal, multiplier: Decimal, instrument: Instrument
) -> Sized | Denial:
    """Whole steps of the instrument that are worth `value` of the quote currency at `price`, which
    is the exchange's price of one base unit.
    """
    with localcontext(_EXACT):
        raw = value * multiplier / (price * instrument.contract_size)
    how = f"{plain(value)} {instrument.quote}"
    if multiplier != 1:
        how += f" x {plain(multiplier)}"
    how += (
        f" / price {plain(price)} / {plain(instrument.contract_size)} {instrument.base}"
        " per contract"
    )
    return _settled(raw, how=how, quantity=value, instrument=instrument)


def floor_to_step(value: Decimal, *, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `value`, which is not negative."""
    with localcontext(_EXACT):
        whole = (value / step).to_integral_value(rounding=ROUND_FLOOR)
        # Without an exponent: it travels, and people read it.
        return Decimal(plain(whole * step))


def split(
    contracts: Decimal, *, maximum: Decimal, minimum: Decimal = Decimal(0), step: Decimal
) -> tuple[Decimal, ...]:
    """Order sizes that the exchange takes: full orders first, then the rest.

    A rest under `minimum` takes what it lacks from the orders before it. Where no split lies
    within both bounds (11 by orders of 6 to 10), the rest stays as small as it is.
    """
    largest = floor_to_step(maximum, step=step)
    if largest <= 0 or contracts <= largest:
        return (contracts,) if contracts > 0 else ()
    with localcontext(_EXACT):
        full, rest = divmod(contracts, largest)
        sizes = [largest] * int(full)
        if rest == 0:
            return tuple(sizes)
        lacking = max((minimum - rest) / step, Decimal(0)).to_integral_value(ROUND_CEILING) * step
        spare = largest - minimum - (largest - minimum) % step
        if lacking > max(spare, Decimal(0)) * len(sizes):
            return (*sizes, rest)
        rest += lacking
        for index in reversed(range(len(sizes))):
            taken = min(lacking, spare)
            sizes[index] -= taken
            lacking -= taken
            if lacking == 0:
                break
    return (*sizes, rest)


def plain(value: Decimal) -> str:
    """A number as people write it: no exponent, no trailing zeros."""
    if value == 0:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def shortened(value: Decimal) -> str:
    """`plain`, but at most six decimals: for quotients that do not end."""
    return plain(value.quantize(Decimal("0.000001"), rounding=ROUND_FLOOR, context=_EXACT))


def _settled(
    raw: Decimal, *, how: str, quantity: Decimal, instrument: Instrument
) -> Sized | Denial:
    contracts = floor_to_step(raw, step=instrument.step_contracts)
    if contracts < instrument.minimum_contracts:
        return Denial(
            reason=Reason.BELOW_MINIMUM,
            message=(
                f"{how} is {shortened(raw)} contracts; the minimum of {instrument.symbol} is "
                f"{plain(instrument.minimum_contracts)}, each of "
                f"{plain(instrument.contract_size)} {instrument.base}"
            ),
            context={
                "quantity": plain(quantity),
                "contracts": shortened(raw),
                "minimum_contracts": plain(instrument.minimum_contracts),
                "contract_size": plain(instrument.contract_size),
                "minimum_base": plain(instrument.minimum_contracts * instrument.contract_size),
            },
        )
    most = floor_to_step(instrument.maximum_contracts, step=instrument.step_contracts) * CHUNKS_MAX
    if contracts > min(most or _TRAVELS, _TRAVELS):
        return Denial(
            reason=Reason.ABOVE_MAXIMUM,
            message=(
                f"{how} is {shortened(raw)} contracts; {instrument.symbol} takes at most "
                f"{plain(instrument.maximum_contracts)} in an order, and an alert makes at most "
                f"{CHUNKS_MAX} orders"
            ),
            context={
                "quantity": plain(quantity),
                "contracts": shortened(raw),
                "maximum_contracts": plain(instrument.maximum_contracts),
            },
        )
    step = f"{how} is {shortened(raw)}, down to the step {plain(contracts)} contracts"
    return Sized(contracts=contracts, step=step)
