"""The auditor between a real log and a real Postgres: every message becomes its row, once."""

import asyncio
import contextlib

import asyncpg
import pytest
from nats.js.api import AckPolicy, ConsumerConfig

from libs.common import pulling as pulling_module
from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.connecting import Access
from libs.common.contracts import subjects
from libs.common.contracts.words import RouteId
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import AUDITOR, ensure_topology
from services.auditor import handler
from services.auditor.handler import Auditor
from services.auditor.store import Store, make_pool
from services.auditor.upkeep import keep
from tests.factories import make_alert
from tests.postgres_gate import Gate
from tests.recorded_spans import Recording

pytestmark = pytest.mark.integration

ALL = "SELECT * FROM audit_event ORDER BY seq"


@pytest.fixture
async def gate(writer_dsn):
    gate = Gate(writer_dsn)
    await gate.open()
    yield gate
    await gate.close()


@pytest.fixture
async def bus(js, nats_url):
    await ensure_topology(js)
    async with connected(
        Access(url=Secret(nats_url)), service="auditor", health=Health("auditor")
    ) as bus:
        yield bus


@pytest.fixture
async def store(gate):
    async with make_pool(Secret(gate.dsn)) as pool:
        yield Store(pool)


@pytest.fixture
async def trail(database):
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@contextlib.asynccontextmanager
async def auditing(bus, store, *, batch_max=500):
    """An auditor that runs beside the test, and ends well."""
    stop = asyncio.Event()
    auditor = Auditor(bus=bus, store=store, batch_max=batch_max, flush_s=0.05)
    async with asyncio.TaskGroup() as group:
        upkeep = group.create_task(keep(store))
        task = group.create_task(auditor.run(stop))
        yield auditor
        stop.set()
        async with asyncio.timeout(20):
            await task
        await cancelled([upkeep])


async def publish(js, *, first, last):
    for number in range(first, last + 1):
        await js.publish("alert.received.demo", f'{{"route":"demo","n":{number}}}'.encode())


async def rows_once(trail, count):
    async with asyncio.timeout(20):
        while await trail.fetchval("SELECT count(*) FROM audit_event") < count:
            await asyncio.sleep(0.02)
    return await trail.fetch(ALL)


async def all_acked(js):
    async with asyncio.timeout(20):
        while True:
            info = await js.consumer_info(subjects.STREAM, AUDITOR)
            if info.num_ack_pending == 0 and info.num_pending == 0:
                return info
            await asyncio.sleep(0.02)


async def test_messages_become_rows(bus, js, store, trail):
    sent = await bus.publish(
        subject=subjects.alert_received(RouteId("demo")), message=make_alert(), event_id="e1"
    )
    await js.publish("dead.odd", b"\xff\x00")

    async with auditing(bus, store) as auditor:
        first, second = await rows_once(trail, 2)
        await all_acked(js)
        assert auditor.missing() is None

    entry = await bus.entry(sent.seq)
    assert (first["stream"], first["seq"], first["stored_at"]) == (
        "PIPELINE",
        sent.seq,
        entry.stored_at,
    )
    assert (first["service"], first["event_id"], first["stage"]) == (
        "auditor",
        "e1",
        "alert.received",
    )
    assert (second["body"], second["stage"], second["alert_id"]) == (b"\xff\x00", "dead", None)


async def test_a_replay_gives_the_same_rows(bus, js, store, trail):
    await publish(js, first=1, last=30)
    async with auditing(bus, store, batch_max=7):
        before = await rows_once(trail, 30)
        await all_acked(js)
    await js.delete_consumer(subjects.STREAM, AUDITOR)
    await ensure_topology(js)

    async with auditing(bus, store):
        await all_acked(js)

    assert await trail.fetch(ALL) == before


async def test_a_second_trail_is_equal_to_the_byte(bus, js, store, trail):
    """Rebuilding from nothing: the same log makes the same rows."""
    await publish(js, first=1, last=20)
    async with auditing(bus, store, batch_max=3):
        before = await rows_once(trail, 20)
        await all_acked(js)
    await trail.execute(_DROP_ALL)
    await js.delete_consumer(subjects.STREAM, AUDITOR)
    await ensure_topology(js)

    async with auditing(bus, store, batch_max=7):
        assert await rows_once(trail, 20) == before
        await all_acked(js)
    # Every message once more, in other batches.
    await js.delete_consumer(subjects.STREAM, AUDITOR)
    await ensure_topology(js)
    async with auditing(bus, store):
        await all_acked(js)
    assert await trail.fetch(ALL) == before
    assert len({row["hash"] for row in before}) == 20


_DROP_ALL = """
DO $$ DECLARE part regclass; BEGIN
    FOR part IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'audit_event'::regclass LOOP
        EXECUTE format('DROP TABLE %s', part);
    END LOOP;
END $$
"""


async def test_postgres_away_delays_rows_and_loses_none(bus, js, store, trail, gate, monkeypatch):
    """The batch that is held is said to be in work, so that it is not redelivered meanwhile."""
    monkeypatch.setattr(handler, "HOLD_S", 0.05)
    await _shorten_ack_wait(js, seconds=0.5)
    await publish(js, first=1, last=20)
    async with auditing(bus, store, batch_max=8):
        await rows_once(trail, 20)
        await gate.close()
        await publish(js, first=21, last=60)
        async with asyncio.timeout(20):
            while store.missing() is None:
                await asyncio.sleep(0.02)
        await asyncio.sleep(1.2)
        away = await js.consumer_info(subjects.STREAM, AUDITOR)
        assert 0 < away.num_ack_pending <= 8, "one batch is held, the rest waits in the log"
        assert away.num_redelivered == 0
        assert "Postgres away" in (store.missing() or "")
        await gate.open()
        rows = await rows_once(trail, 60)
        await all_acked(js)
        assert store.missing() is None

    assert [row["seq"] for row in rows] == list(range(1, 61))
    assert [row["body"] for row in rows] == [
        f'{{"route":"demo","n":{n}}}'.encode() for n in range(1, 61)
    ]


async def test_a_start_without_postgres_waits_for_it(bus, js, store, trail, gate):
    await gate.close()
    await publish(js, first=1, last=3)

    async with auditing(bus, store):
        await asyncio.sleep(0.3)
        assert store.missing() is not None
        await gate.open()
        assert len(await rows_once(trail, 3)) == 3


async def test_a_stop_gives_the_held_batch_back(bus, js, store, trail, gate):
    """Else its rows would come a minute late after every restart."""
    await gate.close()
    await publish(js, first=1, last=5)
    async with auditing(bus, store):
        async with asyncio.timeout(20):
            while (await js.consumer_info(subjects.STREAM, AUDITOR)).num_ack_pending < 5:
                await asyncio.sleep(0.02)
    await gate.open()

    async with auditing(bus, store):
        assert len(await rows_once(trail, 5)) == 5


async def test_a_poisonous_message_stops_nobody(bus, js, store, trail):
    await publish(js, first=1, last=4)
    await js.publish("alert.received.demo", b'{"n":1e400000}')
    await js.publish("alert.received.demo", rb'{"body":"\u0000\ud800"}')
    await publish(js, first=5, last=8)

    async with auditing(bus, store):
        rows = await rows_once(trail, 10)
        await all_acked(js)

    assert [row["seq"] for row in rows if row["doc"] is None] == [5]


async def test_a_missing_consumer_is_said_and_waited_for(bus, js, store, trail):
    await js.delete_consumer(subjects.STREAM, AUDITOR)
    async with auditing(bus, store) as auditor:
        async with asyncio.timeout(20):
            while auditor.missing() is None:
                await asyncio.sleep(0.02)
        await ensure_topology(js)
        await publish(js, first=1, last=2)
        assert len(await rows_once(trail, 2)) == 2
        async with asyncio.timeout(20):
            while auditor.missing() is not None:
                await asyncio.sleep(0.02)


async def test_a_batch_links_to_the_traces_of_its_messages(bus, js, store, trail, monkeypatch):
    exporter = Recording(monkeypatch).exporter
    for number in range(3):
        await bus.publish(
            subject=subjects.alert_received(RouteId("demo")),
            message=make_alert(),
            event_id=f"e{number}",
        )

    async with auditing(bus, store):
        await rows_once(trail, 3)
        await all_acked(js)

    spans = exporter.get_finished_spans()
    sent = {span.context.span_id for span in spans if span.name.startswith("send ")}
    received = [span for span in spans if span.name == "receive auditor"]
    assert len(sent) == 3
    assert {link.context.span_id for span in received for link in span.links} == sent


async def _shorten_ack_wait(js, *, seconds):
    info = await js.consumer_info(subjects.STREAM, AUDITOR)
    info.config.ack_wait = seconds
    await js.add_consumer(subjects.STREAM, info.config)


async def test_a_log_of_an_older_release_is_gone_on_with_where_it_was(bus, js, store, trail):
    """There each message was acknowledged by itself, which a consumer cannot change."""
    await publish(js, first=1, last=4)
    async with auditing(bus, store):
        await rows_once(trail, 4)
        await all_acked(js)
    await js.delete_consumer(subjects.STREAM, AUDITOR)
    await js.add_consumer(
        subjects.STREAM,
        ConsumerConfig(durable_name=AUDITOR, ack_policy=AckPolicy.EXPLICIT, max_ack_pending=10_000),
    )
    await publish(js, first=5, last=6)
    old = await js.pull_subscribe_bind(AUDITOR, subjects.STREAM)
    for message in await old.fetch(4):
        await message.ack_sync()

    await ensure_topology(js)
    await ensure_topology(js)

    info = await js.consumer_info(subjects.STREAM, AUDITOR)
    assert info.config.ack_policy == AckPolicy.ALL
    assert info.ack_floor.stream_seq == 4
    async with auditing(bus, store):
        rows = await rows_once(trail, 6)
    assert [row["seq"] for row in rows] == [1, 2, 3, 4, 5, 6]


async def test_a_delivery_that_is_lost_on_the_way_comes_again(bus, js, store, trail, monkeypatch):
    """What follows must not be acknowledged over it."""
    await publish(js, first=1, last=3)
    taken = pulling_module._Incoming.take
    lost = []

    def take(self, subject, reply, data, headers):
        if not lost and b'"n":5' in data:
            lost.append(data)
            return
        taken(self, subject, reply, data, headers)

    monkeypatch.setattr(pulling_module._Incoming, "take", take)
    async with auditing(bus, store):
        await rows_once(trail, 3)
        await publish(js, first=4, last=9)
        rows = await rows_once(trail, 9)
        await all_acked(js)
    assert lost
    assert [row["seq"] for row in rows] == list(range(1, 10))


async def test_what_a_restored_database_lacks_is_brought_from_the_log(bus, js, store, trail):
    """The log says that it was stored; the trail, older than that, has not got it."""
    await publish(js, first=1, last=20)
    async with auditing(bus, store):
        before = await rows_once(trail, 20)
        await all_acked(js)
    await trail.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
    await trail.execute("DELETE FROM audit_event WHERE seq > 12")
    await trail.execute("ALTER TABLE audit_event ENABLE TRIGGER USER")

    async with auditing(bus, store):
        assert await rows_once(trail, 20) == before, "the same, with their hashes"
