"""Anchors: the auditor leaves them in the log, nothing takes them out, and `verify` reads them."""

import asyncio
import json
from datetime import UTC, datetime

import asyncpg
import nats.js.errors
import pytest
from structlog.testing import capture_logs

from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.connecting import Access
from libs.common.contracts import subjects
from libs.common.contracts.anchor import decode_anchor
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.auditor import metrics
from services.auditor.anchoring import Anchoring
from services.auditor.store import Store, make_pool
from services.auditor.storing import store_rows
from tests.audited import chained, make_row
from tests.unit.cli_stand import run

pytestmark = pytest.mark.integration

ROWS = [make_row(seq) for seq in range(1, 10)]
CHAIN = chained(ROWS)


@pytest.fixture
async def bus(js, nats_url):
    await ensure_topology(js)
    async with connected(
        Access(url=Secret(nats_url)), service="auditor", health=Health("auditor")
    ) as bus:
        yield bus


@pytest.fixture
async def store(writer_dsn):
    async with make_pool(Secret(writer_dsn)) as pool:
        yield Store(pool)


@pytest.fixture
def place(nats_url, database, monkeypatch, tmp_path):
    monkeypatch.delenv("ALERTWIRE_DIR", raising=False)
    monkeypatch.setenv("ALERTWIRE_NATS_URL", nats_url)
    monkeypatch.setenv("ALERTWIRE_POSTGRES_URL", database)
    monkeypatch.chdir(tmp_path)


async def audit(*arguments, status=0):
    answer = await asyncio.to_thread(run, "audit", *arguments)
    assert answer.exit_code == status, answer.output
    return answer.output


async def anchored(js):
    state = (await js.stream_info(subjects.ANCHORS)).state
    found = [
        decode_anchor((await js.get_msg(subjects.ANCHORS, seq=seq)).data)
        for seq in range(1, state.last_seq + 1)
    ]
    return [(anchor.stream, anchor.seq, anchor.hash) for anchor in found]


def told(stream, kept):
    return (stream, kept.row.seq, kept.hash.hex())


async def test_a_head_is_anchored_when_it_has_moved(bus, js, store):
    anchoring = Anchoring(bus=bus, store=store)
    await anchoring.anchor()
    await store_rows(store, ROWS[:3])
    await anchoring.anchor()
    await anchoring.anchor()
    other = make_row(1, stream="KV_routes")
    await store_rows(store, [*ROWS[3:5], other])
    await anchoring.conclude()
    # Another process, or the same one started again, knows what was anchored.
    await Anchoring(bus=bus, store=store).anchor()

    assert await anchored(js) == [
        told("PIPELINE", CHAIN[2]),
        told("KV_routes", chained([other])[0]),
        told("PIPELINE", CHAIN[4]),
    ]
    assert (await js.get_last_msg(subjects.ANCHORS, "anchor.PIPELINE")).seq == 3


async def test_anchors_are_made_by_and_by(bus, js, store):
    await store_rows(store, ROWS[:1])
    keeping = asyncio.create_task(Anchoring(bus=bus, store=store).keep(every_s=0.05))
    try:
        async with asyncio.timeout(5):
            while len(await anchored(js)) < 1:
                await asyncio.sleep(0.02)
            await store_rows(store, ROWS[1:3])
            while len(await anchored(js)) < 2:
                await asyncio.sleep(0.02)
    finally:
        await cancelled([keeping])
    assert await anchored(js) == [told("PIPELINE", CHAIN[0]), told("PIPELINE", CHAIN[2])]


async def test_nothing_takes_an_anchor_out(bus, js, store):
    await store_rows(store, ROWS)
    await Anchoring(bus=bus, store=store).anchor()
    with pytest.raises(nats.js.errors.APIError):
        await js.delete_msg(subjects.ANCHORS, 1)
    with pytest.raises(nats.js.errors.APIError):
        await js.purge_stream(subjects.ANCHORS)
    config = (await js.stream_info(subjects.ANCHORS)).config
    config.deny_purge = False
    with pytest.raises(nats.js.errors.APIError):
        await js.update_stream(config)
    await ensure_topology(js)
    assert len(await anchored(js)) == 1


async def test_a_trail_that_got_shorter_is_said_and_not_anchored(bus, js, store, database):
    """It may be rebuilt at present: then it passes the last anchor in the end."""
    await store_rows(store, ROWS[:5])
    await Anchoring(bus=bus, store=store).anchor()
    owner = await asyncpg.connect(database)
    await owner.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_only_grows")
    await owner.execute("DELETE FROM audit_event WHERE seq > 3")
    await owner.close()
    anchoring = Anchoring(bus=bus, store=store)
    with capture_logs() as logs:
        await anchoring.anchor()
        await anchoring.anchor()
    assert [line["event"] for line in logs] == ["audit.unanchored"]
    shown = metrics.audit_contradicted.labels("PIPELINE")
    assert shown._value.get() == 1
    await store_rows(store, ROWS[3:])
    await anchoring.anchor()
    assert shown._value.get() == 0
    assert await anchored(js) == [told("PIPELINE", CHAIN[4]), told("PIPELINE", CHAIN[8])]


async def test_what_cannot_be_anchored_now_is_anchored_later(bus, js, store):
    await store_rows(store, ROWS)
    anchoring = Anchoring(bus=bus, store=store)
    await js.delete_stream(subjects.ANCHORS)
    await anchoring.anchor()
    await ensure_topology(js)
    await anchoring.anchor()
    assert await anchored(js) == [told("PIPELINE", CHAIN[-1])]


async def test_verify_holds_the_chain_against_the_anchors_of_the_log(
    bus, js, store, place, database, tmp_path
):
    anchoring = Anchoring(bus=bus, store=store)
    for last in (3, 6, 9):
        await store_rows(store, ROWS[:last])
        await anchoring.anchor()
    assert "PIPELINE  1 to 9: 9 rows, 3 anchors fit" in await audit("verify")
    (tmp_path / "anchors").write_text(await audit("anchors"))

    owner = await asyncpg.connect(database)
    await owner.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_only_grows")
    await owner.execute("DELETE FROM audit_event WHERE seq > 7")
    await owner.close()

    assert "PIPELINE  8: truncated" in await audit("verify", status=1)
    assert "PIPELINE  8: truncated" in await audit("verify", "--anchors", "anchors", status=1)
    assert json.loads(await audit("verify", "--no-anchors", "--json"))["anchored"] is False


async def test_a_month_is_not_retired_while_the_log_has_more_of_it(bus, js, store, place):
    """The messages of this test are of this month, and the month was over long ago."""
    await store_rows(store, [make_row(1, stored_at=ROWS[0].stored_at.replace(year=2025))])
    await js.publish("alert.received.demo", b"{}")
    month = f"{datetime.now(UTC):%Y-%m}"
    assert "not in the trail yet" in await audit("retire", month, "--to", ".", status=1)
    assert "2025-11" in await audit("retire", "2025-11", "--to", ".")


async def test_rows_that_were_taken_out_and_come_again_are_counted(store, database):
    """They are not put back, or nobody would see what was done."""
    await store_rows(store, ROWS[:5])
    owner = await asyncpg.connect(database)
    await owner.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_only_grows")
    await owner.execute("DELETE FROM audit_event WHERE seq IN (2, 3)")
    before = metrics.audit_absent._value.get()
    await store_rows(store, ROWS[:6])
    assert metrics.audit_absent._value.get() == before + 2
    assert await owner.fetchval("SELECT count(*) FROM audit_event") == 4
    await owner.close()
