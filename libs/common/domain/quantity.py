"""Quantity to contracts: pure, exact, always down to the step and never up."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal, localcontext

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import SizingMode

# Wide enough that products and quotients of guarded numbers lose no digit that a step could see.
_EXACT = Context(prec=120)


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
        contracts = floor_to_step(raw, step=instrument.step_contracts)
    if contracts < instrument.minimum_contracts:
        return Denial(
            reason=Reason.BELOW_MINIMUM,
            message=(
                f"{how} is {shortened(raw)} contracts; the minimum of {instrument.symbol} is "
                f"{plain(instrument.minimum_contracts)} contracts of "
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
    step = f"{how} is {shortened(raw)}, down to the step {plain(contracts)} contracts"
    return Sized(contracts=contracts, step=step)


def floor_to_step(value: Decimal, *, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `value`, which is not negative."""
    with localcontext(_EXACT):
        whole = (value / step).to_integral_value(rounding=ROUND_FLOOR)
        # Without an exponent: it travels, and people read it.
        return Decimal(plain(whole * step))


def split(contracts: Decimal, *, maximum: Decimal, step: Decimal) -> tuple[Decimal, ...]:
    """Order sizes that the exchange takes: full orders first, then the rest."""
    largest = floor_to_step(maximum, step=step)
    if largest <= 0 or contracts <= largest:
        return (contracts,) if contracts > 0 else ()
    with localcontext(_EXACT):
        full, rest = divmod(contracts, largest)
    return (largest,) * int(full) + ((rest,) if rest > 0 else ())


def plain(value: Decimal) -> str:
    """A number as people write it: no exponent, no trailing zeros."""
    if value == 0:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def shortened(value: Decimal) -> str:
    """`plain`, but at most six decimals: for quotients that do not end."""
    return plain(value.quantize(Decimal("0.000001"), rounding=ROUND_FLOOR, context=_EXACT))
