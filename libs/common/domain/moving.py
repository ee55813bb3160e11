"""Moves: what a signal closes and opens, given what is held. Pure; the route's trade mode decides.

| mode      | opposite side held                                  | none or same side held |
|-----------|-----------------------------------------------------|------------------------|
| netting   | closes up to the signal's size, opens the remainder | opens, adds            |
| opposite  | closes all of it, then opens the signal's size      | opens, adds            |
| reverse   | closes all of it, opens nothing                     | opens, adds            |
| hedge     | opens beside it                                     | opens, adds            |
| target    | closes all of it, then moves its own side           | moves to the target    |

Exits close what is held, whatever the mode. What a resting order has frozen cannot be closed by
another, so a move never closes more than is free, and says in `frozen` what it had to leave.
"""

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import Holding
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, MarketPosition, PositionSide, TradeMode
from libs.common.domain.quantity import floor_to_step, plain

_EXACT = Context(prec=120)


@dataclass(frozen=True, kw_only=True, slots=True)
class Closing:
    """A part of one side that is closed, or all of it."""

    holding: Holding
    contracts: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    side: PositionSide
    contracts: Decimal | None
    """None: something would be opened, and how much could not be settled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moves:
    closings: tuple[Closing, ...] = ()
    opening: Opening | None = None
    frozen: tuple[Holding, ...] = ()
    """Of which more should be closed than is free."""


def other(side: PositionSide) -> PositionSide:
    return PositionSide.SHORT if side is PositionSide.LONG else PositionSide.LONG


def towards(intent: Intent, *, holdings: tuple[Holding, ...]) -> PositionSide | Denial | None:
    """The side that an intent may open; None of an exit and of a target that is flat."""
    match intent.action:
        case Action.BUY:
            return PositionSide.LONG
        case Action.SELL:
            return PositionSide.SHORT
        case Action.TARGET:
            return _target_missing(intent) if intent.wanted is None else _SIDES[intent.wanted]
        case Action.REVERSE:
            held = the_side_meant(intent, holdings=holdings)
            return held if isinstance(held, Denial) else other(held.side)
        case _:
            return None


_SIDE_CLOSED = {
    Action.CLOSE_LONG: PositionSide.LONG,
    Action.CLOSE_SHORT: PositionSide.SHORT,
}
_SIDES: dict[MarketPosition, PositionSide | None] = {
    MarketPosition.LONG: PositionSide.LONG,
    MarketPosition.SHORT: PositionSide.SHORT,
    MarketPosition.FLAT: None,
}


def the_side_meant(intent: Intent, *, holdings: tuple[Holding, ...]) -> Holding | Denial:
    """The one holding that an action without a side of its own is about."""
    held = [held for held in holdings if intent.close_side in {None, held.side}]
    if not held:
        side = f"{intent.close_side.value} " if intent.close_side else ""
        return Denial(
            reason=Reason.NOTHING_HELD,
            message=f"{intent.action.value}: no {side}position on {intent.symbol} is held",
            context={"symbol": intent.symbol},
        )
    if len(held) > 1:
        return Denial(
            reason=Reason.SIDE_AMBIGUOUS,
            message=f"{describe(holdings)} are held: say close_side long or short",
            context={"symbol": intent.symbol, "held": describe(holdings)},
        )
    return held[0]


def exit_moves(intent: Intent, *, holdings: tuple[Holding, ...]) -> Moves | Denial:
    """`flat` of one side or both, whole or in part, and `closeall`, which is always everything."""
    everything = intent.action is Action.CLOSE_ALL
    side = None if everything else _SIDE_CLOSED.get(intent.action, intent.close_side)
    percent = None if everything else intent.close_percent
    meant = [held for held in holdings if side in {None, held.side}]
    wanted = [(held, _part(held, percent=percent, intent=intent)) for held in meant]
    if meant and not any(contracts for _, contracts in wanted):
        assert percent is not None  # noqa: S101 - all of a holding is never nothing
        return Denial(
            reason=Reason.BELOW_MINIMUM,
            message=f"{plain(percent)} % of {describe(tuple(meant))} is less than one step of "
            f"{plain(intent.instrument.step_contracts)} contracts",
            context={"percent": plain(percent), "held": describe(tuple(meant))},
        )
    return _closing(wanted)


def entry_moves(
    intent: Intent,
    *,
    side: PositionSide,
    contracts: Decimal | None,
    holdings: tuple[Holding, ...],
) -> Moves | Denial:
    """What takes `holdings` to where the signal wants them. `contracts` is the settled size; None
    where it could not be settled, and then only what closes without a size is closed.
    """
    match intent.action:
        case Action.TARGET:
            return _target(side=side, contracts=contracts, holdings=holdings)
        case Action.REVERSE:
            return _turn(side=side, contracts=contracts, holdings=holdings, given=intent)
        case _:
            return _signal(intent, side=side, contracts=contracts, holdings=holdings)


def closes_without_size(intent: Intent) -> bool:
    """Whether an entry closes something even where its size is unknown."""
    if intent.action in {Action.TARGET, Action.REVERSE}:
        return True
    return intent.trade_mode in {TradeMode.OPPOSITE, TradeMode.REVERSE}


def describe(holdings: tuple[Holding, ...]) -> str:
    held = " and ".join(f"{held.side.value} {plain(held.contracts)}" for held in holdings)
    return held or "nothing"


def _signal(
    intent: Intent,
    *,
    side: PositionSide,
    contracts: Decimal | None,
    holdings: tuple[Holding, ...],
) -> Moves | Denial:
    against = [held for held in holdings if held.side is not side]
    opening = Opening(side=side, contracts=contracts)
    match intent.trade_mode:
        case TradeMode.NETTING:
            assert contracts is not None  # noqa: S101 - see `closes_without_size`
            return _net(side=side, contracts=contracts, against=against)
        case TradeMode.OPPOSITE:
            return _closing(_whole(against), opening)
        case TradeMode.REVERSE:
            return _closing(_whole(against), None if against else opening)
        case TradeMode.HEDGE:
            return Moves(opening=opening)
        case TradeMode.TARGET:
            return _target_missing(intent)


def _net(*, side: PositionSide, contracts: Decimal, against: list[Holding]) -> Moves:
    wanted: list[tuple[Holding, Decimal]] = []
    remainder = contracts
    for held in against:
        wanted.append((held, min(remainder, held.contracts)))
        remainder -= min(remainder, held.contracts)
    return _closing(wanted, Opening(side=side, contracts=remainder) if remainder > 0 else None)


def _target(
    *, side: PositionSide, contracts: Decimal | None, holdings: tuple[Holding, ...]
) -> Moves:
    wanted = _whole([held for held in holdings if held.side is not side])
    own = next((held for held in holdings if held.side is side), None)
    has = own.contracts if own else Decimal(0)
    if contracts is None:
        return _closing(wanted, Opening(side=side, contracts=None))
    if own is not None and contracts < has:
        return _closing([*wanted, (own, has - contracts)])
    missing = contracts - has
    return _closing(wanted, Opening(side=side, contracts=missing) if missing else None)


def _turn(
    *,
    side: PositionSide,
    contracts: Decimal | None,
    holdings: tuple[Holding, ...],
    given: Intent,
) -> Moves:
    against = [held for held in holdings if held.side is not side]
    if given.contracts is None and given.size is None:
        contracts = sum((held.contracts for held in against), Decimal(0))
    return _closing(_whole(against), Opening(side=side, contracts=contracts))


def _whole(holdings: list[Holding]) -> list[tuple[Holding, Decimal]]:
    return [(held, held.contracts) for held in holdings]


def _closing(wanted: list[tuple[Holding, Decimal]], opening: Opening | None = None) -> Moves:
    return Moves(
        closings=tuple(
            Closing(holding=held, contracts=closed)
            for held, contracts in wanted
            if (closed := min(contracts, held.free_contracts)) > 0
        ),
        opening=opening,
        frozen=tuple(held for held, contracts in wanted if contracts > held.free_contracts),
    )


def _part(held: Holding, *, percent: Decimal | None, intent: Intent) -> Decimal:
    if percent is None:
        return held.contracts
    with localcontext(_EXACT):
        return floor_to_step(held.contracts * percent / 100, step=intent.instrument.step_contracts)


def _target_missing(intent: Intent) -> Denial:
    return Denial(
        reason=Reason.TARGET_MISSING,
        message=f"trade mode target needs a position to move to, not {intent.action.value}:"
        " send market_position and market_position_size",
        context={"action": intent.action.value},
    )
