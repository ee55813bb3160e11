"""Changes to what waits at the exchange: other protective prices, a stop at the entry, pending
orders removed. Pure; none of it opens or closes anything itself.
"""

from collections.abc import Iterator
from decimal import Decimal

from libs.common.contracts.intent import Denial, Intent, Offset, Protection
from libs.common.contracts.order import Change, Holding, Pending
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    Action,
    ChangeKind,
    ClientOrderId,
    Effect,
    PendingKind,
    PositionSide,
)
from libs.common.domain.covering import covering
from libs.common.domain.identity import CHUNKS_MAX, change_id
from libs.common.domain.moving import describe, the_side_meant
from libs.common.domain.picture import Picture
from libs.common.domain.planned import Planned
from libs.common.domain.protecting import Protected, protective_prices, trail_distance
from libs.common.domain.quantity import plain

CHANGING = frozenset({Action.MODIFY, Action.BREAKEVEN, Action.CANCEL})
CANCELED_AT_ONCE = {PendingKind.ORDER: 50, PendingKind.TRIGGER: 5}
"""The most that one change cancels. Fifty orders are what MEXC takes in one call; stop orders take
a call each, of which it grants twenty in two seconds, and four changes are made in that time.
"""


def plan_changes(intent: Intent, picture: Picture) -> Planned | Denial:
    """What `modify`, `breakeven` or `cancel` does."""
    match intent.action:
        case Action.CANCEL:
            return _cancel(intent, picture)
        case Action.BREAKEVEN:
            return _breakeven(intent, picture)
        case _:
            return _modify(intent, picture)


def _cancel(intent: Intent, picture: Picture) -> Planned | Denial:
    labels = _labels(intent)
    found = _matching(intent, picture) if labels else picture.pending
    if labels and not found:
        return Denial(
            reason=Reason.NOTHING_PENDING,
            message=f"no pending order of {intent.symbol} has {labels}",
            context={"symbol": intent.symbol, "pending": str(len(picture.pending))},
        )
    numbers = iter(range(CHUNKS_MAX))
    changes = tuple(
        Change(change_id=_id(intent, numbers), kind=kind, exchange_ids=ids)
        for pending, kind in (
            (PendingKind.ORDER, ChangeKind.CANCEL_ORDERS),
            (PendingKind.TRIGGER, ChangeKind.CANCEL_TRIGGERS),
        )
        for ids in _batches(
            [one.exchange_order_id for one in found if one.kind is pending],
            size=CANCELED_AT_ONCE[pending],
        )
    )
    words = ", ".join(_told(one) for one in found)
    said = f"{len(picture.pending)} pending: " + (f"cancel {words}" if words else "nothing to do")
    return Planned(changes=changes, summary=said, steps=(said,))


def _breakeven(intent: Intent, picture: Picture) -> Planned | Denial:
    held = the_side_meant(intent, holdings=picture.holdings)
    if isinstance(held, Denial):
        return held
    # Towards the entry is towards profit: a long's stop is rounded up, a short's down.
    at_entry = Protection(stop=Offset(price=held.average_price))
    return _protect(intent, picture, held=held, protection=at_entry)


def _modify(intent: Intent, picture: Picture) -> Planned | Denial:
    # What closes has no protective prices of its own.
    matching = tuple(
        one
        for one in (_matching(intent, picture) if _labels(intent) else ())
        if one.effect is Effect.OPEN
    )
    if matching:
        return _amend(intent, matching)
    held = the_side_meant(intent, holdings=picture.holdings)
    if isinstance(held, Denial):
        return held
    return _protect(intent, picture, held=held, protection=intent.protection)


def _amend(intent: Intent, matching: tuple[Pending, ...]) -> Planned | Denial:
    if intent.protection.trailing_ticks is not None:
        return Denial(
            reason=Reason.NOT_SUPPORTED,
            message="a trailing stop belongs to a position, not to a pending order",
            context={"field": "trailing_pips"},
        )
    numbers = iter(range(CHUNKS_MAX))
    changes: list[Change] = []
    steps: list[str] = []
    for one in matching:
        placed = protective_prices(
            intent.protection,
            side=one.position_side,
            # The order will be filled at its own price, wherever the market is now.
            reference=one.price,
            instrument=intent.instrument,
        )
        if isinstance(placed, Denial):
            return placed
        steps += placed.steps
        of_order = one.kind is PendingKind.ORDER
        changes.append(
            Change(
                change_id=_id(intent, numbers),
                kind=ChangeKind.AMEND_ORDER if of_order else ChangeKind.AMEND_TRIGGER,
                exchange_ids=(one.exchange_order_id,),
                position_side=one.position_side,
                stop_price=one.stop_price if placed.stop is None else placed.stop,
                target_price=one.target_price if placed.target is None else placed.target,
                trigger=intent.trigger,
            )
        )
    said = f"pending {', '.join(_told(one) for one in matching)}: {_prices(changes[0])}"
    return Planned(changes=tuple(changes), summary=said, steps=(*steps, said))


def _protect(
    intent: Intent, picture: Picture, *, held: Holding, protection: Protection
) -> Planned | Denial:
    live = picture.prices.of(intent.trigger) if picture.prices else None
    placed = protective_prices(
        protection,
        side=held.side,
        reference=live if intent.price is None else intent.price,
        # What is on the wrong side of the market would be triggered at once.
        apart_from=live,
        instrument=intent.instrument,
    )
    if isinstance(placed, Denial):
        return placed
    numbers = iter(range(CHUNKS_MAX))
    changes = _put(intent, picture, held=held, placed=placed, numbers=numbers)
    steps = list(placed.steps)
    if protection.trailing_ticks is not None:
        distance = trail_distance(protection.trailing_ticks, instrument=intent.instrument)
        if isinstance(distance, Denial):
            return distance
        changes += _trail(intent, picture, held=held, distance=distance, numbers=numbers)
        steps.append(
            f"trailing {plain(protection.trailing_ticks)} ticks of"
            f" {plain(intent.instrument.tick_price)}: {plain(distance)}"
        )
    said = f"holding {describe((held,))}: " + (
        ", then ".join(f"{one.kind.value} {_prices(one)}".rstrip() for one in changes)
    )
    return Planned(changes=tuple(changes), summary=said, steps=(*steps, said))


def _put(
    intent: Intent,
    picture: Picture,
    *,
    held: Holding,
    placed: Protected,
    numbers: Iterator[int],
) -> list[Change]:
    if placed.stop is None and placed.target is None:
        return []
    present = tuple(one for one in picture.protectives if one.position_side is held.side)
    found = covering(held, present=present, placed=placed)
    changes = [
        Change(
            change_id=_id(intent, numbers),
            kind=ChangeKind.MOVE_PROTECTION,
            exchange_ids=(one.present.exchange_id,),
            position_side=held.side,
            contracts=one.present.contracts,
            stop_price=one.stop,
            target_price=one.target,
            trigger=intent.trigger,
        )
        for one in found.moved
    ]
    if found.put_on is not None:
        changes.append(
            Change(
                change_id=_id(intent, numbers),
                kind=ChangeKind.PROTECT,
                exchange_ids=(held.position_id,),
                position_side=held.side,
                contracts=held.contracts,
                stop_price=found.put_on.stop,
                target_price=found.put_on.target,
                trigger=intent.trigger,
            )
        )
    return changes


def _trail(
    intent: Intent,
    picture: Picture,
    *,
    held: Holding,
    distance: Decimal,
    numbers: Iterator[int],
) -> list[Change]:
    placed = Change(
        change_id=_id(intent, numbers),
        kind=ChangeKind.TRAIL,
        exchange_ids=(held.position_id,),
        position_side=held.side,
        contracts=held.contracts,
        trail_distance=distance,
        trigger=intent.trigger,
        margin_mode=held.margin_mode,
        leverage=held.leverage,
        position_mode=picture.position_mode,
    )
    old = [one.exchange_id for one in picture.trails if one.position_side is held.side]
    # The new one first: between the two calls the position is stopped twice rather than not at all.
    return [placed, *cancel_trails(intent, old, side=held.side, numbers=numbers)]


def cancel_trails(
    intent: Intent, exchange_ids: list[str], *, side: PositionSide, numbers: Iterator[int]
) -> list[Change]:
    """A change each, since the cancel of a trailing order tells nothing about several."""
    return [
        Change(
            change_id=_id(intent, numbers),
            kind=ChangeKind.CANCEL_TRAILS,
            exchange_ids=(exchange_id,),
            position_side=side,
        )
        for exchange_id in exchange_ids
    ]


def _matching(intent: Intent, picture: Picture) -> tuple[Pending, ...]:
    return tuple(
        one
        for one in picture.pending
        if intent.order_id in {None, one.order_id} and intent.comment in {None, one.comment}
    )


def _labels(intent: Intent) -> str:
    """For people, and empty where the alert names no order."""
    named = (("order_id", intent.order_id), ("comment", intent.comment))
    return " and ".join(f"{name} {value}" for name, value in named if value is not None)


def _batches(ids: list[str], *, size: int) -> list[tuple[str, ...]]:
    starts = range(0, len(ids), size)
    return [tuple(ids[start : start + size]) for start in starts]


def _id(intent: Intent, numbers: Iterator[int]) -> ClientOrderId:
    return change_id(alert=intent.alert_id, account=intent.account, number=next(numbers))


def _told(one: Pending) -> str:
    kind = "order" if one.kind is PendingKind.ORDER else "stop order"
    return (
        f"{kind} {one.effect.value} {one.position_side.value} {plain(one.contracts)}"
        f" at {plain(one.price)}"
    )


def _prices(change: Change) -> str:
    named = (
        ("stop", change.stop_price),
        ("target", change.target_price),
        ("distance", change.trail_distance),
    )
    return ", ".join(f"{name} {plain(value)}" for name, value in named if value is not None)
