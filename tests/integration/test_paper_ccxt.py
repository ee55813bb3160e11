"""A stock client, ccxt, trades at the paper exchange over REST by base address alone."""

import asyncio

import ccxt
import pytest

from tests.ccxt_client import BTC, ETH, ccxt_client
from tests.paper_client import PaperClient
from tests.paper_server import (  # noqa: F401 - fixtures
    address_fixture,
    client_fixture,
    signed_up,
)

CROSS, ISOLATED = 2, 1
LONG, SHORT = 1, 2


@pytest.fixture(name="exchange")
async def exchange_fixture(client: PaperClient, address: str):
    async with ccxt_client(address, key=client._access_key, secret=client._secret_key) as exchange:
        await exchange.load_markets()
        yield exchange


async def test_markets(exchange):
    assert len(exchange.markets) == 12
    market = exchange.market(BTC)
    assert (market["id"], market["type"], market["settle"]) == ("BTC_USDT", "swap", "USDT")
    assert (market["active"], market["linear"], market["contractSize"]) == (True, True, 0.0001)
    assert market["precision"] == {"amount": 1, "price": 0.1}
    assert market["limits"]["leverage"] == {"min": 1, "max": 500}
    assert market["limits"]["amount"] == {"min": 1, "max": 400_000}
    (tier,) = (await exchange.fetch_leverage_tiers([BTC]))[BTC]
    assert tier["maxLeverage"] == 500


async def test_time_and_status(exchange):
    assert abs(await exchange.fetch_time() - exchange.milliseconds()) < 5000
    assert (await exchange.fetch_status())["status"] == "ok"
    assert (await exchange.fetch_status({"type": "spot"}))["status"] == "ok"


async def test_prices(exchange, client):
    await client.control("PUT", "prices/BTC_USDT", {"last": "51000"})
    ticker = await exchange.fetch_ticker(BTC)
    assert [ticker[name] for name in ("symbol", "last", "bid", "ask")] == [
        *(BTC, 51_000, 50_999.9),
        51_000.1,
    ]
    assert abs(ticker["timestamp"] - exchange.milliseconds()) < 5000
    assert (await exchange.fetch_tickers([BTC]))[BTC]["last"] == 51_000
    assert len(await exchange.fetch_tickers()) == 12


async def test_balance(exchange):
    balance = (await exchange.fetch_balance())["USDT"]
    assert balance == {"free": 10_000, "used": 0, "total": 10_000}
    await exchange.create_order(BTC, "limit", "buy", 100, 49_000, {"leverage": 10})
    balance = (await exchange.fetch_balance())["USDT"]
    assert balance["total"] == 10_000
    # The margin of 100 contracts of 0.0001 BTC at ten times leverage, and the fee it may cost.
    assert balance["used"] == pytest.approx(49 + 490 * 0.0008)


async def test_leverage_margin_and_position_mode(exchange):
    for kind in (LONG, SHORT):
        await exchange.set_leverage(20, BTC, {"openType": CROSS, "positionType": kind})
    leverage = await exchange.fetch_leverage(BTC)
    shown = ("marginMode", "longLeverage", "shortLeverage")
    assert [leverage[name] for name in shown] == ["cross", 20, 20]
    await exchange.set_margin_mode("isolated", BTC, {"leverage": 15, "direction": "short"})
    leverage = await exchange.fetch_leverage(BTC)
    assert [leverage[name] for name in shown] == ["isolated", 20, 15]
    assert (await exchange.fetch_position_mode())["hedged"] is True
    await exchange.set_position_mode(False)
    assert (await exchange.fetch_position_mode())["hedged"] is False


async def test_a_limit_order_is_placed_queried_and_canceled(exchange):
    placed = await exchange.create_order(BTC, "limit", "buy", 10, 49_000.5, {"leverage": 10})
    order = await exchange.fetch_order(placed["id"], BTC)
    shown = ("id", "symbol", "status", "side", "price", "amount", "filled", "remaining")
    assert [order[k] for k in shown] == [placed["id"], BTC, "open", "buy", 49_000.5, 10, 0, 10]
    assert abs(order["timestamp"] - placed["timestamp"]) < 1000
    (resting,) = await exchange.fetch_open_orders(BTC)
    assert resting["id"] == placed["id"]
    assert await exchange.fetch_open_orders(ETH) == []
    await exchange.cancel_order(placed["id"], BTC)
    assert (await exchange.fetch_order(placed["id"], BTC))["status"] == "canceled"
    assert await exchange.fetch_open_orders(BTC) == []
    (canceled,) = await exchange.fetch_canceled_orders(BTC)
    assert canceled["id"] == placed["id"]
    with pytest.raises(ccxt.InvalidOrder, match="order state cannot be cancelled"):
        await exchange.cancel_order(placed["id"], BTC)
    with pytest.raises(ccxt.InvalidOrder, match="order not exist"):
        await exchange.cancel_order("5", BTC)


async def test_many_orders_are_canceled_together(exchange):
    ids = [
        (await exchange.create_order(BTC, "limit", "sell", 1, 51_000 + step))["id"]
        for step in range(4)
    ]
    canceled = await exchange.cancel_orders(ids[:2], BTC)
    assert [order["id"] for order in canceled] == ids[:2]
    assert {order["id"] for order in await exchange.fetch_open_orders(BTC)} == set(ids[2:])
    await exchange.cancel_all_orders(BTC)
    assert await exchange.fetch_open_orders(BTC) == []


async def test_an_order_is_found_by_the_clients_own_id(exchange):
    params = {"clientOrderId": "mine-1", "hedged": True, "leverage": 5, "marginMode": "isolated"}
    placed = await exchange.create_order(BTC, "limit", "sell", 10, 51_000, params)
    found = await exchange.contract_private_get_order_external_symbol_external_oid(
        {"symbol": "BTC_USDT", "external_oid": "mine-1"}
    )
    row = found["data"]
    assert (row["orderId"], row["externalOid"]) == (placed["id"], "mine-1")
    assert [row[k] for k in ("side", "positionMode", "openType", "leverage")] == [3, 1, 1, 5]


async def test_a_market_order_its_fills_and_its_position(exchange, client):
    placed = await exchange.create_order(BTC, "market", "buy", 10, None, {"leverage": 10})
    order = await exchange.fetch_order(placed["id"], BTC)
    shown = ("status", "side", "average", "filled", "remaining")
    assert [order[k] for k in shown] == ["closed", "buy", 50_000, 10, 0]
    assert order["fee"] == {"currency": "USDT", "cost": 0.04}
    (fill,) = await exchange.fetch_order_trades(placed["id"], BTC)
    shown = ("order", "symbol", "side", "price", "amount", "takerOrMaker")
    assert [fill[k] for k in shown] == [placed["id"], BTC, "buy", 50_000, 10, "taker"]
    assert fill["fee"] == {"currency": "USDT", "cost": 0.04}
    assert abs(fill["timestamp"] - exchange.milliseconds()) < 5000
    await client.control("PUT", "prices/BTC_USDT", {"last": "51000"})
    (position,) = await exchange.fetch_positions([BTC])
    shown = ("side", "contracts", "entryPrice", "leverage", "marginMode", "initialMargin")
    assert [position[k] for k in shown] == ["long", 10, 50_000, 10, "cross", 5]
    (closed,) = await exchange.fetch_closed_orders(BTC)
    assert closed["id"] == placed["id"]
    await exchange.create_order(BTC, "market", "sell", 10, None, {"reduceOnly": True})
    assert await exchange.fetch_positions() == []
    # One dollar won, 0.08 % of 50 and of 51 dollars paid.
    assert (await exchange.fetch_balance())["USDT"]["total"] == pytest.approx(10_000.9192)


async def test_a_post_only_order_that_would_trade_is_canceled(exchange):
    placed = await exchange.create_order(
        BTC, "limit", "buy", 10, 50_500, {"leverage": 10, "postOnly": True}
    )
    order = await exchange.fetch_order(placed["id"], BTC)
    assert (order["status"], order["filled"]) == ("canceled", 0)


@pytest.mark.parametrize("params", [{}, {"leverage": 1, "marginMode": "isolated"}])
async def test_too_little_margin(exchange, params):
    with pytest.raises(ccxt.InsufficientFunds):
        await exchange.create_order(BTC, "limit", "buy", 390_000, 49_000, params)
    with pytest.raises(ccxt.InsufficientFunds):
        await exchange.create_order(BTC, "market", "buy", 390_000, None, params)
    assert await exchange.fetch_open_orders() == []


async def test_other_refusals(exchange, client):
    with pytest.raises(ccxt.InvalidOrder):
        await exchange.create_order(BTC, "limit", "buy", 1, 80_000)
    with pytest.raises(ccxt.InvalidOrder):
        await exchange.create_order(BTC, "market", "sell", 1, None, {"reduceOnly": True})
    with pytest.raises(ccxt.BadSymbol):
        await exchange.contract_public_get_ticker({"symbol": "NOPE_USDT"})
    await client.control("PUT", "limits", {"order_create_per_2s": 1})
    await exchange.create_order(BTC, "limit", "buy", 1, 49_000)
    with pytest.raises(ccxt.RateLimitExceeded):
        await exchange.create_order(BTC, "limit", "buy", 1, 49_000)


async def test_a_wrong_secret(exchange, address):
    async with ccxt_client(address, key=exchange.apiKey, secret="0" * 64) as stranger:
        with pytest.raises(ccxt.AuthenticationError, match="700002"):
            await stranger.load_markets()
        for call in (stranger.fetch_position_mode, exchange_with(stranger, exchange)):
            with pytest.raises(ccxt.AuthenticationError, match="602"):
                await call()


def exchange_with(stranger, exchange):
    """An order of the stranger, who knows the markets already."""
    stranger.set_markets(list(exchange.markets.values()))
    return lambda: stranger.create_order(BTC, "market", "buy", 1)


async def test_a_key_that_may_only_look(address):
    rights = ["CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ"]
    async with await signed_up(address, permissions=rights) as made:
        key, secret = made._access_key, made._secret_key
    async with ccxt_client(address, key=key, secret=secret) as looker:
        assert (await looker.fetch_balance())["USDT"]["total"] == 10_000
        with pytest.raises(ccxt.PermissionDenied):
            await looker.create_order(BTC, "market", "buy", 1)


async def test_orders_at_once_are_all_placed(exchange):
    placed = await asyncio.gather(
        *(exchange.create_order(BTC, "market", "buy", 1) for _ in range(20))
    )
    assert len({order["id"] for order in placed}) == 20
    (position,) = await exchange.fetch_positions()
    assert position["contracts"] == 20
