"""Appending to the chains in a real Postgres: one chain, whoever writes it and however often."""

import asyncio
import random
from pathlib import Path

import asyncpg
import pytest

from libs.common.queries import named_queries
from libs.common.secret import Secret
from services.auditor import store as store_module
from services.auditor.chaining import GENESIS, Head, link
from services.auditor.rows import Row
from services.auditor.store import PostgresAway, Store, make_pool
from services.auditor.storing import Stored, store_rows
from tests.audited import NOVEMBER, chained, make_row

pytestmark = pytest.mark.integration

APPEND = named_queries(Path(store_module.__file__).with_name("queries.sql"))["append_rows"]
KEPT = "SELECT stream, seq, hash FROM audit_event ORDER BY stream, seq"


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


async def tampered(trail, statement):
    await trail.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_only_grows")
    await trail.execute(statement)
    await trail.execute("ALTER TABLE audit_event ENABLE TRIGGER audit_event_only_grows")


async def hashes(trail, stream="PIPELINE"):
    return [row["hash"] for row in await trail.fetch(KEPT) if row["stream"] == stream]


async def test_however_rows_are_batched_the_hashes_are_the_same(store, trail):
    """Also where a part comes twice, and where one row of a batch is stored with less."""
    rows = [make_row(seq, data=b'{"n":1e400000}' if seq == 9 else None) for seq in range(1, 31)]
    for first, last in ((0, 3), (2, 11), (11, 12), (5, 30), (0, 30)):
        await store_rows(store, rows[first:last])
    assert await hashes(trail) == [kept.hash for kept in chained(rows)]


async def test_the_streams_of_a_batch_have_chains_of_their_own(store, trail):
    rows = [make_row(seq, stream=name) for seq in (1, 2) for name in ("b", "a")]
    assert await store_rows(store, rows) == Stored(new=4)
    for name in ("a", "b"):
        own = [row for row in rows if row.stream == name]
        assert await hashes(trail, name) == [kept.hash for kept in chained(own)]
    ends = [Head(stream=name, seq=2, hash=(await hashes(trail, name))[-1]) for name in ("a", "b")]
    assert await store.heads() == ends


async def test_two_auditors_at_once_make_one_chain(writer_dsn, trail):
    """Both handed the same log: each row once, each behind the one before it."""
    rows = [make_row(seq) for seq in range(1, 301)]
    chance = random.Random(6)

    async def write(store):
        place = 0
        while place < len(rows):
            size = chance.randrange(1, 9)
            back = chance.randrange(0, 5)
            await store_rows(store, rows[max(0, place - back) : place + size])
            place += size
            await asyncio.sleep(0)

    async with make_pool(Secret(writer_dsn)) as one, make_pool(Secret(writer_dsn)) as two:
        await asyncio.gather(*(write(Store(pool)) for pool in (one, two, one, two)))

    assert await hashes(trail) == [kept.hash for kept in chained(rows)]


async def test_a_second_writer_waits_until_the_first_has_committed(store, trail, writer_dsn):
    """Else both would follow the same row."""
    rows = [make_row(seq) for seq in range(1, 6)]
    await store_rows(store, rows[:1])
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    columns = [[getattr(row, name) for row in rows[1:3]] for name in Row.__slots__]
    async with asyncpg.create_pool(writer_dsn, min_size=1, max_size=1) as pool:
        async with pool.acquire() as first, first.transaction():
            await first.fetch(APPEND, *columns)
            second = asyncio.create_task(store_rows(store, rows[3:]))
            async with asyncio.timeout(5):
                while not second.done() and not await trail.fetchval(waiting):
                    await asyncio.sleep(0.01)
    assert await second == Stored(new=2)
    assert await hashes(trail) == [kept.hash for kept in chained(rows)]


async def test_rows_that_are_handed_over_in_disorder_are_chained_in_order(store, trail):
    first, second, third = [make_row(seq) for seq in (1, 2, 3)]
    assert await store_rows(store, [third, first, second, second]) == Stored(new=3)
    assert await hashes(trail) == [kept.hash for kept in chained([first, second, third])]


async def test_a_row_that_was_taken_away_does_not_come_back_unseen(store, trail):
    """The chain cannot take it in any more; the batch goes on, and it is said."""
    rows = [make_row(seq) for seq in range(1, 6)]
    await store_rows(store, rows)
    await tampered(trail, "DELETE FROM audit_event WHERE seq = 2")
    told = await trail.fetchrow(
        "SELECT * FROM audit_append('{PIPELINE}', '{2}', ARRAY[$1::timestamptz], ARRAY[now()],"
        " '{x}', '{x}', '{x}', '{x}', '{NULL}', '{x}', '{x}', '{x}', '{x}', '{x}', '{x}', '{x}',"
        " ARRAY[''::bytea], '{NULL}')",
        rows[1].stored_at,
    )
    assert tuple(told) == (0, 1)
    assert await store_rows(store, [*rows, make_row(6)]) == Stored(new=1)


async def test_another_log_of_the_same_name_is_refused(store, trail):
    """Made anew, it counts from one again: its messages must neither be lost nor mixed in."""
    await store_rows(store, [make_row(seq) for seq in range(1, 9)])
    later = make_row(2, stored_at=NOVEMBER.replace(day=25))
    with pytest.raises(PostgresAway, match="another log"):
        await store_rows(store, [later])
    assert "another log" in (store.missing() or "")
    assert len(await hashes(trail)) == 8


async def test_rows_that_are_not_chained_yet_are_waited_for(store, trail):
    await store_rows(store, [make_row(1)])
    await trail.execute("ALTER TABLE audit_event DROP CONSTRAINT audit_event_hash")
    await tampered(trail, "UPDATE audit_event SET hash = NULL")
    with pytest.raises(PostgresAway, match="migrate first"):
        await store_rows(store, [make_row(2)])


async def test_the_head_is_found_by_the_index(store, trail):
    """Over many months, and with a plan that was made while they were empty."""
    await trail.execute("SELECT audit_ensure_partitions('2026-01-01', '2027-12-31')")
    assert await trail.fetchval("SELECT seq FROM audit_head('PIPELINE')") == 0
    row = make_row(7)
    await store_rows(store, [row])
    assert await trail.fetchval("SELECT hash FROM audit_head('PIPELINE')") == link(GENESIS, row)
    await trail.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    plan = await trail.fetch(
        "EXPLAIN SELECT seq FROM audit_event WHERE stream = 'PIPELINE' ORDER BY seq DESC LIMIT 1"
    )
    text = "\n".join(line[0] for line in plan)
    assert "audit_event_2026_11_stream_seq_idx" in text, text
    assert "Seq Scan" not in text, text
