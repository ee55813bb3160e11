"""The paper exchange over real HTTP: what a client and the control side see."""

import json
import time
from decimal import Decimal

import aiohttp
import pytest

from tests.paper_client import CREATE, PaperClient, order_body, sign
from tests.paper_server import (  # noqa: F401 - fixtures
    EXTERNAL,
    PRIVATE,
    address_fixture,
    client_fixture,
    held,
    signed_up,
)


async def test_an_order_its_fill_and_its_trace(client):
    reply = await client.order(externalOid="one")
    assert reply["success"] is True
    assert reply["code"] == 0
    assert isinstance(reply["data"]["orderId"], str)
    assert abs(reply["data"]["ts"] - time.time() * 1000) < 5000
    order = (await client.get(EXTERNAL + "one"))["data"]
    assert order["orderId"] == reply["data"]["orderId"]
    assert order == (await client.get(PRIVATE + "order/get/" + order["orderId"]))["data"]
    shown = ("state", "dealVol", "dealAvgPrice", "dealAvgPriceStr", "takerFee", "externalOid")
    assert [order[k] for k in shown] == [3, 10, 50000, "50000", 0.04, "one"]
    (deal,) = (await client.get(PRIVATE + "order/deal_details/" + order["orderId"]))["data"]
    assert (deal["vol"], deal["price"], deal["fee"], deal["taker"]) == (10, 50000, 0.04, True)
    query = {"symbol": "BTC_USDT"}
    (position,) = (await client.get(PRIVATE + "position/open_positions", query))["data"]
    names = ("positionType", "openType", "holdVol", "holdAvgPrice", "im", "leverage", "realised")
    assert [position[k] for k in names] == [1, 2, 10, 50000, 5, 10, -0.04]
    assert position["positionId"] == order["positionId"]
    await client.control("PUT", "prices/BTC_USDT", {"last": "51000"})
    asset = (await client.get(PRIVATE + "account/asset/USDT"))["data"]
    totals = ("cashBalance", "availableBalance", "positionMargin", "unrealized", "equity")
    assert [asset[k] for k in totals] == [9999.96, 9994.96, 5, 1, 10000.96]
    history = (await client.get(PRIVATE + "order/list/history_orders", {"page_num": 1}))["data"]
    assert [row["orderId"] for row in history] == [order["orderId"]]
    (call,) = await client.control("GET", f"requests?path={CREATE}")
    assert call["body"] == order_body(externalOid="one")
    assert (call["code"], call["path"]) == (0, CREATE)
    assert call["access_key"].startswith("paper_")
    assert abs(call["received_ns"] - time.time_ns()) < 5e9


async def test_an_unknown_order_is_success_without_data(client):
    assert await client.get(EXTERNAL + "nobody") == {"success": True, "code": 0}
    assert await client.get(PRIVATE + "order/get/5") == {"success": True, "code": 0}


async def test_a_client_id_may_hold_what_separates_the_parts_of_a_path(client):
    made = (await client.order(externalOid="a/b?c%2F"))["data"]["orderId"]
    found = await client.get(EXTERNAL + "a%2Fb%3Fc%252F")
    assert (found["data"]["orderId"], found["data"]["externalOid"]) == (made, "a/b?c%2F")


async def test_numbers_leave_exactly_and_without_exponents(address):
    async with aiohttp.ClientSession(address) as session:
        async with session.get("/api/v1/contract/ticker?symbol=PEPE_USDT") as reply:
            text = await reply.text()
        assert '"lastPrice":0.0000034029,' in text
        async with session.get("/api/v1/contract/detail") as reply:
            rows = json.loads(await reply.read(), parse_float=Decimal)["data"]
        assert len(rows) == 12
        pepe = next(row for row in rows if row["symbol"] == "PEPE_USDT")
        assert pepe["priceUnit"] == Decimal("1e-10")


async def test_public_endpoints(client):
    now = (await client.get("/api/v1/contract/ping"))["data"]
    assert abs(now - time.time() * 1000) < 5000
    for path in ("detail", "detail/country"):
        one = await client.get(f"/api/v1/contract/{path}", {"symbol": "BTC_USDT"})
        assert one["data"]["contractSize"] == 0.0001
        unknown = await client.get(f"/api/v1/contract/{path}", {"symbol": "NOPE"})
        assert (unknown["success"], unknown["code"]) == (False, 1001)
        assert unknown["message"] == "Contract does not exist"
    assert len((await client.get("/api/v1/contract/ticker"))["data"]) == 12
    fair = (await client.get("/api/v1/contract/fair_price/BTC_USDT"))["data"]
    index = (await client.get("/api/v1/contract/index_price/BTC_USDT"))["data"]
    assert (fair["fairPrice"], index["indexPrice"]) == (50000, 50000)
    assert abs((await client.get("/api/v3/time"))["serverTime"] - now) < 5000


async def test_cancelling_reads_item_by_item(client):
    orders = [
        (await client.order(type=1, price=49000, externalOid=f"o{n}"))["data"]["orderId"]
        for n in range(4)
    ]
    filled = (await client.order())["data"]["orderId"]
    shown = (await client.get(PRIVATE + "order/list/open_orders"))["data"]
    assert [row["orderId"] for row in shown] == orders[::-1]
    reply = await client.post(PRIVATE + "order/cancel", [int(orders[0]), filled, 7])
    assert [(item["orderId"], item["errorCode"]) for item in reply["data"]] == [
        (int(orders[0]), 0),
        (int(filled), 2041),
        (7, 2040),
    ]
    reply = await client.post(PRIVATE + "order/cancel", {"orderIds": [orders[1]]})
    assert reply["data"][0]["errorCode"] == 0
    body = [{"symbol": "BTC_USDT", "externalOid": "o2"}]
    reply = await client.post(PRIVATE + "order/cancel_with_external", body)
    assert reply["data"][0]["errorCode"] == 0
    reply = await client.post(PRIVATE + "order/cancel_all", {"symbol": ""})
    assert reply == {"success": True, "code": 0}
    path = PRIVATE + "order/list/open_orders/BTC_USDT"
    assert (await client.get(path))["data"] == []


async def test_the_old_submit_path_answers_the_old_shape(client):
    reply = await client.post(PRIVATE + "order/submit", order_body())
    assert isinstance(reply["data"], str)
    assert await held(client) == 10


async def test_leverage_mode_and_fees(client):
    path = PRIVATE + "position/change_leverage"
    body = {"symbol": "BTC_USDT", "openType": 2, "positionType": 1, "leverage": 33}
    assert await client.post(path, body) == {"success": True, "code": 0}
    rows = (await client.get(PRIVATE + "position/leverage", {"symbol": "BTC_USDT"}))["data"]
    shown = [(row["positionType"], row["openType"], row["leverage"]) for row in rows]
    assert shown == [(1, 2, 33), (2, 1, 20)]
    assert await client.get(PRIVATE + "position/position_mode") == {
        "success": True,
        "code": 0,
        "data": 1,
    }
    await client.post(PRIVATE + "position/change_position_mode", {"positionMode": 2})
    assert (await client.order())["code"] == 7002
    fees = (await client.get(PRIVATE + "account/tiered_fee_rate/v2", {"symbol": "BTC_USDT"}))[
        "data"
    ]
    assert (fees["realTakerFee"], fees["realMakerFee"]) == (0.0008, 0.0006)


async def test_an_order_without_position_mode_is_a_hedge_order_unless_switched(client):
    await client.post(PRIVATE + "position/change_position_mode", {"positionMode": 2})
    assert (await client.order(positionMode=None))["code"] == 7002
    await client.control("PUT", "behaviour", {"absent_position_mode": "account"})
    assert (await client.order(positionMode=None))["code"] == 0


async def test_permissions_are_asked_per_endpoint(address):
    codes = {
        CREATE: 704,
        PRIVATE + "order/list/open_orders": 703,
        PRIVATE + "account/assets": 701,
        PRIVATE + "position/open_positions": 703,
    }
    async with await signed_up(address, permissions=["SPOT_DEAL_READ"]) as client:
        for path, code in codes.items():
            reply = await (client.post(path, {}) if path == CREATE else client.get(path))
            assert (reply["success"], reply["code"]) == (False, code)


async def test_keys_addresses_and_expiry(address):
    async with await signed_up(address, ip_whitelist=["10.1.2.3"]) as client:
        reply = await client.order()
        assert reply["message"] == "Accessing IP is not in the whitelist"
        assert reply["code"] == 406
    async with await signed_up(address, days_left=0) as client:
        assert (await client.order())["code"] == 402
    async with PaperClient(address, "nobody", "x") as client:
        assert (await client.order())["code"] == 401
    async with await signed_up(address, ip_whitelist=["127.0.0.1"]) as client:
        client._secret_key = "wrong"
        assert (await client.order())["code"] == 602
        assert (await client.order(externalOid="x"))["code"] == 602


async def test_the_rate_of_orders_is_limited_until_lifted(address):
    async with await signed_up(address) as client:
        codes = [(await client.order(leverage=10))["code"] for _ in range(6)]
        assert codes == [0, 0, 0, 0, 510, 510]
        await client.control("PUT", "limits", {"order_create_per_2s": None})
        assert (await client.order())["code"] == 0


async def test_requests_show_queries_oldest_first_and_by_path(client):
    await client.get(PRIVATE + "position/open_positions", {"symbol": "BTC_USDT"})
    await client.get(EXTERNAL + "one")
    await client.order(vol=0)
    calls = await client.control("GET", "requests")
    assert [(call["path"], call["code"]) for call in calls] == [
        (PRIVATE + "position/open_positions", 0),
        (EXTERNAL + "one", 0),
        (CREATE, 2011),
    ]
    assert calls[0]["query"] == {"symbol": "BTC_USDT"}
    below = await client.control("GET", f"requests?path={PRIVATE}order/external")
    assert [call["path"] for call in below] == [EXTERNAL + "one"]


async def test_a_new_price_fills_resting_orders_and_reset_empties_the_books(client):
    await client.order(type=1, price="49000", externalOid="one")
    await client.control("PUT", "prices/BTC_USDT", {"last": "48000"})
    assert (await client.get(EXTERNAL + "one"))["data"]["state"] == 3
    await client.control("POST", "reset")
    assert await client.control("GET", "requests") == []
    assert await held(client) == 0
    assert (await client.get(PRIVATE + "account/assets"))["data"][0]["equity"] == 10000
    assert "data" not in await client.get(EXTERNAL + "one")


WRONG_CONTROLS = [
    ("PUT", "prices/BTC_USDT", b'{"last":"NaN"}', 400),
    ("PUT", "prices/BTC_USDT", b'{"last":"-1"}', 400),
    ("PUT", "prices/BTC_USDT", b"{}", 400),
    ("PUT", "prices/NOPE", b'{"last":"1"}', 404),
    ("POST", "accounts", b'{"balance":"Infinity"}', 400),
    ("POST", "accounts", b'{"position_mode":3}', 400),
    ("POST", "accounts", b'{"ip_whitelist":["somewhere"]}', 400),
    ("POST", "accounts", b'{"permissions":["all of them"]}', 400),
    ("PUT", "limits", b'{"order_create_per_2s":0}', 400),
    ("PUT", "limits", b'{"typo":1}', 400),
    ("PUT", "behaviour", b'{"duplicate_oid":"maybe"}', 400),
    ("PUT", "latency", b'{"one_way_ms":-1}', 400),
    ("PUT", "faults", b'[{"path":"/a","kind":"nothing"}]', 400),
    ("PUT", "faults", b"{", 400),
    ("PUT", "nowhere", b"{}", 404),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), WRONG_CONTROLS)
async def test_wrong_control_calls_are_explained(address, method, path, body, status):
    async with aiohttp.ClientSession() as session:
        url = f"{address}/_paper/{path}"
        async with session.request(method, url, data=body) as reply:
            assert reply.status == status
            assert len((await reply.json())["error"]) > 10


async def test_unknown_paths_and_the_front_page(address):
    async with aiohttp.ClientSession(address) as session:
        async with session.get("/") as reply:
            assert "PUT /_paper/faults" in (await reply.json())["control"]
        async with session.get("/api/v1/contract/nothing") as reply:
            assert reply.status == 404
            assert (await reply.json())["success"] is False
        async with session.get(CREATE) as reply:
            assert reply.status == 405


async def test_api_key_info_is_signed_the_spot_way(client, address):
    now = time.time_ns() // 1_000_000
    query = f"accessKey={client._access_key}&timestamp={now}"
    given = sign("", client._secret_key, request_time="", payload=query)
    url = f"{address}/api/v3/apiKeyInfo?{query}&signature="
    headers = {"X-MEXC-APIKEY": client._access_key}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(url + given) as reply:
            info = await reply.json()
        assert (info["remainingValidity"], info["ipWhiteList"]) == (90, "")
        assert "CONTRACT_DEAL_WRITE" in info["permissions"].split(",")
        async with session.get(url + "0" * 64) as reply:
            assert (reply.status, (await reply.json())["code"]) == (400, 700002)
