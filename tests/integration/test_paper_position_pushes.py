"""What the owner of a position is told over the WebSocket, in trouble and otherwise."""

from collections.abc import AsyncIterator

import pytest

from tests.paper_client import PaperClient
from tests.paper_server import PRIVATE, address_fixture, client_fixture
from tests.paper_socket import Frame, PaperSocket, connected

__all__ = ["address_fixture", "client_fixture"]

PERSONAL = "push.personal."


@pytest.fixture(name="socket")
async def socket_fixture(address: str, client: PaperClient) -> AsyncIterator[PaperSocket]:
    await client.control("PUT", "pushes", {"delay_ms": 0})
    async with connected(address) as socket:
        await socket.log_in(client)
        yield socket


async def _told(socket: PaperSocket, channel: str) -> list[Frame]:
    return [f for f in await socket.settle() if f["channel"] == PERSONAL + channel]


async def test_a_position_at_risk_and_its_end(client, socket):
    await client.order(openType=1)
    await socket.settle()
    await client.control("PUT", "prices/BTC_USDT", {"last": "45080"})
    (position,) = (await client.get(PRIVATE + "position/open_positions"))["data"]
    (risk,) = await _told(socket, "liquidate.risk")
    assert risk["data"] == {
        "symbol": "BTC_USDT",
        "positionId": position["positionId"],
        "liquidatePrice": 45070,
        # 0.07 by 5 - 4.92.
        "marginRatio": 0.875,
        "adlLevel": 1,
    }
    await client.control("PUT", "prices/BTC_USDT", {"last": "45000"})
    frames = await socket.settle()
    by_channel = {frame["channel"].removeprefix(PERSONAL): frame["data"] for frame in frames}
    order, deal = by_channel["order"], by_channel["order.deal"]
    assert [order[name] for name in ("category", "state", "errorCode", "remainVol")] == [2, 3, 0, 0]
    assert [deal[name] for name in ("category", "price", "profit")] == [2, 45000, -5]
    assert [by_channel["position"][name] for name in ("state", "holdVol")] == [3, 0]
    assert by_channel["asset"]["positionMargin"] == 0


async def test_a_reversal(client, socket):
    await client.order()
    (position,) = (await client.get(PRIVATE + "position/open_positions"))["data"]
    body = {"symbol": "BTC_USDT", "positionId": position["positionId"], "vol": 10}
    await client.post(PRIVATE + "position/reverse", body)
    (push,) = await _told(socket, "reverse.position")
    assert push["data"] == {
        "contractId": 10,
        "positionId": position["positionId"],
        "state": 2,
        "errorCode": 0,
    }


async def test_a_leverage_brings_its_risk_limit(client, socket):
    body = {"symbol": "BTC_USDT", "openType": 2, "positionType": 2, "leverage": 100}
    await client.post(PRIVATE + "position/change_leverage", body)
    (push,) = await _told(socket, "risk.limit")
    shown = ("symbol", "positionType", "level", "maxVol", "maxLeverage", "leverage", "openType")
    assert [push["data"][name] for name in shown] == ["BTC_USDT", 2, 3, 480_000, 500, 100, 2]


async def test_closing_everything_where_nobody_buys(client, socket):
    await client.order()
    await client.control("PUT", "depth/BTC_USDT", {"asks": [["50001", "5"]]})
    assert (await client.post(PRIVATE + "position/close_all"))["data"] == []
    assert len(await _told(socket, "position.closeall.fail")) == 1


async def test_funding_tells_of_the_position_and_the_money(client, socket):
    await client.order()
    await socket.settle()
    await client.control("POST", "funding/BTC_USDT", {"rate": "0.0001"})
    (position,) = await _told(socket, "position")
    assert position["data"]["holdFee"] == -0.005
