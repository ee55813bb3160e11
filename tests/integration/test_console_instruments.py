"""An exchange's contracts over real NATS, and the command that explains alerts with them."""

import asyncio
import json

import msgspec
import pytest

from libs.common.contracts import subjects
from libs.common.topology import ensure_topology
from tests.api_bodies import ACCOUNT
from tests.cli_console import run
from tests.console_server import TOKEN, running
from tests.factories import D, make_instrument

pytestmark = pytest.mark.integration

HERE, ELSEWHERE = ACCOUNT["base_url"], "https://paper.example.org"
BODY = {"ticker": "BTCUSDT.P", "order_action": "sell", "order_contracts": 0.002}


@pytest.fixture
async def console(js, nats_url, reader_dsn):
    await ensure_topology(js)
    async with running(nats_url, reader_dsn) as found:
        status, _ = await found.call("POST", "/api/accounts", ACCOUNT)
        assert status == 201
        yield found


async def listed(console, base_url, *instruments):
    """As the executor writes them."""
    bucket = await console.bus.js.key_value(subjects.BUCKET_INSTRUMENTS)
    for instrument in instruments:
        key = subjects.instrument_key(base_url=base_url, symbol=instrument.symbol)
        await bucket.put(key, msgspec.json.encode(instrument))


async def symbols(console, query=""):
    status, found = await console.call("GET", f"/api/accounts/main/instruments{query}")
    assert (status, found["account"]) == (200, "main")
    return [instrument["symbol"] for instrument in found["instruments"]]


async def test_the_list_is_empty_until_the_contracts_are_read(console):
    assert await symbols(console) == []
    assert await symbols(console, "?symbol=BTC_USDT") == []


async def test_only_contracts_of_the_accounts_own_exchange_are_listed(console):
    btc, eth = make_instrument(), make_instrument(symbol="ETH_USDT", base="ETH")
    await listed(
        console, ELSEWHERE, make_instrument(contract_size=D(7)), make_instrument(symbol="X")
    )
    await listed(console, HERE, eth, btc)
    assert await symbols(console) == ["BTC_USDT", "ETH_USDT"]
    _, found = await console.call("GET", "/api/accounts/main/instruments?symbol=BTC_USDT")
    assert found["instruments"] == [
        {
            "symbol": "BTC_USDT",
            "base": "BTC",
            "quote": "USDT",
            "contract_size": "0.0001",
            "step_contracts": "1",
            "minimum_contracts": "1",
            "maximum_contracts": "400000",
            "tick_price": "0.1",
            "leverage_maximum": 500,
            "tradable": True,
        }
    ]


@pytest.mark.parametrize("symbol", ["X", "btc_usdt", "", "a.b", "*", "%20", "%3E", "%C3%A9"])
async def test_a_symbol_that_is_not_listed_gives_an_empty_list(console, symbol):
    await listed(console, HERE, make_instrument())
    assert await symbols(console, f"?symbol={symbol}") == []


async def test_a_contract_that_was_removed_is_gone(console):
    await listed(console, HERE, make_instrument())
    bucket = await console.bus.js.key_value(subjects.BUCKET_INSTRUMENTS)
    await bucket.delete(subjects.instrument_key(base_url=HERE, symbol="BTC_USDT"))
    assert await symbols(console) == []
    assert await symbols(console, "?symbol=BTC_USDT") == []


async def test_an_account_that_is_not_there_is_a_404(console):
    status, problem = await console.call("GET", "/api/accounts/other/instruments")
    assert (status, problem["detail"]) == (404, "There is no account `other`.")


async def test_the_contracts_need_the_token(console):
    path = "/api/accounts/main/instruments"
    assert (await console.call("GET", path, Authorization=""))[0] == 401


async def test_an_alert_is_explained_with_what_the_console_knows(console, tmp_path):
    accounts = [{"account": "main"}]
    route = {"id": "btc", "accounts": accounts, "trade_mode": "opposite", "body_secret": "hush"}
    assert (await console.call("POST", "/api/routes", route))[0] == 201
    await listed(console, HERE, make_instrument())
    answer = await asyncio.to_thread(
        run,
        tmp_path,
        console.url,
        *("explain", "btc", "--json", json.dumps(BODY | {"secret": "hush"}), "--output", "json"),
        *("--holding", "long:10"),
        token=TOKEN,
    )
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    [account] = found["accounts"]
    assert account["plan"]["summary"] == "holding long 10: close long 10, then open short 20"
    assert "hush" not in answer.stdout
    assert found["assumptions"][-1] == "the body secret is right"
