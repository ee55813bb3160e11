"""Plans: the ordered legs that take the present position to the wanted one. Pure.

How a signal meets the position that is held (the route's trade mode):

| mode               | opposite signal while holding                     | same side |
|--------------------|---------------------------------------------------|-----------|
| netting (default)  | closes up to the signal's size, opens the remainder | adds    |

`flat`, `close` and `closeall` close what is held, whatever the mode; `close_side` narrows them to
one side. A wanted position that is held already is a plan without legs.

The other rows of design's table (opposite, reverse, hedge, target) take their place in `_MODES`.

Closing legs come first. What a resting order has frozen cannot be closed by the market order, so a
leg never closes more than is free.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import Holding, Leg
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    Action,
    Effect,
    PositionMode,
    PositionSide,
    TradeMode,
)
from libs.common.domain.identity import CHUNKS_MAX, client_order_id
from libs.common.domain.quantity import plain, split


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What `plan_orders` decides; the executor adds ids of the log and stores it as a `Plan`."""

    legs: tuple[Leg, ...]
    summary: str


@dataclass(frozen=True, kw_only=True)
class _Move:
    """One change of one side of the position, before it is split into orders."""

    effect: Effect
    side: PositionSide
    contracts: Decimal
    holding: Holding | None


_Mode = Callable[[Intent, PositionSide, Decimal, tuple[Holding, ...]], list[_Move]]


def plan_orders(
    intent: Intent, *, holdings: tuple[Holding, ...], position_mode: PositionMode
) -> Planned | Denial:
    """Decide the legs for an intent; `holdings` are those of the intent's symbol."""
    moves = _moves(intent, holdings)
    if isinstance(moves, Denial):
        return moves
    legs: list[Leg] = []
    for move in moves:
        sizes = split(
            move.contracts,
            maximum=intent.instrument.maximum_contracts,
            step=intent.instrument.step_contracts,
        )
        if len(sizes) > CHUNKS_MAX:
            return Denial(
                reason=Reason.ABOVE_MAXIMUM,
                message=f"{plain(move.contracts)} contracts would take {len(sizes)} orders",
                context={"contracts": plain(move.contracts), "orders": str(len(sizes))},
            )
        legs += [
            _leg(intent, move, contracts=size, chunk=chunk, position_mode=position_mode)
            for chunk, size in enumerate(sizes)
        ]
    return Planned(legs=tuple(legs), summary=_summary(moves, holdings))


def _moves(intent: Intent, holdings: tuple[Holding, ...]) -> list[_Move] | Denial:
    match intent.action:
        case Action.FLAT | Action.CLOSE_ALL:
            side = intent.close_side if intent.action is Action.FLAT else None
            return [_close(held) for held in holdings if side in {None, held.side} and _free(held)]
        case Action.BUY | Action.SELL:
            mode = _MODES.get(intent.trade_mode)
            if mode is None:
                return _not_supported("trade_mode", intent.trade_mode.value)
            assert intent.contracts is not None  # noqa: S101 - the router sizes every entry
            side = PositionSide.LONG if intent.action is Action.BUY else PositionSide.SHORT
            return mode(intent, side, intent.contracts, holdings)
        case _:
            return _not_supported("action", intent.action.value)


def _netting(
    _intent: Intent, side: PositionSide, contracts: Decimal, holdings: tuple[Holding, ...]
) -> list[_Move]:
    moves: list[_Move] = []
    remainder = contracts
    for held in holdings:
        if held.side is not side and remainder > 0:
            if _free(held):
                moves.append(_close(held, contracts=min(remainder, held.free_contracts)))
            # What is frozen still nets: opening it on the other side would hedge, not net.
            remainder -= min(remainder, held.contracts)
    if remainder > 0:
        moves.append(_Move(effect=Effect.OPEN, side=side, contracts=remainder, holding=None))
    return moves


_MODES: dict[TradeMode, _Mode] = {TradeMode.NETTING: _netting}


def _free(held: Holding) -> bool:
    return held.free_contracts > 0


def _close(held: Holding, *, contracts: Decimal | None = None) -> _Move:
    closing = held.free_contracts if contracts is None else contracts
    return _Move(effect=Effect.CLOSE, side=held.side, contracts=closing, holding=held)


def _leg(
    intent: Intent, move: _Move, *, contracts: Decimal, chunk: int, position_mode: PositionMode
) -> Leg:
    held = move.holding
    return Leg(
        client_order_id=client_order_id(
            alert=intent.alert_id,
            account=intent.account,
            effect=move.effect,
            side=move.side,
            chunk=chunk,
            attempt=0,
        ),
        effect=move.effect,
        position_side=move.side,
        contracts=contracts,
        # A closing order must name the margin mode and leverage that the position has.
        margin_mode=held.margin_mode if held else intent.margin_mode,
        leverage=held.leverage if held else intent.leverage,
        position_mode=position_mode,
        position_id=held.position_id if held else None,
    )


def _summary(moves: list[_Move], holdings: tuple[Holding, ...]) -> str:
    held = " and ".join(f"{held.side.value} {plain(held.contracts)}" for held in holdings)
    then = ", then ".join(
        f"{move.effect.value} {move.side.value} {plain(move.contracts)}" for move in moves
    )
    return f"holding {held or 'nothing'}: {then or 'nothing to do'}"


def _not_supported(field: str, value: str) -> Denial:
    return Denial(
        reason=Reason.NOT_SUPPORTED,
        message=f"{field} {value} is not supported yet",
        context={"field": field, "value": value},
    )
