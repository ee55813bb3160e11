"""Each code about orders that the exchange's own state brings about: who calls, what is asked for,
and what the account holds by then. What is switched or faked is in `test_paper_switched_codes`.
"""

import pytest

from tests.paper_server import address_fixture  # noqa: F401 - fixture
from tests.paper_stage import Play, code_of, get, limit, order, play, post, switch

POSITIONS = get("position/open_positions")
LEVERAGE = "position/change_leverage"
CHANGE = "order/change_limit_order"
CHASE = "order/chase_limit_order"
PLAN = order(triggerPrice=60000, triggerType=1, executeCycle=1, orderType=5, trend=1)[2]
LONG_10X = {"symbol": "BTC_USDT", "positionType": 1, "openType": 2, "leverage": 20}
ISOLATED = {"openType": 1}
BONK = {"symbol": "1000BONK_USDT"}
ONE_WAY = {"positionMode": 2}


def depth(bids: list[list[int]], asks: list[list[int]]):
    return switch("depth/BTC_USDT", {"bids": bids, "asks": asks})


CALLERS = [
    play(401, order(), actor="nobody"),
    play(402, order(), days_left=0),
    play(406, order(), ip_whitelist=["10.1.2.3"]),
    play(513, post("order/cancel", [1], **{"Request-Time": "1760000000000"})),
    play(602, order(), actor="forger"),
    play(510, switch("limits", {"order_create_per_2s": 1}), order(), order()),
    play(2037, switch("limits", {"trading_per_2s": 1}), order(), post("order/submit_batch", [])),
    play(701, get("account/assets"), permissions=["SPOT_DEAL_READ"]),
    play(703, get("order/list/open_orders"), permissions=["SPOT_DEAL_READ"]),
    play(704, order(), permissions=["CONTRACT_DEAL_READ"]),
]
TERMS = [
    play(600, order(openType=3)),
    play(600, order(stpMode=4)),
    play(601, post("order/create")),
    play(2001, order(side=5)),
    play(2002, post(LEVERAGE, LONG_10X | {"positionType": 3})),
    play(2029, order(type=7)),
    play(2035, limit(50000, bboTypeNum=5)),
    play(1001, order(symbol="NOPE_USDT")),
    play(1002, order(symbol="EMBER_USDT")),
    play(2011, order(vol=0)),
    play(2028, order(vol=400_001)),
    play(2057, order(vol=0.5)),
    play(2015, order(vol=1.5)),
    play(2015, limit("50000.05")),
    play(2007, limit(0)),
    play(2003, limit(55000.1)),
    play(2004, limit(44999.9, side=3)),
    play(2006, order(leverage=501)),
    play(2030, order(externalOid="x" * 33)),
    play(2042, order(externalOid="one"), order(externalOid="one")),
    play(2005, order(), balance="5"),
    play(2005, limit(49000), limit(49000), balance="8"),
    play(7002, order(**ONE_WAY)),
    play(8819, order(vol=60_000, leverage=500), balance="1000000"),
    play(2031, order(vol=2200, **BONK), order(vol=1, **BONK), balance="10000000"),
    play(
        8821,
        order(vol=60_000, leverage=100),
        post(LEVERAGE, LONG_10X | {"leverage": 400}),
        balance="1000000",
    ),
    play(8817, post("account/change_risk_level", {"symbol": "BTC_USDT", "level": 2})),
]
HELD = [
    play(2027, order(), order(**ISOLATED)),
    play(5006, order(), order(side=3, **ISOLATED)),
    play(5006, limit(49000), order(side=3, **ISOLATED)),
    play(7003, limit(49000), order(**ISOLATED)),
    play(2021, order(), order(leverage=20)),
    play(7004, limit(49000), order(leverage=20)),
    play(2009, order(side=4)),
    play(2008, order(), order(side=4, vol=11)),
    play(7005, order(), limit(51000, side=4, vol=6), order(side=4, vol=5)),
    play(2043, order(), order(side=4, positionId=5)),
    play(2032, order(**ISOLATED), limit(45010, side=4)),
    play(2033, order(side=3, **ISOLATED), limit(54990, side=2)),
    play(2049, depth([], [[51000, 50]]), limit(51000, leverage=100, **ISOLATED)),
    play(2039, depth([[49000, 50]], []), order()),
    play(2056, order(), depth([], [[51000, 50]]), order(side=4)),
    play(7001, order(), post("position/change_position_mode", {"positionMode": 2})),
    play(2019, limit(49000), post(LEVERAGE, LONG_10X)),
    play(2044, order(), post(LEVERAGE, LONG_10X | {"leverage": 1}), balance="20"),
    play(
        2018,
        order(**ISOLATED),
        POSITIONS,
        post("position/change_margin", {"positionId": "$position", "amount": 1, "type": "SUB"}),
    ),
    play(
        2016,
        switch("contracts/BTC_USDT", {"maxNumOrders": [0, 0]}),
        post("planorder/place/v2", PLAN),
    ),
    play(
        2026,
        switch("contracts/BTC_USDT", {"positionOpenType": 1}),
        post(LEVERAGE, LONG_10X),
    ),
]
CHANGES = [
    play(2040, post(CHANGE, {"orderId": 7, "price": 49000, "vol": 1})),
    play(2041, order(), post(CHANGE, {"orderId": "$order", "price": 49000, "vol": 1})),
    play(
        2052,
        depth([], [[50000, 4]]),
        limit(50000),
        post(CHANGE, {"orderId": "$order", "price": 49000, "vol": 10}),
    ),
    play(
        2053,
        limit(49000, **ONE_WAY),
        post(CHANGE, {"orderId": "$order", "price": 48000, "vol": 10}),
        position_mode=2,
    ),
    play(2059, order(), post(CHASE, {"orderId": "$order"})),
    play(2064, limit(49000, **ONE_WAY), post(CHASE, {"orderId": "$order"}), position_mode=2),
    play(2065, limit(49000), post(CHASE, {"orderId": "$order"}), balance="5"),
    play(
        2066,
        limit(49900, leverage=100, **ISOLATED),
        switch("prices/BTC_USDT", {"last": "51000", "fair": "50000"}),
        post(CHASE, {"orderId": "$order"}),
    ),
    play(2070, limit(47000), post(CHASE, {"orderId": "$order"})),
]
LISTS = [
    play(2013, post("order/cancel", list(range(51)))),
    play(2013, post("order/cancel_with_external", [{"symbol": "X", "externalOid": "1"}] * 51)),
    play(2014, post("order/submit_batch", [{}] * 51)),
    play(2034, get("order/batch_query", order_ids=",".join(map(str, range(51))))),
    play(
        2034,
        post("order/batch_query_with_external", [{"symbol": "X", "externalOid": "1"}] * 51),
    ),
    play(2034, get("order/fee_details", symbol="BTC_USDT", ids=",".join(map(str, range(21))))),
    play(6003, get("order/list/history_orders", start_time=1)),
    play(6003, get("order/list/history_orders", startTime=2, endTime=1)),
    play(600, get("order/list/history_orders", page_size=101)),
    play(600, get("order/list/history_orders", states="6")),
    play(600, get("order/list/close_orders")),
    play(600, get("order/list/close_orders", symbol="BTC_USDT", page_size=1001)),
    play(1001, get("order/list/order_deals/v3", symbol="NOPE")),
    play(600, get("order/list/order_deals")),
]


@pytest.mark.parametrize("one", CALLERS + TERMS + HELD + CHANGES + LISTS, ids=repr)
async def test_codes_by_state(address, one: Play):
    assert await code_of(address, one) == one.code
