"""The paper exchange's public channels: what a subscriber sees at once, and what follows."""

import asyncio
from typing import Any

import pytest

from tests.paper_server import address_fixture, client_fixture
from tests.paper_socket import PaperSocket, connected

__all__ = ["address_fixture", "client_fixture"]

BTC = {"symbol": "BTC_USDT"}
PUBLIC = "/api/v1/contract/"
ONE_EACH = [
    ("ticker", BTC),
    ("deal", BTC | {"compress": False}),
    ("depth", BTC),
    ("depth.full", BTC | {"limit": 5}),
    ("depth.step", BTC | {"step": "10"}),
    ("kline", BTC | {"interval": "Min60"}),
    ("funding.rate", BTC),
    ("index.price", BTC),
    ("fair.price", BTC),
    ("tickers", {}),
    ("contract", {}),
    ("event.contract", {}),
]


@pytest.fixture(name="socket")
async def socket_fixture(address):
    async with connected(address) as socket:
        yield socket


async def subscribed(socket: PaperSocket, kind: str, param: Any = None) -> None:
    reply = await socket.ask(f"sub.{kind}", param)
    assert (reply["channel"], reply["data"]) == (f"rs.sub.{kind}", "success")


async def public(client, path: str, **params: Any) -> Any:
    return (await client.get(PUBLIC + path, params))["data"]


@pytest.mark.parametrize(("kind", "param"), ONE_EACH)
async def test_each_channel_is_acknowledged_and_left_again(socket, client, kind, param):
    await subscribed(socket, kind, param)
    reply = await socket.ask(f"unsub.{kind}", param)
    assert reply["channel"] == f"rs.unsub.{kind}"
    await socket.settle()
    await client.control("PUT", "prices/BTC_USDT", {"last": "51000"})
    await client.order()
    await asyncio.sleep(0.3)
    assert await socket.settle() == []


async def test_an_unsub_may_go_without_an_answer(socket, client):
    await client.control("PUT", "behaviour", {"unsub_ack": "omit"})
    await socket.say("unsub.ticker", BTC)
    assert await socket.settle() == []


@pytest.mark.parametrize(
    ("method", "param"),
    [
        ("sub.ticker", {"symbol": "NO_SUCH"}),
        ("sub.ticker", {}),
        ("sub.ticker", {"symbol": 5}),
        ("sub.kline", BTC | {"interval": "Min7"}),
        ("sub.depth.full", BTC | {"limit": 7}),
        ("sub.depth.step", BTC | {"step": "0.3"}),
        ("sub.nothing", BTC),
        ("unsub.nothing", BTC),
    ],
)
async def test_what_cannot_be_subscribed_to_is_an_error(socket, method, param):
    assert (await socket.ask(method, param))["channel"] == "rs.error"


async def test_clients_that_say_params_or_nothing_get_all_tickers(socket, client):
    await socket.say("sub.tickers", params={})
    push = await socket.next("push.tickers")
    shown = {row["symbol"]: row for row in push["data"]}
    assert set(shown) == {row["symbol"] for row in await public(client, "ticker")}
    assert shown["BTC_USDT"]["lastPrice"] == 50000
    again = await socket.next("push.tickers")
    assert 1900 <= again["ts"] - push["ts"] <= 4000


async def test_a_ticker_is_shown_at_once_and_follows_the_price(socket, client):
    await subscribed(socket, "ticker", BTC)
    first = await socket.next("push.ticker")
    asked = await public(client, "ticker", symbol="BTC_USDT")
    assert first["symbol"] == "BTC_USDT"
    assert {**first["data"], "timestamp": 0} == {**asked, "timestamp": 0}
    await client.control("PUT", "prices/BTC_USDT", {"last": "51000", "fair": "51001"})
    moved = (await socket.next("push.ticker"))["data"]
    assert (moved["lastPrice"], moved["fairPrice"]) == (51000, 51001)
    await client.control("PUT", "prices/ETH_USDT", {"last": "3000"})
    await asyncio.sleep(0.3)
    assert await socket.settle() == [], "of other contracts nothing"


@pytest.mark.parametrize(("kind", "field"), [("index.price", "index"), ("fair.price", "fair")])
async def test_prices_are_pushed_when_they_change(socket, client, kind, field):
    await subscribed(socket, kind, BTC)
    expected = {"symbol": "BTC_USDT", "price": 50000}
    assert (await socket.next(f"push.{kind}"))["data"] == expected
    await client.control("PUT", "prices/BTC_USDT", {"last": "51000", field: "50500"})
    assert (await socket.next(f"push.{kind}"))["data"]["price"] == 50500


async def test_what_does_not_change_is_not_pushed_again(socket, client):
    for kind in ("index.price", "fair.price", "funding.rate"):
        await subscribed(socket, kind, BTC)
    await socket.settle()
    await client.order(type=1, price=49000)
    await asyncio.sleep(0.3)
    assert await socket.settle() == []


async def test_the_funding_rate_is_shown(socket, client):
    await subscribed(socket, "funding.rate", BTC)
    shown = (await socket.next("push.funding.rate"))["data"]
    asked = await public(client, "funding_rate/BTC_USDT")
    assert shown["rate"] == asked["fundingRate"]
    assert shown["nextSettleTime"] == asked["nextSettleTime"]


async def test_trades_are_pushed_as_a_list_from_the_subscription_on(socket, client):
    await client.order(vol=3)
    await subscribed(socket, "deal", BTC)
    await client.order(vol=7)
    push = await socket.next("push.deal")
    (trade,) = push["data"]
    assert push["symbol"] == "BTC_USDT"
    assert (trade["p"], trade["v"], trade["T"]) == (50000, 7, 1)
    newest = (await public(client, "deals/BTC_USDT"))[0]
    assert {**trade, **newest} == {**newest, **trade}


async def test_a_kline_is_shown_at_once_and_grows_with_trades(socket, client):
    await subscribed(socket, "kline", BTC | {"interval": "Hour4"})
    first = (await socket.next("push.kline"))["data"]
    assert (first["symbol"], first["interval"], first["t"] % 14_400) == ("BTC_USDT", "Hour4", 0)
    before = first["q"]
    await client.order(vol=7)
    await client.control("PUT", "prices/BTC_USDT", {"last": "90000"})
    grown = await socket.next(lambda f: f["channel"] == "push.kline" and f["data"]["c"] == 90000)
    assert (grown["data"]["h"], grown["data"]["q"] - before) == (90000, 7)
    await subscribed(socket, "kline", BTC | {"interval": "Min1"})
    minute = await socket.next(lambda f: f["data"]["interval"] == "Min1")
    assert minute["data"]["t"] % 60 == 0


async def test_the_depth_in_steps_gathers_what_lies_between(socket, client):
    levels = {"bids": [["49995", "1"], ["49991", "2"], ["49989", "4"]], "asks": [["50001", "8"]]}
    await client.control("PUT", "depth/BTC_USDT", levels)
    await subscribed(socket, "depth.step", BTC | {"step": "10"})
    shown = (await socket.next("push.depth.step"))["data"]
    assert [row[:2] for row in shown["bids"]] == [[49990, 3], [49980, 4]]
    assert [row[:2] for row in shown["asks"]] == [[50010, 8]]


async def test_the_full_depth_is_limited_and_pushed_when_it_changes(socket, client):
    await subscribed(socket, "depth.full", BTC | {"limit": 5})
    shown = (await socket.next("push.depth.full"))["data"]
    asked = await public(client, "depth/BTC_USDT", limit=5)
    assert {**asked, **shown} == asked
    assert len(shown["bids"]) == len(shown["asks"]) == 5
    await client.order(type=1, price=49999.9, vol=6)
    changed = (await socket.next("push.depth.full"))["data"]
    assert changed["version"] > shown["version"]
    assert changed["bids"][0][1] == shown["bids"][0][1] + 6


def put_into(book: dict[str, dict[float, float]], data: dict[str, Any]) -> None:
    for side in ("bids", "asks"):
        for price, vol, _count in data[side]:
            if vol:
                book[side][price] = vol
            else:
                book[side].pop(price, None)


async def test_depth_pushes_add_up_to_what_rest_shows(socket, client):
    """Versions follow each other without a gap, also where REST looks in between."""
    await subscribed(socket, "depth", BTC)
    book: dict[str, dict[float, float]] = {"bids": {}, "asks": {}}
    first = (await socket.next("push.depth"))["data"]
    put_into(book, first)
    versions = [first["version"]]
    for price in ("50010.5", "49990", "50020"):
        await client.control("PUT", "prices/BTC_USDT", {"last": price})
        await public(client, "depth/BTC_USDT")
        await client.order(type=1, price=49000, vol=2)
    wanted = await public(client, "depth/BTC_USDT")
    while versions[-1] < wanted["version"]:
        data = (await socket.next("push.depth"))["data"]
        put_into(book, data)
        versions.append(data["version"])
    assert versions == list(range(versions[0], versions[-1] + 1))
    # It may have gone on by versions that change nothing.
    assert book["bids"] == {price: vol for price, vol, _ in wanted["bids"]}
    assert book["asks"] == {price: vol for price, vol, _ in wanted["asks"]}
    assert book["bids"][49000] == 6


async def test_the_depth_goes_on_where_nothing_changes(socket, client):
    await subscribed(socket, "depth", BTC)
    first = (await socket.next("push.depth"))["data"]
    for number in range(1, 4):
        data = (await socket.next("push.depth"))["data"]
        assert data["version"] == first["version"] + number
        assert (data["bids"], data["asks"]) == (first["bids"][:1], first["asks"][:1])


async def test_two_subscribers_of_a_depth_see_the_same_versions(address, socket, client):
    await subscribed(socket, "depth", BTC)
    async with connected(address) as other:
        await client.control("PUT", "prices/BTC_USDT", {"last": "50100"})
        await subscribed(other, "depth", BTC)
        start = (await other.next("push.depth"))["data"]["version"]
        await client.control("PUT", "prices/BTC_USDT", {"last": "50200"})
        later = (await other.next("push.depth"))["data"]
        assert later["version"] == start + 1
        same = await socket.next(lambda frame: frame["data"]["version"] == later["version"])
        assert same["data"] == later


async def test_an_unsub_without_an_interval_means_all_intervals(socket, client):
    await subscribed(socket, "kline", BTC | {"interval": "Min1"})
    await subscribed(socket, "kline", BTC | {"interval": "Min5"})
    await subscribed(socket, "kline", BTC | {"interval": "Day1"})
    await socket.ask("unsub.kline", BTC | {"interval": "Min5"})
    await socket.settle()
    await client.control("PUT", "prices/BTC_USDT", {"last": "51000"})
    seen = {(await socket.next("push.kline"))["data"]["interval"] for _ in range(2)}
    assert seen == {"Min1", "Day1"}
    await socket.ask("unsub.kline", BTC)
    await socket.settle()
    await client.control("PUT", "prices/BTC_USDT", {"last": "52000"})
    await asyncio.sleep(0.3)
    assert await socket.settle() == []
