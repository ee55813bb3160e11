"""The schema's migrations: harmless while others read and write, and forward over the rows of the
previous release.
"""

import shutil
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from services.auditor.chaining import GENESIS, link
from services.auditor.rows import to_row
from tests import backends
from tools.devstack.database import ensure_database, ensure_logins, migrate
from tools.logins import WRITER
from tools.migrating import MIGRATIONS

pytestmark = pytest.mark.integration

FIRST = "20261123000001_audit.sql"
# Of squawk's rules, those that do not hold here, and why.
EXCLUDED = {
    "require-concurrent-index-creation": "PostgreSQL has it for no partitioned table",
    "require-statement-timeout": "a migration of many rows takes minutes, and is not to be broken",
}
# And of the first migration alone: whatever it locks it has made itself.
EXCLUDED_OF_FIRST = {"require-lock-timeout"}

OLD_INSERT = """
    INSERT INTO audit_event (
        stream, seq, stored_at, at, subject, stage, service, event_id, alert_id, route, account,
        symbol, client_order_id, intent_id, traceparent, body, doc
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""


@pytest.mark.parametrize("migration", sorted(MIGRATIONS.glob("*.sql")), ids=lambda path: path.name)
def test_a_migration_harms_nobody_who_reads_or_writes(migration):
    excluded = set(EXCLUDED) | (EXCLUDED_OF_FIRST if migration.name == FIRST else set())
    found = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("squawk")), "--reporter", "gcc"),
            *("--pg-version", "18.0", "--assume-in-transaction", "--exclude", ",".join(excluded)),
            str(migration),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.fixture
async def previous(pg_dsn, tmp_path):
    """The owner's DSN of a database as the previous release left it."""
    shutil.copy(MIGRATIONS / FIRST, tmp_path)
    name = f"test_{uuid.uuid4().hex}"
    await ensure_database(pg_dsn, name=name)
    dsn = backends.dsn_of(pg_dsn, database=name)
    await migrate(dsn, migrations=tmp_path)
    yield dsn
    admin = await asyncpg.connect(pg_dsn)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


def old_rows():
    """Two streams over two months, with a gap, and with what Postgres did not take as JSON."""
    alert = b'{"route":"demo","alert_id":"019ab0a2-0700-7000-8000-000000003039"}'
    bodies = {1: alert, 5: b"\xff\0"}
    return [
        to_row(
            stream=stream,
            seq=seq,
            subject="alert.received.demo",
            stored_at=datetime(2026, 10 + seq // 4, 7, 12, 0, seq, 123_456, tzinfo=UTC),
            headers={"Nats-Msg-Id": f"e\N{GREEK SMALL LETTER ALPHA}{seq}"} if seq % 2 else None,
            data=bodies.get(seq, b'{"at":"1969-12-31T23:59:59.5Z"}'),
        )
        for stream in ("KV_routes", "PIPELINE")
        for seq in (1, 2, 3, 5, 6)
    ]


async def test_rows_of_the_previous_release_are_chained(previous):
    rows = old_rows()
    connection = await asyncpg.connect(previous)
    names = [name for name in rows[0].__slots__ if name != "made_by"]
    values = [[getattr(row, name) for name in names] for row in rows]
    try:
        await connection.execute("SELECT audit_ensure_partitions('2026-10-01', '2026-11-30')")
        # Not in the order of the chain.
        await connection.executemany(OLD_INSERT, reversed(values))

        await migrate(previous, migrations=MIGRATIONS)

        seen = await connection.fetch(
            "SELECT stream, hash, made_by FROM audit_event ORDER BY stream, seq"
        )
        hashes = {}
        for row, kept in zip(rows, seen, strict=True):
            hashes[row.stream] = link(hashes.get(row.stream, GENESIS), row)
            assert (kept["stream"], kept["hash"]) == (row.stream, hashes[row.stream])
        with pytest.raises(asyncpg.CheckViolationError, match="audit_event_hash"):
            await connection.execute(OLD_INSERT, *values[0])
        for table in ("audit_event", "audit_event_2026_10"):
            with pytest.raises(asyncpg.RestrictViolationError, match="only grows"):
                await connection.execute(f"UPDATE {table} SET hash = hash")
    finally:
        await connection.close()


async def test_partitions_old_and_new_have_the_same_columns_indexes_and_checks(previous):
    connection = await asyncpg.connect(previous)
    try:
        await connection.execute("SELECT audit_ensure_partitions('2026-11-01', '2026-11-30')")
        await migrate(previous, migrations=MIGRATIONS)
        await connection.execute("SELECT audit_ensure_partitions('2026-12-01', '2026-12-31')")
        old, new = [await shape_of(connection, f"audit_event_2026_{month}") for month in (11, 12)]
    finally:
        await connection.close()

    assert old == new
    assert any("(stream, seq)" in line for line in old)
    assert any("octet_length(hash)" in line and "NOT VALID" not in line for line in old)


async def shape_of(connection, table):
    lines = await connection.fetch(
        """
        SELECT attname || ' ' || atttypid::regtype || ' ' || attnotnull FROM pg_attribute
        WHERE attrelid = $1::text::regclass AND attnum > 0
        UNION ALL
        SELECT replace(pg_get_indexdef(indexrelid), $1::text, 'audit_event') FROM pg_index
        WHERE indrelid = $1::text::regclass
        UNION ALL
        SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::text::regclass
        UNION ALL
        SELECT tgname FROM pg_trigger WHERE tgrelid = $1::text::regclass
        """,
        table,
    )
    return sorted(row[0] for row in lines)


async def test_the_writer_of_the_previous_release_may_write_anew(previous):
    """Its login belongs to the same group, which has the new rights."""
    await migrate(previous, migrations=MIGRATIONS)
    await ensure_logins(previous, passwords={WRITER: backends.LOGIN_PASSWORD})
    connection = await asyncpg.connect(backends.dsn_of(previous, user=WRITER))
    try:
        assert await connection.fetchval("SELECT seq FROM audit_head('PIPELINE')") == 0
    finally:
        await connection.close()
