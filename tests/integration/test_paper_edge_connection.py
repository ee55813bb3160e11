"""The paper exchange's WebSocket as a connection: silence, floods, latency, faults, the end."""

import asyncio
import contextlib
import gc
import time
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.paper_client import PaperClient
from tests.paper_server import address_fixture, client_fixture, signed_up
from tests.paper_socket import connected
from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.edge.sessions import EdgeLimits, Session
from tools.paper_exchange.serving import serving
from tools.paper_exchange.venue import Venue

__all__ = ["address_fixture", "client_fixture"]

UNLIMITED = {"order_create_per_2s": None}


@asynccontextmanager
async def strict(**limits):
    async with serving(Venue(load_catalogue()), limits=EdgeLimits(**limits)) as address:
        yield address


async def test_a_client_that_does_not_ping_is_closed_and_one_that_does_is_not():
    async with strict(idle_s=0.4) as address:
        began = time.monotonic()
        async with connected(address) as silent, connected(address) as lively:
            end = asyncio.create_task(silent.closed())
            while not end.done():
                await lively.settle()
                # Whatever else is said is not a ping.
                with contextlib.suppress(ConnectionError):
                    await silent.say("sub.contract")
                await asyncio.sleep(0.02)
            assert await end == 1000
            assert time.monotonic() - began >= 0.4
            await asyncio.sleep(0.1)
            await lively.settle()


async def test_a_frame_that_is_too_large_ends_the_connection():
    async with strict(frame_bytes=1024) as address:
        async with connected(address) as socket:
            await socket.say("ping", {"padding": "x" * 2000})
            assert await socket.closed() == 1009


async def test_a_client_that_does_not_read_is_cut_off_and_holds_nobody_up():
    async with strict(waiting_bytes=256 * 1024, public_s=0.02) as address:
        async with await signed_up(address) as client, connected(address) as reader:
            await reader.say("sub.ticker", {"symbol": "BTC_USDT"})
            deaf = await _deaf_client(address)
            try:
                # Thousands of answers of some 20 kB: no kernel's buffers hold them.
                closed = asyncio.create_task(_shout(deaf[1]))
                async with asyncio.timeout(20):
                    await closed
            finally:
                deaf[1].transport.abort()
            await client.control("PUT", "prices/BTC_USDT", {"last": "51000"})
            seen = await reader.next(
                lambda f: f["channel"] == "push.ticker" and f["data"]["lastPrice"] == 51000
            )
            assert seen["symbol"] == "BTC_USDT"


async def _deaf_client(address: str):
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(
        f"GET /edge HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def _shout(writer: asyncio.StreamWriter) -> None:
    # Asks for the whole list of tickers again and again, reading none of it, until cut off.
    text = b'{"method":"sub.tickers"}'
    frame = bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(frame * 50)
            await writer.drain()
            await asyncio.sleep(0)


async def test_pushes_may_be_delayed_and_stay_in_order(address, client):
    await client.control("PUT", "pushes", {"delay_ms": [100, 150]})
    async with connected(address) as socket:
        await socket.log_in(client)
        began = time.monotonic()
        first = (await client.order())["data"]["orderId"]
        second = (await client.order())["data"]["orderId"]
        assert await socket.settle() == [], "replies do not wait for pushes"
        orders = [(await socket.next("push.personal.order"))["data"]["orderId"] for _ in range(2)]
        assert time.monotonic() - began >= 0.1
    assert orders == [first, second]


async def test_many_pushes_come_before_the_reply_unless_told_otherwise(address, client):
    early = 0
    async with connected(address) as socket:
        await socket.log_in(client)
        for _ in range(40):
            await client.order(vol=1)
            # Whatever was sent before the reply is here before the pong.
            early += bool(await socket.settle())
            await asyncio.sleep(0.01)
            await socket.settle()
    # Half of them; how many of the others are late depends on the machine.
    assert early >= 5


async def test_latency_is_added_in_both_directions(address, client):
    async with connected(address) as socket:
        await client.control("PUT", "latency", {"one_way_ms": 60})
        began = time.monotonic()
        for _ in range(40):
            await socket.say("ping")
        for _ in range(40):
            await socket.next("pong")
        took = time.monotonic() - began
    assert 0.12 <= took < 2.0, "each frame is late, and they do not queue up behind each other"


async def test_pushes_take_their_way_too(address, client):
    await client.control("PUT", "pushes", {"delay_ms": 0})
    async with connected(address) as socket:
        await socket.log_in(client)
        await client.order(type=1, price=49000)
        await socket.settle()
        await client.control("PUT", "latency", {"one_way_ms": 80})
        began = time.monotonic()
        # The control side knows no latency.
        await client.control("PUT", "prices/BTC_USDT", {"last": "49000"})
        await socket.next("push.personal.order.deal")
        assert time.monotonic() - began >= 0.08


async def test_nothing_is_kept_of_connections_that_are_over(address, client):
    for _ in range(3):
        async with connected(address) as socket:
            await socket.log_in(client)
            await socket.ask("sub.depth", {"symbol": "BTC_USDT"})
            await socket.settle()
    async with asyncio.timeout(5):
        while gc.collect() or any(isinstance(kept, Session) for kept in gc.get_objects()):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("body", [{"delay_ms": -1}, {"delay_ms": [5, 1]}, {"delay_ms": 1e9}])
async def test_a_delay_that_makes_no_sense_is_refused(address, body):
    async with aiohttp.ClientSession() as session:
        async with session.put(f"{address}/_paper/pushes", json=body) as reply:
            assert reply.status == 400
            assert "delay_ms" in (await reply.json())["error"]


async def put_faults(client: PaperClient, *faults):
    await client.control("PUT", "faults", [{"path": "/edge"} | fault for fault in faults])


async def test_a_cut_breaks_all_connections_at_once(address, client):
    async with connected(address) as one, connected(address) as two:
        await one.log_in(client)
        await two.settle()
        await put_faults(client, {"kind": "ws_cut"})
        assert await one.closed() in {None, 1006}
        assert await two.closed() in {None, 1006}
    async with connected(address) as three:
        await three.settle()


async def test_a_cut_may_be_meant_for_one_key(address, client):
    async with connected(address) as mine, connected(address) as other:
        await mine.log_in(client)
        await other.settle()
        await put_faults(client, {"kind": "ws_cut", "path": f"/edge/{client.keys[0]}"})
        assert await mine.closed() in {None, 1006}
        await other.settle()


async def test_a_gap_loses_the_next_pushes_silently(address, client):
    await client.control("PUT", "pushes", {"delay_ms": 0})
    async with connected(address) as socket:
        await socket.log_in(client)
        await socket.ask("personal.filter", {"filters": [{"filter": "order"}]})
        await put_faults(client, {"kind": "ws_gap", "count": 2})
        made = [(await client.order())["data"]["orderId"] for _ in range(3)]
        frames = await socket.settle()
    assert [frame["data"]["orderId"] for frame in frames] == made[2:]


async def test_a_gap_may_last_a_while_and_end(address, client):
    await client.control("PUT", "pushes", {"delay_ms": 0})
    async with connected(address) as socket:
        await socket.log_in(client)
        await put_faults(client, {"kind": "ws_gap", "ms": 300})
        for _ in range(3):
            await client.order()
        assert await socket.settle() == []
        async with asyncio.timeout(5):
            while not await socket.settle():
                await client.order()
                await asyncio.sleep(0.02)


async def test_a_gap_that_is_improbable_loses_nothing(address, client):
    await client.control("PUT", "pushes", {"delay_ms": 0})
    async with connected(address) as socket:
        await socket.log_in(client)
        await put_faults(client, {"kind": "ws_gap", "ms": 60_000, "probability": 0})
        await client.order()
        assert len(await socket.settle()) == 4


async def test_connections_are_refused_for_a_while(address, client):
    await put_faults(client, {"kind": "ws_refuse", "count": 2})
    for _ in range(2):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with connected(address):
                pass
    async with connected(address) as socket:
        await socket.settle()
    await put_faults(client, {"kind": "ws_refuse", "ms": 60_000})
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with connected(address):
            pass
    await client.control("PUT", "faults", [])
    async with connected(address) as socket:
        await socket.settle()


async def test_faults_of_calls_befall_the_handshake_too(address, client):
    await put_faults(client, {"kind": "html_403"})
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        async with connected(address):
            pass
    assert caught.value.status == 403


async def test_socket_faults_do_not_befall_calls_and_take_no_other_path(address, client):
    await put_faults(client, {"kind": "ws_refuse"}, {"kind": "ws_gap"})
    assert (await client.order())["success"]
    async with aiohttp.ClientSession() as session:
        wrong = [{"path": "/api", "kind": "ws_cut"}]
        async with session.put(f"{address}/_paper/faults", json=wrong) as reply:
            assert reply.status == 400


async def test_the_server_stops_quickly_and_says_that_it_goes():
    async with aiohttp.ClientSession() as session:
        async with strict() as address:
            sockets = [await session.ws_connect(f"{address}/edge") for _ in range(20)]
            silent = await session.ws_connect(f"{address}/edge")
            reads = [asyncio.create_task(socket.receive(timeout=5)) for socket in sockets]
            await asyncio.sleep(0)
            began = time.monotonic()
        assert time.monotonic() - began < 1.0, "also with one that does not answer"
        await asyncio.gather(*reads)
        assert {socket.close_code for socket in sockets} == {1001}
        await silent.close()


async def test_many_sockets_and_many_subscriptions(address, client):
    await client.control("PUT", "pushes", {"delay_ms": 0})
    unlimited = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=unlimited) as session:
        sockets = [await session.ws_connect(f"{address}/edge") for _ in range(150)]
        for socket in sockets:
            await socket.send_str('{"method":"ping"}')
        for socket in sockets:
            assert (await socket.receive_json(timeout=5))["channel"] == "pong"
        for socket in sockets:
            await socket.close()
    async with connected(address) as one:
        for number in range(1_100):
            await one.say("sub.funding.rate", {"symbol": "BTC_USDT"}, number=number)
        acks = 0
        while acks < 1_100:
            await one.next("rs.sub.funding.rate")
            acks += 1
        await one.settle()


async def test_the_number_of_subscriptions_is_bounded():
    async with strict(subscriptions=2) as address, connected(address) as socket:
        for symbol in ("BTC_USDT", "ETH_USDT", "ETH_USDT"):
            assert (await socket.ask("sub.deal", {"symbol": symbol}))["channel"] == "rs.sub.deal"
        reply = await socket.ask("sub.fair.price", {"symbol": "BTC_USDT"})
        assert reply["channel"] == "rs.error"


async def test_the_address_is_told_and_speaks_nothing_but_websocket(address):
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{address}/edge") as reply:
            assert reply.status == 400
        async with session.get(address) as reply:
            assert (await reply.json())["websocket"] == "/edge"
