"""The private pushes over a real connection to the paper exchange: what they tell, what is lost
with which words, and that nothing is left behind. What is pushed of orders and positions is
compared with the exchange's answers in `tests/conformance/test_pushes.py`.
"""

import asyncio
from contextlib import asynccontextmanager

import pytest

from libs.common.contracts.words import PositionMode, PositionSide
from libs.common.secret import Secret
from services.executor.exchange import OrderState
from services.executor.mexc.stream import MexcFeed, Patience
from services.executor.pushes import FeedLost, OrderPushed, PositionModePushed, PositionPushed
from tests.paper_server import PRIVATE, address_fixture, client_fixture, signed_up
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.serving import serving
from tools.paper_exchange.venue import Venue

__all__ = ["address_fixture", "client_fixture"]

pytestmark = pytest.mark.integration

NEVER = float("-inf")


class Listening:
    """A feed while it listens; `lost` is what ended it."""

    def __init__(self, address, access_key, secret_key, *, offset_ms=0, **patience):
        self.feed = MexcFeed(
            url=address.replace("http", "ws", 1) + "/edge",
            access_key=access_key,
            secret=Secret(secret_key),
            clock_offset_ms=lambda: offset_ms,
            patience=Patience(**patience),
        )
        self.pushes = []
        self.opened = asyncio.Event()
        self._news = asyncio.Event()

    async def run(self):
        await self.feed.listen(on_open=self.opened.set, on_push=self._hear)

    async def lost(self):
        async with asyncio.timeout(10):
            with pytest.raises(FeedLost) as raised:
                await self.run()
        return raised.value

    async def until(self, kind, fits=lambda _push: True):
        async with asyncio.timeout(10):
            while True:
                self._news.clear()
                for push in self.pushes:
                    if isinstance(push, kind) and fits(push):
                        return push
                await self._news.wait()

    def _hear(self, push):
        self.pushes.append(push)
        self._news.set()


@asynccontextmanager
async def listening(address, keys, **options):
    made = Listening(address, *keys, **options)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.run())
        async with asyncio.timeout(10):
            await made.opened.wait()
        yield made
        task.cancel()


@asynccontextmanager
async def losing(address, keys, **options):
    """As `listening`, for a connection that is to be lost; gives `lost`, to be waited for."""
    made = Listening(address, *keys, **options)
    task = asyncio.create_task(made.lost())
    async with asyncio.timeout(10):
        await made.opened.wait()
    yield made, task
    await task


async def faults(client, *listed):
    await client.control("PUT", "faults", [{"path": "/edge"} | fault for fault in listed])


async def test_an_order_of_ours_and_the_position_that_it_makes(address, client):
    async with listening(address, client.keys) as heard:
        await client.order(vol=10, externalOid="ours")
        order = await heard.until(OrderPushed, lambda push: push.found.state is OrderState.FILLED)
        position = await heard.until(PositionPushed)
    assert (order.symbol, order.client_order_id) == ("BTC_USDT", "ours")
    assert (order.found.filled_contracts, order.found.average_price) == (10, 50_000)
    assert (position.side, position.holding.contracts) == (PositionSide.LONG, 10)
    assert (order.found.call.method, position.call.method) == ("PUSH", "PUSH")
    assert '"externalOid":"ours"' in order.found.call.response_body


async def test_a_position_that_ends(address, client):
    async with listening(address, client.keys) as heard:
        await client.order(vol=10)
        await client.order(vol=10, side=4)
        opened = await heard.until(PositionPushed)
        ended = await heard.until(PositionPushed, lambda push: push.holding is None)
    assert ended.position_id == opened.position_id
    assert ended.version > opened.version


async def test_an_order_of_somebody_else(address, client):
    """The exchange gives an id of its own to an order that came without one."""
    async with listening(address, client.keys) as heard:
        await client.order(externalOid=None)
        order = await heard.until(OrderPushed)
    assert order.client_order_id.startswith("_m_")


async def test_the_end_of_a_duplicate_is_not_told(address, client):
    await client.control("PUT", "behaviour", {"duplicate_oid": "async"})
    async with listening(address, client.keys) as heard:
        first = (await client.order(externalOid="ours"))["data"]["orderId"]
        second = (await client.order(externalOid="ours"))["data"]["orderId"]
        assert first != second
        await client.order(externalOid="last")
        await heard.until(OrderPushed, lambda push: push.client_order_id == "last")
    told = [push for push in heard.pushes if isinstance(push, OrderPushed)]
    ours = {push.found.exchange_order_id for push in told if push.client_order_id == "ours"}
    assert ours == {first}


async def test_a_change_of_mode(address, client):
    async with listening(address, client.keys) as heard:
        await client.post(PRIVATE + "position/change_position_mode", {"positionMode": 2})
        assert (await heard.until(PositionModePushed)).mode is PositionMode.ONE_WAY


async def test_what_happened_before_is_not_told(address, client):
    await client.order()
    async with listening(address, client.keys) as heard:
        await client.order(externalOid="after")
        await heard.until(OrderPushed)
    assert {push.client_order_id for push in heard.pushes if isinstance(push, OrderPushed)} == {
        "after"
    }


async def test_a_refused_login(address, client):
    failure = await Listening(address, client.keys[0], "not the secret").lost()
    assert failure.refused
    assert "login was refused" in str(failure)
    assert "not the secret" not in str(failure)


async def test_a_login_in_another_time_than_the_exchanges(address, client):
    failure = await Listening(address, *client.keys, offset_ms=-30_000).lost()
    assert failure.refused


async def test_a_cut(address, client):
    async with losing(address, client.keys) as (heard, lost):
        assert heard.feed.heard_at > NEVER
        await faults(client, {"kind": "ws_cut"})
        assert not (await lost).refused
    assert heard.feed.heard_at == NEVER
    async with listening(address, client.keys):
        pass


async def test_one_that_is_turned_away(address, client):
    await faults(client, {"kind": "ws_refuse", "count": 1})
    heard = Listening(address, *client.keys)
    failure = await heard.lost()
    assert not failure.refused
    assert not heard.opened.is_set()
    async with listening(address, client.keys):
        pass


async def test_a_gap_shows_in_the_versions(address, client):
    async with listening(address, client.keys) as heard:
        await client.order()
        before = await heard.until(PositionPushed)
        await faults(client, {"kind": "ws_gap", "count": 1_000})
        await client.order()
        await faults(client)
        await client.order()
        after = await heard.until(PositionPushed, lambda push: push.holding.contracts == 30)
    assert after.version == before.version + 2


async def test_a_server_that_stops():
    async with serving(Venue(load_catalogue())) as stopping:
        async with await signed_up(stopping) as client:
            heard = Listening(stopping, *client.keys)
        task = asyncio.create_task(heard.lost())
        async with asyncio.timeout(10):
            await heard.opened.wait()
    assert "has ended" in str(await task)
    failure = await heard.lost()
    assert "127.0.0.1" in str(failure), "nobody listens there any more"


async def test_an_exchange_that_has_fallen_silent(address, client):
    async with losing(address, client.keys, ping_s=0.05, silence_s=0.3) as (_, lost):
        # Pings arrive a minute later, and their answers too.
        await client.control("PUT", "latency", {"one_way_ms": 60_000})
        assert "nothing was heard" in str(await lost)


async def test_whoever_stops_listening_leaves_nothing_behind(address, client):
    before = asyncio.all_tasks()
    async with listening(address, client.keys, ping_s=0.01) as heard:
        await client.order()
        await heard.until(PositionPushed)
    assert heard.feed.heard_at == NEVER
    mine = {task for task in asyncio.all_tasks() - before if "MexcFeed" in repr(task)}
    assert mine == set()
    count = len(heard.pushes)
    await client.order()
    assert len(heard.pushes) == count


async def test_many_pushes_keep_their_order(address, client):
    async with listening(address, client.keys) as heard:
        made = [
            (await client.order(vol=1, externalOid=f"n{n}"))["data"]["orderId"] for n in range(60)
        ]
        await heard.until(OrderPushed, lambda push: push.client_order_id == "n59")
    ids = [
        push.found.exchange_order_id
        for push in heard.pushes
        if isinstance(push, OrderPushed) and push.found.state is OrderState.FILLED
    ]
    assert ids == made
