"""A stock client, ccxt, places, sees and cancels trigger orders at the paper exchange."""

import pytest

from tests.ccxt_client import BTC, ccxt_client
from tests.paper_client import PaperClient
from tests.paper_server import address_fixture, client_fixture  # noqa: F401 - fixtures


@pytest.fixture(name="exchange")
async def exchange_fixture(client: PaperClient, address: str):
    async with ccxt_client(address, key=client._access_key, secret=client._secret_key) as exchange:
        await exchange.load_markets()
        yield exchange


async def test_a_trigger_order_waits_is_seen_and_is_canceled(exchange):
    placed = await exchange.create_order(BTC, "market", "buy", 10, None, {"triggerPrice": 55_000})
    (waiting,) = await exchange.fetch_open_orders(BTC, params={"trigger": True})
    shown = ("id", "status", "triggerPrice", "amount", "side")
    assert [waiting[k] for k in shown] == [placed["id"], "open", 55_000, 10, "buy"]
    assert await exchange.fetch_open_orders(BTC) == []
    await exchange.cancel_order(placed["id"], BTC, {"trigger": True})
    assert await exchange.fetch_open_orders(BTC, params={"trigger": True}) == []


async def test_a_trigger_order_trades_when_its_price_comes(exchange, client):
    params = {"triggerPrice": 55_000, "leverage": 10}
    await exchange.create_order(BTC, "market", "buy", 10, None, params)
    await client.control("PUT", "prices/BTC_USDT", {"last": "55000.5"})
    position = await exchange.fetch_position(BTC)
    assert (position["side"], position["contracts"]) == ("long", 10)
    assert await exchange.fetch_open_orders(BTC, params={"trigger": True}) == []
