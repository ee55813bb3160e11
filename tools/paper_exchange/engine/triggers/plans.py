"""Trigger orders: placed, changed, canceled, fired, expired."""

from msgspec.structs import replace

from tools.paper_exchange.engine.checking import asked_order, check_volume, checked_order
from tools.paper_exchange.engine.commands import DuplicateRule, PlaceOrder
from tools.paper_exchange.engine.ordering import admit, next_id
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import ZERO, Account
from tools.paper_exchange.engine.triggers.checking import (
    check_count,
    check_order_price,
    check_plan_attached,
    check_terms,
    check_trend,
    check_trigger_price,
)
from tools.paper_exchange.engine.triggers.commands import (
    CancelPlans,
    ChangePlan,
    ChangePlanAttached,
    PlacePlan,
)
from tools.paper_exchange.engine.triggers.keeping import cancel_listed, changed, keep, retire
from tools.paper_exchange.engine.triggers.state import PlanOrder
from tools.paper_exchange.engine.triggers.words import Condition, Cycle, TriggerState
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import OrderType

# Plans know no order that turns from market to limit.
_TYPES = frozenset(OrderType) - {OrderType.MARKET_TO_LIMIT}
_CONDITIONS = frozenset(Condition)
_CYCLES = frozenset(Cycle)


def place_plan(turn: Turn, command: PlacePlan) -> int:
    account = turn.state.accounts[command.account_id]
    order = check_terms(turn, account, _order_of(command))
    contract = turn.contract(order.symbol)
    trend = check_trend(command.trend)
    _check_words(command)
    if command.cycle not in _CYCLES:
        raise Refused(3003)
    check_trigger_price(contract, command.trigger_price)
    attached = check_plan_attached(
        contract, order, attached=command.attached, trigger_price=command.trigger_price
    )
    check_count(account, contract, account.triggers.plans)
    plan = PlanOrder(
        id=next_id(turn),
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        vol=order.vol,
        price=ZERO if order.type is OrderType.MARKET else order.price,
        leverage=command.leverage,
        open_type=order.open_type,
        position_mode=order.position_mode,
        reduce_only=order.reduce_only,
        trigger_price=command.trigger_price,
        condition=Condition(command.condition),
        trend=trend,
        cycle=Cycle(command.cycle),
        price_protect=command.price_protect,
        attached=attached,
        created_ms=turn.at_ms,
        updated_ms=turn.at_ms,
    )
    keep(turn, account, plan)
    return plan.id


def change_plan(turn: Turn, command: ChangePlan) -> int:
    account = turn.state.accounts[command.account_id]
    plan = _open_plan(account, command.plan_id, symbol=command.symbol, late=3006)
    contract = turn.contract(plan.symbol)
    trend = check_trend(command.trend)
    _check_words(command)
    kind = OrderType(command.type)
    price = ZERO if kind is OrderType.MARKET else command.price
    if kind is not OrderType.MARKET:
        check_order_price(contract, price)
    check_trigger_price(contract, command.trigger_price)
    new = replace(
        plan,
        type=kind,
        price=price,
        trigger_price=command.trigger_price,
        condition=Condition(command.condition),
        trend=trend,
    )
    order = asked_order(_order_from(turn, account, new))
    check_volume(turn, contract, order=order)
    check_plan_attached(
        contract, order, attached=plan.attached, trigger_price=command.trigger_price
    )
    account.triggers.plans.open[plan.id] = new
    changed(turn, account, new)
    turn.wake(plan.symbol)
    return plan.id


def change_plan_attached(turn: Turn, command: ChangePlanAttached) -> int:
    account = turn.state.accounts[command.account_id]
    plan = _open_plan(account, command.plan_id, symbol=command.symbol, late=3015)
    plan.attached = check_plan_attached(
        turn.contract(plan.symbol),
        asked_order(_order_from(turn, account, plan)),
        attached=command.attached,
        trigger_price=plan.trigger_price,
    )
    changed(turn, account, plan)
    return plan.id


def cancel_plans(turn: Turn, command: CancelPlans) -> int:
    account = turn.state.accounts[command.account_id]
    shelf = account.triggers.plans
    return cancel_listed(turn, account, shelf, ids=command.plan_ids, state=TriggerState.CANCELED)


def fire_plan(turn: Turn, account: Account, plan: PlanOrder) -> None:
    """Place the order that the plan stands for, or note why that cannot be."""
    command = _order_from(turn, account, plan)
    try:
        order = checked_order(turn, account, command=command)
    except Refused as refused:
        retire(turn, account, plan, state=TriggerState.FAILED, error=refused.code)
        return
    retire(turn, account, plan, state=TriggerState.EXECUTED)
    admit(turn, account, order)
    plan.order_id = order.id


def expire_plan(turn: Turn, account: Account, plan: PlanOrder) -> None:
    retire(turn, account, plan, state=TriggerState.EXPIRED)


def _order_of(command: PlacePlan) -> PlaceOrder:
    return PlaceOrder(
        at_ms=command.at_ms,
        account_id=command.account_id,
        symbol=command.symbol,
        side=command.side,
        type=command.type,
        vol=command.vol,
        price=command.price,
        open_type=command.open_type,
        leverage=command.leverage,
        position_mode=command.position_mode,
        reduce_only=command.reduce_only,
        attached=command.attached,
    )


def _order_from(turn: Turn, account: Account, plan: PlanOrder) -> PlaceOrder:
    return PlaceOrder(
        at_ms=turn.at_ms,
        account_id=account.id,
        symbol=plan.symbol,
        side=plan.side,
        type=plan.type,
        vol=plan.vol,
        price=plan.price,
        open_type=plan.open_type,
        leverage=plan.leverage,
        position_mode=plan.position_mode,
        reduce_only=plan.reduce_only,
        external_oid=f"planorder_{plan.id}_10",
        attached=plan.attached,
        duplicates=DuplicateRule.ACCEPT,
    )


def _check_words(command: PlacePlan | ChangePlan) -> None:
    if command.type not in _TYPES:
        raise Refused(2029)
    if command.condition not in _CONDITIONS:
        raise Refused(3002)


def _open_plan(account: Account, plan_id: int, *, symbol: str, late: int) -> PlanOrder:
    shelf = account.triggers.plans
    plan = shelf.open.get(plan_id)
    if plan is not None and plan.symbol == symbol:
        return plan
    raise Refused(late if plan_id in shelf.finished else 2040)
