"""An alert's order in the exchange's terms: pure. Sides as the route's inverse has them, prices per
unit of the exchange, protective prices as offsets; sizes are `sizing.py`'s.
"""

from dataclasses import dataclass
from decimal import Decimal

import msgspec

from libs.common.contracts.alert import Order
from libs.common.contracts.intent import Denial, Offset, Protection
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, DistanceUnit, MarketPosition, OrderType
from libs.common.domain.quantity import plain
from libs.common.domain.rescaling import rescaled_price

_FLIPPED_ACTIONS = {Action.BUY: Action.SELL, Action.SELL: Action.BUY}
_FLIPPED_POSITIONS = {
    MarketPosition.LONG: MarketPosition.SHORT,
    MarketPosition.SHORT: MarketPosition.LONG,
}
_PROTECTED = frozenset({Action.BUY, Action.SELL, Action.REVERSE, Action.TARGET, Action.MODIFY})


@dataclass(frozen=True, kw_only=True, slots=True)
class Translated:
    price: Decimal | None
    protection: Protection
    steps: tuple[str, ...]


def inverted(order: Order) -> Order:
    """Buy and sell, and the wanted side, the other way round; never a close, never a price."""
    return msgspec.structs.replace(
        order,
        action=_FLIPPED_ACTIONS.get(order.action, order.action),
        wanted=_flipped(order.wanted),
        previous=_flipped(order.previous),
    )


def protected(order: Order) -> bool:
    """Whether protective prices mean anything for what the order asks."""
    return order.action in _PROTECTED and order.wanted is not MarketPosition.FLAT


def translated(order: Order, *, per_unit: Decimal, sltp_unit: DistanceUnit) -> Translated | Denial:
    """Prices per unit of the exchange; `sltp_unit` is the route's unit of protective distances."""
    steps: list[str] = []
    price: Decimal | None = None
    # The reference price of a market order that only closes would be of no use.
    if order.price is not None and (protected(order) or order.order_type is not OrderType.MARKET):
        found = _rescaled("price", order.price, per_unit=per_unit, steps=steps)
        if isinstance(found, Denial):
            return found
        price = found
    if not protected(order):
        return Translated(price=price, protection=Protection(), steps=tuple(steps))
    unit = order.distance_unit or sltp_unit
    offsets: list[Offset | None] = []
    for name, absolute, distance in (
        ("stop", order.stop_price, order.stop_distance),
        ("target", order.target_price, order.target_distance),
    ):
        offset = _offset(name, absolute, distance, unit=unit, per_unit=per_unit, steps=steps)
        if isinstance(offset, Denial):
            return offset
        offsets.append(offset)
    protection = Protection(stop=offsets[0], target=offsets[1], trailing_ticks=order.trailing_ticks)
    return Translated(price=price, protection=protection, steps=tuple(steps))


def _flipped(position: MarketPosition | None) -> MarketPosition | None:
    return None if position is None else _FLIPPED_POSITIONS.get(position, position)


def _offset(
    name: str,
    absolute: Decimal | None,
    distance: Decimal | None,
    *,
    unit: DistanceUnit,
    per_unit: Decimal,
    steps: list[str],
) -> Offset | Denial | None:
    if absolute is not None:
        found = _rescaled(f"{name} price", absolute, per_unit=per_unit, steps=steps)
        return found if isinstance(found, Denial) else Offset(price=found)
    if distance is None:
        return None
    if unit is not DistanceUnit.PRICE:
        return Offset(distance=distance, unit=unit)
    found = _rescaled(f"{name} distance", distance, per_unit=per_unit, steps=steps)
    return found if isinstance(found, Denial) else Offset(distance=found, unit=unit)


def _rescaled(
    name: str, value: Decimal, *, per_unit: Decimal, steps: list[str]
) -> Decimal | Denial:
    found = rescaled_price(value, per_unit=per_unit)
    if found is None:
        return Denial(
            reason=Reason.PRICE_INVALID,
            message=f"{name} {plain(value)} / {plain(per_unit)} per unit is no price to trade at",
            context={"price": name, "value": plain(value), "per_unit": plain(per_unit)},
        )
    if per_unit != 1:
        steps.append(f"{name} {plain(value)} / {plain(per_unit)} per unit is {plain(found)}")
    return found
