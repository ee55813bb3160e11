"""What stock clients ask of the venue's spot side while they start, over real HTTP."""

import time

import aiohttp
import pytest
from yarl import URL

from tests.paper_client import sign
from tests.paper_server import (  # noqa: F401 - fixtures
    address_fixture,
    client_fixture,
    signed_up,
)

SPOT = "/api/v3/"
WALLETS = ("capital/config/getall", "account")


async def asked(client, address, path, *, secret=None, at_ms=None, **params):
    """A call signed the spot way: the status and the answer."""
    params |= {"timestamp": at_ms or time.time_ns() // 1_000_000, "recvWindow": 5000}
    query = "&".join(f"{name}={value}" for name, value in params.items())
    signature = sign("", secret or client._secret_key, request_time="", payload=query)
    url = URL(f"{address}{SPOT}{path}?{query}&signature={signature}", encoded=True)
    headers = {"X-MEXC-APIKEY": client._access_key}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as reply:
        return reply.status, await reply.json()


async def test_anyone_may_ask_the_time_and_the_markets(address):
    async with aiohttp.ClientSession(address) as session:
        async with session.get(SPOT + "ping") as reply:
            assert (reply.status, await reply.json()) == (200, {})
        async with session.get(SPOT + "time") as reply:
            assert abs((await reply.json())["serverTime"] - time.time() * 1000) < 5000
        async with session.get(SPOT + "exchangeInfo") as reply:
            assert (reply.status, (await reply.json())["symbols"]) == (200, [])


async def test_the_spot_wallets_are_empty(client, address):
    assert await asked(client, address, "capital/config/getall") == (200, [])
    status, account = await asked(client, address, "account")
    assert (status, account["accountType"], account["balances"]) == (200, "SPOT", [])


@pytest.mark.parametrize("path", [*WALLETS, "apiKeyInfo"])
async def test_a_signed_call_is_refused_in_the_spot_sides_words(client, address, path):
    late = time.time_ns() // 1_000_000 - 6_000
    for changes, code in (({"secret": "0" * 64}, 700002), ({"at_ms": late}, 700003)):
        status, refused = await asked(client, address, path, **changes)
        assert (status, refused["code"]) == (400, code)
        assert len(refused["msg"]) > 10
    client._access_key = "mx0unknown"
    status, refused = await asked(client, address, path)
    assert (status, refused["code"]) == (400, 10072)


async def test_the_spot_side_tells_the_same_wrong_time(client, address):
    await client.control("PUT", "clock", {"offset_ms": 12_000})
    async with aiohttp.ClientSession(address) as session, session.get(SPOT + "time") as reply:
        assert (await reply.json())["serverTime"] - time.time() * 1000 > 7_000
    status, refused = await asked(client, address, "account")
    assert (status, refused["code"]) == (400, 700003)
    ahead = time.time_ns() // 1_000_000 + 12_000
    assert (await asked(client, address, "account", at_ms=ahead))[0] == 200


async def test_a_key_tells_of_its_own_account_only(client, address):
    status, info = await asked(client, address, "apiKeyInfo", accessKey=client._access_key)
    assert (status, info["accessKey"], info["remainingValidity"]) == (200, client._access_key, 90)
    async with await signed_up(address) as other:
        status, refused = await asked(client, address, "apiKeyInfo", accessKey=other._access_key)
    assert (status, refused["code"]) == (400, 10072)
