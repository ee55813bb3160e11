"""Where triggers are kept: on the shelves of their account, and with their symbol while they wait.
Also what happens to stops when orders are filled and positions close.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tools.paper_exchange.engine.events import PlanChanged, StopChanged, TrackChanged
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Account, Order, Position
from tools.paper_exchange.engine.triggers.state import (
    FINISHED_KEPT,
    PlanOrder,
    Shelf,
    StopLeg,
    StopOrder,
    Trigger,
    Waiting,
)
from tools.paper_exchange.engine.triggers.words import Trend, TriggerState
from tools.paper_exchange.engine.turn import Turn


def keep(turn: Turn, account: Account, trigger: Trigger) -> None:
    """From here on it waits for its price, which may already be there."""
    _shelf(account, trigger).open[trigger.id] = trigger
    _waiting(turn, trigger)[trigger.id] = account.id
    changed(turn, account, trigger)
    turn.wake(trigger.symbol)


def retire(turn: Turn, account: Account, trigger: Trigger, *, state: Any, error: int = 0) -> None:
    """It is over, in `state`."""
    trigger.state = state
    trigger.error = error
    shelf = _shelf(account, trigger)
    del shelf.open[trigger.id]
    shelf.finished[trigger.id] = trigger
    if len(shelf.finished) > FINISHED_KEPT:
        del shelf.finished[next(iter(shelf.finished))]
    del _waiting(turn, trigger)[trigger.id]
    changed(turn, account, trigger)


def cancel_listed(
    turn: Turn,
    account: Account,
    shelf: Shelf[Any],
    *,
    ids: Iterable[int],
    state: Any,
    codes: tuple[int, int] = (2041, 2040),
) -> int:
    """Those of the ids that wait are canceled, and counted. `Refused` where none does: with the
    first code when one of them is over, with the second when all are unknown.
    """
    asked = dict.fromkeys(ids)
    found = [shelf.open[each] for each in asked if each in shelf.open]
    if not found:
        is_over, unknown = codes
        raise Refused(is_over if any(each in shelf.finished for each in asked) else unknown)
    for trigger in found:
        retire(turn, account, trigger, state=state)
    return len(found)


def changed(turn: Turn, account: Account, trigger: Trigger) -> None:
    trigger.updated_ms = turn.at_ms
    if isinstance(trigger, PlanOrder):
        turn.note(PlanChanged(account, trigger), once_for=("plan", trigger.id))
    elif isinstance(trigger, StopOrder):
        trigger.version += 1
        turn.note(StopChanged(account, trigger), once_for=("stop", trigger.id))
    else:
        turn.note(TrackChanged(account, trigger), once_for=("track", trigger.id))


def next_stop_id(turn: Turn) -> int:
    """Shorter than the ids of orders, as the venue's are."""
    turn.state.last_stop_id += 1
    return turn.state.last_stop_id


def protect(turn: Turn, account: Account, order: Order) -> None:
    """An order that carried take profit or stop loss is over: what it opened gets them."""
    held = account.position(order.symbol, order.target)
    if order.closes_only or held is None or held.id != order.position_id:
        return
    vol = min(order.deal_vol, held.hold_vol)
    stop = StopOrder(
        id=next_stop_id(turn),
        symbol=order.symbol,
        position_id=held.id,
        position_type=held.type,
        order_id=order.id,
        vol=vol,
        profit=_leg(order, "takeProfitPrice", trend="profitTrend", vol=vol),
        loss=_leg(order, "stopLossPrice", trend="lossTrend", vol=vol),
        price_protect=int(order.attached.get("priceProtect", 0)),
        created_ms=turn.at_ms,
        updated_ms=turn.at_ms,
    )
    keep(turn, account, stop)


def drop_stops(turn: Turn, account: Account, position: Position) -> None:
    """The position is gone, and with it whatever was to close it."""
    for stop in list(account.triggers.stops.open.values()):
        if stop.position_id == position.id:
            retire(turn, account, stop, state=TriggerState.CANCELED)


def _leg(order: Order, name: str, *, trend: str, vol: Decimal) -> StopLeg | None:
    price = order.attached.get(name)
    if price is None:
        return None
    return StopLeg(price=Decimal(price), vol=vol, trend=int(order.attached.get(trend, Trend.LAST)))


def _shelf(account: Account, trigger: Trigger) -> Shelf[Any]:
    if isinstance(trigger, PlanOrder):
        return account.triggers.plans
    return account.triggers.stops if isinstance(trigger, StopOrder) else account.triggers.tracks


def _waiting(turn: Turn, trigger: Trigger) -> dict[int, int]:
    waiting = turn.state.waiting.setdefault(trigger.symbol, Waiting())
    if isinstance(trigger, PlanOrder):
        return waiting.plans
    return waiting.stops if isinstance(trigger, StopOrder) else waiting.tracks
