"""Protective prices: pure. Where a stop and a target lie, absolute or as a distance, and whether
that is a price that protects.
"""

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial, Offset, Protection
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import DistanceUnit, PositionSide
from libs.common.domain.price import stop_to_tick, target_to_tick
from libs.common.domain.quantity import plain, shortened
from libs.common.domain.rescaling import fitted

_EXACT = Context(prec=120)


@dataclass(frozen=True, kw_only=True, slots=True)
class Protected:
    """Prices on the tick; None where nothing was asked for."""

    stop: Decimal | None = None
    target: Decimal | None = None
    steps: tuple[str, ...] = ()


def protective_prices(
    protection: Protection,
    *,
    side: PositionSide,
    reference: Decimal | None,
    apart_from: Decimal | None = None,
    instrument: Instrument,
) -> Protected | Denial:
    """Prices for a position of `side`. A distance counts from `reference`; both prices must lie on
    their sides of `apart_from`, which is `reference` where it is not given.
    """
    found: dict[str, Decimal] = {}
    steps: list[str] = []
    for name, offset in (("stop", protection.stop), ("target", protection.target)):
        if offset is None:
            continue
        assert reference is not None  # noqa: S101 - `needs` asks for a price wherever one is used
        placed = _place(
            offset,
            name=name,
            side=side,
            reference=reference,
            apart_from=reference if apart_from is None else apart_from,
            instrument=instrument,
        )
        if isinstance(placed, Denial):
            return placed
        found[name], step = placed
        steps.append(step)
    return Protected(stop=found.get("stop"), target=found.get("target"), steps=tuple(steps))


def trail_distance(ticks: Decimal, *, instrument: Instrument) -> Decimal | Denial:
    """A trailing distance in units of price: whole ticks, at least one."""
    with localcontext(_EXACT):
        distance = (ticks // 1) * instrument.tick_price
    if distance <= 0 or fitted(distance) is None:
        return _invalid("trailing_pips", plain(ticks), instrument=instrument)
    return Decimal(plain(distance))


def _place(
    offset: Offset,
    *,
    name: str,
    side: PositionSide,
    reference: Decimal,
    apart_from: Decimal,
    instrument: Instrument,
) -> tuple[Decimal, str] | Denial:
    below = (name == "stop") == (side is PositionSide.LONG)
    if offset.price is not None:
        asked, how = offset.price, plain(offset.price)
    else:
        assert offset.distance is not None  # noqa: S101 - an offset has one of the two
        with localcontext(_EXACT):
            distance = _in_price(offset.distance, offset.unit, reference, instrument)
            asked = reference - distance if below else reference + distance
        how = (
            f"{plain(reference)} {'-' if below else '+'} {plain(offset.distance)}"
            f" {_UNITS[offset.unit]} = {shortened(asked)}"
        )
    to_tick = stop_to_tick if name == "stop" else target_to_tick
    price = to_tick(asked, side=side, tick=instrument.tick_price)
    if price <= 0 or fitted(price) is None:
        return _invalid(name, how, instrument=instrument)
    if not (price < apart_from if below else price > apart_from):
        return Denial(
            reason=Reason.PROTECTION_WRONG_SIDE,
            message=(
                f"the {name} of a {side.value} must be {'below' if below else 'above'} "
                f"{plain(apart_from)}; {how} is {plain(price)} on the tick"
            ),
            context={
                "price": name,
                "value": plain(price),
                "reference": plain(apart_from),
                "side": side.value,
            },
        )
    return price, f"{name} {how}, on the tick of {plain(instrument.tick_price)}: {plain(price)}"


_UNITS = {
    DistanceUnit.PRICE: "in price",
    DistanceUnit.TICKS: "ticks",
    DistanceUnit.PERCENT: "%",
}


def _in_price(
    distance: Decimal, unit: DistanceUnit, reference: Decimal, instrument: Instrument
) -> Decimal:
    match unit:
        case DistanceUnit.PRICE:
            return distance
        case DistanceUnit.TICKS:
            return distance * instrument.tick_price
        case DistanceUnit.PERCENT:
            return reference * distance / 100


def _invalid(name: str, how: str, *, instrument: Instrument) -> Denial:
    tick = plain(instrument.tick_price)
    return Denial(
        reason=Reason.PRICE_INVALID,
        message=f"{name} {how} is no price above 0 on the tick of {tick} of {instrument.symbol}",
        context={"price": name, "value": how, "tick_price": tick},
    )
