"""Applies one command to the state. All that can be refused is refused before anything changes,
so a command is either applied whole or not at all.
"""

import decimal
from dataclasses import dataclass

from tools.paper_exchange.engine.accounts import (
    add_account,
    reset,
    set_leverage,
    set_position_mode,
)
from tools.paper_exchange.engine.commands import (
    AddAccount,
    CancelOrder,
    ChangeMargin,
    ChangeOrder,
    ChaseOrder,
    CloseAll,
    Command,
    PlaceOrder,
    Reset,
    ReversePosition,
    SetAutoAdd,
    SetContract,
    SetDepth,
    SetLeverage,
    SetPositionMode,
    SetPrice,
    SetRestrictions,
    SettleFunding,
)
from tools.paper_exchange.engine.contracts import Contracts
from tools.paper_exchange.engine.editing import change_order, chase_order
from tools.paper_exchange.engine.events import Event
from tools.paper_exchange.engine.funding import settle_funding
from tools.paper_exchange.engine.margin import EXACT
from tools.paper_exchange.engine.ordering import cancel_order, place_order
from tools.paper_exchange.engine.positions import (
    change_margin,
    close_all,
    reverse_position,
    set_auto_add,
)
from tools.paper_exchange.engine.pricing import set_depth, set_price
from tools.paper_exchange.engine.restricting import set_contract, set_restrictions
from tools.paper_exchange.engine.restrictions import in_force
from tools.paper_exchange.engine.state import State
from tools.paper_exchange.engine.triggers.firing import apply_trigger, wake_triggers
from tools.paper_exchange.engine.turn import Turn


@dataclass(frozen=True, slots=True)
class Outcome:
    """`made` is the id of the order or account that was made, else 0; see `events` for the rest."""

    made: int
    events: list[Event]


def apply(state: State, contracts: Contracts, command: Command) -> Outcome:
    """Change the state as the command says, or raise `Refused` and change nothing."""
    turn = Turn(state, in_force(contracts, state.contract_changes), command.at_ms)
    with decimal.localcontext(EXACT):
        made = _applied(turn, command)
        wake_triggers(turn)
    return Outcome(made, turn.events())


def _applied(turn: Turn, command: Command) -> int:  # noqa: C901, PLR0912 - one case a command
    match command:
        case PlaceOrder():
            return place_order(turn, command)
        case CancelOrder():
            return cancel_order(turn, command)
        case ChangeOrder():
            return change_order(turn, command)
        case ChaseOrder():
            return chase_order(turn, command)
        case SetPrice():
            return set_price(turn, command)
        case SetDepth():
            return set_depth(turn, command)
        case SetContract():
            return set_contract(turn, command)
        case SetRestrictions():
            return set_restrictions(turn, command)
        case SetLeverage():
            return set_leverage(turn, command)
        case SetPositionMode():
            return set_position_mode(turn, command)
        case ChangeMargin():
            return change_margin(turn, command)
        case SetAutoAdd():
            return set_auto_add(turn, command)
        case CloseAll():
            return close_all(turn, command)
        case ReversePosition():
            return reverse_position(turn, command)
        case SettleFunding():
            return settle_funding(turn, command)
        case AddAccount():
            return add_account(turn.state, command)
        case Reset():
            return reset(turn)
        case _:
            return apply_trigger(turn, command)
