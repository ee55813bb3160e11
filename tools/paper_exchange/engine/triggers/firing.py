"""Looks at what waits for a symbol's price, and fires what it has reached. Stops come first, as
they set money free, then tracks, then plans; each kind oldest first.
"""

from collections.abc import Iterator
from typing import assert_never

from tools.paper_exchange.engine.state import Account, State
from tools.paper_exchange.engine.triggers.checking import reference
from tools.paper_exchange.engine.triggers.commands import (
    CancelPlans,
    CancelStops,
    CancelTracks,
    ChangeAttached,
    ChangePlan,
    ChangePlanAttached,
    ChangeStop,
    ChangeTrack,
    ExpireTriggers,
    PlacePlan,
    PlaceStop,
    PlaceTrack,
    TriggerCommand,
)
from tools.paper_exchange.engine.triggers.plans import (
    cancel_plans,
    change_plan,
    change_plan_attached,
    expire_plan,
    fire_plan,
    place_plan,
)
from tools.paper_exchange.engine.triggers.state import PlanOrder, StopOrder, Waiting
from tools.paper_exchange.engine.triggers.stops import (
    cancel_stops,
    change_attached,
    change_stop,
    fire_stop,
    place_stop,
)
from tools.paper_exchange.engine.triggers.tracks import (
    cancel_tracks,
    change_track,
    fire_track,
    follow,
    place_track,
)
from tools.paper_exchange.engine.triggers.words import Leg
from tools.paper_exchange.engine.turn import Turn


def fire_triggers(turn: Turn, symbol: str) -> None:
    waiting = turn.state.waiting.get(symbol)
    if waiting is not None:
        _fire_stops(turn, waiting)
        _fire_tracks(turn, waiting)
        _fire_plans(turn, waiting)


def wake_triggers(turn: Turn) -> None:
    """Look at the triggers that the command itself has brought, and at those that these bring. Each
    fires once at most, and only plans bring new ones, so that comes to an end.
    """
    while (symbol := turn.woken()) is not None:
        fire_triggers(turn, symbol)


def expire_triggers(turn: Turn) -> int:
    ended = list(_expired(turn.state, turn.at_ms))
    for account, plan in ended:
        expire_plan(turn, account, plan)
    return len(ended)


def apply_trigger(  # noqa: C901, PLR0912 - a table, with a row for each command
    turn: Turn, command: TriggerCommand
) -> int:
    match command:
        case PlacePlan():
            return place_plan(turn, command)
        case ChangePlan():
            return change_plan(turn, command)
        case ChangePlanAttached():
            return change_plan_attached(turn, command)
        case CancelPlans():
            return cancel_plans(turn, command)
        case PlaceStop():
            return place_stop(turn, command)
        case ChangeStop():
            return change_stop(turn, command)
        case CancelStops():
            return cancel_stops(turn, command)
        case ChangeAttached():
            return change_attached(turn, command)
        case PlaceTrack():
            return place_track(turn, command)
        case ChangeTrack():
            return change_track(turn, command)
        case CancelTracks():
            return cancel_tracks(turn, command)
        case ExpireTriggers():
            return expire_triggers(turn)
        case _:
            assert_never(command)


def _fire_stops(turn: Turn, waiting: Waiting) -> None:
    for stop_id, account_id in list(waiting.stops.items()):
        account = turn.state.accounts[account_id]
        stop = account.triggers.stops.open.get(stop_id)
        if stop is None:
            # One that fired before it has closed their position.
            continue
        leg = _reached_leg(turn, stop)
        if leg is not Leg.NONE:
            fire_stop(turn, account, stop, which=leg)


def _fire_tracks(turn: Turn, waiting: Waiting) -> None:
    for track_id, account_id in list(waiting.tracks.items()):
        account = turn.state.accounts[account_id]
        track = account.triggers.tracks.open[track_id]
        if follow(turn, account, track):
            fire_track(turn, account, track)


def _fire_plans(turn: Turn, waiting: Waiting) -> None:
    for plan_id, account_id in list(waiting.plans.items()):
        account = turn.state.accounts[account_id]
        plan = account.triggers.plans.open[plan_id]
        if turn.at_ms >= plan.expires_ms:
            expire_plan(turn, account, plan)
        elif plan.is_reached(reference(turn.price(plan.symbol), plan.trend)):
            fire_plan(turn, account, plan)


def _reached_leg(turn: Turn, stop: StopOrder) -> Leg:
    # Where a price leap has reached both, the loss counts.
    price = turn.price(stop.symbol)
    for which in (Leg.LOSS, Leg.PROFIT):
        leg = stop.leg(which)
        if leg is not None and stop.is_reached(which, reference(price, leg.trend)):
            return which
    return Leg.NONE


def _expired(state: State, at_ms: int) -> Iterator[tuple[Account, PlanOrder]]:
    for waiting in state.waiting.values():
        for plan_id, account_id in waiting.plans.items():
            account = state.accounts[account_id]
            plan = account.triggers.plans.open[plan_id]
            if at_ms >= plan.expires_ms:
                yield account, plan
