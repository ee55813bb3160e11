"""Changes at the fake venue."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from msgspec.structs import replace as replaced

from libs.common.contracts.causes import Cause
from libs.common.contracts.order import Change
from libs.common.contracts.words import ChangeKind, VenueSymbol
from services.executor.exchange import OrderState
from tests.fake_orders import FakeStop, FakeTrail, Refusal
from tests.fake_venue import FakeVenue


@dataclass(frozen=True, kw_only=True)
class Applied:
    exchange_id: str | None = None
    message: str = ""


def apply(venue: FakeVenue, change: Change, *, symbol: VenueSymbol) -> Applied | Refusal:
    outcome: Applied | Refusal = Applied()
    match change.kind:
        case ChangeKind.PROTECT:
            outcome = _protect(venue, change)
        case ChangeKind.MOVE_PROTECTION:
            outcome = _move(venue, change)
        case ChangeKind.AMEND_ORDER:
            outcome = _amend_order(venue, change)
        case ChangeKind.AMEND_TRIGGER:
            outcome = _amend_trigger(venue, change)
        case ChangeKind.CANCEL_ORDERS:
            outcome = _cancel(change, lambda id_: _cancel_order(venue, id_))
        case ChangeKind.CANCEL_TRIGGERS:
            outcome = _cancel(change, lambda id_: _cancel_plan(venue, id_))
        case ChangeKind.CANCEL_TRAILS:
            outcome = _cancel(change, lambda id_: venue.trails.pop(id_, None) is not None)
        case ChangeKind.TRAIL:
            outcome = _trail(venue, change, symbol=symbol)
    venue.fire(symbol)
    return outcome


def _protect(venue: FakeVenue, change: Change) -> Applied | Refusal:
    found = venue.position(change.exchange_ids[0])
    if found is None:
        return Refusal(code=2009, message="Position is closed", kind=Cause.POSITION)
    of, holding = found
    stop = FakeStop(
        id="",
        symbol=of,
        position_id=holding.position_id,
        side=holding.side,
        contracts=change.contracts or holding.contracts,
        stop_price=change.stop_price,
        target_price=change.target_price,
        trigger=change.trigger,
        whole=True,
    )
    return Applied(exchange_id=venue.protect(stop))


def _move(venue: FakeVenue, change: Change) -> Applied | Refusal:
    stop = venue.stops.get(change.exchange_ids[0])
    if change.stop_price is None and change.target_price is None:
        return _cancel(change, lambda id_: venue.stops.pop(id_, None) is not None)
    if stop is None:
        return Refusal(code=5002, message="No such stop", kind=Cause.TRIGGER)
    stop.stop_price, stop.target_price = change.stop_price, change.target_price
    stop.trigger = change.trigger
    return Applied()


def _amend_order(venue: FakeVenue, change: Change) -> Applied | Refusal:
    order = venue.orders.get(change.exchange_ids[0])
    if order is None or not order.is_open:
        return Refusal(code=2040, message="Order does not exist", kind=Cause.ORDER_STATE)
    order.leg = replaced(order.leg, **_prices(change))
    return Applied()


def _amend_trigger(venue: FakeVenue, change: Change) -> Applied | Refusal:
    plan = venue.plans.get(change.exchange_ids[0])
    if plan is None or plan.found.state is not OrderState.OPEN:
        return Refusal(code=2040, message="Order does not exist", kind=Cause.ORDER_STATE)
    plan.leg = replaced(plan.leg, **_prices(change))
    return Applied()


def _prices(change: Change) -> dict[str, Decimal | None]:
    return {"stop_price": change.stop_price, "target_price": change.target_price}


def _trail(venue: FakeVenue, change: Change, *, symbol: VenueSymbol) -> Applied | Refusal:
    if change.position_mode is not venue.position_mode:
        return Refusal(code=7002, message="Position mode mismatch", kind=Cause.POSITION_MODE)
    assert change.position_side is not None
    assert change.contracts is not None
    assert change.trail_distance is not None
    trail = FakeTrail(
        id=venue.next_id(),
        symbol=symbol,
        side=change.position_side,
        contracts=change.contracts,
        distance=change.trail_distance,
        trigger=change.trigger,
        created_ms=venue.now_ms(),
        extreme=venue.prices[symbol].of(change.trigger),
    )
    venue.trails[trail.id] = trail
    return Applied(exchange_id=trail.id)


def _cancel(change: Change, cancel: Callable[[str], bool]) -> Applied:
    gone = [id_ for id_ in change.exchange_ids if not cancel(id_)]
    return Applied(message="; ".join(f"{id_}: order not exist" for id_ in gone))


def _cancel_order(venue: FakeVenue, id_: str) -> bool:
    order = venue.orders.get(id_)
    if order is None or not order.is_open:
        return False
    venue.end(order, OrderState.CANCELED)
    return True


def _cancel_plan(venue: FakeVenue, id_: str) -> bool:
    return venue.cancel_plan(id_)
