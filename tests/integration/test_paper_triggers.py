"""Trigger orders, take profit and stop loss, and trailing orders over the wire: as the venue's
documents show them, through their lists, changes, cancels and pushes.
"""

from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.paper_client import PaperClient
from tests.paper_server import PRIVATE, address_fixture, client_fixture, held, signed_up
from tests.paper_socket import connected

__all__ = ["address_fixture", "client_fixture"]

BTC = "BTC_USDT"
PLANS, STOPS, TRACKS = (PRIVATE + kind for kind in ("planorder/", "stoporder/", "trackorder/"))
PLAN: dict[str, Any] = {
    "symbol": BTC,
    "vol": "10",
    "leverage": 10,
    "side": 1,
    "openType": 2,
    "triggerPrice": "51000",
    "triggerType": 1,
    "executeCycle": 1,
    "orderType": 5,
    "trend": 1,
}
TRACK = {
    "symbol": BTC,
    "leverage": 10,
    "side": 4,
    "vol": 10,
    "openType": 2,
    "trend": 1,
    "backType": 1,
    "backValue": 0.02,
    "positionMode": 1,
}


async def well(client: PaperClient, path: str, body: Any) -> Any:
    reply = await client.post(path, body)
    assert reply["success"], reply
    return reply.get("data")


async def listed(client: PaperClient, path: str, **params: Any) -> list[dict[str, Any]]:
    reply = await client.get(path, params)
    assert reply["success"], reply
    return reply["data"]


async def placed(client: PaperClient, **fields: Any) -> str:
    return await well(client, PLANS + "place/v2", PLAN | fields)


async def long_position(client: PaperClient) -> int:
    await client.order()
    (position,) = await listed(client, PRIVATE + "position/open_positions")
    return position["positionId"]


async def stop_of(client: PaperClient, position_id: int, **fields: Any) -> int:
    body = {"positionId": position_id, "vol": 10, "lossTrend": 1, "profitTrend": 1}
    return await well(client, STOPS + "place", body | fields)


async def price(client: PaperClient, last: str) -> None:
    await client.control("PUT", f"prices/{BTC}", {"last": last})


def some(row: dict[str, Any], names: str) -> list[Any]:
    return [row[name] for name in names.split()]


async def test_a_plan_from_its_placing_to_its_order(client):
    plan_id = await placed(client, stopLossPrice=50000, takeProfitPrice="52000.5")
    assert plan_id.isdecimal()
    assert len(plan_id) == 18
    (plan,) = await listed(client, PLANS + "list/orders", states=1)
    assert some(plan, "id state orderId errorCode price triggerPrice vol executeCycle") == [
        *(plan_id, 1, "", 0, 0, 51000, 10, 1)
    ]
    assert some(plan, "stopLossPrice takeProfitPrice lossTrend positionMode") == [
        *(50000, 52000.5, 1, 1)
    ]

    await price(client, "51000")
    (plan,) = await listed(client, PLANS + "list/orders", states="3,5")
    assert plan["state"] == 3
    order = (await client.get(PRIVATE + f"order/get/{plan['orderId']}"))["data"]
    assert some(order, "state externalOid stopLossPrice") == [3, f"planorder_{plan_id}_10", 50000]
    (stop,) = await listed(client, STOPS + "open_orders", symbol=BTC)
    assert some(stop, "orderId positionId vol state isFinished triggerSide") == [
        *(plan["orderId"], str(order["positionId"]), 10, 1, 0, 0)
    ]
    await price(client, "52001")
    assert await held(client) == 0
    assert await listed(client, STOPS + "open_orders") == []
    (stop,) = await listed(client, STOPS + "list/orders", is_finished=1, state=3, type=1)
    assert some(stop, "triggerSide realityVol isFinished") == [1, 10, 1]
    assert await listed(client, STOPS + "list/orders", is_finished=0) == []


async def test_the_older_path_and_a_body_as_ccxt_sends_it(client):
    body = {
        "symbol": BTC,
        "vol": 10.0,
        "type": 6,
        "openType": 2,
        "side": 1,
        "triggerPrice": "55000",
        "triggerType": 1,
        "executeCycle": 1,
        "trend": 1,
        "orderType": 5,
    }
    plan_id = await well(client, PLANS + "place", body)
    (plan,) = await listed(client, PLANS + "list/orders", states=1, page_size=100)
    assert some(plan, "id leverage orderType") == [plan_id, 20, 5]


async def test_a_position_mode_that_is_not_named(address):
    async with await signed_up(address, position_mode=2) as client:
        assert (await client.post(PLANS + "place/v2", PLAN))["code"] == 7002
        await client.control("PUT", "behaviour", {"absent_position_mode": "account"})
        await placed(client)
        await placed(client, positionMode=0)
        rows = await listed(client, PLANS + "list/orders")
        assert [row["positionMode"] for row in rows] == [2, 2]


async def test_changing_and_canceling_plans(client):
    plan_id = await placed(client)
    change = {"symbol": BTC, "orderId": plan_id, "triggerPrice": 49000, "price": 49500}
    change |= {"orderType": 1, "triggerType": 2, "trend": 2, "from": 1}
    await well(client, PLANS + "change_price", change)
    attached = {"symbol": BTC, "orderId": plan_id, "stopLossPrice": 48000, "lossTrend": 3}
    await well(client, PLANS + "change_stop_order", attached)
    (plan,) = await listed(client, PLANS + "list/orders")
    assert some(plan, "triggerPrice price orderType triggerType trend stopLossPrice lossTrend") == [
        *(49000, 49500, 1, 2, 2, 48000, 3)
    ]
    # Named twice in one call, it is canceled once.
    reply = await client.post(PLANS + "cancel", [{"symbol": BTC, "orderId": plan_id}] * 2)
    assert reply == {"success": True, "code": 0}
    await placed(client)
    await placed(client, symbol="ETH_USDT", triggerPrice=9000)
    await well(client, PLANS + "cancel_all", {"symbol": BTC})
    (left,) = await listed(client, PLANS + "list/orders", states="1")
    assert left["symbol"] == "ETH_USDT"
    await well(client, PLANS + "cancel_all", None)
    assert len(await listed(client, PLANS + "list/orders", states=2)) == 3
    await well(client, PLANS + "cancel_all", {})


@pytest.mark.parametrize(
    "pages", [{"page_num": 2, "page_size": 2}, {"pageIndex": 2, "pageSize": 2}]
)
async def test_lists_are_paged_and_narrowed(client, pages):
    ids = [await placed(client) for _ in range(3)]
    await placed(client, side=3)
    await placed(client, symbol="ETH_USDT", triggerPrice=9000)
    found = await listed(client, PLANS + "list/orders", symbol=BTC, side=1, **pages)
    assert [plan["id"] for plan in found] == ids[:1]
    for start, end in (("start_time", "end_time"), ("startTime", "endTime")):
        span = {start: 1_000_000_000_000, end: 1_000_000_000_001}
        assert await listed(client, PLANS + "list/orders", **span) == []


async def test_a_stop_from_its_placing_to_its_order(client):
    position_id = await long_position(client)
    fields = {"stopLossPrice": 49000, "takeProfitPrice": 51000, "profitLossVolType": "SEPARATE"}
    fields |= {"stopLossVol": 10, "takeProfitVol": 4, "priceProtect": "1"}
    fields |= {"takeProfitType": 1, "takeProfitOrderPrice": 51100, "stopLossReverse": 2}
    stop_id = await stop_of(client, position_id, **fields)
    (stop,) = await listed(client, STOPS + "open_orders")
    assert some(stop, "id orderId positionId stopLossPrice takeProfitPrice positionType") == [
        *(stop_id, "0", str(position_id), 49000, 51000, 1)
    ]
    assert some(stop, "takeProfitVol stopLossVol profitLossVolType volType priceProtect") == [
        *(4, 10, "SEPARATE", 1, 1)
    ]
    assert some(stop, "takeProfitType takeProfitOrderPrice stopLossType stopLossReverse") == [
        *(1, 51100, 0, 2)
    ]
    await price(client, "49000")
    details = (await client.get(STOPS + f"order_details/{stop_id}"))["data"]
    assert some(details, "state triggerSide realityVol errorCode closeTryTimes") == [3, 2, 10, 0, 1]
    order = (await client.get(PRIVATE + f"order/get/{details['placeOrderId']}"))["data"]
    assert some(order, "side orderType category dealVol externalOid") == [
        *(4, 5, 1, 10, f"stoporder_{stop_id}_1")
    ]
    assert await held(client) == 0


async def test_changing_and_canceling_stops(client):
    position_id = await long_position(client)
    stop_id = await stop_of(client, position_id, stopLossPrice=49000, takeProfitPrice=51000)
    assert await stop_of(
        client, position_id, stopLossPrice=49000, takeProfitPrice=51000, vol=5
    ) == (stop_id)
    change = {"stopPlanOrderId": stop_id, "stopLossPrice": 49500, "lossTrend": 2}
    await well(client, STOPS + "change_plan_price", change)
    await well(client, STOPS + "change_plan_price", {"stopPlanOrderId": stop_id, "lossTrend": 3})
    change = {"stopPlanOrderId": stop_id, "stopLossPrice": 49600}
    await well(client, STOPS + "change_plan_price", change)
    (stop,) = await listed(client, STOPS + "open_orders")
    assert some(stop, "stopLossPrice takeProfitPrice lossTrend vol") == [49600, 51000, 3, 5]
    await well(client, STOPS + "cancel", [{"stopPlanOrderId": stop_id}])
    assert await listed(client, STOPS + "open_orders") == []
    for body in ({"positionId": position_id}, {"symbol": BTC}, {}, None):
        await stop_of(client, position_id, stopLossPrice=49000)
        await well(client, STOPS + "cancel_all", {"positionId": 7})
        await well(client, STOPS + "cancel_all", {"symbol": "ETH_USDT"})
        assert len(await listed(client, STOPS + "open_orders")) == 1
        await well(client, STOPS + "cancel_all", body)
        assert await listed(client, STOPS + "open_orders") == []


async def test_what_an_order_carries(client):
    limit = {"type": 1, "price": 49000, "stopLossPrice": 48000, "takeProfitPrice": "50000"}
    order_id = (await client.order(**limit))["data"]["orderId"]
    await well(client, STOPS + "change_price", {"orderId": order_id, "stopLossPrice": 48500})
    order = (await client.get(PRIVATE + f"order/get/{order_id}"))["data"]
    assert order["stopLossPrice"] == 48500
    assert "takeProfitPrice" not in order
    await price(client, "49000")
    (stop,) = await listed(client, STOPS + "open_orders")
    assert some(stop, "orderId stopLossPrice takeProfitPrice vol") == [order_id, 48500, 0, 10]


async def test_a_track_from_its_placing_to_its_order(client):
    await long_position(client)
    track_id = await well(client, TRACKS + "place", TRACK)
    await price(client, "52000")
    (track,) = await listed(client, TRACKS + "list/orders", states="0,1")
    assert some(track, "id state markPrice triggerPrice activePrice orderId triggerType") == [
        *(track_id, 1, 52000, 50960, 0, 0, 2)
    ]
    await price(client, "50960")
    assert await held(client) == 0
    (track,) = await listed(client, TRACKS + "list/orders", states=2)
    order = (await client.get(PRIVATE + f"order/get/{track['orderId']}"))["data"]
    assert some(order, "side dealVol externalOid") == [4, 10, f"trackorder_{track_id}_1"]


async def test_changing_and_canceling_tracks(client):
    ids = [await well(client, TRACKS + "place", TRACK) for _ in range(3)]
    change = {"symbol": BTC, "trackOrderId": ids[0], "trend": 2, "activePrice": 60000}
    change |= {"backType": 2, "backValue": 500, "vol": 7}
    await well(client, TRACKS + "change_order", change)
    rows = await listed(client, TRACKS + "list/orders", states=0)
    names = "id trend activePrice backType backValue vol"
    assert [some(row, names) for row in rows] == [[ids[0], 2, 60000, 2, 500, 7]]
    await well(client, TRACKS + "cancel", {"symbol": BTC, "trackOrderId": ids[0]})
    assert len(await listed(client, TRACKS + "list/orders", states="0,1")) == 2
    await well(client, TRACKS + "cancel", {"symbol": "ETH_USDT"})
    assert len(await listed(client, TRACKS + "list/orders", states="0,1")) == 2
    await well(client, TRACKS + "cancel", {"symbol": BTC})
    assert len(await listed(client, TRACKS + "list/orders", states=4)) == 3


async def test_they_are_counted(client):
    position_id = await long_position(client)
    await placed(client)
    await placed(client)
    await stop_of(client, position_id, stopLossPrice=49000)
    await well(client, TRACKS + "place", TRACK)
    count = (await client.post(PRIVATE + "order/open_order_total_count"))["data"]
    assert count == {
        "sumCount": 4,
        "limitOrderCount": 0,
        "stopOrderCount": 1,
        "planOrderCount": 2,
        "trackOrderCount": 1,
    }


@asynccontextmanager
async def listening(address: str, client: PaperClient):
    await client.control("PUT", "pushes", {"delay_ms": 0})
    async with connected(address) as socket:
        assert (await socket.log_in(client))["channel"] == "rs.login"
        yield socket


async def test_pushes(address, client):
    position_id = await long_position(client)
    async with listening(address, client) as socket:
        plan_id = await placed(client)
        push = await socket.next("push.personal.plan.order")
        assert some(push["data"], "id state symbol orderId") == [plan_id, 1, BTC, ""]
        await well(client, PLANS + "cancel", [{"symbol": BTC, "orderId": plan_id}])
        assert (await socket.next("push.personal.plan.order"))["data"]["state"] == 2

        stop_id = await stop_of(client, position_id, stopLossPrice=49000)
        push = await socket.next("push.personal.stop.planorder")
        assert some(push["data"], "id state version") == [stop_id, 1, 1]

        track_id = await well(client, TRACKS + "place", TRACK | {"backValue": 0.5})
        push = await socket.next("push.personal.track.order")
        assert some(push["data"], "id state markPrice") == [track_id, 1, 50000]

        order = await client.order(type=1, price=45000, stopLossPrice=44000)
        push = await socket.next("push.personal.stop.order")
        assert push["data"] == {
            "symbol": BTC,
            "orderId": order["data"]["orderId"],
            "lossTrend": 1,
            "profitTrend": 1,
            "stopLossPrice": 44000,
            "takeProfitPrice": 0,
        }
        await socket.settle()

        await price(client, "49000")
        pushed = await socket.next("push.personal.stop.planorder")
        assert some(pushed["data"], "state isFinished triggerSide") == [3, 1, 2]


async def test_pushes_can_be_asked_for_by_name(address, client):
    async with listening(address, client) as socket:
        rules = {"filters": [{"filter": "plan.order", "rules": [BTC]}]}
        assert (await socket.ask("personal.filter", rules))["data"] == "success"
        await placed(client, symbol="ETH_USDT", triggerPrice=9000)
        await well(client, TRACKS + "place", TRACK)
        await placed(client)
        channels = [frame["channel"] for frame in await socket.settle()]
        assert channels == ["push.personal.plan.order"]
