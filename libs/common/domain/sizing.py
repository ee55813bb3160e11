"""Sizes that need the live picture: pure. What the router can settle, it has settled
(`quantity.py`); here are the sizes that count equity, risk, a price or what is held.
"""

from decimal import Context, Decimal, localcontext

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial, Intent, Size
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import PositionSide, SizingMode
from libs.common.domain.picture import Picture
from libs.common.domain.quantity import Sized, floor_to_step, plain, shortened

_EXACT = Context(prec=120)


def settle_size(
    intent: Intent,
    *,
    picture: Picture,
    side: PositionSide,
    reference: Decimal | None,
    stop: Decimal | None,
) -> Sized | Denial:
    """Contracts of an intent whose size the router left open, for an order towards `side`.

    `reference` is the price of a base unit, and `stop` where the position would be stopped.
    """
    size = intent.size
    if size is None:
        return Denial(
            reason=Reason.SIZE_MISSING,
            message="the alert has no order_contracts, and the route has no sizing.value",
        )
    with localcontext(_EXACT):
        if size.mode is SizingMode.PERCENT_POSITION:
            found = _of_position(size, picture=picture, side=side)
        elif size.mode is SizingMode.RISK_PERCENT:
            found = _of_risk(
                size, picture=picture, reference=reference, stop=stop, of=intent.instrument
            )
        else:
            found = _of_value(size, picture=picture, reference=reference, of=intent.instrument)
        if isinstance(found, Denial):
            return found
        raw, how = found
        contracts = floor_to_step(max(raw, Decimal(0)), step=intent.instrument.step_contracts)
    minimum = intent.instrument.minimum_contracts
    if contracts < minimum:
        return Denial(
            reason=Reason.BELOW_MINIMUM,
            message=(
                f"{how} is {shortened(raw)} contracts; the minimum of {intent.symbol} is "
                f"{plain(minimum)}, each of {plain(intent.instrument.contract_size)} "
                f"{intent.instrument.base}"
            ),
            context={
                "contracts": shortened(raw),
                "minimum_contracts": plain(minimum),
                "contract_size": plain(intent.instrument.contract_size),
            },
        )
    return Sized(
        contracts=contracts,
        step=f"{how} is {shortened(raw)}, down to the step {plain(contracts)} contracts",
    )


def _of_position(
    size: Size, *, picture: Picture, side: PositionSide
) -> tuple[Decimal, str] | Denial:
    # What the order would reduce counts first; only without it is the order an addition.
    others = [held for held in picture.holdings if held.side is not side]
    for held in (*others, *picture.holdings):
        raw = held.contracts * size.value / 100
        return raw, f"{plain(size.value)} % of {held.side.value} {plain(held.contracts)} contracts"
    return Denial(
        reason=Reason.NOTHING_HELD,
        message=f"the size is {plain(size.value)} % of the position, and none is held",
        context={"percent": plain(size.value)},
    )


def _of_risk(
    size: Size,
    *,
    picture: Picture,
    reference: Decimal | None,
    stop: Decimal | None,
    of: Instrument,
) -> tuple[Decimal, str] | Denial:
    if stop is None:
        return Denial(
            reason=Reason.STOP_MISSING,
            message="sizing risk_percent counts from the stop: send sl_price or stop_loss",
        )
    assert reference is not None  # noqa: S101 - as of `_equity`
    equity, distance = _equity(picture), abs(reference - stop)
    raw = equity * size.value / 100 * size.multiplier / (distance * of.contract_size)
    how = (
        f"{plain(size.value)} % of {plain(equity)} {of.quote}{_times(size)} / stop distance "
        f"{plain(distance)} / {plain(of.contract_size)} {of.base} per contract"
    )
    return raw, how


def _of_value(
    size: Size, *, picture: Picture, reference: Decimal | None, of: Instrument
) -> tuple[Decimal, str]:
    assert reference is not None  # noqa: S101 - as of `_equity`
    if size.mode is SizingMode.PERCENT_EQUITY:
        equity = _equity(picture)
        value = equity * size.value / 100
        how = f"{plain(size.value)} % of {plain(equity)} {of.quote}"
    else:
        value, how = size.value, f"{plain(size.value)} {of.quote}"
    raw = value * size.multiplier / (reference * of.contract_size)
    return raw, (
        f"{how}{_times(size)} / price {plain(reference)} / "
        f"{plain(of.contract_size)} {of.base} per contract"
    )


def _equity(picture: Picture) -> Decimal:
    assert picture.equity is not None  # noqa: S101 - `needs` asks wherever it is used
    return picture.equity


def _times(size: Size) -> str:
    return "" if size.multiplier == 1 else f" x {plain(size.multiplier)}"
