"""HTTP inside a process: served on its port, kept alive, and gone with its block."""

import asyncio
import contextlib
import socket

import pytest

from libs.common.health import Health
from libs.common.serving import serving
from tools.devstack.ports import free_port

HOST = "127.0.0.1"


@contextlib.asynccontextmanager
async def connection(port):
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


async def get(reader, writer, path="/health/live"):
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    async with asyncio.timeout(5):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].split()[0])
        body = await reader.readexactly(length)
    return int(head.split()[1]), head, body


async def test_it_answers_and_keeps_the_connection_for_the_next_request():
    port = free_port()
    async with serving(Health("x"), host=HOST, port=port):
        async with connection(port) as (reader, writer):
            status, head, body = await get(reader, writer)
            assert (status, body) == (200, b'{"service":"x","status":"live"}')
            assert "server:" not in head, "it does not say what it is"
            assert "connection: close" not in head
            assert (await get(reader, writer, "/nowhere"))[0] == 404


async def test_it_can_be_connected_to_from_the_first_line_of_the_block():
    port = free_port()
    async with serving(Health("x"), host=HOST, port=port):
        # Without letting the loop run once.
        with socket.create_connection((HOST, port), timeout=1):
            pass
        await asyncio.sleep(0.05)


async def test_a_taken_port_is_an_os_error():
    with socket.create_server((HOST, 0)) as taken:
        with pytest.raises(OSError, match="in use"):
            async with serving(Health("x"), host=HOST, port=taken.getsockname()[1]):
                pytest.fail("it must not get here")


async def test_nobody_listens_afterwards_and_the_port_is_free_again():
    port = free_port()
    for _ in range(2):
        async with serving(Health("x"), host=HOST, port=port):
            async with connection(port) as (reader, writer):
                assert (await get(reader, writer))[0] == 200
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, port)


async def test_a_failure_in_the_block_ends_it_too():
    port = free_port()
    with pytest.raises(ValueError, match="mine"):
        async with serving(Health("x"), host=HOST, port=port):
            raise ValueError("mine")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)


async def test_an_answer_under_way_is_finished():
    asked, may_answer, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(_scope, _receive, send):
        asked.set()
        await may_answer.wait()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})
        answered.set()

    port = free_port()
    async with serving(slow, host=HOST, port=port):
        reader, writer = await asyncio.open_connection(HOST, port)
        answer = asyncio.create_task(get(reader, writer))
        await asked.wait()
        # Longer than the server takes to notice that it is to stop.
        asyncio.get_running_loop().call_later(0.3, may_answer.set)
    assert answered.is_set(), "the block ends after it"
    assert (await answer)[2] == b"ok"
    writer.close()
    await writer.wait_closed()


async def test_no_answer_waits_for_the_other_side_to_confirm_its_head():
    """Nagle's algorithm would hold the second part of an answer back for 40 ms."""
    undelayed = []

    async def app(_scope, _receive, send):
        transport = send.__self__.transport
        option = (socket.IPPROTO_TCP, socket.TCP_NODELAY)
        undelayed.append(transport.get_extra_info("socket").getsockopt(*option))
        length = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": b"ok"})

    port = free_port()
    async with serving(app, host=HOST, port=port), connection(port) as (reader, writer):
        await get(reader, writer)
    assert undelayed == [1]
