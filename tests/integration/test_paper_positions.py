"""Positions, leverage, risk limits, margin and funding over a real connection, in MEXC's words."""

import aiohttp
import pytest

from tests.paper_client import PaperClient
from tests.paper_server import (  # noqa: F401 - fixtures
    PRIVATE,
    address_fixture,
    client_fixture,
    held,
    signed_up,
)

POSITION = PRIVATE + "position/"
ACCOUNT = PRIVATE + "account/"


async def _price(client: PaperClient, last: str, **others: str) -> None:
    await client.control("PUT", "prices/BTC_USDT", {"last": last} | others)


def _values(shape: dict, names: str) -> list:
    return [shape[name] for name in names.split()]


async def _position(client: PaperClient) -> dict:
    (position,) = (await client.get(POSITION + "open_positions"))["data"]
    return position


async def _asset(client: PaperClient) -> dict:
    return (await client.get(ACCOUNT + "asset/USDT"))["data"]


async def test_an_isolated_position_and_the_money_around_it(client):
    await client.order(openType=1)
    await _price(client, "50000", fair="49000")
    position = await _position(client)
    # 0.07 must stand behind it, and 5 - 1 do.
    assert _values(position, "oim im liquidatePrice marginRatio autoAddIm leverage state") == [
        5,
        5,
        45070,
        0.0175,
        False,
        10,
        1,
    ]
    asset = await _asset(client)
    assert _values(
        asset, "cashBalance positionMargin frozenBalance availableBalance equity unrealized"
    ) == [9999.96, 5, 0, 9994.96, 9998.96, -1]
    assert asset["availableOpen"] == asset["availableCash"] == asset["availableBalance"]


async def test_what_is_available_never_shows_below_zero(client):
    await client.order(vol=9_500, leverage=5)
    # 9500 are tied up, 38 were the fee.
    await _price(client, "50000", fair="49500")
    asset = await _asset(client)
    assert _values(asset, "availableBalance availableOpen equity") == [0, 0, 9487]


async def test_margin_is_changed(client):
    await client.order(openType=1)
    position_id = (await _position(client))["positionId"]

    async def change(amount: object, kind: str, place: int = position_id) -> int:
        body = {"positionId": place, "amount": amount, "type": kind}
        return (await client.post(POSITION + "change_margin", body))["code"]

    assert await change(2, "ADD") == 0
    assert await change("0.5", "SUB") == 0
    position = await _position(client)
    assert (position["oim"], position["im"], position["liquidatePrice"]) == (5, 6.5, 43570)
    assert await change(100_000, "ADD") == 2005
    assert await change(1, "ADD", 1) == 2009
    for amount, kind in ((1, "TAKE"), (0, "ADD"), (-1, "ADD")):
        assert await change(amount, kind) == 600
    body = {"positionId": position_id, "amount": 2, "type": "SUB"}
    answer = await client.post(POSITION + "change_margin", body)
    assert answer["code"] == 2018
    assert answer["message"].endswith(" 1.5")


async def test_margin_that_adds_itself(client):
    await client.order(openType=1)
    body = {"positionId": (await _position(client))["positionId"], "isEnabled": True}
    assert (await client.post(POSITION + "change_auto_add_im", body))["success"]
    assert (await _position(client))["autoAddIm"] is True
    await _price(client, "50000", fair="45000")
    assert (await _position(client))["im"] == 10


async def test_a_liquidation_is_seen_everywhere(client):
    await client.order(openType=1)
    await _price(client, "44000")
    assert await held(client) == 0
    (order,) = [o for o in await _history(client) if o["category"] == 2]
    assert _values(order, "side state errorCode dealAvgPrice profit totalFee") == [
        4,
        3,
        0,
        45000,
        -5,
        0,
    ]
    (deal,) = (await client.get(PRIVATE + f"order/deal_details/{order['orderId']}"))["data"]
    assert (deal["category"], deal["price"], deal["profit"]) == (2, 45000, -5)
    (closed,) = (await client.get(POSITION + "list/history_positions"))["data"]
    assert _values(
        closed, "state holdVol closeVol openAvgPrice closeAvgPrice im oim closeProfitLoss"
    ) == [3, 0, 10, 50000, 45000, 0, 0, -5]
    assert (closed["positionShowStatus"], closed["holdAvgPrice"]) == ("CLOSED", 50000)
    assert (closed["realised"], closed["liquidatePrice"]) == (-5.04, 45070)


async def _history(client: PaperClient) -> list[dict]:
    return (await client.get(PRIVATE + "order/list/history_orders"))["data"]


async def test_history_is_filtered_and_paged(client):
    for opened, closed in ((1, 4), (3, 2), (1, 4)):
        await client.order(side=opened)
        await client.order(side=closed)

    async def ids(**params: object) -> list[int]:
        answer = await client.get(POSITION + "list/history_positions", params)
        return [position["positionId"] for position in answer["data"]]

    every = await ids()
    assert every == sorted(every, reverse=True)
    assert len(every) == 3
    assert await ids(type=2) == await ids(position_type=2) == [every[1]]
    assert await ids(page_size=2, page_num=2) == [every[2]]
    assert await ids(symbol="ETH_USDT") == []
    assert (await client.get(POSITION + "list/history_positions", {"page_size": 101}))[
        "code"
    ] == 600


async def test_everything_is_closed(client):
    await client.order()
    await client.order(side=3, vol=4)
    await client.order(type=1, side=4, price=60_000, vol=3)
    answer = await client.post(POSITION + "close_all")
    assert answer == {"success": True, "code": 0, "data": []}
    assert await held(client) == 0
    assert (await client.get(PRIVATE + "order/list/open_orders"))["data"] == []


@pytest.mark.parametrize("mode", [1, 2])
async def test_a_position_is_turned_round(address, mode):
    async with await signed_up(address, position_mode=mode) as client:
        await _price(client, "50000")
        await client.order(positionMode=mode, leverage=7)
        position = await _position(client)
        body = {"symbol": "BTC_USDT", "positionId": position["positionId"], "vol": 10}
        assert (await client.post(POSITION + "reverse", body))["success"]
        turned = await _position(client)
        assert _values(turned, "positionType holdVol leverage openType") == [2, 10, 7, 2]
        assert (await client.post(POSITION + "reverse", body))["code"] == 2009


async def test_turning_a_part_and_too_much(client):
    await client.order()
    body = {"symbol": "BTC_USDT", "positionId": (await _position(client))["positionId"]}
    assert (await client.post(POSITION + "reverse", body | {"vol": 11}))["code"] == 2008
    assert (await client.post(POSITION + "reverse", body | {"vol": 4}))["success"]
    positions = (await client.get(POSITION + "open_positions"))["data"]
    assert [(p["positionType"], p["holdVol"]) for p in positions] == [(1, 6), (2, 4)]


async def test_leverage_and_its_tier(client):
    change = POSITION + "change_leverage"
    # What newer clients send beside it is taken.
    body = {
        "symbol": "BTC_USDT", "openType": 1, "positionType": 1, "leverage": 100,
        "leverageMode": 1, "marginSelected": False, "leverageSelected": False,
    }  # fmt: skip
    assert (await client.post(change, body)) == {"success": True, "code": 0}
    rows = (await client.get(POSITION + "leverage", {"symbol": "BTC_USDT"}))["data"]
    assert [
        _values(
            row, "positionType openType leverage level maxVol mmr imr currentMmr maxLeverageView"
        )
        for row in rows
    ] == [
        [1, 1, 100, 3, 480_000, 0.005, 0.01, 0.001, 500],
        [2, 1, 20, 5, 17_500_000, 0.02, 0.05, 0.001, 500],
    ]
    limits = (await client.get(ACCOUNT + "risk_limit", {"symbol": "BTC_USDT"}))["data"]
    row = limits["BTC_USDT"][0]
    assert _values(row, "symbol positionType level maxVol") == ["BTC_USDT", 1, 3, 480_000]
    assert _values(row, "maxLeverage leverage") == [500, 100]
    assert "ETH_USDT" in (await client.get(ACCOUNT + "risk_limit"))["data"]
    assert (await client.get(ACCOUNT + "risk_limit", {"symbol": "NO"}))["code"] == 1001
    for change_of, code in (
        ({"leverage": 501}, 2006),
        ({"positionType": 3}, 2002),
        ({"symbol": "NO_USDT"}, 1001),
        ({"positionId": 5}, 2009),
        ({"symbol": None}, 600),
    ):
        assert (await client.post(change, body | change_of))["code"] == code


async def test_leverage_of_a_position_by_its_id(client):
    await client.order()
    body = {"positionId": (await _position(client))["positionId"], "leverage": 50}
    assert (await client.post(POSITION + "change_leverage", body))["success"]
    assert (await _position(client))["leverage"] == 50
    await client.order(type=1, price=40_000, leverage=50)
    assert (await client.post(POSITION + "change_leverage", body))["code"] == 2019


async def test_the_risk_level_is_not_chosen_any_more(client):
    body = {"symbol": "BTC_USDT", "level": 2, "positionType": 1}
    assert (await client.post(ACCOUNT + "change_risk_level", body))["code"] == 8817


async def test_more_than_the_risk_limit_names_what_is_allowed(client):
    answer = await client.order(vol=50_001, leverage=500)
    assert answer["code"] == 8819
    assert "50000" in answer["message"]


async def test_funding_is_settled_at_once(client):
    await client.order()
    await client.order(side=3, vol=4)
    await client.control("POST", "funding/BTC_USDT", {"rate": "0.0001"})
    await client.control("PUT", "funding/BTC_USDT", {"rate": "-0.0002"})
    await client.control("POST", "funding/BTC_USDT")
    page = (await client.get(POSITION + "funding_records", {"symbol": "BTC_USDT"}))["data"]
    assert (page["totalCount"], page["totalPage"], page["currentPage"]) == (4, 1, 1)
    assert [
        _values(record, "symbol positionType positionValue funding rate")
        for record in page["resultList"]
    ] == [
        ["BTC_USDT", 2, 20, -0.004, -0.0002],
        ["BTC_USDT", 1, 50, 0.01, -0.0002],
        ["BTC_USDT", 2, 20, 0.002, 0.0001],
        ["BTC_USDT", 1, 50, -0.005, 0.0001],
    ]
    positions = (await client.get(POSITION + "open_positions"))["data"]
    assert [p["holdFee"] for p in positions] == [0.005, -0.002]
    assert positions[0]["realised"] == -0.035

    async def count(**params: object) -> int:
        answer = await client.get(POSITION + "funding_records", params)
        return answer["data"]["totalCount"]

    at_ms = page["resultList"][0]["settleTime"]
    assert await count(position_type=1) == 2
    assert await count(position_id=positions[0]["positionId"]) == 2
    assert await count(symbol="ETH_USDT") == 0
    assert await count(start_time=at_ms + 1) == await count(end_time=1) == 0


async def test_wrong_settlements_are_told_why(client, address):
    for path, body, status in (("BTC_USDT", {"rate": "2"}, 400), ("NO", {}, 404)):
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{address}/_paper/funding/{path}", json=body) as reply,
        ):
            assert reply.status == status
            assert (await reply.json())["error"]


async def test_the_deposit_is_the_only_transfer(client):
    page = (await client.get(ACCOUNT + "transfer_record"))["data"]
    (transfer,) = page["resultList"]
    assert _values(transfer, "currency amount type state") == ["USDT", 10_000, "IN", "SUCCESS"]
    assert transfer["createTime"] > 0


async def test_the_first_version_of_the_fees_knows_none(client):
    old = (await client.get(ACCOUNT + "tiered_fee_rate", {"symbol": "BTC_USDT"}))["data"]
    new = (await client.get(ACCOUNT + "tiered_fee_rate/v2", {"symbol": "BTC_USDT"}))["data"]
    assert (old["realTakerFee"], new["realTakerFee"]) == (0, 0.0008)
