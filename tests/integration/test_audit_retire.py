"""Months of the trail as files, and taken out of it: safe to repeat wherever it broke off."""

import asyncio
import gzip
import json
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from libs.common.secret import Secret
from services.auditor.store import PostgresAway, Store, make_pool
from services.auditor.storing import Stored, store_rows
from tests.audited import make_row
from tests.unit.cli_stand import run
from tools.cli import audit_retiring
from tools.cli.audit_retiring import Retiring
from tools.cli.audit_verifying import Pace

pytestmark = pytest.mark.integration

LAST_YEAR = datetime(2025, 10, 31, 23, 0, tzinfo=UTC)
OCTOBER = date(2025, 10, 1)
FILE = "audit-2025-10.jsonl.gz"
ALL = "SELECT * FROM audit_event ORDER BY stream, seq"
ODD = {
    2: b'{"n":1e400000}',
    3: b"\xff\0",
    4: rb'{"s":"\u0000\u2028"}',
    5: b"null",
    6: b'{"a":1.50}',
}


def rows_of(*seqs, stream="PIPELINE"):
    """An hour apart: the first is October's last; seq 0 is none."""
    return [
        make_row(
            seq,
            stream=stream,
            stored_at=LAST_YEAR + timedelta(hours=seq // 8, microseconds=seq),
            data=ODD.get(seq),
        )
        for seq in seqs
    ]


@pytest.fixture
async def owner(database):
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def store(writer_dsn):
    async with make_pool(Secret(writer_dsn)) as pool:
        yield Store(pool)


@pytest.fixture
async def trail(owner, store, monkeypatch, tmp_path, database):
    """Seven messages of October and nine of November; the bucket's only one is of October."""
    await store_rows(store, [*rows_of(1, stream="KV_routes"), *rows_of(*range(1, 17))])
    monkeypatch.delenv("ALERTWIRE_DIR", raising=False)
    monkeypatch.setenv("ALERTWIRE_POSTGRES_URL", database)
    monkeypatch.chdir(tmp_path)
    return owner


async def audit(*arguments, status=0):
    answer = await asyncio.to_thread(run, "audit", *arguments)
    assert answer.exit_code == status, answer.output
    return answer.output


async def retire(month="2025-10", *options, status=0):
    return await audit("retire", month, "--to", ".", "--no-anchors", *options, status=status)


async def fits():
    return await audit("verify", "--no-anchors")


async def months(owner):
    found = await owner.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent = 'audit_event'::regclass ORDER BY 1"
    )
    return [row[0].removeprefix("audit_event_") for row in found]


@pytest.mark.parametrize("name", ["m.jsonl", "m.jsonl.gz"])
async def test_an_exported_month_verifies_by_itself(name, trail, tmp_path, monkeypatch):
    await audit("export", "--month", "2025-10", "-o", name)
    monkeypatch.delenv("ALERTWIRE_POSTGRES_URL")
    assert "everything fits: 8 rows" in await audit("verify", "--file", name)
    raw = (tmp_path / name).read_bytes()
    header, *lines = (gzip.decompress(raw) if name.endswith("gz") else raw).splitlines()
    assert [one["stream"] for one in json.loads(header)["streams"]] == ["KV_routes", "PIPELINE"]
    row = json.loads(lines[1])
    assert (row["seq"], row["doc"]) == (1, {"route": "demo", "n": 1})
    assert row["body"] == "eyJyb3V0ZSI6ImRlbW8iLCJuIjoxfQ=="


async def test_a_month_behind_another_is_exported_with_what_it_begins_behind(trail):
    await audit("export", "--month", "2025-11", "--stream", "PIPELINE", "-o", "n.jsonl")
    assert "PIPELINE  8 to 16: 9 rows" in await audit("verify", "--file", "n.jsonl")


CHANGED = {
    "PIPELINE  2: deleted": lambda lines: [*lines[:3], *lines[4:]],
    "PIPELINE  7: truncated": lambda lines: lines[:-1],
    "PIPELINE  2: changed": lambda lines: [line.replace(b'"e2"', b'"x"') for line in lines],
    "PIPELINE  8: changed": lambda lines: [*lines, lines[-1].replace(b":7,", b":8,")],
    "PIPELINE  1: truncated": lambda lines: lines[:2],
}


async def test_a_file_that_somebody_changed_does_not_fit(trail, tmp_path):
    await audit("export", "--month", "2025-10", "-o", "m.jsonl")
    lines = (tmp_path / "m.jsonl").read_bytes().splitlines(keepends=True)
    for told, change in CHANGED.items():
        (tmp_path / "m.jsonl").write_bytes(b"".join(change(lines)))
        assert told in await audit("verify", "--file", "m.jsonl", status=1)


async def test_a_broken_file_is_told(trail, tmp_path):
    await audit("export", "--month", "2025-10", "-o", FILE)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:-20])
    assert "is broken" in await audit("verify", "--file", FILE, status=1)
    (tmp_path / "none.jsonl").write_bytes(b"{}\n")
    assert "no export of the trail" in await audit("verify", "--file", "none.jsonl", status=1)


async def test_a_retired_month_leaves_a_chain_that_fits(trail, store, tmp_path):
    before = await trail.fetch(ALL)
    told = await retire()
    assert "still there" in told
    assert await months(trail) == ["2025_11"]
    assert "PIPELINE  8 to 16: 9 rows" in await fits()
    assert "everything fits: 8 rows" in await audit("verify", "--file", FILE)

    # The trail goes on, also where a chain has no row left; what comes again changes nothing.
    again = [*rows_of(1, 9, stream="KV_routes"), *rows_of(*range(5, 18))]
    assert await store_rows(store, again) == Stored(new=2)
    assert await trail.fetch(ALL) == [
        *await trail.fetch("SELECT * FROM audit_event WHERE stream = 'KV_routes'"),
        *before[8:],
        *await trail.fetch("SELECT * FROM audit_event WHERE seq = 17"),
    ]
    assert "everything fits: 11 rows" in await fits()

    assert "is dropped" in await retire("2025-10", "--drop")
    assert await trail.fetchval("SELECT to_regclass('audit_event_2025_10')") is None
    assert "was retired before" in await retire("2025-10", "--drop")
    await retire("2025-11", "--drop")
    assert await months(trail) == []
    assert "everything fits: 0 rows" in await fits()
    assert await store_rows(store, [make_row(18)]) == Stored(new=1)
    assert "everything fits: 1 row in" in await fits()


async def test_a_message_of_a_retired_month_is_not_lost_unseen(trail, store):
    await retire("2025-10", "--drop")
    await retire("2025-11", "--drop")
    late = make_row(20, stored_at=LAST_YEAR + timedelta(hours=5))
    with pytest.raises(PostgresAway, match="retired"):
        await store_rows(store, [late])
    assert await months(trail) == []


async def test_months_that_may_not_be_retired(trail):
    for month, told in (
        (f"{datetime.now(UTC):%Y-%m}", "not over yet"),
        ("2999-01", "not over yet"),
        ("2025-11", "2025-10 is still attached"),
        ("2025-09", "no month 2025-09"),
    ):
        assert told in await retire(month, status=1)
    assert await months(trail) == ["2025_10", "2025_11"]


async def test_a_month_that_does_not_fit_is_kept(trail, tmp_path):
    await trail.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_only_grows")
    await trail.execute("UPDATE audit_event SET route = 'x' WHERE stream = 'PIPELINE' AND seq = 3")
    assert "PIPELINE 3: changed" in await retire("2025-10", status=1)
    assert await months(trail) == ["2025_10", "2025_11"]
    assert not (tmp_path / FILE).exists()


async def test_a_month_whose_rows_lie_among_anothers_is_kept(trail, store):
    """The log's clock was set back over the month's end."""
    await store_rows(store, [make_row(17, stored_at=LAST_YEAR)])
    assert "the clock was set" in await retire("2025-10", status=1)
    assert await months(trail) == ["2025_10", "2025_11"]


class Crash(BaseException):
    pass


STEPS = ("export_month", "_verify_file", "_record", "_detach", "_drop")


@pytest.mark.parametrize("step", STEPS)
async def test_after_a_crash_the_same_command_goes_on(step, trail, owner, tmp_path, monkeypatch):
    """Right behind each step, which is right before the next one."""
    place = audit_retiring if step == "export_month" else Retiring
    done = getattr(place, step)

    async def crash(*arguments, **more):
        await done(*arguments, **more)
        raise Crash

    def crash_at_once(*arguments):
        done(*arguments)
        raise Crash

    monkeypatch.setattr(place, step, crash_at_once if step == "_verify_file" else crash)
    retiring = Retiring(
        connection=owner,
        month=OCTOBER,
        folder=tmp_path,
        anchors={},
        pace=Pace(print),
        tell=print,
    )
    with pytest.raises(Crash):
        await retiring.retire(drop=True)
    await fits()
    monkeypatch.setattr(place, step, done)

    await retire("2025-10", "--drop")

    assert await months(trail) == ["2025_11"]
    assert await trail.fetchval("SELECT to_regclass('audit_event_2025_10')") is None
    assert await trail.fetchval("SELECT count(*) FROM audit_checkpoint") == 2
    assert "everything fits: 9 rows" in await fits()
    assert "everything fits: 8 rows" in await audit("verify", "--file", FILE)


async def test_a_detaching_that_was_broken_off_is_finished(trail, database, tmp_path):
    """It waits for whoever reads; cancelled there, the month is neither in nor out."""
    reader = await asyncpg.connect(database)
    try:
        async with reader.transaction():
            await reader.fetch(ALL)
            other = await asyncpg.connect(database)
            await other.execute("SET statement_timeout = '300ms'")
            retiring = Retiring(
                connection=other,
                month=OCTOBER,
                folder=tmp_path,
                anchors={},
                pace=Pace(print),
                tell=print,
            )
            with pytest.raises(asyncpg.QueryCanceledError):
                await retiring.retire(drop=False)
            await other.close()
    finally:
        await reader.close()
    pending = "SELECT count(*) FROM pg_inherits WHERE inhdetachpending"
    assert await trail.fetchval(pending) == 1
    await retire("2025-10", "--drop")
    assert await months(trail) == ["2025_11"]


async def test_a_lost_file_is_made_again_while_the_rows_are_there(trail, tmp_path):
    await retire()
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).unlink()
    await retire("2025-10", "--drop")
    assert (tmp_path / FILE).read_bytes() == whole

    (tmp_path / FILE).unlink()
    assert f"it was retired into {FILE}" in await retire("2025-10", status=1)


async def test_the_writer_makes_no_boundary_and_changes_none(trail, writer_dsn, reader_dsn):
    await retire()
    writer = await asyncpg.connect(writer_dsn)
    try:
        for statement in ("DELETE FROM audit_checkpoint", "UPDATE audit_checkpoint SET rows = 1"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await writer.execute(statement)
            with pytest.raises(asyncpg.RestrictViolationError, match="only grows"):
                await trail.execute(statement)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await writer.execute("INSERT INTO audit_checkpoint SELECT * FROM audit_checkpoint")
    finally:
        await writer.close()
    reader = await asyncpg.connect(reader_dsn)
    try:
        seen = await reader.fetch("SELECT month, last_seq FROM retired_month ORDER BY stream")
    finally:
        await reader.close()
    assert [tuple(row) for row in seen] == [(OCTOBER, 1), (OCTOBER, 7)]
