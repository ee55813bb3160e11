"""What is changed by hand over the console's API, through a real log, into a real trail, and back
out of the API: who, when, what, from what to what.
"""

import asyncio
import contextlib
from pathlib import Path

import asyncpg
import pytest

from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.connecting import Access
from libs.common.health import Health
from libs.common.queries import named_queries
from libs.common.secret import Secret
from libs.common.topology import AUDITED_STREAMS, AUDITOR, ensure_topology
from services.auditor.handler import Auditor
from services.auditor.store import Store, make_pool
from services.auditor.upkeep import keep
from services.console import trail as trail_module
from tests.api_bodies import ACCOUNT, ROUTE
from tests.console_server import running
from tests.postgres_gate import Gate
from tools.cli.audit_trail import Trail as AuditTrail
from tools.cli.audit_verifying import Pace, verify_trail

pytestmark = pytest.mark.integration

QUERIES = Path(trail_module.__file__).with_name("queries.sql")
ANNA = {"Alertwire-By": "anna"}


@pytest.fixture
async def gate(writer_dsn):
    gate = Gate(writer_dsn)
    await gate.open()
    yield gate
    await gate.close()


@pytest.fixture
async def console(js, nats_url, reader_dsn):
    await ensure_topology(js)
    async with running(nats_url, reader_dsn) as found:
        yield found


@pytest.fixture
async def trail(database):
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@contextlib.asynccontextmanager
async def auditing(nats_url, gate):
    """The auditor as its process runs it: one loop per stream, one pool."""
    stop = asyncio.Event()
    async with (
        connected(Access(url=Secret(nats_url)), service="auditor", health=Health("auditor")) as bus,
        make_pool(Secret(gate.dsn)) as pool,
        asyncio.TaskGroup() as group,
    ):
        store = Store(pool)
        upkeep = group.create_task(keep(store))
        auditors = [
            Auditor(bus=bus, store=store, batch_max=500, flush_s=0.01, stream=stream)
            for stream in AUDITED_STREAMS
        ]
        loops = [group.create_task(auditor.run(stop)) for auditor in auditors]
        yield dict(zip(AUDITED_STREAMS, auditors, strict=True))
        stop.set()
        async with asyncio.timeout(8):
            await asyncio.gather(*loops)
        await cancelled([upkeep])


async def told(console, count, query=""):
    """The changes, once there are so many."""
    async with asyncio.timeout(10):
        while True:
            status, page = await console.call("GET", f"/api/changes{query}")
            if status == 200 and len(page["changes"]) >= count:
                return page["changes"]
            await asyncio.sleep(0.02)


def summary(change):
    fields = {each["field"]: (each["old"], each["new"]) for each in change["fields"]}
    return change["kind"], change["id"], change["how"], change["made_by"], fields


async def test_each_change_stands_in_the_trail_with_who_made_it(console, nats_url, gate, trail):
    async with auditing(nats_url, gate):
        await console.call("POST", "/api/accounts", ACCOUNT, **ANNA)
        await console.call("POST", "/api/routes", ROUTE, **ANNA)
        status, _ = await console.call("PATCH", "/api/routes/btc", {"leverage": 3}, **ANNA)
        assert status == 200
        await console.call("POST", "/api/routes/btc/rotate", {"overlap_s": 0})
        await console.call("DELETE", "/api/routes/btc", **{"Alertwire-By": "Jürgen"})
        changes = await told(console, 6)

    anna = "anna from 127.0.0.1"
    assert [summary(change)[:4] for change in changes] == [
        ("route", "btc", "deleted", "Jürgen from 127.0.0.1"),
        ("route", "btc", "changed", "console from 127.0.0.1"),
        ("route", "btc", "changed", anna),
        ("route", "btc", "created", anna),
        ("account", "main", "created", anna),
        ("secret", "main", "created", anna),
    ]
    fields = [summary(change)[4] for change in changes]
    assert fields[:3] == [{}, {"token": ("***", "***")}, {"leverage": (10, 3)}]
    assert fields[3]["accounts"] == (None, [{"account": "main"}])
    assert fields[4]["access_key"] == (None, "***1234")
    assert fields[5] == {"secret_key": (None, "***")}
    row = await trail.fetchrow("SELECT * FROM audit_event WHERE stage = 'route.deleted'")
    assert (row["stream"], row["route"], row["service"], row["made_by"], row["alert_id"]) == (
        *("KV_routes", "btc", "console", "Jürgen from 127.0.0.1"),
        None,
    )


async def test_a_secret_is_nowhere_in_the_trail(console, nats_url, gate, trail):
    async with auditing(nats_url, gate):
        await console.call("POST", "/api/accounts", ACCOUNT)
        sealed = [await console.stored("secrets", "main")]
        await told(console, 2)
        await console.call("PATCH", "/api/accounts/main", {"secret_key": "another-secret"})
        sealed.append(await console.stored("secrets", "main"))
        await told(console, 4)
        await console.call("DELETE", "/api/accounts/main")
        changes = await told(console, 6, "?account=main")

    secrets = [change for change in changes if change["kind"] == "secret"]
    assert [change["how"] for change in secrets] == ["deleted", "changed", "created"]
    for row in await trail.fetch("SELECT *, body::text AS hex FROM audit_event"):
        everything = repr(dict(row))
        for sensitive in (*sealed, b"very-secret", b"another-secret"):
            assert sensitive not in row["body"]
            assert sensitive.hex() not in everything
            assert repr(sensitive)[2:-1] not in everything


async def test_every_kind_of_change_fits_its_chain(console, nats_url, gate, trail):
    """Also a deletion, and a secret, whose row holds something else than the bucket."""
    async with auditing(nats_url, gate):
        await console.call("POST", "/api/accounts", ACCOUNT, **ANNA)
        await console.call("POST", "/api/halt", {"scope": "account", "id": "main"})
        await console.call("POST", "/api/resume", {"scope": "account", "id": "main"})
        await console.call("DELETE", "/api/accounts/main")
        await told(console, 6)
    async with trail.transaction():
        walked = await verify_trail(AuditTrail(trail), anchors={}, pace=Pace(print), stream=None)
    assert [(one.stream, one.rows, one.degraded, one.trouble) for one in walked] == [
        (name, 2, 0, None) for name in ("KV_accounts", "KV_controls", "KV_secrets")
    ]


async def test_a_halt_and_its_resume(console, nats_url, gate):
    await console.call("POST", "/api/accounts", ACCOUNT)
    await console.call("POST", "/api/routes", ROUTE)
    async with auditing(nats_url, gate):
        _, halted = await console.call("POST", "/api/halt", {"scope": "all"}, **ANNA)
        route = {"scope": "route", "id": "btc", "by": "ben", "reason": "odd"}
        _, of_route = await console.call("POST", "/api/halt", route, **ANNA)
        await console.call("POST", "/api/resume", {"scope": "all"}, **{"Alertwire-By": "cleo"})
        changes = await told(console, 3, "?kind=control")

    assert [(each["scope"], *summary(each)[:4]) for each in changes] == [
        ("all", "control", None, "deleted", "cleo from 127.0.0.1"),
        ("route", "control", "btc", "created", "anna from 127.0.0.1"),
        ("all", "control", None, "created", "anna from 127.0.0.1"),
    ]
    assert summary(changes[1])[4]["reason"] == (None, "odd")
    # Who is named in the halt itself: as they say, else as they call themselves.
    assert (halted["halt"]["by"], of_route["halt"]["by"]) == ("anna", "ben")
    found = await told(console, 2, "?route=btc")
    assert {change["kind"] for change in found} == {"route", "control"}


async def test_what_is_changed_while_postgres_is_away_comes_later(console, nats_url, gate):
    await gate.close()
    async with auditing(nats_url, gate) as auditors:
        await console.call("POST", "/api/accounts", ACCOUNT, **ANNA)
        status, _ = await console.call("POST", "/api/routes", ROUTE, **ANNA)
        assert status == 201
        await asyncio.sleep(0.3)
        assert await told(console, 0) == []
        assert auditors["KV_routes"].missing() is None, "it listens, and holds what came"
        await gate.open()
        changes = await told(console, 3)
    assert {change["made_by"] for change in changes} == {"anna from 127.0.0.1"}


async def test_a_stream_that_is_gone_holds_up_no_other(console, js, nats_url, gate, trail):
    await js.delete_stream("KV_secrets")
    await js.delete_consumer("KV_accounts", AUDITOR)
    async with auditing(nats_url, gate) as auditors:
        async with asyncio.timeout(8):
            while None in {auditors[name].missing() for name in ("KV_secrets", "KV_accounts")}:
                await asyncio.sleep(0.02)
        await js.publish("alert.received.demo", b"{}")
        await console.call("POST", "/api/halt", {"scope": "all"})
        await told(console, 1)
        async with asyncio.timeout(5):
            while not await trail.fetchval(
                "SELECT count(*) FROM audit_event WHERE stream='PIPELINE'"
            ):
                await asyncio.sleep(0.02)
        assert auditors["PIPELINE"].missing() is None
        await ensure_topology(js)
        await console.call("POST", "/api/accounts", ACCOUNT)
        assert {each["kind"] for each in await told(console, 3)} == {"secret", "account", "control"}


async def test_pages_go_back_to_the_first_change(console, nats_url, gate):
    async with auditing(nats_url, gate):
        await console.call("POST", "/api/accounts", ACCOUNT)
        await console.call("POST", "/api/routes", ROUTE)
        for leverage in (2, 3, 4):
            await console.call("PATCH", "/api/routes/btc", {"leverage": leverage})
        everything = await told(console, 6)

    found, before = [], ""
    while before is not None:
        status, page = await console.call("GET", f"/api/changes?limit=4{before}")
        assert status == 200
        found += page["changes"]
        before = page["next"] and f"&before={page['next']}"
    assert found == everything
    assert len(found) == 6
    by_kind = await told(console, 4, "?kind=route&id=btc")
    assert [summary(each)[4].get("leverage") for each in by_kind] == [(3, 4), (2, 3), (10, 2), None]


MANY_ROWS = """
INSERT INTO audit_event (stream, seq, stored_at, at, subject, stage, body, hash)
SELECT
    CASE WHEN n % 10 = 0 THEN 'KV_routes' ELSE 'PIPELINE' END,
    n,
    '2026-11-01'::timestamptz + n * interval '1 s',
    now(),
    CASE WHEN n % 10 = 0 THEN '$KV.routes.r' || n % 70 ELSE 'alert.received.demo' END,
    CASE WHEN n % 10 = 0 THEN 'route.changed' ELSE 'alert.received' END,
    ''::bytea,
    decode(repeat('00', 32), 'hex')
FROM generate_series(1, 20000) AS n
"""


async def test_changes_are_found_among_millions_by_indexes_of_their_own(trail):
    """The indexes hold the changes alone, so the query has to name the same streams."""
    await trail.execute("SELECT audit_ensure_partitions('2026-11-01', '2026-11-01')")
    await trail.execute(MANY_ROWS)
    await trail.execute("ANALYZE audit_event")
    query = named_queries(QUERIES)["changes"].rstrip().rstrip(";")
    stages = ["route.changed", "route.deleted"]
    plan = await trail.fetch(f"EXPLAIN {query}", stages, *[None] * 6, 51, None)
    told = "\n".join(row[0] for row in plan)
    assert "audit_event_2026_11_stored_at_stream_seq_idx" in told
    assert "audit_event_2026_11_subject_stored_at_seq_idx" in told


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("before=17", 422),
        ("before=999999999999999999-KV_routes-1", 200),
        ("limit=0", 400),
        ("kind=odd", 400),
    ],
)
async def test_what_is_asked_wrongly_is_refused(console, query, status):
    assert (await console.call("GET", f"/api/changes?{query}"))[0] == status
