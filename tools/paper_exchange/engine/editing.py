"""An open limit order gets a new price, and with it a new id. The old one is canceled; the new one
carries the client's id on, and whoever looks that up finds the new one.
"""

from decimal import Decimal

import msgspec

from tools.paper_exchange.engine.affording import check_balance, check_risk_limit
from tools.paper_exchange.engine.checking import check_closable, check_volume
from tools.paper_exchange.engine.commands import ChangeOrder, ChaseOrder
from tools.paper_exchange.engine.depth import book_price
from tools.paper_exchange.engine.matching import cancel, enter, match_new
from tools.paper_exchange.engine.ordering import made_id, next_id
from tools.paper_exchange.engine.permitting import check_account, check_may_open, check_tradable
from tools.paper_exchange.engine.quoting import check_price
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import ZERO, Account, Order
from tools.paper_exchange.engine.triggers.checking import check_order_attached
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import BookPrice, OrderError, PositionMode

FARTHEST_CHASE = Decimal("0.05")
CHASE_PREFIX = "CHASE_LIMIT"
# What a refusal is called when it befalls a chase.
_CHASE_CODES = {2005: 2065, 2049: 2066}


def change_order(turn: Turn, command: ChangeOrder) -> int:
    account = turn.state.accounts[command.account_id]
    check_account(account)
    if account.position_mode is PositionMode.ONE_WAY:
        raise Refused(2053)
    order = account.open_orders.get(command.order_id)
    if order is None:
        raise Refused(2041 if command.order_id in account.finished_orders else 2040)
    new = _checked(turn, account, old=order, price=command.price, vol=command.vol)
    return _replace(turn, account, old=order, new=new)


def chase_order(turn: Turn, command: ChaseOrder) -> int:
    account = turn.state.accounts[command.account_id]
    check_account(account)
    if account.position_mode is PositionMode.ONE_WAY:
        raise Refused(2064)
    order = account.open_orders.get(command.order_id)
    if order is None:
        raise Refused(2059 if command.order_id in account.finished_orders else 2040)
    best = book_price(turn, order, kind=BookPrice.SAME_1)
    if best is None or best == order.price:
        return order.id
    if abs(order.price - best) > best * FARTHEST_CHASE:
        raise Refused(2070)
    try:
        new = _checked(turn, account, old=order, price=best, vol=order.vol)
    except Refused as refused:
        code = _CHASE_CODES.get(refused.code, refused.code)
        raise Refused(code, **refused.values) from None
    if order.external_oid == made_id(order.id):
        new.external_oid = ""
    return _replace(turn, account, old=order, new=new)


def _checked(turn: Turn, account: Account, *, old: Order, price: Decimal, vol: Decimal) -> Order:
    if old.deal_vol:
        raise Refused(2052)
    new = msgspec.structs.replace(
        old,
        id=0,
        price=price,
        vol=vol,
        created_ms=turn.at_ms,
        updated_ms=turn.at_ms,
        frozen=ZERO,
        hidden_until_ms=0,
        bbo_type=0,
        version=1,
        deals=(),
    )
    contract = turn.contract(new.symbol)
    check_may_open(account, new)
    check_tradable(account, contract, order=new, at_ms=turn.at_ms)
    check_volume(turn, contract, order=new)
    check_price(turn, account, order=new)
    check_closable(account, order=new, freed=old.remaining)
    check_risk_limit(contract, account, new, replaced=old)
    check_balance(turn, account, order=new, freed=old.frozen)
    check_order_attached(turn, new)
    return new


def _replace(turn: Turn, account: Account, *, old: Order, new: Order) -> int:
    cancel(turn, account, order=old, error=OrderError.NORMAL)
    new.id = next_id(turn)
    new.external_oid = new.external_oid or f"{CHASE_PREFIX}_{new.id}"
    enter(turn, account, new)
    account.client_ids[new.external_oid] = new.id
    match_new(turn, account, order=new)
    return new.id
