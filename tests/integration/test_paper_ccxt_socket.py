"""A stock client, ccxt, watches prices and its own account over the paper exchange's WebSocket."""

import asyncio
import contextlib

import ccxt
import pytest

from tests.ccxt_client import BTC, ccxt_client
from tests.paper_client import PaperClient
from tests.paper_server import address_fixture, client_fixture  # noqa: F401 - fixtures

SOON_S = 10


@pytest.fixture(name="exchange")
async def exchange_fixture(client: PaperClient, address: str):
    async with ccxt_client(address, key=client._access_key, secret=client._secret_key) as exchange:
        # At once at the snapshot, instead of after 25 changes.
        exchange.options["watchOrderBook"] |= {"snapshotDelay": 1}
        await exchange.load_markets()
        yield exchange


@contextlib.asynccontextmanager
async def watching(exchange, *watches):
    """The watches as tasks of a client that has logged in: its login went out before it asked for
    a ticker, and that has come.
    """
    async with asyncio.timeout(SOON_S):
        tasks = [asyncio.ensure_future(watch) for watch in watches]
        await asyncio.sleep(0)
        assert (await exchange.watch_ticker(BTC))["symbol"] == BTC
        yield tasks
        await asyncio.gather(*tasks)


async def test_prices_are_watched(exchange, client):
    async with asyncio.timeout(SOON_S):
        ticker = await exchange.watch_ticker(BTC)
        assert (ticker["last"], ticker["bid"], ticker["ask"]) == (50_000, 49_999.9, 50_000.1)
        await client.control("PUT", "prices/BTC_USDT", {"last": "51000"})
        while (await exchange.watch_ticker(BTC))["last"] != 51_000:
            pass
        tickers = await exchange.watch_tickers([BTC])
        assert tickers[BTC]["last"] == 51_000
        rate = await exchange.watch_funding_rate(BTC)
        assert rate["fundingRate"] == (await exchange.fetch_funding_rate(BTC))["fundingRate"]


async def test_the_depth_is_watched(exchange):
    async with asyncio.timeout(SOON_S):
        book = await exchange.watch_order_book(BTC)
        assert (book["bids"][0][0], book["asks"][0][0]) == (49_999.9, 50_000.1)
        first = book["nonce"]
        while (await exchange.watch_order_book(BTC))["nonce"] < first + 2:
            pass


async def test_trades_and_candles_are_watched(exchange):
    async with watching(exchange, exchange.watch_trades(BTC), exchange.watch_ohlcv(BTC, "1m")) as (
        trades,
        candles,
    ):
        await exchange.create_order(BTC, "market", "buy", 7)
        (trade,) = await trades
        assert [trade[k] for k in ("symbol", "side", "price", "amount")] == [BTC, "buy", 50_000, 7]
        candle = (await candles)[-1]
        assert candle[4] == 50_000
        assert abs(candle[0] - exchange.milliseconds()) < 120_000


async def test_own_orders_fills_and_balance_are_watched(exchange):
    async with watching(exchange, exchange.watch_orders(BTC), exchange.watch_my_trades(BTC)) as (
        orders,
        fills,
    ):
        placed = await exchange.create_order(BTC, "market", "buy", 10, None, {"leverage": 10})
        order = (await orders)[-1]
        shown = ("id", "status", "filled", "average")
        assert [order[k] for k in shown] == [placed["id"], "closed", 10, 50_000]
        (fill,) = await fills
        shown = ("order", "side", "price", "amount", "takerOrMaker")
        assert [fill[k] for k in shown] == [placed["id"], "buy", 50_000, 10, "taker"]
        assert fill["fee"] == {"currency": "USDT", "cost": 0.04}


async def test_a_resting_order_freezes_money_until_it_is_canceled(exchange):
    async with watching(exchange, exchange.watch_balance()) as (balance,):
        placed = await exchange.create_order(BTC, "limit", "buy", 100, 49_000, {"leverage": 10})
        assert (await balance)["USDT"]["used"] == pytest.approx(49 + 490 * 0.0008)
    async with watching(exchange, exchange.watch_orders(BTC)) as (orders,):
        await exchange.cancel_order(placed["id"], BTC)
        assert [(o["id"], o["status"]) for o in await orders] == [(placed["id"], "canceled")]


async def test_a_wrong_secret_is_named_before_anything_is_watched(exchange, address):
    async with ccxt_client(address, key=exchange.apiKey, secret="0" * 64) as stranger:
        with pytest.raises(ccxt.AuthenticationError):
            await asyncio.wait_for(stranger.watch_orders(BTC), SOON_S)


async def test_pings_are_answered(exchange):
    async with asyncio.timeout(SOON_S):
        await exchange.watch_ticker(BTC)
        (socket,) = exchange.clients.values()
        before = socket.lastPong = exchange.milliseconds() - 1_000
        await socket.send({"method": "ping"})
        while socket.lastPong == before:
            await asyncio.sleep(0.01)
