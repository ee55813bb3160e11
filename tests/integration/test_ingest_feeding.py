"""The index of recent alerts as it is fed from a real log."""

import asyncio
import contextlib
from datetime import UTC, datetime

import pytest

from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.connecting import Access
from libs.common.contracts import subjects
from libs.common.contracts.words import AlertId
from libs.common.domain import identity
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.ingest.duplicates import RecentAlerts
from services.ingest.feeding import RecentFeed
from tests.factories import make_alert

pytestmark = pytest.mark.integration

BACKLOG = 520
"""More than one fetch takes."""


@pytest.fixture
async def bus(nats_url, js):
    await ensure_topology(js)
    async with connected(
        Access(url=Secret(nats_url)), service="test", health=Health("test")
    ) as bus:
        yield bus


@contextlib.asynccontextmanager
async def following(feed):
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(feed.follow())
        async with asyncio.timeout(10):
            while feed.missing():
                await asyncio.sleep(0.01)
        yield
        await cancelled([task])


async def store(bus, name, *, event_id):
    alert = make_alert(alert_id=AlertId(name))
    subject = subjects.alert_received(alert.route)
    await bus.publish(subject=subject, message=alert, event_id=event_id)


async def test_once_ready_it_knows_the_backlog_and_then_what_comes(bus):
    for number in range(BACKLOG):
        event_id = identity.received_event_id(key=f"key{number}", predecessor=None)
        await store(bus, f"alert{number}", event_id=event_id)
    await store(
        bus, "chained", event_id=identity.received_event_id(key="key7", predecessor=AlertId("a"))
    )
    await store(bus, "unwatched", event_id="unwatched")
    recent = RecentAlerts()
    feed = RecentFeed(bus=bus, recent=recent, now=lambda: datetime.now(UTC))
    assert feed.missing() is not None
    async with following(feed):
        assert len(recent) == BACKLOG
        known = recent.latest("key7", now=datetime.now(UTC))
        assert known is not None
        assert (known.alert_id, known.seq) == ("chained", BACKLOG + 1)
        await store(bus, "late", event_id=identity.received_event_id(key="new", predecessor=None))
        async with asyncio.timeout(2):
            while recent.latest("new", now=datetime.now(UTC)) is None:
                await asyncio.sleep(0.01)


async def test_after_a_reconnect_it_is_not_ready_until_it_has_read_again(bus):
    recent = RecentAlerts()
    feed = RecentFeed(bus=bus, recent=recent, now=lambda: datetime.now(UTC))
    async with following(feed):
        bus.client.stats["reconnects"] += 1
        assert feed.missing() is not None
        await store(bus, "A", event_id=identity.received_event_id(key="key", predecessor=None))
        async with asyncio.timeout(5):
            while feed.missing():
                await asyncio.sleep(0.01)
        assert recent.latest("key", now=datetime.now(UTC)) is not None


async def test_a_consumer_that_vanished_is_made_anew(bus):
    """The server drops it when the process slept for longer than its idle time."""
    recent = RecentAlerts()
    feed = RecentFeed(bus=bus, recent=recent, now=lambda: datetime.now(UTC))
    async with following(feed):
        (mine,) = [
            consumer.name
            for consumer in await bus.js.consumers_info(subjects.STREAM)
            if consumer.config.durable_name is None
        ]
        await bus.js.delete_consumer(subjects.STREAM, mine)
        await store(bus, "later", event_id=identity.received_event_id(key="k", predecessor=None))
        async with asyncio.timeout(15):
            while recent.latest("k", now=datetime.now(UTC)) is None:
                await asyncio.sleep(0.01)
