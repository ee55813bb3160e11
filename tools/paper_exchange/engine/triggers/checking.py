"""What is checked when a trigger is placed or changed: whatever does not depend on where the price
and the positions will be by the time it fires. That is checked then, as of any other order.
"""

from dataclasses import dataclass
from decimal import Decimal

from tools.paper_exchange.engine.checking import (
    asked_order,
    check_leverage_range,
    check_volume,
    check_words,
    known_contract,
)
from tools.paper_exchange.engine.commands import PlaceOrder
from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.engine.depth import AT_MARKET
from tools.paper_exchange.engine.permitting import check_account, check_tradable
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Account, Order, Price
from tools.paper_exchange.engine.triggers.state import AnyShelf, StopLeg
from tools.paper_exchange.engine.triggers.words import Trend
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import OpenType, PositionMode, PositionType

Attached = dict[str, Decimal | int]

_TRENDS = frozenset(Trend)


@dataclass(frozen=True, kw_only=True)
class Codes:
    """What a take profit or a stop loss on the wrong side of a price is refused with."""

    profit: int
    loss: int


OF_ORDERS = Codes(profit=5003, loss=5003)
_OF_PLANS = {
    (PositionType.LONG, True): Codes(profit=3007, loss=3009),
    (PositionType.LONG, False): Codes(profit=3008, loss=3010),
    (PositionType.SHORT, True): Codes(profit=3011, loss=3013),
    (PositionType.SHORT, False): Codes(profit=3012, loss=3014),
}


def reference(price: Price, trend: int) -> Decimal:
    """The price that a trigger looks at."""
    if trend == Trend.FAIR:
        return price.fair
    return price.index if trend == Trend.INDEX else price.last


def check_trend(trend: int) -> Trend:
    if trend not in _TRENDS:
        raise Refused(3001)
    return Trend(trend)


def check_trigger_price(contract: Contract, price: Decimal) -> None:
    if price <= 0 or price % contract.price_unit:
        raise Refused(3004)


def check_terms(turn: Turn, account: Account, command: PlaceOrder) -> Order:
    """The order that a trigger is to place, as far as it can be checked beforehand."""
    check_account(account)
    check_words(command)
    order = asked_order(command)
    contract = known_contract(turn.contracts, command.symbol)
    check_tradable(account, contract, order=order, at_ms=turn.at_ms)
    if order.position_mode is not account.position_mode:
        raise Refused(7002)
    if not order.closes_only:
        if contract.position_open_type not in {3, order.open_type}:
            raise Refused(9070 if contract.position_open_type == OpenType.ISOLATED else 9071)
        if command.leverage is not None:
            check_leverage_range(contract, command.leverage, account)
        elif order.open_type is OpenType.ISOLATED:
            raise Refused(600)
    check_volume(turn, contract, order=order)
    if order.type not in AT_MARKET:
        check_order_price(contract, order.price)
    return order


def check_order_price(contract: Contract, price: Decimal) -> None:
    if price <= 0:
        raise Refused(2007)
    if price % contract.price_unit:
        raise Refused(2015)


def check_count(account: Account, contract: Contract, shelf: AnyShelf) -> None:
    """As many triggers of each kind as orders may rest at the contract."""
    hedge = account.position_mode is PositionMode.HEDGE
    most = contract.max_num_orders[0 if hedge else 1]
    if sum(trigger.symbol == contract.symbol for trigger in shelf.open.values()) >= most:
        raise Refused(2016, count=most)


def check_order_attached(turn: Turn, order: Order) -> None:
    """Take profit and stop loss of an order against its price, or the last one at market."""
    if not order.attached or order.closes_only:
        return
    at_market = order.type in AT_MARKET
    base = turn.price(order.symbol).last if at_market else order.price
    contract = turn.contract(order.symbol)
    check_attached(contract, order.attached, kind=order.target, base=base, codes=OF_ORDERS)


def check_plan_attached(
    contract: Contract, order: Order, *, attached: Attached, trigger_price: Decimal
) -> Attached:
    """Take profit and stop loss of the order that a plan places; none where it closes."""
    if order.closes_only:
        return {}
    at_market = order.type in AT_MARKET
    check_attached(
        contract,
        attached,
        kind=order.target,
        base=trigger_price if at_market else order.price,
        codes=_OF_PLANS[order.target, at_market],
    )
    return attached


def check_attached(
    contract: Contract,
    attached: Attached,
    *,
    kind: PositionType,
    base: Decimal,
    codes: Codes,
) -> None:
    sides = (
        ("takeProfitPrice", "profitTrend", 1, codes.profit),
        ("stopLossPrice", "lossTrend", -1, codes.loss),
    )
    for name, trend, sign, code in sides:
        price = attached.get(name)
        if price is None:
            continue
        _check_leg_price(contract, Decimal(price), trend=int(attached.get(trend, Trend.LAST)))
        if (price - base) * sign * kind.sign <= 0:
            raise Refused(code)


def check_legs(
    contract: Contract, *, kind: PositionType, profit: StopLeg | None, loss: StopLeg | None
) -> None:
    """Take profit and stop loss of a position. Where the price is does not matter: what it has
    passed already fires at once.
    """
    if profit is None and loss is None:
        raise Refused(5001)
    for leg in (profit, loss):
        if leg is None:
            continue
        _check_leg_price(contract, leg.price, trend=leg.trend)
        if leg.order_price < 0 or leg.order_price % contract.price_unit:
            raise Refused(5003)
        if leg.order_price and leg.reverse:
            # Whether there is anything to reverse is not known while the closing order rests.
            raise Refused(600)
    if profit is not None and loss is not None and (profit.price - loss.price) * kind.sign <= 0:
        raise Refused(5003)


def _check_leg_price(contract: Contract, price: Decimal, *, trend: int) -> None:
    check_trend(trend)
    if contract.stop_only_fair and trend != Trend.FAIR:
        raise Refused(9069)
    if price <= 0 or price % contract.price_unit:
        raise Refused(5003)
