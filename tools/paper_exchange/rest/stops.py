"""Private endpoints about take profit and stop loss (`stoporder`)."""

from typing import Any

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.triggers.commands import (
    CancelStops,
    ChangeAttached,
    ChangeStop,
    PlaceStop,
)
from tools.paper_exchange.engine.triggers.state import StopOrder
from tools.paper_exchange.engine.triggers.words import TriggerState
from tools.paper_exchange.numbers import sane
from tools.paper_exchange.rest.bodies import decoded
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.lists import listed, span
from tools.paper_exchange.rest.trigger_bodies import (
    WHOLE,
    OrderAttachedBody,
    StopBody,
    StopCancelAllBody,
    StopChangeBody,
    stop_ids,
)
from tools.paper_exchange.rest.trigger_shapes import stop_shape
from tools.paper_exchange.venue import Venue


def place_stop(venue: Venue, call: Call) -> int:
    body = decoded(call.body, StopBody)
    return venue.apply(
        PlaceStop(
            at_ms=call.now_ms,
            account_id=call.account.id,
            position_id=body.position_id,
            vol=sane(body.vol),
            profit=body.profit(),
            loss=body.loss(),
            is_separate=body.is_separate,
            is_whole=body.vol_type == WHOLE,
            price_protect=body.price_protect or 0,
        )
    )


def change_stop(venue: Venue, call: Call) -> None:
    body = decoded(call.body, StopChangeBody)
    stop = call.account.triggers.stops.open.get(body.stop_plan_order_id)
    venue.apply(
        ChangeStop(
            at_ms=call.now_ms,
            account_id=call.account.id,
            stop_id=body.stop_plan_order_id,
            profit=body.profit(stop.profit if stop is not None else None),
            loss=body.loss(stop.loss if stop is not None else None),
        )
    )


def change_order_attached(venue: Venue, call: Call) -> None:
    """Of an open order, by the order's id."""
    body = decoded(call.body, OrderAttachedBody)
    venue.apply(
        ChangeAttached(
            at_ms=call.now_ms,
            account_id=call.account.id,
            order_id=body.order_id,
            attached=body.attached(),
        )
    )


def cancel_stops(venue: Venue, call: Call) -> None:
    ids = stop_ids(call.body)
    venue.apply(CancelStops(at_ms=call.now_ms, account_id=call.account.id, stop_ids=ids))


def cancel_all_stops(venue: Venue, call: Call) -> None:
    """Of a position, or else of a symbol, or else all."""
    body = decoded(call.body or b"{}", StopCancelAllBody)
    ids = [
        stop.id
        for stop in call.account.triggers.stops.open.values()
        if (not body.position_id or stop.position_id == body.position_id)
        and (body.position_id or not body.symbol or stop.symbol == body.symbol)
    ]
    if ids:
        venue.apply(CancelStops(at_ms=call.now_ms, account_id=call.account.id, stop_ids=ids))


def open_stops(_venue: Venue, call: Call) -> list[dict[str, Any]]:
    symbol = call.params.get("symbol")
    stops = list(call.account.triggers.stops.open.values())
    return [stop_shape(stop) for stop in stops[::-1] if not symbol or stop.symbol == symbol]


def list_stops(venue: Venue, call: Call) -> list[Any] | dict[str, Any]:
    # Newest first.
    shelf = call.account.triggers.stops
    start, end = span(call)
    found = [
        stop
        for stop in (*shelf.open.values(), *shelf.finished.values())
        if _is_asked_for(call, stop) and start <= stop.created_ms <= end
    ]
    found.sort(key=lambda stop: stop.id, reverse=True)
    return listed(venue, call, found, shape=stop_shape)


def stop_details(_venue: Venue, call: Call) -> dict[str, Any]:
    shelf = call.account.triggers.stops
    stop_id = call.whole_number("stop_order_id", default=0)
    stop = shelf.open.get(stop_id) or shelf.finished.get(stop_id)
    if stop is None:
        raise Refused(5002)
    return stop_shape(stop)


def _is_asked_for(call: Call, stop: StopOrder) -> bool:
    symbol = call.params.get("symbol")
    state = call.whole_number("state", default=0)
    kind = call.whole_number("type", default=0)
    finished = call.whole_number("is_finished", default=-1)
    is_finished = stop.state is not TriggerState.WAITING
    return (
        (not symbol or stop.symbol == symbol)
        and state in {0, stop.state}
        and kind in {0, stop.position_type}
        and finished in {-1, int(is_finished)}
    )
