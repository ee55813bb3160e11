"""The paper exchange's market over real HTTP: public endpoints and the clock."""

import time

import pytest

from tests.paper_market import (  # noqa: F401 - fixtures
    BTC,
    PUBLIC,
    client_fixture,
    read,
    refused,
    stand_still,
    until,
    venue_fixture,
)
from tests.paper_server import PRIVATE
from tools.paper_exchange.catalogue import load_catalogue


async def test_depth_ticker_and_deals_after_a_trade(client):
    await client.order(vol=10)
    ticker = await read(client, "ticker", symbol=BTC)
    names = ("lastPrice", "bid1", "ask1", "volume24", "amount24", "holdVol", "lower24Price")
    assert [ticker[k] for k in names] == [50000, 49999.9, 50000.1, 10, 50, 10, 50000]
    assert ticker["high24Price"] == 77123.1
    assert ticker["riseFallValue"] == pytest.approx(50000 - 77123.1)
    assert ticker["riseFallRate"] == pytest.approx(50000 / 77123.1 - 1, abs=0.0001)
    everything = await read(client, "ticker")
    assert {row["symbol"] for row in everything} == set(load_catalogue().contracts)
    depth = await read(client, f"depth/{BTC}", limit=3)
    assert [row[0] for row in depth["bids"]] == [49999.9, 49999.8, 49999.7]
    assert [row[0] for row in depth["asks"]] == [50000.1, 50000.2, 50000.3]
    assert depth["version"] > 0
    assert len((await read(client, f"depth/{BTC}"))["bids"]) == 20
    (deal,) = await read(client, f"deals/{BTC}")
    assert {k: deal[k] for k in "pvTOM"} == {"p": 50000, "v": 10, "T": 1, "O": 1, "M": 2}
    assert abs(deal["t"] - time.time() * 1000) < 5000
    assert deal["i"] == "1"


async def test_deals_and_commits_are_limited_and_newest_first(client):
    for vol in (1, 2, 3):
        await client.order(vol=vol)
    assert [deal["v"] for deal in await read(client, f"deals/{BTC}", limit=2)] == [3, 2]
    await read(client, f"depth/{BTC}")
    for level in ("49990", "49991"):
        await client.control("PUT", f"depth/{BTC}", {"bids": [[level, "5"]], "asks": []})
        depth = await read(client, f"depth/{BTC}")
    (commit,) = await read(client, f"depth_commits/{BTC}/1")
    assert commit == {
        "bids": [[49991, 5, 1], [49990, 0, 0]],
        "asks": [],
        "version": depth["version"],
    }


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("depth/NOPE_USDT", 1001),
        ("deals/NOPE_USDT", 1001),
        ("kline/NOPE_USDT", 1001),
        ("kline/index_price/NOPE_USDT", 1001),
        ("funding_rate/NOPE_USDT", 1001),
        ("funding_rate/history", 1001),
        ("ticker?symbol=NOPE_USDT", 1001),
        ("index_price/NOPE_USDT", 1001),
        ("depth_commits/NOPE_USDT/5", 1001),
        (f"depth/{BTC}?limit=0", 600),
        (f"depth/{BTC}?limit=x", 600),
        (f"depth_commits/{BTC}/0", 600),
        (f"depth_commits/{BTC}/1001", 600),
        (f"deals/{BTC}?limit=101", 600),
        (f"kline/{BTC}?interval=Min2", 600),
        (f"kline/{BTC}?start=20&end=10", 600),
        (f"kline/{BTC}?start=-5", 600),
        (f"kline/{BTC}?end=-5", 600),
        (f"funding_rate/history?symbol={BTC}&page_size=101", 600),
        (f"funding_rate/history?symbol={BTC}&page_num=0", 600),
    ],
)
async def test_what_is_asked_wrongly_is_refused(client, path, code):
    url, _, query = path.partition("?")
    params = dict(pair.split("=") for pair in query.split("&")) if query else {}
    reply = await client.get(PUBLIC + url, params)
    assert (reply["success"], reply["code"]) == (False, code)


async def test_klines_are_columns_of_one_length(client):
    begin = await stand_still(client)
    await client.control("PUT", "clock", {"advance_ms": 180_000})
    await client.control("PUT", f"prices/{BTC}", {"last": "51000", "fair": "51500"})
    bars = await read(client, f"kline/{BTC}", interval="Min1", start=begin)
    names = "time open close high low vol amount realOpen realClose realHigh realLow"
    assert " ".join(bars) == names
    assert {len(column) for column in bars.values()} == {4}
    assert bars["time"] == [begin + 60 * n for n in range(4)]
    assert bars["close"] == [50000, 50000, 50000, 51000]
    assert (bars["open"][3], bars["realOpen"][3], bars["high"][3]) == (50000, 51000, 51000)
    fair = await read(client, f"kline/fair_price/{BTC}")
    assert (fair["close"][-1], fair["vol"][-1]) == (51500, 0)
    index = await read(client, f"kline/index_price/{BTC}", start=bars["time"][2])
    assert (index["close"], index["time"]) == ([50000, 51000], bars["time"][2:])
    middle = await read(client, f"kline/{BTC}", start=bars["time"][1], end=bars["time"][2])
    assert middle["time"] == bars["time"][1:3]
    for never in ({"start": begin + 3600}, {"start": 10**15, "end": 10**16}):
        empty = await read(client, f"kline/{BTC}", interval="Month1", **never)
        assert (empty["time"], empty["close"]) == ([], [])
    future = await read(client, f"kline/{BTC}", end=bars["time"][-1] + 3600)
    assert future["time"][-1] <= await read(client, "ping") // 1000
    (day,) = (await read(client, f"kline/{BTC}", interval="Day1"))["close"][-1:]
    assert day == 51000


async def test_a_reply_holds_at_most_2000_bars(client, venue):
    begin = await stand_still(client)
    await client.control("PUT", "clock", {"advance_ms": 3000 * 60_000})
    latest = await read(client, f"kline/{BTC}")
    assert len(latest["time"]) == 2000
    assert latest["time"][-1] == begin + 3000 * 60
    earliest = await read(client, f"kline/{BTC}", start=1)
    assert len(earliest["time"]) == 2000
    assert earliest["time"][0] == venue.tape.bars[BTC].last.minutes[0].begin_s


async def test_funding_is_shown_settled_and_remembered(client, venue):
    await client.control("PUT", f"funding/{BTC}", {"rate": "0.001"})
    await client.order(vol=1000)
    shown = await read(client, f"funding_rate/{BTC}")
    names = ("fundingRate", "maxFundingRate", "minFundingRate", "collectCycle", "fairPrice")
    assert [shown[k] for k in names] == [0.001, 0.0018, -0.0018, 8, 50000]
    due = shown["nextSettleTime"]
    assert due % (8 * 3_600_000) == 0
    assert 0 < due - shown["timestamp"] <= 8 * 3_600_000
    assert len(await read(client, "funding_rate")) == len(venue.contracts)
    clock = await client.control("PUT", "clock", {"at_ms": due})
    assert (clock["now_ms"], clock["stands"], clock["failure"]) == (due, True, None)
    assert venue.state.accounts[1].wallet("USDT").funding == -5
    page = await read(client, "funding_rate/history", symbol=BTC)
    names = ("pageSize", "totalCount", "totalPage", "currentPage")
    assert [page[k] for k in names] == [20, 1, 1, 1]
    (row,) = page["resultList"]
    assert (row["symbol"], row["fundingRate"], row["settleTime"]) == (BTC, 0.001, due)
    beyond = await read(client, "funding_rate/history", symbol=BTC, page_num=2)
    assert beyond["resultList"] == []
    assert (await read(client, f"funding_rate/{BTC}"))["nextSettleTime"] == due + 8 * 3_600_000


async def test_currencies_and_the_insurance_fund(client, venue):
    assert await read(client, "support_currencies") == ["USDT", "USDC"]
    funds = await read(client, "risk_reverse")
    assert {fund["symbol"] for fund in funds} == set(venue.contracts)
    assert (funds[0]["currency"], funds[0]["available"]) == ("USDT", 0)
    page = await read(client, "risk_reverse/history", symbol=BTC)
    assert (page["totalCount"], page["resultList"]) == (0, [])


async def test_the_clock_is_the_exchanges_not_the_records(client):
    await client.control("PUT", "clock", {"advance_ms": 3_600_000})
    assert await read(client, "ping") - time.time() * 1000 > 3_500_000
    answer = await client.get(PRIVATE + "account/assets")
    assert answer["code"] == 513
    (record,) = await client.control("GET", f"requests?path={PRIVATE}account/assets")
    assert abs(record["received_ns"] - time.time_ns()) < 5e9
    now_ms = (await client.control("GET", "clock"))["now_ms"]
    assert "not before now" in await refused(client, "PUT", "clock", {"at_ms": now_ms - 60_000})
    for body in (
        {},
        {"run": False},
        {"run": True, "advance_ms": 5},
        {"run": False, "advance_ms": 5},
    ):
        assert "give one of" in await refused(client, "PUT", "clock", body)
    assert "lies between" in await refused(client, "PUT", "clock", {"advance_ms": -1})
    running = await client.control("PUT", "clock", {"run": True})
    assert (running["stands"], running["ahead_ms"] > 3_500_000) == (False, True)


@pytest.mark.parametrize("offset_ms", [12_000, -12_000])
async def test_a_clock_that_is_off_and_right_again(client, venue, offset_ms):
    was = (await client.order(vol=1))["data"]["orderId"]
    told = await client.control("PUT", "clock", {"offset_ms": offset_ms})
    assert told["offset_ms"] == offset_ms
    assert abs(await read(client, "ping") - time.time() * 1000 - offset_ms) < 5_000
    assert (await client.get(PRIVATE + "account/assets"))["code"] == 513
    assert (await client.order(vol=1))["code"] == 513
    # The books know nothing of it: ids and times go on.
    assert abs(venue.now_ms() - time.time() * 1000) < 5_000
    await client.control("PUT", "clock", {"offset_ms": offset_ms // 4})
    assert (await client.order(vol=1))["code"] == 0, "within the window"
    await client.control("PUT", "clock", {"offset_ms": 0})
    assert abs(await read(client, "ping") - time.time() * 1000) < 5_000
    assert int((await client.order(vol=1))["data"]["orderId"]) > int(was)
    assert "lies between" in await refused(client, "PUT", "clock", {"offset_ms": 10**9})


async def test_a_settlement_falls_due_by_itself(client, venue):
    await client.order(vol=1000)
    due = (await read(client, f"funding_rate/{BTC}"))["nextSettleTime"]
    await client.control("PUT", "clock", {"at_ms": due - 1})
    assert venue.state.accounts[1].wallet("USDT").funding == 0
    venue.clock.advance(1)

    async def settled():
        return venue.state.accounts[1].wallet("USDT").funding != 0

    await until(settled)
