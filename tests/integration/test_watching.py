"""Live copies of buckets: complete, followed, and right again after NATS was away."""

import asyncio
import contextlib

import msgspec
import pytest
from nats.js.kv import KeyValue

from libs.common.buckets import read_all
from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.connecting import Access
from libs.common.contracts.route import Account
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from libs.common.watching import Watched
from tests.factories import make_account
from tests.nats_process import NatsProcess

pytestmark = pytest.mark.integration


def watched():
    return Watched(bucket="accounts", decode=msgspec.json.Decoder(Account).decode, on_change=None)


@contextlib.asynccontextmanager
async def following(bus, copy):
    task = asyncio.create_task(copy.follow(bus))
    try:
        yield
    finally:
        await cancelled([task])


async def eventually(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


def account(name):
    return msgspec.json.encode(make_account(id=name))


async def test_a_change_arrives_without_restart(js, nats_url):
    await ensure_topology(js)
    bucket = await js.key_value("accounts")
    await bucket.put("old", account("old"))
    copy = watched()
    async with connected(Access(url=Secret(nats_url)), service="t", health=Health("t")) as bus:
        async with following(bus, copy):
            await asyncio.wait_for(copy.complete.wait(), 10)
            assert set(copy.values) == {"old"}
            await bucket.put("new", account("new"))
            await eventually(lambda: copy.get("new") is not None)
            await bucket.delete("old")
            await eventually(lambda: copy.get("old") is None)


async def test_an_empty_bucket_is_complete(js, nats_url):
    await ensure_topology(js)
    copy = watched()
    async with connected(Access(url=Secret(nats_url)), service="t", health=Health("t")) as bus:
        async with following(bus, copy):
            await asyncio.wait_for(copy.complete.wait(), 10)
    assert copy.values == {}


async def test_a_value_that_makes_no_sense_does_not_stop_the_others(js, nats_url):
    await ensure_topology(js)
    bucket = await js.key_value("accounts")
    await bucket.put("bad", b"{")
    await bucket.put("good", account("good"))
    copy = watched()
    async with connected(Access(url=Secret(nats_url)), service="t", health=Health("t")) as bus:
        async with following(bus, copy):
            await asyncio.wait_for(copy.complete.wait(), 10)
    assert set(copy.values) == {"good"}


async def test_what_changed_while_nats_was_away_is_seen(tmp_path):
    server = NatsProcess(tmp_path)
    await server.start()
    try:
        copy = watched()
        async with connected(
            Access(url=Secret(server.url)), service="t", health=Health("t")
        ) as bus:
            await ensure_topology(bus.js)
            bucket = await bus.js.key_value("accounts")
            await bucket.put("old", account("old"))
            async with following(bus, copy):
                await asyncio.wait_for(copy.complete.wait(), 10)
                await server.kill()
                await server.start()
                async with connected(
                    Access(url=Secret(server.url)), service="o", health=Health("o")
                ) as other:
                    changed = await other.js.key_value("accounts")
                    await changed.delete("old")
                    await changed.put("new", account("new"))
                    await eventually(lambda: set(copy.values) == {"new"})
    finally:
        await server.stop()


async def test_a_watch_that_the_server_dropped_is_made_anew(js, nats_url):
    """A paused route that still trades, because nobody told this process, would be the worst."""
    await ensure_topology(js)
    bucket = await js.key_value("accounts")
    await bucket.put("old", account("old"))
    copy = watched()
    async with connected(Access(url=Secret(nats_url)), service="t", health=Health("t")) as bus:
        async with following(bus, copy):
            await asyncio.wait_for(copy.complete.wait(), 10)
            for consumer in await js.consumers_info("KV_accounts"):
                await js.delete_consumer("KV_accounts", consumer.name)
            await bucket.delete("old")
            await bucket.put("new", account("new"))
            await eventually(lambda: set(copy.values) == {"new"})


class EndToldFirst:
    """A watcher whose mark of the end comes before the first entry, as the client library's does
    when the server counts as delivered what is still on its way.
    """

    def __init__(self, watcher):
        self._watcher = watcher
        self._told = False

    async def updates(self, timeout):  # noqa: ASYNC109 - the library's signature
        if not self._told:
            self._told = True
            return None
        return await self._watcher.updates(timeout=timeout)

    async def stop(self):
        await self._watcher.stop()


@pytest.fixture
def end_told_first(monkeypatch):
    watchall = KeyValue.watchall

    async def early(store, **options):
        return EndToldFirst(await watchall(store, **options))

    monkeypatch.setattr(KeyValue, "watchall", early)


@pytest.mark.usefixtures("end_told_first")
async def test_an_end_that_is_told_too_early_is_not_believed(js, nats_url):
    """Else a route is missing for a moment after the service said that it is ready."""
    await ensure_topology(js)
    bucket = await js.key_value("accounts")
    for name in ("one", "two", "gone"):
        await bucket.put(name, account(name))
    await bucket.delete("gone")
    assert list(await read_all(bucket, timeout_s=5)) == ["one", "two"]
    copy = watched()
    async with connected(Access(url=Secret(nats_url)), service="t", health=Health("t")) as bus:
        async with following(bus, copy):
            await asyncio.wait_for(copy.complete.wait(), 10)
            assert set(copy.values) == {"one", "two"}


@pytest.mark.usefixtures("end_told_first")
async def test_an_empty_bucket_is_complete_at_once(js, nats_url):
    await ensure_topology(js)
    assert await read_all(await js.key_value("accounts"), timeout_s=5) == {}
    copy = watched()
    async with connected(Access(url=Secret(nats_url)), service="t", health=Health("t")) as bus:
        async with following(bus, copy):
            await asyncio.wait_for(copy.complete.wait(), 2)
            assert copy.values == {}
