"""Orders of an account: placed and canceled."""

from tools.paper_exchange.engine.checking import checked_order
from tools.paper_exchange.engine.commands import CancelOrder, PlaceOrder, Twist
from tools.paper_exchange.engine.matching import cancel, enter, finish, match_new
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Account, Order
from tools.paper_exchange.engine.triggers.checking import check_order_attached
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import OrderError, OrderState

# Ids look like the venue's: 18 digits that grow with the time, and never twice the same.
IDS_PER_MS = 400_000


def place_order(turn: Turn, command: PlaceOrder) -> int:
    account = turn.state.accounts[command.account_id]
    order = checked_order(turn, account, command=command)
    check_order_attached(turn, order)
    duplicate = order.external_oid in account.client_ids
    order.id = next_id(turn)
    order.external_oid = order.external_oid or made_id(order.id)
    order.hidden_until_ms = command.at_ms + command.hidden_ms if command.hidden_ms else 0
    enter(turn, account, order)
    error: int | None = None
    if duplicate and command.duplicates == "async":
        error = OrderError.CLIENT_ID_DUPLICATE
    elif command.twist is Twist.ASYNC_REJECT:
        error = command.twist_error or OrderError.INSUFFICIENT_BALANCE
    if error is None:
        match_new(turn, account, order=order, twist=command.twist)
    else:
        finish(turn, account, order=order, outcome=OrderState.INVALID, error=error)
    return order.id


def admit(turn: Turn, account: Account, order: Order) -> None:
    """Place an order of the venue's own making that has been checked."""
    order.id = next_id(turn)
    enter(turn, account, order)
    match_new(turn, account, order=order)


def made_id(order_id: int) -> str:
    """The client id of an order that came without one."""
    return f"_m_{order_id:032x}"


def next_id(turn: Turn) -> int:
    """An id for an order of any kind."""
    turn.state.last_order_id = max(turn.state.last_order_id + 1, turn.at_ms * IDS_PER_MS)
    return turn.state.last_order_id


def cancel_order(turn: Turn, command: CancelOrder) -> int:
    account = turn.state.accounts[command.account_id]
    order = account.open_orders.get(command.order_id)
    if order is None:
        raise Refused(2041 if command.order_id in account.finished_orders else 2040)
    cancel(turn, account, order=order, error=OrderError.NORMAL)
    return order.id
