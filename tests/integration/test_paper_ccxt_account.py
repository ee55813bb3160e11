"""A stock client, ccxt, reads markets and histories at the paper exchange, and changes margin."""

import pytest

from tests.ccxt_client import BTC, ETH, ccxt_client
from tests.paper_client import PaperClient
from tests.paper_server import address_fixture, client_fixture  # noqa: F401 - fixtures

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


@pytest.fixture(name="exchange")
async def exchange_fixture(client: PaperClient, address: str):
    async with ccxt_client(address, key=client._access_key, secret=client._secret_key) as exchange:
        await exchange.load_markets()
        yield exchange


async def test_the_order_book(exchange):
    book = await exchange.fetch_order_book(BTC, 5)
    assert (len(book["bids"]), len(book["asks"]), book["symbol"]) == (5, 5, BTC)
    assert (book["bids"][0][0], book["asks"][0][0]) == (49_999.9, 50_000.1)
    assert book["nonce"] > 0


async def test_public_trades(exchange):
    assert await exchange.fetch_trades(BTC) == []
    await exchange.create_order(BTC, "market", "sell", 3)
    (trade,) = await exchange.fetch_trades(BTC)
    assert [trade[k] for k in ("symbol", "side", "price", "amount")] == [BTC, "sell", 50_000, 3]


@pytest.mark.parametrize("price", ["default", "mark", "index"])
async def test_candles(exchange, price):
    params = {} if price == "default" else {"price": price}
    since = exchange.milliseconds() - HOUR_MS
    candles = await exchange.fetch_ohlcv(BTC, "1m", since=since, limit=100, params=params)
    last = candles[-1]
    assert len(last) == 6
    assert last[0] % MINUTE_MS == 0
    assert abs(last[0] - exchange.milliseconds()) < 2 * MINUTE_MS
    assert last[4] == 50_000


async def test_funding(exchange):
    rate = await exchange.fetch_funding_rate(BTC)
    assert (rate["symbol"], rate["interval"]) == (BTC, "8h")
    assert rate["fundingRate"] == pytest.approx(0.000064)
    assert rate["fundingTimestamp"] > exchange.milliseconds()
    assert await exchange.fetch_funding_rate_history(BTC) == []
    assert await exchange.fetch_funding_history(BTC) == []


async def test_own_trades(exchange):
    ids = [(await exchange.create_order(symbol, "market", "buy", 2))["id"] for symbol in (BTC, ETH)]
    since = exchange.milliseconds() - HOUR_MS
    (trade,) = await exchange.fetch_my_trades(BTC, since=since, limit=50)
    assert [trade[k] for k in ("order", "side", "amount", "price")] == [ids[0], "buy", 2, 50_000]
    orders = await exchange.fetch_orders(None, since=since, limit=50)
    assert sorted(order["id"] for order in orders) == sorted(ids)
    found = await exchange.fetch_orders_by_ids(ids)
    assert {order["id"]: order["symbol"] for order in found} == {ids[0]: BTC, ids[1]: ETH}


async def test_margin_of_an_isolated_position(exchange):
    params = {"marginMode": "isolated", "leverage": 10}
    await exchange.create_order(BTC, "market", "buy", 10, None, params)
    position = await exchange.fetch_position(BTC)
    assert (position["marginMode"], position["initialMargin"]) == ("isolated", 5)
    assert 45_000 < position["liquidationPrice"] < 50_000
    mine = {"positionId": position["info"]["positionId"]}
    await exchange.add_margin(BTC, 2, mine)
    widened = await exchange.fetch_position(BTC)
    assert widened["initialMargin"] == 7
    assert widened["liquidationPrice"] < position["liquidationPrice"]
    await exchange.reduce_margin(BTC, 1, mine)
    assert (await exchange.fetch_position(BTC))["initialMargin"] == 6


async def test_all_positions_are_closed_and_kept_in_the_history(exchange):
    for symbol, side in ((BTC, "buy"), (ETH, "sell")):
        await exchange.create_order(symbol, "market", side, 10, None, {"leverage": 10})
    held = await exchange.fetch_positions()
    assert {(p["symbol"], p["side"]) for p in held} == {(BTC, "long"), (ETH, "short")}
    await exchange.close_all_positions()
    assert await exchange.fetch_positions() == []
    history = await exchange.fetch_positions_history()
    assert {(p["symbol"], p["side"]) for p in history} == {(BTC, "long"), (ETH, "short")}
    (one,) = await exchange.fetch_positions_history([ETH])
    assert (one["symbol"], one["info"]["state"], one["info"]["closeVol"]) == (ETH, 3, 10)


async def test_the_deposit_is_a_transfer(exchange):
    ways = {"fromAccountType": "SPOT", "toAccountType": "FUTURES"}
    (transfer,) = await exchange.fetch_transfers(None, None, 10, ways)
    assert (transfer["currency"], transfer["amount"]) == ("USDT", 10_000)


async def test_an_order_with_stop_loss_and_take_profit(exchange):
    protected = {"leverage": 10, "stopLossPrice": 49_000, "takeProfitPrice": 52_000}
    placed = await exchange.create_order(BTC, "limit", "buy", 10, 49_500, protected)
    row = (await exchange.fetch_order(placed["id"], BTC))["info"]
    assert (row["stopLossPrice"], row["takeProfitPrice"]) == (49_000, 52_000)


async def test_a_limit_order_is_edited(exchange):
    placed = await exchange.create_order(BTC, "limit", "buy", 10, 49_000, {"leverage": 10})
    reply = await exchange.contract_private_post_order_change_limit_order(
        {"orderId": placed["id"], "price": 48_000, "vol": 5}
    )
    order = await exchange.fetch_order(str(reply["data"]), BTC)
    assert [order[k] for k in ("status", "price", "amount")] == ["open", 48_000, 5]
    (only,) = await exchange.fetch_open_orders(BTC)
    assert only["id"] == order["id"]
