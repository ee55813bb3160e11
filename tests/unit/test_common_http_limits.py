"""What one connection may cost, over real sockets: every bad request gets its answer, a slow one
its end, and a good one its place.
"""

import asyncio
import contextlib

import pytest

from libs.common.http_limits import HttpLimits
from libs.common.serving import serving
from tests.raw_http import HOST, hang_up, raw, read_all
from tools.devstack.ports import free_port

GOOD = b"POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"


class Echo:
    """Answers with what it was asked, once it may."""

    def __init__(self):
        self.scopes = []
        self.bodies = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, scope, receive, send):
        self.scopes.append(scope)
        body, more = b"", True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            body += event["body"]
            more = event["more_body"]
        self.bodies.append(body)
        await self.may_answer.wait()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})


class Early(Echo):
    """Answers before it has read anything."""

    async def __call__(self, scope, _receive, send):
        self.scopes.append(scope)
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": b"no"})


@contextlib.asynccontextmanager
async def served(app=None, **limits):
    app, port = app or Echo(), free_port()
    async with serving(app, host=HOST, port=port, limits=HttpLimits(**limits)):
        yield app, port


BAD = {
    "both-lengths": (CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n", 400),
    "both-lengths-turned": (
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    "two-lengths": (
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        400,
    ),
    "signed-length": (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nok", 400),
    "listed-length": (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2,2\r\n\r\nok", 400),
    "endless-length": (
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\nok",
        400,
    ),
    "unknown-coding": (
        b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "coding-after-chunked": (
        b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        400,
    ),
    "coding-of-1.0": (
        b"POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "blank-before-colon": (b"POST /x HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    "folded": (b"POST /x HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400),
    "bare-line-feed": (b"POST /x HTTP/1.1\nHost: a\n\n", 400),
    "nul-in-header": (b"POST /x HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", 400),
    "nul-in-path": (b"POST /x\x00y HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "raw-bytes-in-path": (b"POST /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "no-path": (b"POST http://h HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "connect": (b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "unknown-version": (b"POST /x HTTP/9.9\r\nHost: a\r\n\r\n", 400),
    "http-2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "garbage": (b"\x00\x01\x02\x03\r\n\r\n", 400),
    "other-protocol": (
        GOOD.replace(b"Connection: close", b"Connection: Upgrade\r\nUpgrade: h2c"),
        400,
    ),
    "no-host": (b"POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\nok", 400),
    "two-hosts": (b"POST /x HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n", 400),
    "long-url": (b"POST /" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "endless-url": (b"POST /" + b"x" * 200_000, 414),
    "long-header": (b"POST /x HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 431),
    "endless-header": (b"POST /x HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000, 431),
    "many-headers": (
        b"POST /x HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 100 + b"\r\n",
        431,
    ),
    "endless-headers": (b"POST /x HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 30_000, 431),
}


async def test_a_bad_request_is_told_so_and_reaches_nobody():
    async with served() as (app, port):
        for name, (sent, status) in BAD.items():
            said = await raw(port, sent)
            assert (name, said.statuses) == (name, [status])
            assert b"content-type: application/problem+json" in said.text
            assert (name, said.problem["status"]) == (name, status)
            assert (name, app.bodies) == (name, [])
        assert (await raw(port, GOOD)).status == 200, "and it goes on"


GOOD_ONES = {
    "1.0": b"POST /x HTTP/1.0\r\nContent-Length: 2\r\n\r\nok",
    "absolute": GOOD.replace(b" /x ", b" http://elsewhere:80/x "),
    "escaped": GOOD.replace(b" /x ", b" /%00%ff%0d%0a%e2%80%ae "),
    "chunked": CHUNKED + b"Connection: close\r\n\r\n1;ext=1\r\no\r\n1\r\nk\r\n0\r\nHost: b\r\n\r\n",
    "blank-lines-first": b"\r\n\r\n" + GOOD,
    "hundred-headers": GOOD.replace(
        b"Host: a\r\n", b"Host: a\r\n" + b"".join(b"X%d: 1\r\n" % n for n in range(97))
    ),
}


async def test_an_unusual_request_is_served():
    async with served() as (app, port):
        for name, sent in GOOD_ONES.items():
            said = await raw(port, sent)
            assert (name, said.statuses, app.bodies) == (name, [200], [b"ok"])
            app.bodies.clear()


async def test_a_header_behind_the_body_is_none():
    """Or a proxy that looks at heads alone would let pass what only it may say."""
    async with served() as (app, port):
        said = await raw(
            port,
            CHUNKED + b"Connection: close\r\n\r\n2\r\nok\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n",
        )
        assert said.status == 200
        assert [name for name, _ in app.scopes[0]["headers"]] == [
            *(b"host", b"transfer-encoding", b"connection")
        ]


async def test_who_asks_for_another_protocol_is_answered_in_this_one():
    ask = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    async with served() as (_, port):
        assert (await raw(port, ask)).statuses == [200]


async def test_what_came_whole_before_a_fault_is_answered_and_nothing_after_it():
    async with served() as (app, port):
        app.may_answer.clear()
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(GOOD.replace(b"Connection: close\r\n", b"") + b"GARBAGE\r\n\r\n" + GOOD)
        async with asyncio.timeout(10):
            while not app.bodies:
                await asyncio.sleep(0.01)
        app.may_answer.set()
        said = await read_all(reader)
        await hang_up(writer)
        assert said.startswith(b"HTTP/1.1 200 ")
        assert said.count(b"HTTP/1.1") == 1
        assert app.bodies == [b"ok"]


async def test_requests_in_a_row_are_answered_in_order_up_to_a_number():
    ask = GOOD.replace(b"Connection: close\r\n", b"")
    async with served(pipelined_max=3) as (app, port):
        said = await raw(port, ask * 3 + GOOD)
        assert said.statuses == [200] * 4
        app.bodies.clear()
        await raw(port, ask * 500)
        assert len(app.bodies) <= 4


async def test_a_head_that_does_not_come_ends_the_connection():
    """One that has said nothing has nobody who waits for an answer."""
    begun = (b"", b"POST /x HT", b"POST /x HTTP/1.1\r\nHost: a\r\nX", b"\r\n")
    async with served(head_timeout_s=0.2) as (_, port):
        said = await asyncio.gather(*(raw(port, each) for each in begun))
    assert [each.status for each in said] == [0, 408, 408, 408]


async def test_dribbling_keeps_no_connection_open():
    async with served(head_timeout_s=0.2, body_timeout_s=0.2) as (_, port):
        for begun in (b"POST /x HTTP/1.1\r\n", GOOD[:-2].replace(b": 2", b": 99999")):
            reader, writer = await asyncio.open_connection(HOST, port)
            ending = asyncio.create_task(read_all(reader))
            writer.write(begun)
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(20):
                    while not ending.done():
                        writer.write(b"X: 1\r\n")
                        await writer.drain()
                        await asyncio.sleep(0.02)
            assert b" 200 " not in await ending
            await hang_up(writer)


async def test_between_two_requests_blank_lines_keep_no_connection_open():
    async with served(head_timeout_s=0.2) as (_, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(GOOD.replace(b"Connection: close\r\n", b""))
        assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")
        ending = asyncio.create_task(read_all(reader))
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(20):
                while not ending.done():
                    writer.write(b"\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.02)
        await ending
        await hang_up(writer)


async def test_what_is_sent_behind_an_early_answer_is_not_read_for_ever():
    head = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n"
    async with served(Early(), request_bytes_max=100_000) as (_, port):
        said = await raw(port, head, *[b"x" * 50_000] * 100)
        assert said.statuses in ([413], []), "the reset may overtake it"
        said = await raw(port, CHUNKED + b"\r\n1;", *[b"x" * 50_000] * 100)
        assert said.statuses in ([413], [])


async def test_an_early_answer_reaches_who_sends_a_little_more():
    head = b"POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 70000\r\n\r\n"
    async with served(Early()) as (_, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(head)
        assert b" 413 " in await read_all(reader)
        await hang_up(writer)


async def until_gone(reader):
    async with asyncio.timeout(20):
        return await read_all(reader)


async def test_the_one_that_waits_longest_makes_place():
    async with served(connections_max=3) as (_, port):
        idle = [await asyncio.open_connection(HOST, port) for _ in range(3)]
        await asyncio.sleep(0)
        assert (await raw(port, GOOD)).status == 200
        assert await until_gone(idle[0][0]) == b""
        for reader, writer in idle[1:]:
            writer.write(GOOD)
            assert (await until_gone(reader)).startswith(b"HTTP/1.1 200")
        for _, writer in idle:
            await hang_up(writer)


async def test_bodies_that_do_not_end_shut_nobody_out():
    begun = GOOD[:-2].replace(b": 2", b": 99999")
    async with served(connections_max=3) as (app, port):
        slow = [await asyncio.open_connection(HOST, port) for _ in range(3)]
        for _, writer in slow:
            writer.write(begun)
        async with asyncio.timeout(10):
            while len(app.scopes) < 3:
                await asyncio.sleep(0.01)
        assert (await raw(port, GOOD)).status == 200
        assert await until_gone(slow[0][0]) == b""
        for _, writer in slow:
            await hang_up(writer)


async def test_where_every_place_is_taken_by_a_request_the_next_may_come_again():
    async with served(connections_max=2) as (app, port):
        app.may_answer.clear()
        asking = [asyncio.create_task(raw(port, GOOD)) for _ in range(2)]
        async with asyncio.timeout(10):
            while len(app.bodies) < 2:
                await asyncio.sleep(0.01)
        refused = await raw(port)
        assert (refused.status, b"retry-after: 5" in refused.text) == (503, True)
        app.may_answer.set()
        assert [(await each).status for each in asking] == [200, 200]
        assert (await raw(port, GOOD)).status == 200


@pytest.mark.parametrize("is_unlimited", [False, True], ids=["stranger", "proxy"])
async def test_one_address_has_so_many_connections(is_unlimited):
    limits = {"connections_per_address_max": 2, "is_unlimited": lambda _: is_unlimited}
    async with served(**limits) as (_, port):
        idle = [await asyncio.open_connection(HOST, port) for _ in range(2)]
        assert (await raw(port, *([GOOD] if is_unlimited else []))).status == (
            200 if is_unlimited else 429
        )
        for reader, writer in idle:
            writer.write(GOOD)
            assert (await until_gone(reader)).startswith(b"HTTP/1.1 200")
            await hang_up(writer)
        assert (await raw(port, GOOD)).status == 200
