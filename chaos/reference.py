"""What an alert should do to a position, by the table of trade modes in the documents: a few lines
that share nothing with the planner. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chaos.oids import Role
from chaos.world import Mode, Route, Side, Signal, Word

Held = Mapping[Side, int]
FLAT: Held = {Side.LONG: 0, Side.SHORT: 0}


@dataclass(frozen=True, kw_only=True)
class Move:
    role: Role
    contracts: int


def moves(signal: Signal, route: Route, *, multiplier: int, held: Held) -> list[Move]:
    """What is closed, and then what is opened."""
    if signal.word is Word.FLAT:
        return _close(held, Side.LONG) + _close(held, Side.SHORT)
    if signal.word is Word.TARGET:
        return _to_target(signal, route, multiplier=multiplier, held=held)
    side = Side.LONG if signal.word is Word.BUY else Side.SHORT
    side = _opposite(side) if route.inverse else side
    size = signal.contracts * multiplier
    against = held[_opposite(side)]
    match route.mode:
        case Mode.HEDGE:
            return _open(side, size)
        case Mode.OPPOSITE:
            return _close(held, _opposite(side)) + _open(side, size)
        case Mode.REVERSE:
            return _close(held, _opposite(side)) or _open(side, size)
        case Mode.NETTING:
            closed = min(size, against)
            return _close(held, _opposite(side), closed) + _open(side, size - closed)
        case Mode.TARGET:
            raise ValueError("a target route takes no buy or sell")


def after(held: Held, role: Role, filled: int, *, one_way: bool) -> Held:
    """The position after an order; below zero where more was closed than there was. An account in
    one-way mode holds one side: what is opened against it takes from it first.
    """
    effect, side = role
    if effect == "close":
        return {**held, side: held[side] - filled}
    taken = min(filled, held[_opposite(side)]) if one_way else 0
    return {side: held[side] + filled - taken, _opposite(side): held[_opposite(side)] - taken}


def _to_target(signal: Signal, route: Route, *, multiplier: int, held: Held) -> list[Move]:
    if signal.wanted is None:
        return _close(held, Side.LONG) + _close(held, Side.SHORT)
    side = _opposite(signal.wanted) if route.inverse else signal.wanted
    size = signal.contracts * multiplier
    against = _close(held, _opposite(side))
    if size < held[side]:
        return against + _close(held, side, held[side] - size)
    return against + _open(side, size - held[side])


def _opposite(side: Side) -> Side:
    return Side.SHORT if side is Side.LONG else Side.LONG


def _close(held: Held, side: Side, contracts: int | None = None) -> list[Move]:
    closed = held[side] if contracts is None else contracts
    return [Move(role=("close", side), contracts=closed)] if closed else []


def _open(side: Side, contracts: int) -> list[Move]:
    return [Move(role=("open", side), contracts=contracts)] if contracts else []
