"""The trail in a real Postgres: idempotent, tolerant of any bytes, and unchangeable."""

from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from libs.common.contracts import codec
from libs.common.secret import Secret
from services.auditor.chaining import GENESIS, link
from services.auditor.rows import to_row
from services.auditor.store import (
    PartitionMissing,
    PostgresAway,
    RowRefused,
    Store,
    make_pool,
)
from services.auditor.storing import Stored, store_rows
from tests.factories import ALERT_ID, make_alert

pytestmark = pytest.mark.integration

NOVEMBER = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ALL = "SELECT * FROM audit_event ORDER BY stream, seq"
# What no jsonb holds, though it is JSON; found by Postgres alone.
HUGE = b'{"route":"huge","n":1e400000}'


def make_row(seq=1, data=None, stored_at=NOVEMBER, subject="alert.received.demo", headers=None):
    return to_row(
        stream="PIPELINE",
        seq=seq,
        subject=subject,
        stored_at=stored_at,
        headers=headers,
        data=codec.encode(make_alert()) if data is None else data,
    )


@pytest.fixture
async def store(writer_dsn):
    async with make_pool(Secret(writer_dsn)) as pool:
        yield Store(pool)


@pytest.fixture
async def trail(database):
    """The owner's connection."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def written(store, trail):
    """A trail with one row."""
    await store_rows(store, [make_row()])
    return trail


async def test_rows_are_stored_once(store, trail):
    rows = [make_row(seq) for seq in range(1, 8)]

    first = await store_rows(store, rows)
    stored = await trail.fetch(ALL)
    second = await store_rows(store, [*rows, make_row(8)])

    assert (first, second) == (Stored(new=7), Stored(new=1))
    assert (await trail.fetch(ALL))[:7] == stored


async def test_one_batch_may_hold_a_message_twice(store, trail):
    assert await store_rows(store, [make_row(), make_row()]) == Stored(new=1)


async def test_every_column_arrives(store, trail):
    row = make_row(
        headers={
            "Nats-Msg-Id": "e",
            "traceparent": "t",
            "Alertwire-Service": "s",
            "Alertwire-By": "b",
        }
    )

    await store_rows(store, [row])

    stored = dict(await trail.fetchrow("SELECT *, doc::text AS doc FROM audit_event"))
    doc = stored.pop("doc")
    assert stored.pop("hash") == link(GENESIS, row)
    assert stored == {name: getattr(row, name) for name in row.__slots__ if name != "doc"}
    assert codec.decode(doc.encode()) == make_alert()


ODD_BODIES = {
    b"": False,
    b"\x00\xff\xfe": False,
    b"plain": False,
    rb'{"route":"a\u0000b","x":["\ud800","\udc00\ud83d","\\u0000"]}': True,
    b'"scalar"': True,
    b"[" * 900 + b"]" * 900: True,
    b"[" * 50_000 + b"]" * 50_000: False,
    b'{"a":1,"a":2}': True,
    b'{"n":123456789012345678901234567890.123456789}': True,
    b'{"n":-0.0,"m":1E+5,"s":"' + b"x" * 70_000 + b'"}': True,
    b'{"route":"' + "\N{GRINNING FACE}".encode() * 3000 + b'"}': True,
}


async def test_any_bytes_are_stored_whole(store, trail):
    odd = {"Nats-Msg-Id": "a\0\ud800"}
    rows = [make_row(seq, data, headers=odd) for seq, data in enumerate(ODD_BODIES, 1)]

    stored = await store_rows(store, rows)

    assert stored == Stored(new=len(rows)), "nothing here is left to Postgres to refuse"
    trails = await trail.fetch("SELECT body, doc IS NOT NULL FROM audit_event ORDER BY seq")
    assert [tuple(row) for row in trails] == list(ODD_BODIES.items())


async def test_a_refused_document_costs_its_neighbours_nothing(store, trail):
    rows = [make_row(seq, HUGE if seq in {3, 8} else None) for seq in range(1, 11)]
    await store.ensure_partitions(NOVEMBER.date(), NOVEMBER.date())

    with pytest.raises(RowRefused):
        await store.insert(rows)
    assert await store_rows(store, rows) == Stored(new=10, degraded=2)

    stored = await trail.fetch(ALL)
    assert [row["seq"] for row in stored if row["doc"] is None] == [3, 8]
    assert stored[2]["body"] == HUGE
    assert stored[2]["route"] == "huge"
    assert await store_rows(store, rows) == Stored(), "and again changes nothing"


async def test_a_row_is_stored_bare_before_it_is_lost(store, trail):
    """A constraint of tomorrow that a row of today does not meet."""
    await trail.execute("ALTER TABLE audit_event ADD CHECK (route <> 'odd')")
    row = make_row(2, data=b'{"route":"odd"}')

    assert await store_rows(store, [make_row(1), row]) == Stored(new=2, degraded=1)

    stored = await trail.fetchrow("SELECT * FROM audit_event WHERE seq = 2")
    assert (stored["route"], stored["body"]) == (None, row.body)


async def test_a_database_that_refuses_everything_is_away(store, trail):
    await trail.execute("ALTER TABLE audit_event ADD CHECK (stream <> 'PIPELINE')")

    with pytest.raises(PostgresAway, match="bytes alone"):
        await store_rows(store, [make_row()])


async def test_a_month_gets_its_partition_when_a_row_needs_it(store, trail):
    last = datetime(2031, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)
    rows = [make_row(1, stored_at=last), make_row(2, stored_at=last + timedelta(microseconds=1))]

    with pytest.raises(PartitionMissing):
        await store.insert(rows)
    assert await store_rows(store, rows) == Stored(new=2)

    where = await trail.fetch(
        "SELECT tableoid::regclass::text AS month FROM audit_event ORDER BY 1"
    )
    assert [row["month"] for row in where] == ["audit_event_2031_02", "audit_event_2031_03"]


async def test_partitions_are_made_ahead_once(store, trail):
    ahead = (date(2026, 11, 30), date(2027, 2, 1))

    assert await store.last_partition() is None
    assert await store.ensure_partitions(*ahead) == 4
    assert await store.ensure_partitions(*ahead) == 0
    assert await store.last_partition() == date(2027, 2, 1)
    months = (
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_event'::regclass"
    )
    assert {row[0] for row in await trail.fetch(months)} == {
        "audit_event_2026_11",
        "audit_event_2026_12",
        "audit_event_2027_01",
        "audit_event_2027_02",
    }


async def test_partitions_of_no_sensible_time_are_not_made(store, trail):
    for days in (-1, 2000):
        with pytest.raises(PostgresAway, match="are not made"):
            await store.ensure_partitions(NOVEMBER.date(), NOVEMBER.date() + timedelta(days=days))


async def test_a_detached_month_is_named_and_not_made_anew(store, written):
    """Retention detaches a month to export it; a row of that month must not vanish meanwhile."""
    await written.execute("ALTER TABLE audit_event DETACH PARTITION audit_event_2026_11")

    with pytest.raises(PostgresAway, match="audit_event_2026_11"):
        await store_rows(store, [make_row(2)])
    assert "audit_event_2026_11" in (store.missing() or "")


CHANGES = ("UPDATE {} SET route = 'x'", "DELETE FROM {}", "TRUNCATE {}")


async def test_not_even_the_owner_changes_the_trail(written):
    for table in ("audit_event", "audit_event_2026_11"):
        for change in CHANGES:
            with pytest.raises(asyncpg.RestrictViolationError, match="only grows"):
                await written.execute(change.format(table))


async def refused(dsn, statements):
    """Which of the statements the login is denied."""
    connection = await asyncpg.connect(dsn)
    denied = []
    try:
        for statement in statements:
            try:
                await connection.execute(statement)
            except asyncpg.InsufficientPrivilegeError:
                denied.append(statement)
    finally:
        await connection.close()
    return denied


async def test_the_writer_only_adds(written, writer_dsn):
    forbidden = [
        *(change.format("audit_event") for change in CHANGES),
        "SELECT * FROM audit_event_2026_11",
        "INSERT INTO audit_event_2026_11 SELECT * FROM audit_event",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "DROP TABLE audit_event_2026_11",
        "CREATE TABLE mine (x int)",
        "SELECT * FROM journey_event",
    ]
    allowed = [
        "SELECT * FROM audit_event",
        "INSERT INTO audit_event SELECT * FROM audit_event ON CONFLICT DO NOTHING",
    ]

    assert await refused(writer_dsn, [*forbidden, *allowed]) == forbidden
    assert await written.fetchval("SELECT count(*) FROM audit_event") == 1


async def test_the_viewer_reads_the_view_alone(written, reader_dsn):
    forbidden = [
        "SELECT * FROM audit_event",
        "SELECT audit_ensure_partitions('2027-01-01', '2027-01-01')",
        "INSERT INTO journey_event (stream) VALUES ('x')",
        "DELETE FROM journey_event",
    ]

    assert await refused(reader_dsn, [*forbidden, "SELECT * FROM journey_event"]) == forbidden


async def test_the_view_shows_bodies_as_text_where_they_are_text(store, reader_dsn):
    await store_rows(store, [make_row(1), make_row(2, b"\xff"), make_row(3, b"a\0b")])
    connection = await asyncpg.connect(reader_dsn)
    try:
        seen = await connection.fetch("SELECT * FROM journey_event ORDER BY seq")
    finally:
        await connection.close()

    assert [str(row["alert_id"]) for row in seen] == [ALERT_ID, "None", "None"]
    assert [row["body"] for row in seen] == [codec.encode(make_alert()).decode(), None, None]
    assert [row["body_bytes"] for row in seen[1:]] == [b"\xff", b"a\0b"]


MANY = """
    INSERT INTO audit_event
        (stream, seq, stored_at, at, subject, stage, route, alert_id, body, hash)
    SELECT
        'PIPELINE', n, moment, moment, 'x',
        CASE WHEN n % 4 = 0 THEN 'alert.received' ELSE 'execution.filled' END,
        'route-' || n / 4 % 20, gen_random_uuid(), '', sha256('')
    FROM generate_series(1, 20000) AS n,
        LATERAL (SELECT '2026-11-29'::timestamptz + n * interval '10 s' AS moment)
"""


async def test_the_lists_are_read_by_their_indexes(store, trail):
    """The page of newest alerts, that of a route, and an alert's journey, over two months."""
    await store.ensure_partitions(NOVEMBER.date(), NOVEMBER.date() + timedelta(days=30))
    await trail.execute(MANY)
    await trail.execute("ANALYZE audit_event")
    alerts = "WHERE stage IN ('alert.received', 'alert.refused')"
    newest_first = "ORDER BY stored_at DESC, seq DESC LIMIT 50"
    for where, index in [
        (f"{alerts} {newest_first}", "_stored_at_seq_idx"),
        (f"{alerts} AND route = 'route-7' {newest_first}", "_route_stored_at_seq_idx"),
        (f"WHERE alert_id = '{ALERT_ID}' ORDER BY seq", "_alert_id_idx"),
    ]:
        plan = await trail.fetch(f"EXPLAIN SELECT * FROM journey_event {where}")
        text = "\n".join(row[0] for row in plan)
        assert f"audit_event_2026_12{index}" in text, text
        assert "Seq Scan" not in text, text


async def test_postgres_away_is_said(trail, writer_dsn):
    nowhere = writer_dsn.rpartition("@")[0] + "@127.0.0.1:1/none"
    async with make_pool(Secret(nowhere)) as pool:
        store = Store(pool)
        with pytest.raises(PostgresAway):
            await store.ping()
        with pytest.raises(PostgresAway):
            await store.insert([make_row()])

    assert (store.missing() or "").startswith("Postgres away: ConnectionRefusedError")


async def test_a_schema_that_is_not_there_yet_is_waited_for(store, trail):
    await trail.execute("DROP VIEW journey_event; ALTER TABLE audit_event RENAME TO later")

    with pytest.raises(PostgresAway, match="audit_event"):
        await store_rows(store, [make_row()])

    await trail.execute("ALTER TABLE later RENAME TO audit_event")
    assert await store_rows(store, [make_row()]) == Stored(new=1)
    assert store.missing() is None
