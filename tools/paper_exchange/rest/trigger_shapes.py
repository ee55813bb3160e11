"""MEXC's objects about triggers, with MEXC's field names."""

from decimal import Decimal
from typing import Any

from tools.paper_exchange.engine.checking import leverage_choice
from tools.paper_exchange.engine.state import ZERO, Account, Order
from tools.paper_exchange.engine.triggers.state import PlanOrder, StopLeg, StopOrder, TrackOrder
from tools.paper_exchange.engine.triggers.words import Condition, Trend, TriggerState
from tools.paper_exchange.engine.words import PositionType, Side
from tools.paper_exchange.numbers import number
from tools.paper_exchange.venue import Venue

_NO_LEG = StopLeg(price=ZERO, vol=ZERO)


def plan_shape(venue: Venue, account: Account, plan: PlanOrder) -> dict[str, Any]:
    leverage = plan.leverage
    if leverage is None:
        long = plan.side in {Side.OPEN_LONG, Side.CLOSE_LONG}
        kind = PositionType.LONG if long else PositionType.SHORT
        leverage = leverage_choice(account, venue.contracts[plan.symbol], kind).leverage
    return {
        "id": str(plan.id),
        "symbol": plan.symbol,
        "leverage": leverage,
        "side": plan.side,
        "triggerPrice": number(plan.trigger_price),
        "price": number(plan.price),
        "vol": number(plan.vol),
        "openType": plan.open_type,
        "triggerType": plan.condition,
        "state": plan.state,
        "executeCycle": plan.cycle,
        "trend": plan.trend,
        "orderType": plan.type,
        # Empty, not zero: stock clients take what stands here for the id of a waiting plan.
        "orderId": str(plan.order_id) if plan.order_id else "",
        "errorCode": plan.error,
        "priceProtect": plan.price_protect,
        "createTime": plan.created_ms,
        "updateTime": plan.updated_ms,
        "positionMode": plan.position_mode,
        "lossTrend": 1,
        "profitTrend": 1,
        "reduceOnly": plan.reduce_only,
        "marketOrderLevel": 0,
    } | attached_shape(plan.attached)


def stop_shape(stop: StopOrder) -> dict[str, Any]:
    profit, loss = stop.profit or _NO_LEG, stop.loss or _NO_LEG
    shape = {
        "id": stop.id,
        "orderId": str(stop.order_id),
        "symbol": stop.symbol,
        "positionId": str(stop.position_id),
        "lossTrend": loss.trend,
        "profitTrend": profit.trend,
        "stopLossPrice": number(loss.price),
        "takeProfitPrice": number(profit.price),
        "state": stop.state,
        "triggerSide": stop.fired,
        "positionType": stop.position_type,
        "vol": number(stop.vol),
        "realityVol": number(stop.closed_vol),
        "placeOrderId": str(stop.placed_id),
        "errorCode": stop.error,
        "version": stop.version,
        "isFinished": int(stop.state is not TriggerState.WAITING),
        "priceProtect": stop.price_protect,
        "profitLossVolType": "SEPARATE" if stop.is_separate else "SAME",
        "takeProfitVol": number(profit.vol),
        "stopLossVol": number(loss.vol),
        "createTime": stop.created_ms,
        "updateTime": stop.updated_ms,
        "volType": 2 if stop.is_whole else 1,
        "takeProfitReverse": 1 if profit.reverse else 2,
        "stopLossReverse": 1 if loss.reverse else 2,
        "closeTryTimes": stop.close_tries,
        "reverseTryTimes": stop.reverse_tries,
        "reverseErrorCode": stop.reverse_error,
        "takeProfitType": int(bool(profit.order_price)),
        "stopLossType": int(bool(loss.order_price)),
    }
    if profit.order_price:
        shape["takeProfitOrderPrice"] = number(profit.order_price)
    if loss.order_price:
        shape["stopLossOrderPrice"] = number(loss.order_price)
    return shape


def track_shape(track: TrackOrder) -> dict[str, Any]:
    return {
        "id": str(track.id),
        "symbol": track.symbol,
        "leverage": track.leverage,
        "side": track.side,
        "vol": number(track.vol),
        "openType": track.open_type,
        "trend": track.trend,
        "activePrice": number(track.active_price),
        "markPrice": number(track.extreme),
        "backType": track.back_type,
        "backValue": number(track.back_value),
        "triggerPrice": number(track.trigger_price),
        "triggerType": Condition.AT_LEAST if track.side.is_buy else Condition.AT_MOST,
        "orderId": str(track.order_id) if track.order_id else 0,
        "errorCode": track.error,
        "state": track.state,
        "createTime": track.created_ms,
        "updateTime": track.updated_ms,
        "positionMode": track.position_mode,
        "reduceOnly": track.reduce_only,
    }


def carried_shape(order: Order) -> dict[str, Any]:
    """The take profit and stop loss of an order, by themselves."""
    return {
        "symbol": order.symbol,
        "orderId": str(order.id),
        "lossTrend": Trend.LAST,
        "profitTrend": Trend.LAST,
        "stopLossPrice": 0,
        "takeProfitPrice": 0,
    } | {name: value for name, value in attached_shape(order.attached).items() if name in _CARRIED}


_CARRIED = frozenset({"lossTrend", "profitTrend", "stopLossPrice", "takeProfitPrice"})


def attached_shape(attached: dict[str, Decimal | int]) -> dict[str, Any]:
    return {
        name: number(value) if isinstance(value, Decimal) else value
        for name, value in attached.items()
    }
