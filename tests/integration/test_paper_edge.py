"""The paper exchange's WebSocket: login, filter, and the private pushes against what REST says."""

import time
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.paper_client import PaperClient
from tests.paper_server import (
    PRIVATE,
    address_fixture,
    client_fixture,
    signed_up,
)
from tests.paper_socket import connected, login_param

__all__ = ["address_fixture", "client_fixture"]

NOW_MS = 1_000_000
LIMIT = {"type": 1, "price": 49000}


@asynccontextmanager
async def listening(address: str, client: PaperClient, **fields: Any):
    await client.control("PUT", "pushes", {"delay_ms": 0})
    async with connected(address) as socket:
        assert (await socket.log_in(client, **fields))["channel"] == "rs.login"
        yield socket


def pushes(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["channel"].removeprefix("push.personal.") for frame in frames]


async def test_login_is_acknowledged_with_the_time(address, client):
    async with connected(address) as socket:
        reply = await socket.log_in(client)
    assert reply["data"] == "success"
    assert abs(reply["ts"] - time.time() * 1000) < 10_000


async def test_the_time_of_a_login_may_be_a_number(address, client):
    async with connected(address) as socket:
        param = login_param(*client.keys)
        param["reqTime"] = int(param["reqTime"])
        assert (await socket.ask("login", param))["channel"] == "rs.login"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"signature": "0" * 64}, "signature"),
        ({"apiKey": "paper_nobody"}, "login"),
        ({"reqTime": 1_700_000_000_000}, "Invalid request"),
        ({"reqTime": "soon"}, "Invalid request"),
        ({"apiKey": 5}, "Invalid login"),
    ],
)
async def test_a_wrong_login_gets_an_error_and_no_pushes(address, client, changes, text):
    await client.control("PUT", "pushes", {"delay_ms": 0})
    async with connected(address) as socket:
        reply = await socket.ask("login", login_param(*client.keys, **changes))
        assert reply["channel"] == "rs.error"
        assert text.lower() in reply["data"].lower()
        assert client.keys[1] not in reply["data"]
        await client.order()
        assert await socket.settle() == []


async def test_a_login_is_compared_with_the_time_that_is_told(address, client):
    await client.control("PUT", "clock", {"offset_ms": -12_000})
    async with connected(address) as socket:
        assert (await socket.ask("login", login_param(*client.keys)))["channel"] == "rs.error"
        behind = time.time_ns() // 1_000_000 - 12_000
        reply = await socket.ask("login", login_param(*client.keys, reqTime=behind))
        assert reply["channel"] == "rs.login"


async def test_a_key_that_is_linked_elsewhere_may_not_log_in(address):
    async with await signed_up(address, ip_whitelist=["10.9.8.7"]) as stranger:
        async with connected(address) as socket:
            reply = await socket.log_in(stranger)
    assert reply["channel"] == "rs.error"
    assert "whitelist" in reply["data"]


async def test_an_expired_key_may_not_log_in(address):
    async with await signed_up(address, days_left=0) as late:
        async with connected(address) as socket:
            reply = await socket.log_in(late)
    assert reply["channel"] == "rs.error"
    assert "expired" in reply["data"].lower()


async def test_a_market_order_is_pushed_whole(address, client):
    async with listening(address, client) as socket:
        made = (await client.order())["data"]["orderId"]
        frames = await socket.settle()
    assert sorted(pushes(frames)) == ["asset", "order", "order.deal", "position"]
    by = {frame["channel"].removeprefix("push.personal."): frame["data"] for frame in frames}
    assert all(isinstance(frame["ts"], int) for frame in frames)

    order = (await client.get(PRIVATE + f"order/get/{made}"))["data"]
    assert {**by["order"], **order} == by["order"], "all that REST says of the order"
    assert (by["order"]["state"], by["order"]["remainVol"]) == (3, 0)
    assert (by["order"]["makerFeeRate"], by["order"]["takerFeeRate"]) == (0.0006, 0.0008)

    deal = (await client.get(PRIVATE + f"order/deal_details/{made}"))["data"][0]
    assert {**by["order.deal"], **deal} == by["order.deal"]
    assert by["order.deal"]["isTaker"] is by["order.deal"]["taker"] is True
    assert by["order.deal"]["externalOid"] == order["externalOid"]

    position = (await client.get(PRIVATE + "position/open_positions"))["data"][0]
    assert {**by["position"], **position} == by["position"]
    assert (by["position"]["pnl"], by["position"]["state"]) == (0, 1)

    asset = (await client.get(PRIVATE + "account/asset/USDT"))["data"]
    assert set(by["asset"]) == {
        *("currency", "positionMargin", "frozenBalance", "availableBalance", "bonus"),
    }
    assert {**asset, **by["asset"]} == asset


async def test_a_resting_order_is_pushed_when_it_rests_fills_and_is_canceled(address, client):
    async with listening(address, client) as socket:
        first = (await client.order(**LIMIT))["data"]["orderId"]
        rests = await socket.settle()
        assert sorted(pushes(rests)) == ["asset", "order"]
        assert [f["data"]["state"] for f in rests if f["channel"].endswith(".order")] == [2]

        await client.control("PUT", "prices/BTC_USDT", {"last": "48900"})
        filled = {f["channel"]: f["data"] for f in await socket.settle()}
        assert filled["push.personal.order"]["state"] == 3
        assert filled["push.personal.order"]["orderId"] == first
        assert filled["push.personal.order.deal"]["isTaker"] is False
        # Bought at 49000, ten contracts of 0.0001, now worth 100 less each.
        assert filled["push.personal.position"]["pnl"] == -0.1

        second = (await client.order(type=1, price=48000))["data"]["orderId"]
        await socket.settle()
        await client.post(PRIVATE + "order/cancel", [second])
        canceled = {f["channel"]: f["data"] for f in await socket.settle()}
    assert canceled["push.personal.order"]["state"] == 4
    assert canceled["push.personal.order"]["remainVol"] == 10
    assert canceled["push.personal.asset"]["frozenBalance"] == 0


async def test_a_closed_position_is_pushed_once_more_as_closed(address, client):
    async with listening(address, client) as socket:
        await client.order()
        await socket.settle()
        await client.order(side=4)
        closed = {f["channel"]: f["data"] for f in await socket.settle()}["push.personal.position"]
    assert (closed["state"], closed["holdVol"], closed["closeVol"]) == (3, 0, 10)


async def test_a_changed_position_mode_is_pushed(address, client):
    async with listening(address, client) as socket:
        await client.post(PRIVATE + "position/change_position_mode", {"positionMode": 2})
        assert [f["data"] for f in await socket.settle()] == [{"positionMode": 2}]


async def test_accounts_do_not_see_each_other(address, client):
    async with await signed_up(address) as other:
        async with listening(address, other) as socket:
            await client.order()
            assert await socket.settle() == []


async def test_who_logs_in_as_another_account_leaves_the_first(address, client):
    async with await signed_up(address) as other:
        async with listening(address, client) as socket:
            await socket.log_in(other)
            await client.order()
            assert await socket.settle() == []
            await other.order()
            assert len(await socket.settle()) == 4


async def test_a_failed_login_leaves_the_first_as_it_was(address, client):
    async with listening(address, client) as socket:
        reply = await socket.ask("login", login_param(*client.keys, signature="0"))
        assert reply["channel"] == "rs.error"
        await client.order()
        assert len(await socket.settle()) == 4


async def test_every_session_of_an_account_gets_the_pushes(address, client):
    async with listening(address, client) as one, listening(address, client) as two:
        await client.order()
        assert await one.settle() == await two.settle() != []


@pytest.mark.parametrize("inside", [True, False])
async def test_subscribe_false_stops_the_pushes_until_a_filter_asks(address, client, inside):
    async with connected(address) as socket:
        await client.control("PUT", "pushes", {"delay_ms": 0})
        param = login_param(*client.keys, **({"subscribe": False} if inside else {}))
        fields = {} if inside else {"subscribe": False}
        assert (await socket.ask("login", param, **fields))["channel"] == "rs.login"
        await client.order()
        assert await socket.settle() == []
        await socket.ask("personal.filter", {"filters": []})
        await client.order()
        assert len(await socket.settle()) == 4


async def test_a_filter_narrows_by_kind_and_symbol_and_the_next_one_replaces_it(address, client):
    async with listening(address, client) as socket:
        wanted = [{"filter": "order", "rules": ["BTC_USDT"]}, {"filter": "asset"}]
        reply = await socket.ask("personal.filter", {"filters": wanted})
        assert (reply["channel"], reply["data"]) == ("rs.personal.filter", "success")
        await client.order()
        assert sorted(pushes(await socket.settle())) == ["asset", "order"]

        wanted = [{"filter": "order", "rules": ["ETH_USDT"]}, {"filter": "position", "rules": []}]
        await socket.ask("personal.filter", {"filters": wanted})
        await client.order()
        assert pushes(await socket.settle()) == ["position"]

        await socket.ask("personal.filter", {"filters": []})
        await client.order()
        assert len(await socket.settle()) == 4


async def test_a_wrong_filter_is_an_error_and_changes_nothing(address, client):
    async with listening(address, client) as socket:
        for wrong in ({"filters": [{"filter": "orders"}]}, {"filters": "order"}, {}):
            assert (await socket.ask("personal.filter", wrong))["channel"] == "rs.error"
        await client.order()
        assert len(await socket.settle()) == 4


async def test_a_filter_needs_a_login(address):
    async with connected(address) as socket:
        reply = await socket.ask("personal.filter", {"filters": []})
    assert reply["channel"] == "rs.error"


@pytest.mark.parametrize(
    ("missing", "seen"),
    [
        ("CONTRACT_ACCOUNT_READ", ["order", "order.deal", "position"]),
        ("CONTRACT_DEAL_READ", ["asset"]),
    ],
)
async def test_a_key_sees_what_it_may_read(address, client, missing, seen):
    every = ["CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ", "CONTRACT_DEAL_WRITE"]
    allowed = [name for name in every if name != missing]
    async with await signed_up(address, permissions=allowed) as limited:
        async with listening(address, limited) as socket:
            await limited.order()
            assert sorted(pushes(await socket.settle())) == seen


async def test_what_makes_no_sense_is_answered_with_an_error(address):
    async with connected(address) as socket:
        for text in ("{", "[]", '{"method":5}', '{"method":"fly"}', "[" * 5000, '"ping"'):
            await socket.socket.send_str(text)
            assert (await socket.next("rs.error"))["data"]
        await socket.socket.send_bytes(b"\xff\xfe")
        assert (await socket.next("rs.error"))["data"]
        await socket.say("ping", gzip=False)
        pong = await socket.next("pong")
    assert pong["data"] == pong["ts"]
    assert abs(pong["data"] - time.time() * 1000) < 10_000
