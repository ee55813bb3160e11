"""The baseline *usual* trades at the paper exchange, through Flask and ccxt."""

import asyncio
import json

import pytest

from bench.alerts import body
from bench.direct import Config
from bench.matching import alert_of
from bench.usual import make_app
from tests.paper_client import CREATE
from tests.paper_server import address_fixture, client_fixture

__all__ = ["address_fixture", "client_fixture"]

pytestmark = pytest.mark.integration


@pytest.fixture
async def bot(address, client):
    config = Config(exchange=address, port=0, keys={"one": client.keys})
    app = await asyncio.to_thread(make_app, config)
    return app.test_client()


async def post(bot, path, data):
    return await asyncio.to_thread(bot.post, path, data=data)


async def test_an_alert_becomes_an_order_and_then_an_answer(bot, client):
    answer = await post(bot, "/hook/one", body("a-1", buy=True))
    assert answer.status_code == 200
    told = json.loads(answer.data)
    [call] = await client.control("GET", f"requests?path={CREATE}")
    assert call["code"] == 0
    assert (call["body"]["side"], call["body"]["vol"]) == (1, 10)
    assert alert_of(call["body"]["externalOid"]) == told["alert_id"]


async def test_a_sell_opens_a_short(bot, client):
    await post(bot, "/hook/one", body("a-2", buy=False))
    [call] = await client.control("GET", f"requests?path={CREATE}")
    assert call["body"]["side"] == 3


async def test_a_token_that_nobody_has(bot, client):
    assert (await post(bot, "/hook/two", body("a-3", buy=True))).status_code == 422
    assert await client.control("GET", f"requests?path={CREATE}") == []


async def test_a_refusal_of_the_exchange_is_told(bot, client):
    await client.control("PUT", "faults", [{"path": CREATE, "kind": "code", "code": 2005}])
    answer = await post(bot, "/hook/one", body("a-4", buy=True))
    assert answer.status_code == 502
