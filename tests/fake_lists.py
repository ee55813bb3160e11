"""What waits at the fake venue, as the port lists it."""

from decimal import Decimal

from libs.common.contracts.order import Leg, Pending, Protective, Trail
from libs.common.contracts.words import PendingKind, VenueSymbol
from tests.fake_venue import FakeVenue, of_symbol


def pending(venue: FakeVenue, symbol: VenueSymbol) -> tuple[Pending, ...]:
    orders = [
        _pending(
            order.leg,
            PendingKind.ORDER,
            id_=order.found.exchange_order_id,
            contracts=order.left,
        )
        for order in venue.open_orders(symbol)
    ]
    plans = [
        _pending(plan.leg, PendingKind.TRIGGER, id_=plan.id, contracts=plan.leg.contracts)
        for plan in venue.waiting_plans(symbol)
    ]
    return tuple(sorted([*orders, *plans], key=lambda each: each.exchange_order_id))


def protectives(venue: FakeVenue, symbol: VenueSymbol) -> tuple[Protective, ...]:
    return tuple(
        Protective(
            exchange_id=stop.id,
            position_id=stop.position_id,
            position_side=stop.side,
            contracts=stop.contracts,
            stop_price=stop.stop_price,
            target_price=stop.target_price,
            whole=stop.whole,
        )
        for stop in of_symbol(venue.stops, symbol)
    )


def trails(venue: FakeVenue, symbol: VenueSymbol) -> tuple[Trail, ...]:
    return tuple(
        Trail(
            exchange_id=trail.id,
            position_side=trail.side,
            contracts=trail.contracts,
            distance=trail.distance,
            created_ms=trail.created_ms,
        )
        for trail in of_symbol(venue.trails, symbol)
    )


def _pending(leg: Leg, kind: PendingKind, *, id_: str, contracts: Decimal) -> Pending:
    return Pending(
        kind=kind,
        exchange_order_id=id_,
        client_order_id=leg.client_order_id if kind is PendingKind.ORDER else None,
        effect=leg.effect,
        position_side=leg.position_side,
        contracts=contracts,
        price=leg.price or Decimal(0),
        stop_price=leg.stop_price,
        target_price=leg.target_price,
    )
