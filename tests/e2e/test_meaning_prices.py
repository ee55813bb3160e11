"""What an alert means, through all processes: protective prices, and orders that wait.

BTC_USDT stands at 50,000 with a tick of 0.1.
"""

import asyncio

import pytest

from tests.e2e.own_routes import OPEN, STOPS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def move(trader, price):
    await trader.paper.control("PUT", "prices/BTC_USDT", {"last": price})


async def stops(trader):
    """Stop and target of what protects BTC_USDT now, as the exchange tells it."""
    query = {"symbol": "BTC_USDT", "is_finished": 0, "page_num": 1, "page_size": 100}
    rows = (await trader.paper.get(STOPS, query))["data"]
    return [(row.get("stopLossPrice"), row.get("takeProfitPrice")) for row in rows]


async def waiting(trader):
    return (await trader.paper.get(OPEN, {"page_num": 1, "page_size": 100}))["data"]


async def test_protective_prices_ride_on_the_order_and_move_later(trader, routes):
    own = await routes.make(sltp_unit="percent")
    # 1 % below 50,000, and 51,000.07 down to the tick: towards the entry.
    entry = await own.execute(
        order_action="buy", order_contracts="0.001", stop_loss="1", tp_price="51000.07"
    )
    request = entry["orders"][0]["request"]
    assert (request["stopLossPrice"], request["takeProfitPrice"]) == (49500, 51000)
    assert await stops(trader) == [(49500, 51000)]
    await move(trader, "50500")
    moved = await own.execute(order_action="modify", sl_price="50100.01")
    assert (moved["status"], [one["state"] for one in moved["changes"]]) == (
        "executed",
        ["changed"],
    )
    assert await stops(trader) == [(50100.1, 51000)]
    even = await own.execute(order_action="breakeven")
    assert even["status"] == "executed", even
    assert await stops(trader) == [(50000, 51000)]
    await move(trader, "49900")
    async with asyncio.timeout(10):
        while await trader.holdings():
            await asyncio.sleep(0.05)


async def test_a_modified_stop_holds_for_what_was_added_without_one(trader, routes):
    own = await routes.make()
    await own.execute(order_action="buy", order_contracts="0.001", sl_price="48000")
    await own.execute(order_action="buy", order_contracts="0.0005")
    await own.execute(order_action="modify", sl_price="49000")
    assert {stop for stop, _ in await stops(trader)} == {49000}
    await move(trader, "48999")
    async with asyncio.timeout(10):
        while await trader.holdings():
            await asyncio.sleep(0.05)


async def test_a_trailing_stop_is_one_however_often_the_position_came_and_went(trader, routes):
    own = await routes.make()
    for _ in range(2):
        entry = await own.execute(order_action="buy", order_contracts="0.001", trailing_pips="5000")
        assert entry["status"] == "executed", entry
        await own.execute(order_action="flat")
    await own.execute(order_action="buy", order_contracts="0.0005", trailing_pips="5000")
    query = {"symbol": "BTC_USDT", "states": "0,1", "pageIndex": 1, "pageSize": 100}
    rows = (await trader.paper.get("/api/v1/private/trackorder/list/orders", query))["data"]
    assert [row["vol"] for row in rows] == [5]
    # 5,000 ticks of 0.1 below the highest price.
    await move(trader, "50400")
    await move(trader, "49899")
    async with asyncio.timeout(10):
        while await trader.holdings():
            await asyncio.sleep(0.05)


async def test_a_limit_waits_is_changed_by_its_label_and_fills(trader, routes):
    own = await routes.make()
    entry = await own.rests(
        order_action="buy",
        order_contracts="0.001",
        order_type="limit",
        price="49000.09",
        order_id="entry-1",
    )
    assert entry["status"] == "pending"
    # A limit is never worse than asked: down to the tick for a buy.
    assert [one["price"] for one in await waiting(trader)] == [49000]
    changed = await own.execute(order_action="modify", order_id="entry-1", sl_price="48000")
    assert [(one["kind"], one["state"]) for one in changed["changes"]] == [
        ("amend_order", "changed")
    ]
    await move(trader, "48900")
    filled = await trader.ended(entry["alert_id"])
    assert filled["status"] == "executed"
    assert await trader.holdings() == {"long": 10}
    assert [stop for stop, _ in await stops(trader)] == [48000]


async def test_cancel_takes_back_what_waits_under_a_label_and_nothing_else(trader, routes):
    own = await routes.make()
    limit = {"order_action": "buy", "order_contracts": "0.001", "order_type": "limit"}
    one = await own.rests(**limit, price="49000", comment="one")
    await own.rests(**limit, price="48000", comment="two")
    canceled = await own.execute(order_action="cancel", comment="one")
    assert canceled["status"] == "executed"
    ended = await trader.ended(one["alert_id"])
    assert ended["orders"][0]["state"] == "canceled"
    assert [left["price"] for left in await waiting(trader)] == [48000]
    denied = await own.execute(order_action="cancel", comment="one")
    assert (denied["status"], denied["reason"]) == ("denied", "nothing_pending")


async def test_a_stop_order_fires_at_its_price(trader, routes):
    own = await routes.make()
    entry = await own.rests(
        order_action="buy", order_contracts="0.001", order_type="stop", price="51000"
    )
    assert await trader.holdings() == {}
    await move(trader, "51010")
    filled = await trader.ended(entry["alert_id"])
    assert filled["status"] == "executed"
    assert [order["state"] for order in filled["orders"]] == ["filled"]
    assert await trader.holdings() == {"long": 10}


async def test_an_order_that_fills_while_the_executor_is_dead_is_told(trader, routes, stack):
    own = await routes.make()
    before = len(await trader.orders_received())
    entry = await own.rests(
        order_action="sell", order_contracts="0.001", order_type="limit", price="50500"
    )
    stack.kill("executor")
    await move(trader, "50600")
    filled = await trader.ended(entry["alert_id"])
    assert filled["status"] == "executed"
    assert filled["orders"][0]["average_price"] == "50500"
    assert await trader.holdings() == {"short": 10}
    assert len(await trader.orders_received()) == before + 1
