"""Each code about trigger orders, take profit and stop loss, and trailing orders, over the wire."""

from typing import Any

import pytest

from tests.paper_server import address_fixture  # noqa: F401 - fixture
from tests.paper_stage import Play, code_of, get, limit, order, play, post, switch

BTC = "BTC_USDT"
POSITIONS = get("position/open_positions")
ONLY_FAIR = switch(f"contracts/{BTC}", {"stopOnlyFair": True})
ONE_EACH = switch(f"contracts/{BTC}", {"maxNumOrders": [1, 1]})
PLAN: dict[str, Any] = {
    "symbol": BTC,
    "vol": 10,
    "leverage": 10,
    "side": 1,
    "openType": 2,
    "triggerPrice": 51000,
    "triggerType": 1,
    "executeCycle": 1,
    "orderType": 5,
    "trend": 1,
}
CHANGE = {
    "symbol": BTC,
    "orderId": "$made",
    "triggerPrice": 51000,
    "triggerType": 1,
    "orderType": 5,
    "trend": 1,
}
STOP = {"positionId": "$position", "vol": 10, "lossTrend": 1, "profitTrend": 1}
TRACK = {
    "symbol": BTC,
    "leverage": 10,
    "side": 1,
    "vol": 10,
    "openType": 2,
    "trend": 1,
    "backType": 1,
    "backValue": 0.02,
    "positionMode": 1,
}


def plan(**fields: Any):
    body = {name: value for name, value in (PLAN | fields).items() if value is not None}
    return post("planorder/place/v2", body)


def stop(**fields: Any):
    return post("stoporder/place", STOP | fields)


def track(**fields: Any):
    return post("trackorder/place", TRACK | fields)


def change_stop(**fields: Any):
    return post("stoporder/change_plan_price", {"stopPlanOrderId": "$made"} | fields)


LIMIT = {"orderType": 1, "price": 50500}
SHORT = {"side": 3, "triggerPrice": 49000, "triggerType": 2}
SHORT_LIMIT = SHORT | {"orderType": 1, "price": 49500}
FIRED = plan(triggerPrice=50000)
PLANS = [
    play(3001, plan(trend=4)),
    play(3001, plan(trend=None)),
    play(3001, plan(stopLossPrice=50000, lossTrend=9)),
    play(3001, plan(takeProfitPrice=52000, lossTrend=9)),
    play(600, plan(priceProtect=2)),
    play(3002, plan(triggerType=3)),
    play(3002, plan(triggerType=None)),
    play(3003, plan(executeCycle=3)),
    play(3003, plan(executeCycle=None)),
    play(3004, plan(triggerPrice=0)),
    play(3004, plan(triggerPrice=None)),
    play(3004, plan(triggerPrice="51000.01")),
    play(3006, FIRED, post("planorder/change_price", CHANGE)),
    play(3007, plan(takeProfitPrice=51000)),
    play(3008, plan(takeProfitPrice=50500, **LIMIT)),
    play(3009, plan(stopLossPrice=51000)),
    play(3010, plan(stopLossPrice=50500, **LIMIT)),
    play(3011, plan(takeProfitPrice=49000, **SHORT)),
    play(3012, plan(takeProfitPrice=49500, **SHORT_LIMIT)),
    play(3013, plan(stopLossPrice=49000, **SHORT)),
    play(3014, plan(stopLossPrice=49500, **SHORT_LIMIT)),
    play(3015, FIRED, post("planorder/change_stop_order", {"symbol": BTC, "orderId": "$made"})),
    play(9069, ONLY_FAIR, plan(stopLossPrice=50000)),
    play(2016, ONE_EACH, plan(), plan()),
    play(2029, plan(orderType=6)),
    play(7002, plan(positionMode=2)),
    play(600, plan(triggerPrice="NaN")),
    play(600, plan(side="up")),
    play(2040, post("planorder/change_price", CHANGE | {"orderId": 7})),
    play(2040, post("planorder/cancel", [{"symbol": BTC, "orderId": 7}])),
    play(2040, plan(), post("planorder/cancel", [{"symbol": "ETH_USDT", "orderId": "$made"}])),
    play(2041, FIRED, post("planorder/cancel", [{"symbol": BTC, "orderId": "$made"}])),
    play(2013, post("planorder/cancel", [{"symbol": BTC, "orderId": 7}] * 51)),
]
STOPS = [
    play(5001, order(), POSITIONS, stop()),
    play(5001, order(), POSITIONS, stop(stopLossPrice=0, takeProfitPrice=0)),
    play(5001, order(), POSITIONS, stop(stopLossPrice=49000), change_stop(stopLossPrice=0)),
    play(5002, post("stoporder/change_plan_price", {"stopPlanOrderId": 7, "stopLossPrice": 1})),
    play(5002, post("stoporder/cancel", [{"stopPlanOrderId": 7}])),
    play(5002, get("stoporder/order_details/7")),
    play(5003, order(stopLossPrice=50000)),
    play(5003, limit(49500, takeProfitPrice=49500)),
    play(5003, order(), POSITIONS, stop(stopLossPrice=51000, takeProfitPrice=50500)),
    play(600, order(), POSITIONS, stop(stopLossPrice=49000, priceProtect=2)),
    play(5003, order(), POSITIONS, stop(stopLossPrice=49000, stopLossType=1)),
    play(5004, order(), POSITIONS, stop(stopLossPrice=49000, vol=11)),
    play(
        5005,
        order(),
        POSITIONS,
        stop(stopLossPrice=49000, volType=2),
        stop(stopLossPrice=48000, volType=2),
    ),
    play(2009, stop(stopLossPrice=49000, positionId=7)),
    play(9069, order(), POSITIONS, ONLY_FAIR, stop(stopLossPrice=49000)),
    play(9069, ONLY_FAIR, order(stopLossPrice=49000)),
    play(
        2016,
        order(),
        POSITIONS,
        ONE_EACH,
        stop(stopLossPrice=1, vol=1),
        stop(stopLossPrice=2, vol=1),
    ),
    play(600, order(), POSITIONS, stop(stopLossPrice=49000, profitLossVolType="BOTH")),
    play(600, order(), POSITIONS, stop(stopLossPrice=49000, volType=3)),
    play(2009, order(), post("stoporder/change_price", {"orderId": "$order"})),
    play(2040, post("stoporder/change_price", {"orderId": 7, "stopLossPrice": 49000})),
    play(2013, post("stoporder/cancel", [{"stopPlanOrderId": 7}] * 51)),
]
TRACKS = [
    play(3001, track(trend=4)),
    play(3004, track(activePrice=-1)),
    play(600, track(backType=3)),
    play(600, track(backValue=0)),
    play(2016, ONE_EACH, track(), track()),
    play(2040, post("trackorder/cancel", {"symbol": BTC, "trackOrderId": 7})),
    play(
        2041,
        track(),
        post("trackorder/cancel", {"trackOrderId": "$made"}),
        post("trackorder/cancel", {"trackOrderId": "$made"}),
    ),
]
CALLERS = [
    play(code, step, permissions=permissions)
    for code, permissions, steps in (
        (
            703,
            ["SPOT_DEAL_READ"],
            [get(f"{kind}/list/orders") for kind in ("planorder", "stoporder", "trackorder")],
        ),
        (704, ["CONTRACT_DEAL_READ"], [plan(), stop(stopLossPrice=1, positionId=7), track()]),
    )
    for step in steps
]


@pytest.mark.parametrize("one", [*PLANS, *STOPS, *TRACKS, *CALLERS], ids=repr)
async def test_code(address, one: Play):
    assert await code_of(address, one) == one.code
