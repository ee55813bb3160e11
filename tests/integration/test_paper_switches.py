"""What the control side switches of the venue's own rules: language, uncertain readings, rates,
maintenance, contracts and accounts.
"""

import aiohttp
import pytest

from tests.paper_client import CREATE, PaperClient, order_body
from tests.paper_server import (  # noqa: F401 - fixtures
    EXTERNAL,
    PRIVATE,
    address_fixture,
    client_fixture,
    signed_up,
)
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.serving import serving
from tools.paper_exchange.venue import Venue

OPEN_ORDERS = PRIVATE + "order/list/open_orders"
CONTRACT = "contracts/BTC_USDT"

LANGUAGES = [
    (None, "English", "Contract does not exist"),
    (None, "Chinese", "合约不存在!"),
    ("English", "Chinese", "Contract does not exist"),
    ("en-US", "Chinese", "Contract does not exist"),
    ("zh-CN", "English", "合约不存在!"),
    ("Chinese", "English", "合约不存在!"),
]


@pytest.mark.parametrize(("header", "default", "text"), LANGUAGES)
async def test_messages_come_in_the_callers_language(client, header, default, text):
    await client.control("PUT", "behaviour", {"default_language": default})
    headers = {"Language": header} if header else {}
    reply = await client.post(CREATE, order_body(symbol="NOPE"), **headers)
    assert (reply["code"], reply["message"]) == (1001, text)


async def test_known_chinese_texts_and_english_where_none_is_known(client):
    chinese = {"Language": "zh-CN"}
    await client.control("PUT", "limits", {"order_create_per_2s": 1})
    codes = {}
    for _ in range(2):
        reply = await client.post(CREATE, order_body(vol=0), **chinese)
        codes[reply["code"]] = reply["message"]
    forged = await client.post(CREATE, order_body(), Signature="0" * 64, **chinese)
    assert codes == {2011: "Order quantity error", 510: "请求频率过快!"}
    assert forged["message"] == "签名验证失败!"
    await client.control("PUT", "faults", [{"path": CREATE, "kind": "code", "code": 510}])
    assert (await client.post(CREATE, order_body(), **chinese))["message"] == "请求频率过快!"
    batch = [order_body(symbol="NOPE")]
    reply = await client.post(PRIVATE + "order/submit_batch", batch, **chinese)
    assert reply["data"][0]["errorMsg"] == "合约不存在!"


async def test_what_a_created_order_is_answered_with(client):
    shapes = {}
    for shape in ("object", "number", "bare"):
        await client.control("PUT", "behaviour", {"create_answer": shape})
        shapes[shape] = (await client.order())["data"]
    assert isinstance(shapes["object"]["orderId"], str)
    assert isinstance(shapes["number"]["orderId"], int)
    assert isinstance(shapes["number"]["ts"], int)
    assert isinstance(shapes["bare"], str)


async def test_an_unknown_order_may_be_refused(client):
    await client.control("PUT", "behaviour", {"unknown_order": "refuse"})
    for path in (EXTERNAL + "nobody", PRIVATE + "order/get/7"):
        assert (await client.get(path))["code"] == 2040
    await client.order(externalOid="one")
    assert (await client.get(EXTERNAL + "one"))["code"] == 0


async def test_sides_2_and_4_may_be_refused_in_one_way_mode(address):
    async with await signed_up(address, position_mode=2) as client:
        await client.control("PUT", "limits", {"order_create_per_2s": None})
        close = {"side": 4, "positionMode": 2}
        await client.order(positionMode=2)
        assert (await client.order(vol=4, **close))["code"] == 0
        await client.control("PUT", "behaviour", {"one_way_close": "reject"})
        assert (await client.order(vol=4, **close))["code"] == 2001
        assert (await client.order(vol=4, side=3, positionMode=2))["code"] == 0


async def test_an_unknown_key_and_the_status_of_refusals(address):
    async with PaperClient(address, "nobody", "x") as client:
        await client.control("PUT", "behaviour", {"unknown_key": 402, "expired_key_status": 401})
        reply = await client.order()
        assert (reply["code"], reply["message"]) == (402, "API Key expired, please apply again")
        await client.control("PUT", "behaviour", {"rate_limited_status": 429})
        await client.control(
            "PUT", "faults", [{"path": CREATE, "kind": "code", "code": 510, "count": 1}]
        )
        statuses = []
        for _ in range(2):
            async with aiohttp.ClientSession(address) as session:
                async with session.post(CREATE, headers={"ApiKey": "nobody"}) as answer:
                    statuses.append((answer.status, (await answer.json())["code"]))
        assert statuses == [(429, 510), (401, 402)]


async def test_switches_stay_as_they_were_where_they_are_not_named(client):
    await client.control("PUT", "behaviour", {"list_shape": "paged", "unknown_key": 402})
    shown = await client.control("PUT", "behaviour", {"unknown_key": None})
    assert (shown["list_shape"], shown["unknown_key"]) == ("paged", 402)
    assert shown["duplicate_oid"] == "reject"


async def test_maintenance_of_a_part_of_the_venue(client):
    wanted = {"code": 801, "path": "/api/v1/private/order"}
    await client.control("PUT", "maintenance", wanted)
    assert (await client.order())["code"] == 801
    assert (await client.get(PRIVATE + "account/assets"))["code"] == 0
    assert (await client.get("/api/v1/contract/ping"))["code"] == 0
    await client.control("PUT", "maintenance", {"code": 604, "path": "/api/v1/contract/detail"})
    assert (await client.order())["code"] == 0
    assert (await client.get("/api/v1/contract/detail"))["code"] == 604
    await client.control("PUT", "maintenance", {"code": None})
    assert (await client.get("/api/v1/contract/detail"))["code"] == 0


async def test_a_changed_contract_is_shown_and_can_be_changed_back(client):
    changes = {
        "state": 4,
        "apiAllowed": False,
        "positionOpenType": 1,
        "maxNumOrders": [1, 2],
        "suspend": "open",
    }
    path, query = "/api/v1/contract/detail", {"symbol": "BTC_USDT"}
    before = (await client.get(path, query))["data"]
    await client.control("PUT", CONTRACT, changes)
    shown = (await client.get(path, query))["data"]
    del changes["suspend"]
    assert {name: shown[name] for name in changes} == changes
    assert {name: row for name, row in shown.items() if name not in changes} == {
        name: row for name, row in before.items() if name not in changes
    }
    everything = (await client.get(path))["data"]
    assert shown in everything
    await client.control("PUT", CONTRACT, {})
    assert (await client.get(path, query))["data"] == before


async def test_what_was_switched_in_the_books_outlives_a_restart(tmp_path):
    async def codes(*, first: bool) -> list[int]:
        venue = Venue(load_catalogue(), state_dir=tmp_path)
        try:
            async with serving(venue) as address:
                if first:
                    async with await signed_up(address) as client:
                        keys.append((client._access_key, client._secret_key))
                        changes = {"suspend": "close", "openingTime": 7}
                        await client.control("PUT", CONTRACT, changes)
                        refuse = {"refuse": {"open": 6002}}
                        await client.control("PUT", f"accounts/{keys[0][0]}", refuse)
                async with PaperClient(address, *keys[0]) as client:
                    query = {"symbol": "BTC_USDT"}
                    row = (await client.get("/api/v1/contract/detail", query))["data"]
                    assert row["openingTime"] == 7
                    return [(await client.order(side=side))["code"] for side in (1, 4)]
        finally:
            venue.close()

    keys: list[tuple[str, str]] = []
    assert await codes(first=True) == await codes(first=False) == [6002, 8921]


async def test_a_reset_keeps_the_restrictions_of_an_account(client):
    key = client._access_key
    await client.control("PUT", f"accounts/{key}", {"refuse": {"all": 6001}})
    await client.control("POST", "reset")
    assert (await client.order())["code"] == 6001
    assert (await client.get(OPEN_ORDERS))["code"] == 0


async def test_all_documented_rates_at_once(address):
    async with await signed_up(address) as client, await signed_up(address) as other:
        await client.control("PUT", "limits", {"documented": True})
        creates = [(await client.order(vol=0))["code"] for _ in range(4)]
        submit = await client.post(PRIVATE + "order/submit", order_body(vol=0))
        assert [*creates, submit["code"]] == [2011] * 4 + [510]
        # A batch has its own, and so has another key.
        assert (await client.post(PRIVATE + "order/submit_batch", []))["code"] == 0
        assert (await other.order(vol=0))["code"] == 2011
        asked = [(await client.get(OPEN_ORDERS))["code"] for _ in range(21)]
        assert asked == [0] * 20 + [510]
        assert (await client.get(PRIVATE + "account/assets"))["code"] == 0
        # Public ones are counted by address, whoever asks.
        detail = "/api/v1/contract/detail"
        query = {"symbol": "BTC_USDT"}
        public = [(await who.get(detail, query))["code"] for who in [client, other] * 5]
        assert public == [0] * 10
        assert (await client.get(detail + "/country", query))["code"] == 510
        await client.control("PUT", "limits", {"documented": False})
        assert (await client.get(detail, query))["code"] == 0
        assert (await client.get(OPEN_ORDERS))["code"] == 0
        assert (await client.order(vol=0))["code"] == 510
        both = {"documented": True, "order_create_per_2s": None}
        await client.control("PUT", "limits", both)
        assert [(await client.order(vol=0))["code"] for _ in range(6)] == [2011] * 6


WRONG = [
    ("contracts/BTC_USDT", {"state": 5}, 400),
    ("contracts/BTC_USDT", {"positionOpenType": 0}, 400),
    ("contracts/BTC_USDT", {"suspend": "sometimes"}, 400),
    ("contracts/BTC_USDT", {"minOrderValue": "-1"}, 400),
    ("contracts/BTC_USDT", {"contractSize": 1}, 400),
    ("contracts/NOPE", {}, 404),
    ("contracts", {}, 404),
    ("accounts/nobody", {}, 404),
    ("accounts/$key", {"refuse": {"sometimes": 1}}, 400),
    ("accounts/$key", {"margin_cap": "NaN"}, 400),
    ("accounts/$key", {"country_max_leverage": 0}, 400),
    ("maintenance", {"code": 605}, 400),
    ("maintenance", {"code": 604, "path": "here"}, 400),
    ("maintenance/here", {"code": 604}, 404),
    ("behaviour", {"unknown_key": 403}, 400),
    ("behaviour", {"typo": 1}, 400),
    ("behaviour", [], 400),
    ("limits", {"documented": "yes"}, 400),
    ("limits", {"trading_per_2s": 0}, 400),
    ("faults", [{"path": "/a", "kind": "hang", "executed": True}], 400),
]


@pytest.mark.parametrize(("path", "body", "status"), WRONG)
async def test_wrong_switches_are_explained(client, address, path, body, status):
    url = f"{address}/_paper/{path.replace('$key', client._access_key)}"
    async with aiohttp.ClientSession() as session, session.put(url, json=body) as reply:
        assert reply.status == status
        assert len((await reply.json())["error"]) > 10
