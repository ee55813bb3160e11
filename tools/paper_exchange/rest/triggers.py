"""Private endpoints about trigger orders (`planorder`) and trailing orders (`trackorder`)."""

from typing import Any, TypeVar

from tools.paper_exchange.control.behaviour import AbsentMode
from tools.paper_exchange.engine.state import ZERO
from tools.paper_exchange.engine.triggers.commands import (
    CancelPlans,
    CancelTracks,
    ChangePlan,
    ChangePlanAttached,
    ChangeTrack,
    PlacePlan,
    PlaceTrack,
)
from tools.paper_exchange.engine.triggers.state import PlanOrder, Shelf, TrackOrder
from tools.paper_exchange.numbers import sane
from tools.paper_exchange.rest.bodies import SymbolBody, decoded
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.lists import listed, span, words_of
from tools.paper_exchange.rest.trigger_bodies import (
    PlanAttachedBody,
    PlanBody,
    PlanChangeBody,
    TrackBody,
    TrackCancelBody,
    TrackChangeBody,
    plan_ids,
)
from tools.paper_exchange.rest.trigger_shapes import plan_shape, track_shape
from tools.paper_exchange.venue import Venue

_MOST_STATES = 10

Listed = TypeVar("Listed", bound=PlanOrder | TrackOrder)


def place_plan(venue: Venue, call: Call) -> str:
    body = decoded(call.body, PlanBody)
    command = PlacePlan(
        at_ms=call.now_ms,
        account_id=call.account.id,
        symbol=body.symbol,
        side=body.side,
        type=body.order_type,
        vol=sane(body.vol),
        price=sane(body.price or ZERO),
        open_type=body.open_type,
        leverage=body.leverage,
        position_mode=_mode(venue, call, asked=body.position_mode),
        reduce_only=bool(body.reduce_only),
        trigger_price=sane(body.trigger_price),
        condition=body.trigger_type,
        trend=body.trend,
        cycle=body.execute_cycle,
        price_protect=body.price_protect or 0,
        attached=body.attached(),
    )
    return str(venue.apply(command))


def change_plan_price(venue: Venue, call: Call) -> None:
    body = decoded(call.body, PlanChangeBody)
    venue.apply(
        ChangePlan(
            at_ms=call.now_ms,
            account_id=call.account.id,
            plan_id=body.order_id,
            symbol=body.symbol,
            trigger_price=sane(body.trigger_price),
            condition=body.trigger_type,
            trend=body.trend,
            type=body.order_type,
            price=sane(body.price or ZERO),
        )
    )


def change_plan_attached(venue: Venue, call: Call) -> None:
    body = decoded(call.body, PlanAttachedBody)
    venue.apply(
        ChangePlanAttached(
            at_ms=call.now_ms,
            account_id=call.account.id,
            plan_id=body.order_id,
            symbol=body.symbol,
            attached=body.attached(),
        )
    )


def cancel_plans(venue: Venue, call: Call) -> None:
    shelf = call.account.triggers.plans
    ids = []
    for symbol, plan_id in plan_ids(call.body):
        plan = shelf.open.get(plan_id) or shelf.finished.get(plan_id)
        ids.append(plan_id if plan is not None and plan.symbol == symbol else 0)
    venue.apply(CancelPlans(at_ms=call.now_ms, account_id=call.account.id, plan_ids=ids))


def cancel_all_plans(venue: Venue, call: Call) -> None:
    symbol = decoded(call.body, SymbolBody).symbol if call.body else None
    plans = call.account.triggers.plans.open.values()
    ids = [plan.id for plan in plans if not symbol or plan.symbol == symbol]
    if ids:
        venue.apply(CancelPlans(at_ms=call.now_ms, account_id=call.account.id, plan_ids=ids))


def list_plans(venue: Venue, call: Call) -> list[Any] | dict[str, Any]:
    return listed(
        venue,
        call,
        _found(call, call.account.triggers.plans),
        shape=lambda plan: plan_shape(venue, call.account, plan),
    )


def place_track(venue: Venue, call: Call) -> str:
    body = decoded(call.body, TrackBody)
    command = PlaceTrack(
        at_ms=call.now_ms,
        account_id=call.account.id,
        symbol=body.symbol,
        side=body.side,
        vol=sane(body.vol),
        leverage=body.leverage,
        open_type=body.open_type,
        trend=body.trend,
        back_type=body.back_type,
        back_value=sane(body.back_value),
        active_price=sane(body.active_price or ZERO),
        position_mode=_mode(venue, call, asked=body.position_mode),
        reduce_only=bool(body.reduce_only),
    )
    return str(venue.apply(command))


def change_track(venue: Venue, call: Call) -> None:
    body = decoded(call.body, TrackChangeBody)
    venue.apply(
        ChangeTrack(
            at_ms=call.now_ms,
            account_id=call.account.id,
            track_id=body.track_order_id,
            symbol=body.symbol,
            vol=sane(body.vol),
            trend=body.trend,
            back_type=body.back_type,
            back_value=sane(body.back_value),
            active_price=sane(body.active_price or ZERO),
        )
    )


def cancel_tracks(venue: Venue, call: Call) -> None:
    """One by its id; without an id all of a symbol, and without a symbol all."""
    body = decoded(call.body or b"{}", TrackCancelBody)
    tracks = call.account.triggers.tracks.open.values()
    if body.track_order_id:
        ids = [body.track_order_id]
    else:
        ids = [track.id for track in tracks if not body.symbol or track.symbol == body.symbol]
    if ids:
        venue.apply(CancelTracks(at_ms=call.now_ms, account_id=call.account.id, track_ids=ids))


def list_tracks(venue: Venue, call: Call) -> list[Any] | dict[str, Any]:
    return listed(venue, call, _found(call, call.account.triggers.tracks), shape=track_shape)


def _mode(venue: Venue, call: Call, *, asked: int | None) -> int | None:
    # The venue's documents call 0 the default.
    if not asked and venue.behaviour.absent_position_mode is AbsentMode.ACCOUNT:
        return call.account.position_mode
    return asked or None


def _found(call: Call, shelf: Shelf[Listed]) -> list[Listed]:
    # Newest first.
    symbol = call.params.get("symbol")
    states = words_of(call, "states", most=_MOST_STATES)
    side = call.whole_number("side", default=0)
    start, end = span(call)
    every: list[Listed] = [*shelf.open.values(), *shelf.finished.values()]
    found = [
        each
        for each in every
        if (not symbol or each.symbol == symbol)
        and (not states or each.state in states)
        and (not side or each.side == side)
        and start <= each.created_ms <= end
    ]
    return sorted(found, key=lambda each: each.id, reverse=True)
