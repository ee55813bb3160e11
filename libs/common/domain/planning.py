"""Plans: the ordered legs and changes that take the present position to the wanted one. Pure.

What a signal closes and opens is said by `moving.py`, whether it may be opened by `limiting.py`,
how much by `sizing.py`, and where the protective prices lie by `protecting.py`; here they become
orders with ids. Closing legs come first. What closes is never held back by a reason not to open:
then the plan closes, and says in `withheld` what it left out.
"""

from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import Change, Leg
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    RESTING_TYPES,
    Action,
    ChangeKind,
    PositionSide,
)
from libs.common.domain.changing import CHANGING, cancel_trails, plan_changes
from libs.common.domain.identity import change_id
from libs.common.domain.legs import price_steps, to_legs
from libs.common.domain.limiting import opening_refused
from libs.common.domain.moving import (
    Moves,
    Opening,
    closes_without_size,
    describe,
    entry_moves,
    exit_moves,
    towards,
)
from libs.common.domain.picture import Picture
from libs.common.domain.planned import Planned
from libs.common.domain.protecting import Protected, protective_prices, trail_distance
from libs.common.domain.quantity import plain
from libs.common.domain.sizing import settle_size

__all__ = ["Planned", "plan_orders"]

_UNPROTECTED = Protected()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Decided:
    """What is to be done, before it is split into orders."""

    moves: Moves
    protected: Protected = _UNPROTECTED
    refused: Denial | None = None
    """Why nothing is opened."""
    steps: tuple[str, ...] = ()


def plan_orders(intent: Intent, picture: Picture) -> Planned | Denial:
    """Decide legs and changes for an intent; `picture` holds what `needs(intent)` names."""
    if intent.action in CHANGING:
        return plan_changes(intent, picture)
    side = towards(intent, holdings=picture.holdings)
    if isinstance(side, Denial):
        return side
    decided = _exit(intent, picture) if side is None else _entry(intent, picture, side=side)
    if isinstance(decided, Denial):
        return decided
    moves = decided.moves
    withheld = decided.refused if moves.opening else None
    withheld = withheld or _frozen(moves)
    if withheld and not moves.closings:
        return withheld
    waits = intent.order_type in RESTING_TYPES
    if waits and moves.opening and moves.closings and not withheld:
        return _flip_needs_market(intent, moves)
    return _laid_out(intent, picture, decided=decided, withheld=withheld)


def _exit(intent: Intent, picture: Picture) -> _Decided | Denial:
    moves = exit_moves(intent, holdings=picture.holdings)
    return moves if isinstance(moves, Denial) else _Decided(moves=moves)


def _entry(intent: Intent, picture: Picture, *, side: PositionSide) -> _Decided | Denial:
    reference = intent.price
    if reference is None and picture.prices is not None:
        reference = picture.prices.last
    refused = intent.opening_denied
    steps: tuple[str, ...] = ()
    protected = protective_prices(
        intent.protection, side=side, reference=reference, instrument=intent.instrument
    )
    if isinstance(protected, Denial):
        refused, protected = refused or protected, _UNPROTECTED
    contracts = intent.contracts
    if contracts is None and (intent.size is not None or intent.action is not Action.REVERSE):
        sized = settle_size(
            intent, picture=picture, side=side, reference=reference, stop=protected.stop
        )
        if isinstance(sized, Denial):
            refused = refused or sized
            if not closes_without_size(intent):
                return refused
        else:
            contracts, steps = sized.contracts, (sized.step,)
    moves = entry_moves(intent, side=side, contracts=contracts, holdings=picture.holdings)
    if isinstance(moves, Denial):
        return moves
    refused = (
        refused
        or opening_refused(intent, moves=moves, picture=picture, reference=reference)
        or _trail_must_wait(intent)
    )
    return _Decided(
        moves=moves,
        protected=protected,
        refused=refused,
        steps=(*_expected(intent, picture), *steps),
    )


def _frozen(moves: Moves) -> Denial | None:
    """Opening beside what could not be closed would hedge, and no mode but `hedge` means that."""
    if not moves.frozen:
        return None
    held = describe(moves.frozen)
    free = " and ".join(plain(one.free_contracts) for one in moves.frozen)
    return Denial(
        reason=Reason.POSITION_FROZEN,
        message=f"of {held} only {free} may be closed: resting orders have frozen the rest; cancel"
        " them first",
        context={"held": held, "free": free},
    )


def _expected(intent: Intent, picture: Picture) -> tuple[str, ...]:
    """What the strategy says that it held: a difference is told, and the target is moved to."""
    if intent.previous is None:
        return ()
    held = describe(picture.holdings)
    sides = {holding.side.value for holding in picture.holdings} or {"flat"}
    if sides == {intent.previous.value}:
        return (f"the strategy held {intent.previous.value} before, and so does the account",)
    return (f"the strategy held {intent.previous.value} before; the account holds {held}",)


def _trail_must_wait(intent: Intent) -> Denial | None:
    if intent.protection.trailing_ticks is None or intent.order_type not in RESTING_TYPES:
        return None
    return Denial(
        reason=Reason.NOT_SUPPORTED,
        message=(
            "a trailing stop is set after the fill, and an order of type"
            f" {intent.order_type.value} may wait for it: send trailing_pips with modify"
        ),
        context={"field": "trailing_pips", "order_type": intent.order_type.value},
    )


def _flip_needs_market(intent: Intent, moves: Moves) -> Denial:
    return Denial(
        reason=Reason.FLIP_NEEDS_MARKET,
        message=(
            f"{_wording(moves)}: the second order could only leave once the first is filled, and"
            f" one of type {intent.order_type.value} may wait; send it as market, ioc or fok"
        ),
        context={"order_type": intent.order_type.value},
    )


def _laid_out(
    intent: Intent, picture: Picture, *, decided: _Decided, withheld: Denial | None
) -> Planned | Denial:
    moves = decided.moves
    legs: list[Leg] = []
    steps = list(decided.steps)
    for closing in moves.closings:
        made = to_legs(intent, picture, closing, protected=_UNPROTECTED)
        if isinstance(made, Denial):
            return made
        legs += made
    opening = moves.opening
    changes: tuple[Change, ...] = ()
    if opening is not None and withheld is None:
        made = to_legs(intent, picture, opening, protected=decided.protected)
        trailed = _trailed(intent, picture, opening)
        refused = made if isinstance(made, Denial) else trailed
        if isinstance(refused, Denial):
            if not moves.closings:
                return refused
            withheld = refused
        else:
            assert not isinstance(made, Denial)  # noqa: S101 - it would have been `refused`
            legs += made
            steps += decided.protected.steps
            changes = refused
    steps += price_steps(intent, legs)
    summary = f"holding {describe(picture.holdings)}: {_wording(moves, withheld=withheld)}"
    return Planned(
        legs=tuple(legs),
        changes=changes,
        withheld=withheld,
        summary=summary,
        steps=(*steps, summary),
    )


def _trailed(intent: Intent, picture: Picture, opening: Opening) -> tuple[Change, ...] | Denial:
    ticks = intent.protection.trailing_ticks
    if ticks is None:
        return ()
    distance = trail_distance(ticks, instrument=intent.instrument)
    if isinstance(distance, Denial):
        return distance
    placed = Change(
        change_id=change_id(alert=intent.alert_id, account=intent.account, number=0),
        kind=ChangeKind.TRAIL,
        position_side=opening.side,
        contracts=opening.contracts,
        trail_distance=distance,
        trigger=intent.trigger,
        margin_mode=intent.margin_mode,
        leverage=intent.leverage,
        position_mode=picture.position_mode,
    )
    if any(held.side is opening.side for held in picture.holdings):
        return (placed,)
    # They outlive their position, and would close this one from an extreme that it never saw.
    leftover = [one.exchange_id for one in picture.trails if one.position_side is opening.side]
    return (placed, *cancel_trails(intent, leftover, side=opening.side, numbers=count(1)))


def _wording(moves: Moves, *, withheld: Denial | None = None) -> str:
    words = [
        f"close {closing.holding.side.value} {plain(closing.contracts)}"
        for closing in moves.closings
    ]
    if moves.opening is not None and withheld is None:
        opened = moves.opening.contracts
        words.append(f"open {moves.opening.side.value} {plain(opened or Decimal(0))}")
    said = ", then ".join(words) or "nothing to do"
    return f"{said}; the rest is withheld: {withheld.message}" if withheld else said
