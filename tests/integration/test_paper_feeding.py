"""Prices and depths that the control side of the paper exchange sets or plays, over real HTTP."""

import asyncio
import os
import socket
import sys

import aiohttp
import pytest
from structlog.testing import capture_logs

from tests.paper_client import PaperClient
from tests.paper_market import (  # noqa: F401 - fixtures
    BTC,
    client_fixture,
    read,
    refused,
    until,
    venue_fixture,
)
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.serving import serving
from tools.paper_exchange.venue import Venue


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
    for name in (f"../{outside.name}", str(outside), "link.csv", "..", "", "a\0b"):
        error = await refused(client, "PUT", f"feed/{BTC}", {"kind": "klines", "file": name})
        assert "is not the name of a file" in error
    error = await refused(client, "PUT", f"feed/{BTC}", {"kind": "klines", "file": "none.csv"})
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
    assert reason in await refused(client, "PUT", path, body)


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
    assert "no contract 'NOPE'" in await refused(client, "PUT", path, body, status=404)


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


async def test_a_feed_that_fails_ends_and_says_so(client, venue):
    # No feed that is accepted fails by itself, so the ground is taken from under one.
    await client.control("PUT", "feed/ETH_USDT", {"kind": "walk", "step_ms": 10})
    del venue.state.prices["ETH_USDT"]

    async def failed():
        return (await client.control("GET", "feed"))["ETH_USDT"]["state"] == "failed"

    with capture_logs() as lines:
        await until(failed)
    assert ("paper_exchange.job_failed", "feed ETH_USDT") in [
        (line["event"], line["job"]) for line in lines
    ]
    feed = (await client.control("GET", "feed"))["ETH_USDT"]
    assert "KeyError" in feed["error"]


async def test_feeds_and_the_clock_stop_with_the_server():
    venue = Venue(load_catalogue())
    async with serving(venue) as base, PaperClient(base) as anyone:
        await anyone.control("PUT", f"feed/{BTC}", {"kind": "walk", "step_ms": 10})
        assert venue.jobs.runs("clock")
    assert not venue.jobs.runs("clock")
    assert not venue.jobs.runs(f"feed {BTC}")


async def test_all_prices_walk_from_the_start_where_a_seed_is_set(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("ALERTWIRE_")}
    environ |= {
        "ALERTWIRE_PORT": str(port),
        "ALERTWIRE_WALK_SEED": "3",
        "ALERTWIRE_KLINE_DIR": str(tmp_path),
        "ALERTWIRE_LOG_LEVEL": "error",
    }
    (tmp_path / "bars.csv").write_text("0,100,100,100,100\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tools.paper_exchange", env=environ
    )
    try:
        async with PaperClient(f"http://127.0.0.1:{port}") as anyone:

            async def walking():
                try:
                    feeds = await anyone.control("GET", "feed")
                except aiohttp.ClientConnectionError:
                    return False
                return {feed["seed"] for feed in feeds.values()} == {3} and len(feeds) > 5

            await until(walking, within_s=20)
            body = {"kind": "klines", "file": "bars.csv"}
            assert (await anyone.control("PUT", f"feed/{BTC}", body))["bars"] == 1
    finally:
        process.terminate()
        assert await process.wait() == 0
