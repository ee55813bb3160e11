"""A server that ends refuses nobody: who is connected, who has just come, who waits in a queue."""

import asyncio
import contextlib
import os
import socket

import pytest

from libs.common import draining as draining_module
from libs.common import listening as listening_module
from libs.common.draining import Draining
from libs.common.health import Health
from libs.common.listening import is_shared, listening, queued
from libs.common.serving import serving
from services.ingest.__main__ import _until_ready
from tests.unit.test_common_serving import HOST, connection, get
from tools.devstack.ports import free_port


@contextlib.asynccontextmanager
async def ending(port, *, for_s, share=False):
    """A server that is told to end when `end` is set; done when it has."""
    health, end = Health("old"), asyncio.Event()
    up = asyncio.Event()

    async def life():
        draining = Draining(health, for_s=for_s)
        async with serving(health, host=HOST, port=port, share=share, draining=draining):
            up.set()
            await end.wait()

    async with asyncio.TaskGroup() as group:
        done = group.create_task(life())
        await up.wait()
        yield health, end, done
        end.set()


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_it_is_not_ready_any_more_and_answers_all_the_same():
    port = free_port()
    async with ending(port, for_s=2) as (health, end, done):
        async with connection(port) as (reader, writer):
            assert "connection: close" not in (await get(reader, writer))[1]
            end.set()
            await until(health.missing)
            assert "stop" in health.missing()
            status, head, _ = await get(reader, writer)
            assert (status, "connection: close" in head) == (200, True), "told with its next answer"
            assert await reader.read() == b"", "and closed behind it"
        async with connection(port) as (reader, writer):
            status, head, _ = await get(reader, writer)
            assert (status, "connection: close" in head) == (200, True), "new ones are taken, too"
        assert not done.done()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)


async def test_an_answer_that_was_begun_before_is_the_last_of_its_connection():
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(_scope, _receive, send):
        asked.set()
        await may_answer.wait()
        length = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": b"ok"})

    port, health = free_port(), Health("x")
    draining = Draining(health, for_s=0.3)
    async with serving(slow, host=HOST, port=port, draining=draining):
        reader, writer = await asyncio.open_connection(HOST, port)
        answer = asyncio.create_task(get(reader, writer))
        await asked.wait()
        asyncio.get_running_loop().call_later(0.1, may_answer.set)
    assert "connection: close" in (await answer)[1]
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("for_s", [0, 0.1], ids=["at once", "after a while"])
async def test_who_has_connected_before_the_end_is_still_heard(monkeypatch, for_s):
    monkeypatch.setattr(draining_module, "HEARD_OUT_S", 30)
    port = free_port()
    async with ending(port, for_s=for_s) as (_, end, done):
        async with connection(port) as (reader, writer):
            await asyncio.sleep(0.05)
            end.set()
            await asyncio.sleep(for_s + 0.3)
            assert not done.done(), "it waits for the question"
            assert (await get(reader, writer))[0] == 200


async def test_an_open_connection_that_asks_nothing_does_not_hold_the_end_up_for_long():
    port = free_port()
    async with ending(port, for_s=0) as (_, end, done):
        async with connection(port), connection(port) as (reader, writer):
            await get(reader, writer)
            end.set()
            async with asyncio.timeout(10):
                await done
            assert await reader.read() == b""


def test_what_waits_in_a_queue_is_taken_before_it_is_closed():
    listener, handed = listening(host=HOST, port=free_port())
    address = listener.getsockname()
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(socket.create_connection(address)) for _ in range(5)]
        taken = [stack.enter_context(each) for each in queued(listener)]
    assert not handed
    assert len(taken) == len(waiting)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


async def test_one_of_two_that_share_a_port_ends_and_everybody_is_answered():
    port = free_port()
    answered = []

    async def ask():
        async with connection(port) as (reader, writer):
            answered.append((await get(reader, writer))[0])

    newer = Health("new")
    async with ending(port, for_s=0.2, share=True) as (_, end, done):
        async with serving(newer, host=HOST, port=port, share=True), asyncio.TaskGroup() as group:
            for number in range(300):
                group.create_task(ask())
                if number == 100:
                    end.set()
                await asyncio.sleep(0.002)
            async with asyncio.timeout(10):
                await done
            for _ in range(20):
                group.create_task(ask())
    assert answered == [200] * 320


async def test_a_port_is_shared_only_where_both_say_so():
    port = free_port()
    async with ending(port, for_s=0):
        with pytest.raises(OSError, match="in use"):
            listening(host=HOST, port=port, share=True)


async def test_at_a_shared_port_an_ingest_takes_nothing_before_it_is_ready():
    """The other one answers what would get a 503 from this one."""
    health, stop, unread = Health("ingest", starting=True), asyncio.Event(), ["routes"]
    health.add("routes", lambda: "not read" if unread else None)
    waiting = asyncio.create_task(_until_ready(health, stop))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    unread.clear()
    async with asyncio.timeout(5):
        await waiting
    unread.append("again")
    stop.set()
    async with asyncio.timeout(5):
        await _until_ready(health, stop)


def test_a_socket_that_was_handed_on_is_taken_by_its_port(monkeypatch):
    with socket.create_server((HOST, 0)) as ours, socket.create_server((HOST, 0)) as other:
        monkeypatch.setattr(listening_module, "_FIRST_HANDED", ours.fileno())
        count = other.fileno() - ours.fileno() + 1
        told = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(count)}
        port = other.getsockname()[1]
        assert is_shared(port=port, share=False, environ=told)
        assert not is_shared(port=port, share=False, environ={})
        assert is_shared(port=port, share=True, environ={})
        found, handed = listening(host=HOST, port=port, environ=told)
        with found:
            assert (handed, found.getsockname()[1]) == (True, port)
        with socket.create_connection((HOST, port)):
            "Closing ours has closed nobody else's."
        for foreign in ({"LISTEN_PID": "1"}, {}):
            with pytest.raises(OSError, match="in use"):
                listening(host=HOST, port=port, environ=told | {"LISTEN_PID": "0"} | foreign)
