"""The paper exchange's order endpoints beyond create and cancel: batches, changes, chases, and the
many ways to ask for orders and fills.
"""

import asyncio

import aiohttp
import pytest

from tests.paper_client import CREATE, order_body
from tests.paper_server import (  # noqa: F401 - fixtures
    EXTERNAL,
    PRIVATE,
    address_fixture,
    client_fixture,
    created,
    fault,
    held,
)

ORDER = PRIVATE + "order/"


async def placed(client, **fields):
    reply = await client.order(**({"type": 1, "price": 49000} | fields))
    assert reply["code"] == 0, reply
    return reply["data"]["orderId"]


async def ids(client, path, **params):
    reply = await client.get(ORDER + path, params)
    assert reply["code"] == 0, reply
    return [row["orderId"] for row in reply["data"]]


async def test_a_batch_places_what_is_right_and_names_what_is_wrong(client):
    batch = [
        order_body(externalOid="one", takeProfitPrice=51000),
        order_body(vol=0),
        {"symbol": "BTC_USDT"},
        order_body(externalOid="one"),
        order_body(vol=5),
    ]
    reply = await client.post(ORDER + "submit_batch", batch)
    codes = [item["errorCode"] for item in reply["data"]]
    assert codes == [0, 2011, 600, 2042, 0]
    assert [item["orderId"] > 2**53 for item in reply["data"]] == [True, False, False, False, True]
    assert reply["data"][1]["errorMsg"] == "Order quantity error"
    assert await held(client) == 15
    assert "takeProfitPrice" not in (await client.get(EXTERNAL + "one"))["data"]


async def test_a_changed_order_has_a_new_id_and_keeps_the_clients(client):
    old = await placed(client, externalOid="one")
    body = {"orderId": int(old), "price": "48000", "vol": 20}
    reply = await client.post(ORDER + "change_limit_order", body)
    assert isinstance(reply["data"], str)
    assert reply["data"] != old
    order = (await client.get(EXTERNAL + "one"))["data"]
    names = ("orderId", "price", "vol", "state", "dealVol")
    assert [order[k] for k in names] == [reply["data"], 48000, 20, 2, 0]
    assert (await client.get(ORDER + "get/" + old))["data"]["state"] == 4
    await client.control("PUT", "prices/BTC_USDT", {"last": "48000"})
    assert await held(client) == 20
    asset = (await client.get(PRIVATE + "account/asset/USDT"))["data"]
    assert asset["frozenBalance"] == 0


async def test_a_chase_goes_to_the_best_of_its_own_side(client):
    depth = {"bids": [["49500", 5]], "asks": [["50000", 5]]}
    await client.control("PUT", "depth/BTC_USDT", depth)
    mine = await placed(client, externalOid="one")
    anon = await placed(client)
    chased = []
    for order_id in (mine, anon):
        reply = await client.post(ORDER + "chase_limit_order", {"orderId": int(order_id)})
        chased.append((await client.get(ORDER + "get/" + reply["data"]))["data"])
    assert [order["price"] for order in chased] == [49500, 49500]
    assert chased[0]["externalOid"] == "one"
    # An id that the exchange had made tells that the order was chased.
    assert chased[1]["externalOid"].startswith("CHASE_LIMIT")
    assert len(chased[1]["externalOid"]) <= 32
    again = await client.post(ORDER + "chase_limit_order", {"orderId": chased[0]["orderId"]})
    assert again["data"] == chased[0]["orderId"]


async def test_orders_are_found_by_many_ids_at_once(client):
    first, second = await placed(client, externalOid="a"), await placed(client, externalOid="b")
    assert await ids(client, "batch_query", order_ids=f"{second},7,{first}") == [second, first]
    body = [{"symbol": "BTC_USDT", "externalOid": name} for name in ("b", "nobody", "a")]
    reply = await client.post(ORDER + "batch_query_with_external", body)
    assert [row["orderId"] for row in reply["data"]] == [second, first]
    reply = await client.post(ORDER + "batch_cancel_with_external", body)
    assert [item["errorCode"] for item in reply["data"]] == [0, 2040, 0]
    assert [item["externalOid"] for item in reply["data"]] == ["b", "nobody", "a"]
    assert await ids(client, "list/open_orders") == []


async def test_history_takes_every_documented_parameter(client):
    filled = await placed(client, price=50000)
    canceled = await placed(client)
    await client.post(ORDER + "cancel", [canceled])
    short = await placed(client, symbol="ETH_USDT", side=3, type=5, leverage=5)
    assert await ids(client, "list/history_orders") == [short, canceled, filled]
    asked = {
        ("symbol", "BTC_USDT"): [canceled, filled],
        ("states", "3"): [short, filled],
        ("states", "3,4"): [short, canceled, filled],
        ("side", 3): [short],
        ("category", 1): [short, canceled, filled],
        ("category", 2): [],
        ("orderId", filled): [filled],
        ("page_size", 2): [short, canceled],
    }
    for (name, value), expected in asked.items():
        assert await ids(client, "list/history_orders", **{name: value}) == expected, name
    second_page = {"page_size": 2, "page_num": 2}
    assert await ids(client, "list/history_orders", **second_page) == [filled]
    now = (await client.get(ORDER + "get/" + short))["data"]["createTime"]
    for start, end in (("start_time", "end_time"), ("startTime", "endTime")):
        later = {start: now + 1, end: now + 1000}
        assert await ids(client, "list/history_orders", **later) == []
        around = {start: now - 1000, end: now}
        assert len(await ids(client, "list/history_orders", **around)) == 3
    assert await ids(client, "list/close_orders", symbol="ETH_USDT", page_size=1000) == [short]


async def test_fills_of_a_symbol_newest_first(client):
    depth = {"bids": [], "asks": [["50000", 4], ["50010", 6]]}
    await client.control("PUT", "depth/BTC_USDT", depth)
    order = await placed(client, type=5)
    await placed(client, symbol="ETH_USDT", type=5)
    for path in ("list/order_deals", "list/order_deals/v3"):
        reply = await client.get(ORDER + path, {"symbol": "BTC_USDT"})
        assert [(row["vol"], row["price"]) for row in reply["data"]] == [(6, 50010), (4, 50000)]
        assert {row["orderId"] for row in reply["data"]} == {order}
    newest, oldest = reply["data"]
    late = {"symbol": "BTC_USDT", "start_time": newest["timestamp"] + 1}
    late["end_time"] = late["start_time"] + 1
    assert (await client.get(ORDER + "list/order_deals/v3", late))["data"] == []
    fees = await client.get(ORDER + "fee_details", {"symbol": "BTC_USDT"})
    # 6 x 5.001 x 0.0008 and 4 x 5 x 0.0008.
    assert [row["fee"] for row in fees["data"]] == [0.0240048, 0.016]
    one = {"symbol": "BTC_USDT", "ids": oldest["id"]}
    (row,) = (await client.get(ORDER + "fee_details", one))["data"]
    assert (row["id"], row["orderId"]) == (int(oldest["id"]), int(order))


async def test_open_orders_are_counted_by_either_method(client):
    await placed(client)
    await placed(client, symbol="ETH_USDT", price=1)
    plan = order_body(triggerPrice=60000, triggerType=1, executeCycle=1, orderType=5, trend=1)
    assert (await client.post(PRIVATE + "planorder/place/v2", plan))["code"] == 0
    for reply in (
        await client.post(ORDER + "open_order_total_count"),
        await client.get(ORDER + "open_order_total_count"),
    ):
        assert reply["data"]["limitOrderCount"] == 2
        assert reply["data"]["planOrderCount"] == 1
        assert reply["data"]["sumCount"] == 3


async def test_lists_come_as_pages_where_that_is_switched(client):
    orders = [await placed(client) for _ in range(3)]
    await client.control("PUT", "behaviour", {"list_shape": "paged"})
    query = {"page_num": 2, "page_size": 2}
    page = (await client.get(ORDER + "list/open_orders", query))["data"]
    shown = [row["orderId"] for row in page.pop("resultList")]
    assert shown == orders[:1]
    assert page == {"pageSize": 2, "totalCount": 3, "totalPage": 2, "currentPage": 2}


BOOK = {
    "bids": [[str(50000 - n), 100] for n in range(1, 7)],
    "asks": [[str(50000 + n), 100] for n in range(1, 4)],
}


@pytest.mark.parametrize(
    ("kind", "side", "price", "state"),
    [
        # The book has three offers only, so the fifth is the third.
        (1, 1, 50001, 3),
        (2, 1, 50003, 3),
        (3, 1, 49999, 2),
        (4, 1, 49995, 2),
        (1, 3, 49999, 3),
        (2, 3, 49995, 3),
        (3, 3, 50001, 2),
        (4, 3, 50003, 2),
        (0, 1, 49000, 2),
    ],
)
async def test_the_price_is_taken_from_the_book(client, kind, side, price, state):
    await client.control("PUT", "depth/BTC_USDT", BOOK)
    await placed(client, externalOid="one", bboTypeNum=kind, side=side)
    order = (await client.get(EXTERNAL + "one"))["data"]
    assert [order[k] for k in ("price", "state", "bboTypeNum")] == [price, state, kind]


async def test_fields_that_are_taken_without_effect(client):
    extra = {"stpMode": 2, "flashClose": False, "marketCeiling": True, "priceProtect": "1"}
    assert (await client.order(**extra))["code"] == 0
    assert (await client.order(priceProtect=2))["code"] == 600
    assert (await client.order(lossTrend=4))["code"] == 600
    assert (await client.order(flashClose="perhaps"))["code"] == 600
    assert await held(client) == 10


async def test_a_price_with_an_exponent(client):
    order_id = await placed(
        client, symbol="PEPE_USDT", price="3.0e-06", vol="1E0", side="1", leverage="10"
    )
    order = (await client.get(ORDER + "get/" + order_id))["data"]
    assert (order["priceStr"], order["state"]) == ("0.000003", 2)


async def test_closing_by_position(client):
    await client.order()
    (position,) = (await client.get(PRIVATE + "position/open_positions"))["data"]
    wrong = await client.order(side=4, positionId=position["positionId"] + 1)
    assert wrong["code"] == 2043
    assert (await client.order(side=4, positionId=position["positionId"]))["code"] == 0
    assert await held(client) == 0


async def test_a_code_may_be_answered_after_executing(client):
    await fault(client, "code", code=9999, executed=True)
    reply = await client.order(externalOid="one")
    assert (reply["success"], reply["code"]) == (False, 9999)
    assert (await client.get(EXTERNAL + "one"))["data"]["state"] == 3
    # The record tells what was executed.
    assert await created(client) == [0]
    assert (await client.order(externalOid="one"))["code"] == 2042


async def test_a_hidden_order_shows_no_fills_either(client):
    await fault(client, "hide_order", ms=150)
    order_id = await placed(client, type=5, externalOid="one")
    assert (await client.get(ORDER + "deal_details/" + order_id))["data"] == []
    assert await ids(client, "batch_query", order_ids=order_id) == []
    async with asyncio.timeout(5):
        while not (await client.get(ORDER + "deal_details/" + order_id))["data"]:
            await asyncio.sleep(0.02)
    assert await ids(client, "batch_query", order_ids=order_id) == [order_id]


async def test_only_the_documented_methods_are_answered(address):
    async with aiohttp.ClientSession(address) as session:
        async with session.get(CREATE) as reply:
            assert reply.status == 405
        async with session.delete(ORDER + "open_order_total_count") as reply:
            assert reply.status == 405
