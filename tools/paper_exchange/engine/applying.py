"""Applies one command to the state. All that can be refused is refused before anything changes,
so a command is either applied whole or not at all.
"""

import decimal
from dataclasses import dataclass
from typing import assert_never

from tools.paper_exchange.engine.accounts import (
    add_account,
    reset,
    set_leverage,
    set_position_mode,
)
from tools.paper_exchange.engine.commands import (
    AddAccount,
    CancelOrder,
    Command,
    PlaceOrder,
    Reset,
    SetDepth,
    SetLeverage,
    SetPositionMode,
    SetPrice,
)
from tools.paper_exchange.engine.contracts import Contracts
from tools.paper_exchange.engine.events import Event
from tools.paper_exchange.engine.margin import EXACT
from tools.paper_exchange.engine.ordering import cancel_order, place_order
from tools.paper_exchange.engine.pricing import set_depth, set_price
from tools.paper_exchange.engine.state import State
from tools.paper_exchange.engine.turn import Turn


@dataclass(frozen=True, slots=True)
class Outcome:
    """`made` is the id of the order or account that was made, else 0; see `events` for the rest."""

    made: int
    events: list[Event]


def apply(state: State, contracts: Contracts, command: Command) -> Outcome:
    """Change the state as the command says, or raise `Refused` and change nothing."""
    turn = Turn(state, contracts, command.at_ms)
    with decimal.localcontext(EXACT):
        made = _applied(turn, command)
    return Outcome(made, turn.events())


def _applied(turn: Turn, command: Command) -> int:
    match command:
        case PlaceOrder():
            return place_order(turn, command)
        case CancelOrder():
            return cancel_order(turn, command)
        case SetPrice():
            return set_price(turn, command)
        case SetDepth():
            return set_depth(turn, command)
        case SetLeverage():
            return set_leverage(turn, command)
        case SetPositionMode():
            return set_position_mode(turn, command)
        case AddAccount():
            return add_account(turn.state, command)
        case Reset():
            return reset(turn)
        case _:
            assert_never(command)
