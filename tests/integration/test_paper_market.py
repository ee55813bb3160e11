"""The paper exchange's market over real HTTP: public endpoints, feeds, the clock."""

import asyncio
import time

import aiohttp
import pytest

from tests.paper_client import PaperClient
from tests.paper_server import PRIVATE, signed_up
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.serving import serving
from tools.paper_exchange.venue import Venue

PUBLIC = "/api/v1/contract/"
BTC = "BTC_USDT"


@pytest.fixture(name="venue")
def venue_fixture(tmp_path):
    return Venue(load_catalogue(), kline_dir=tmp_path)


@pytest.fixture(name="client")
async def client_fixture(venue):
    async with serving(venue) as base, await signed_up(base) as client:
        await client.control("PUT", f"prices/{BTC}", {"last": "50000"})
        yield client


async def read(client: PaperClient, path: str, **params):
    reply = await client.get(PUBLIC + path, params)
    assert reply["success"] is True, reply
    return reply["data"]


async def control(client: PaperClient, method, path, body=None, *, status=400):
    """The error of a control call that is refused."""
    url = f"{client._base_url}/_paper/{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body) as reply,
    ):
        assert reply.status == status, await reply.text()
        return (await reply.json())["error"]


async def until(holds, *, within_s=5):
    async with asyncio.timeout(within_s):
        while not await holds():
            await asyncio.sleep(0.01)


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
        (f"kline/{BTC}?start=1760000000000", 600),
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


async def test_klines_are_columns_of_one_length(client, venue):
    await client.control("PUT", "clock", {"advance_ms": 180_000})
    await client.control("PUT", f"prices/{BTC}", {"last": "51000", "fair": "51500"})
    bars = await read(client, f"kline/{BTC}", interval="Min1")
    names = "time open close high low vol amount realOpen realClose realHigh realLow"
    assert " ".join(bars) == names
    assert {len(column) for column in bars.values()} == {4}
    assert bars["time"] == [bars["time"][0] + 60 * n for n in range(4)]
    assert bars["close"] == [50000, 50000, 50000, 51000]
    assert (bars["open"][3], bars["realOpen"][3], bars["high"][3]) == (50000, 51000, 51000)
    fair = await read(client, f"kline/fair_price/{BTC}")
    assert (fair["close"][-1], fair["vol"][-1]) == (51500, 0)
    index = await read(client, f"kline/index_price/{BTC}", start=bars["time"][2])
    assert (index["close"], index["time"]) == ([50000, 51000], bars["time"][2:])
    middle = await read(client, f"kline/{BTC}", start=bars["time"][1], end=bars["time"][2])
    assert middle["time"] == bars["time"][1:3]
    (day,) = (await read(client, f"kline/{BTC}", interval="Day1"))["close"][-1:]
    assert day == 51000


async def test_a_reply_holds_at_most_2000_bars(client):
    await client.control("PUT", "clock", {"advance_ms": 3000 * 60_000})
    latest = await read(client, f"kline/{BTC}")
    now_s = (await client.control("GET", "clock"))["now_ms"] // 1000
    assert len(latest["time"]) == 2000
    assert latest["time"][-1] == now_s // 60 * 60
    earliest = await read(client, f"kline/{BTC}", start=1)
    assert len(earliest["time"]) == 2000
    assert earliest["time"][0] == latest["time"][0] - 1001 * 60


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
    assert clock == {"now_ms": due, "stands": True, "ahead_ms": clock["ahead_ms"], "failure": None}
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
    refused = await client.get(PRIVATE + "account/assets")
    assert refused["code"] == 513
    (record,) = await client.control("GET", f"requests?path={PRIVATE}account/assets")
    assert abs(record["received_ns"] - time.time_ns()) < 5e9
    now_ms = (await client.control("GET", "clock"))["now_ms"]
    assert "not before now" in await control(client, "PUT", "clock", {"at_ms": now_ms - 60_000})
    for body in ({}, {"run": False}, {"run": True, "advance_ms": 5}):
        assert "give one of" in await control(client, "PUT", "clock", body)
    assert "lies between" in await control(client, "PUT", "clock", {"advance_ms": -1})
    running = await client.control("PUT", "clock", {"run": True})
    assert (running["stands"], running["ahead_ms"] > 3_500_000) == (False, True)


async def test_a_settlement_falls_due_by_itself(client, venue):
    await client.order(vol=1000)
    due = (await read(client, f"funding_rate/{BTC}"))["nextSettleTime"]
    await client.control("PUT", "clock", {"at_ms": due - 1})
    assert venue.state.accounts[1].wallet("USDT").funding == 0
    venue.clock.advance(1)

    async def settled():
        return venue.state.accounts[1].wallet("USDT").funding != 0

    await until(settled)


async def test_a_walk_moves_the_price_until_it_is_stopped(client, venue):
    body = {"kind": "walk", "seed": 7, "step_ms": 10, "volatility_bps": "20"}
    playing = await client.control("PUT", f"feed/{BTC}", body)
    assert (playing["kind"], playing["state"], playing["seed"]) == ("walk", "playing", 7)

    async def moved():
        return (
            len({bar.close for bar in venue.tape.bars[BTC].last.minutes})
            and (await read(client, "ticker", symbol=BTC))["lastPrice"] != 50000
        )

    await until(moved)
    assert list(await client.control("GET", "feed")) == [BTC]
    stopped = await client.control("PUT", f"feed/{BTC}", {"kind": "still"})
    assert (stopped, await client.control("GET", "feed")) == ({"kind": "still"}, {})
    last = venue.state.prices[BTC].last
    await asyncio.sleep(0.05)
    assert venue.state.prices[BTC].last == last


async def test_klines_are_played_with_their_volume_and_end(client, venue):
    rows = [[0, 100, 120, 90, 110, 8], [60, 110, 110, 100, 105, 4]]
    await client.control("PUT", f"feed/{BTC}", {"kind": "klines", "rows": rows, "speed": 1_000})

    async def ended():
        return (await client.control("GET", "feed"))[BTC]["state"] == "ended"

    await until(ended)
    assert venue.state.prices[BTC].last == 105
    trades = [(int(t.price), int(t.vol), t.taker_buys) for t in venue.tape.trades(BTC)]
    assert trades == [
        *[(105, 1, True), (100, 1, False), (110, 1, True), (110, 1, True)],
        *[(110, 2, False), (120, 2, True), (90, 2, False), (100, 2, False)],
    ]


async def test_a_file_is_played_only_from_its_folder(client, tmp_path):
    (tmp_path / "bars.csv").write_text("time,open,high,low,close\n0,100,100,100,100\n")
    outside = tmp_path.parent / f"{tmp_path.name}_outside.csv"
    outside.write_text("0,100,100,100,100\n")
    (tmp_path / "link.csv").symlink_to(outside)
    begun = await client.control(
        "PUT", f"feed/{BTC}", {"kind": "klines", "file": "bars.csv", "speed": 60}
    )
    assert (begun["file"], begun["bars"], begun["state"]) == ("bars.csv", 1, "playing")
    for name in (f"../{outside.name}", str(outside), "link.csv", "..", ""):
        error = await control(client, "PUT", f"feed/{BTC}", {"kind": "klines", "file": name})
        assert "is not the name of a file" in error
    error = await control(client, "PUT", f"feed/{BTC}", {"kind": "klines", "file": "none.csv"})
    assert error == "none.csv cannot be read"


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        (f"feed/{BTC}", {"kind": "dance"}, "Invalid value 'dance'"),
        (f"feed/{BTC}", {"kind": "walk", "step_ms": 1}, "step_ms lies between"),
        (f"feed/{BTC}", {"kind": "walk", "volatility_bps": "0"}, "volatility_bps is above 0"),
        (f"feed/{BTC}", {"kind": "klines"}, "either rows or file"),
        (f"feed/{BTC}", {"kind": "klines", "rows": [[1, 2]]}, "row 1:"),
        (f"feed/{BTC}", {"kind": "klines", "rows": [], "speed": "NaN"}, "speed is above 0"),
        (f"depth/{BTC}", {"bids": [["49999.95", "1"]]}, "bids 1: a price is above 0 and a mult"),
        (f"depth/{BTC}", {"bids": [["0", "1"]]}, "bids 1: a price"),
        (f"depth/{BTC}", {"asks": [["50001", "1"], ["50000", "1"]]}, "asks: best first"),
        (f"depth/{BTC}", {"bids": [["50000", "1"], ["50001", "1"]]}, "bids: best first"),
        (f"depth/{BTC}", {"bids": [["50000", "1"], ["50000", "1"]]}, "bids: best first"),
        (f"depth/{BTC}", {"bids": [["50000", "0.5"]]}, "bids 1: a volume"),
        (f"depth/{BTC}", {"bids": [["50000", "-1"]]}, "bids 1: a volume"),
        (
            f"depth/{BTC}",
            {"bids": [["50000", "1"]], "asks": [["50000", "1"]]},
            "the best bid lies below",
        ),
        (f"depth/{BTC}", {"sides": []}, "unknown field `sides`"),
        (f"funding/{BTC}", {"rate": "0.5"}, "rate lies between"),
        (f"prices/{BTC}", {"last": "0"}, "a price is a number above 0"),
    ],
)
async def test_what_the_control_side_is_asked_wrongly_is_explained(client, path, body, reason):
    assert reason in await control(client, "PUT", path, body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("feed/NOPE", {"kind": "still"}),
        ("depth/NOPE", {}),
        ("prices/NOPE", {"last": "1"}),
        ("funding/NOPE", {"rate": "0"}),
    ],
)
async def test_unknown_contracts_are_named(client, path, body):
    assert "no contract 'NOPE'" in await control(client, "PUT", path, body, status=404)


async def test_a_depth_is_set_and_made_unlimited_again(client):
    sides = {"bids": [["49999", "10"]], "asks": [["50001", "3"], ["50002", "4"]]}
    await client.control("PUT", f"depth/{BTC}", sides)
    depth = await read(client, f"depth/{BTC}")
    assert (depth["bids"], depth["asks"]) == ([[49999, 10, 1]], [[50001, 3, 1], [50002, 4, 1]])
    for unlimited in (None, {}):
        await client.control("PUT", f"depth/{BTC}", sides)
        await client.control("PUT", f"depth/{BTC}", unlimited)
        assert len((await read(client, f"depth/{BTC}"))["bids"]) == 20


async def test_all_prices_can_be_asked(client, venue):
    prices = await client.control("GET", "prices")
    assert set(prices) == set(venue.contracts)
    assert prices[BTC] == {"last": "50000", "fair": "50000", "index": "50000"}


async def test_a_feed_that_fails_ends_and_says_so(client, venue, caplog):
    # A row that fits no contract cannot come over the wire; a contract that vanishes will do.
    await client.control("PUT", "feed/ETH_USDT", {"kind": "walk", "step_ms": 10})
    del venue.state.prices["ETH_USDT"]

    async def failed():
        return (await client.control("GET", "feed"))["ETH_USDT"]["state"] == "failed"

    await until(failed)
    feed = (await client.control("GET", "feed"))["ETH_USDT"]
    assert "KeyError" in feed["error"]


async def test_feeds_and_the_clock_stop_with_the_server():
    venue = Venue(load_catalogue())
    async with serving(venue) as base, PaperClient(base) as anyone:
        await anyone.control("PUT", f"feed/{BTC}", {"kind": "walk", "step_ms": 10})
        assert venue.jobs.runs("clock")
    assert not venue.jobs.runs("clock")
    assert not venue.jobs.runs(f"feed {BTC}")
