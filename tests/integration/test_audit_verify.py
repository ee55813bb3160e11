"""`alertwire audit verify` against a real trail that its owner has tampered with."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from libs.common.contracts.anchor import Anchor, encode_anchor
from libs.common.secret import Secret
from services.auditor.store import Store, make_pool
from services.auditor.storing import store_rows
from tests.audited import NOVEMBER, make_row
from tests.unit.cli_stand import run
from tools.cli.audit_anchors import by_stream, saved_anchors
from tools.cli.audit_trail import Trail
from tools.cli.audit_verifying import Pace, verify_trail

pytestmark = pytest.mark.integration

LAST = 40
HUGE = b'{"route":"huge","n":1e400000}'
ODD = {3: HUGE, 4: b"\xff\0", 5: b'{"a":1,"a":2,"n":1.50}', 6: rb'{"s":"\u0000"}', 7: b""}


@pytest.fixture
async def owner(database):
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def trail(owner, writer_dsn, monkeypatch, tmp_path, database):
    """Two chains of forty rows, each row its owner's to tamper with, and the anchors of some."""
    rows = [
        make_row(seq, stream=stream, data=ODD.get(seq))
        for seq in range(1, LAST + 1)
        for stream in ("KV_routes", "PIPELINE")
    ]
    async with make_pool(Secret(writer_dsn)) as pool:
        for first in range(0, len(rows), 7):
            await store_rows(Store(pool), rows[first : first + 7])
    kept = await owner.fetch("SELECT stream, seq, hash FROM audit_event WHERE seq % 10 = 0")
    anchors = [
        Anchor(stream=row["stream"], seq=row["seq"], hash=row["hash"].hex(), at=NOVEMBER)
        for row in kept
    ]
    (tmp_path / "anchors").write_bytes(b"\n".join(map(encode_anchor, anchors)))
    for name in ("ALERTWIRE_DIR", "ALERTWIRE_NATS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALERTWIRE_POSTGRES_URL", database)
    monkeypatch.chdir(tmp_path)
    return owner


async def tamper(trail, *statements):
    """As the owner can: with the triggers off."""
    async with trail.transaction():
        await trail.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_only_grows")
        for statement in statements:
            await trail.execute(statement)
        await trail.execute("ALTER TABLE audit_event ENABLE TRIGGER audit_event_only_grows")


async def audit(*arguments):
    return await asyncio.to_thread(run, "audit", *arguments)


async def verified(*arguments):
    answer = await audit("verify", "--anchors", "anchors", "--json", *arguments)
    document = json.loads(answer.stdout)
    assert answer.exit_code == (0 if document["fits"] else 1), answer.output
    return document


async def trouble(*arguments):
    """What does not fit of PIPELINE; the other chain fits."""
    kv, pipeline = (await verified(*arguments))["streams"]
    assert (kv["stream"], kv["trouble"]) == ("KV_routes", None)
    return pipeline["trouble"]["kind"], pipeline["trouble"]["seq"]


async def test_a_trail_that_nobody_touched_fits(trail):
    document = await verified()
    assert (document["fits"], document["rows"]) == (True, 2 * LAST)
    pipeline = document["streams"][1]
    assert (pipeline["last_seq"], pipeline["anchors"], pipeline["degraded"]) == (LAST, 4, 1)
    answer = await audit("verify", "--anchors", "anchors", "--stream", "PIPELINE", "--from", "11")
    assert answer.exit_code == 0, answer.output
    assert "PIPELINE  11 to 40: 30 rows, 4 anchors fit" in answer.output
    assert "everything fits: 30 rows" in answer.output


OF = "WHERE stream = 'PIPELINE' AND seq"
TAMPERED = {
    "changed body": (f"UPDATE audit_event SET body = 'x' {OF} = 17", "changed", 17),
    "changed route": (f"UPDATE audit_event SET route = 'x' {OF} = 17", "changed", 17),
    "changed time": (f"UPDATE audit_event SET at = at + interval '1 us' {OF} = 1", "changed", 1),
    "changed month": (
        f"UPDATE audit_event SET stored_at = '2026-12-01T00:00Z' {OF} = 17",
        "changed",
        17,
    ),
    "changed doc": (f'UPDATE audit_event SET doc = \'{{"route":"x"}}\' {OF} = 17', "changed", 17),
    "doc taken away": (f"UPDATE audit_event SET doc = NULL {OF} = 17", "changed", 17),
    "deleted": (f"DELETE FROM audit_event {OF} = 17", "deleted", 17),
    "deleted at the beginning": (f"DELETE FROM audit_event {OF} < 3", "deleted", 1),
    "swapped": (
        f"UPDATE audit_event SET seq = CASE seq WHEN 17 THEN 23 ELSE 17 END {OF} IN (17, 23)",
        "swapped",
        17,
    ),
    "inserted": (
        f"""INSERT INTO audit_event SELECT (
            jsonb_populate_record(event, '{{"stored_at":"2026-11-24T00:00Z"}}')
        ).* FROM audit_event AS event {OF} = 17""",
        "inserted",
        17,
    ),
    "truncated": (f"DELETE FROM audit_event {OF} > 31", "truncated", 32),
    "emptied": (f"DELETE FROM audit_event {OF} > 0", "truncated", 1),
}


async def test_what_the_owner_did_is_named_by_sequence(trail):
    await trail.execute("SELECT audit_ensure_partitions('2026-12-01', '2026-12-01')")
    anchors = by_stream(saved_anchors(Path("anchors")))
    seen = {}
    for name, (statement, _, _) in TAMPERED.items():
        undone = trail.transaction()
        await undone.start()
        await tamper(trail, statement)
        kv, pipeline = await verify_trail(
            Trail(trail), anchors=anchors, pace=Pace(print), stream=None
        )
        assert kv.trouble is None
        seen[name] = pipeline.trouble and (pipeline.trouble.kind.value, pipeline.trouble.seq)
        await undone.rollback()
    assert seen == {name: (kind, seq) for name, (_, kind, seq) in TAMPERED.items()}


async def test_a_deletion_is_told_with_exit_status_1(trail):
    await tamper(trail, f"DELETE FROM audit_event {OF} = 17")
    answer = await audit("verify", "--anchors", "anchors")
    assert answer.exit_code == 1
    assert "PIPELINE  17: deleted: it is missing before 18" in answer.output
    assert "NOT everything fits" in answer.output


REWRITE = """
    DO $$ DECLARE old record; head bytea := decode(repeat('00', 32), 'hex'); BEGIN
        FOR old IN SELECT * FROM audit_event WHERE stream = 'PIPELINE' ORDER BY seq LOOP
            head := sha256(head || audit_canonical(
                old.stream, old.seq, old.stored_at, old.at, old.subject, old.stage, old.service,
                old.event_id, old.alert_id, old.route, old.account, old.symbol,
                old.client_order_id, old.intent_id, old.traceparent, old.made_by, old.body));
            UPDATE audit_event SET hash = head WHERE stream = old.stream AND seq = old.seq;
        END LOOP;
    END $$
"""


async def test_a_chain_that_was_rewritten_whole_contradicts_its_anchors(trail):
    await tamper(
        trail,
        f'UPDATE audit_event SET body = \'{{"route":"demo","n":99}}\', '
        f'doc = \'{{"route":"demo","n":99}}\' {OF} = 17',
        REWRITE,
    )
    answer = await audit("verify", "--no-anchors")
    assert answer.exit_code == 0, "nothing else can know"
    assert "no anchors were looked at" in answer.output
    assert await trouble() == ("rewritten", 20)


async def test_a_row_that_was_cut_out_of_a_rewritten_chain_is_missed(trail):
    await tamper(trail, f"DELETE FROM audit_event {OF} BETWEEN 19 AND 21", REWRITE)
    assert await trouble() == ("rewritten", 20)


async def test_a_message_that_never_arrived_is_told_and_fits(owner, writer_dsn, trail):
    rows = [make_row(seq) for seq in (LAST + 3, LAST + 4)]
    async with make_pool(Secret(writer_dsn)) as pool:
        await store_rows(Store(pool), rows)
    pipeline = (await verified())["streams"][1]
    assert (pipeline["trouble"], pipeline["never_arrived"]) == (None, 2)
    assert pipeline["gaps"] == [[LAST + 1, LAST + 2]]
    answer = await audit("verify", "--anchors", "anchors")
    assert "PIPELINE  2 messages never arrived (the chain fits): 41-42" in answer.output


async def test_a_trail_that_does_not_answer_is_said_without_its_password(trail, monkeypatch):
    monkeypatch.setenv("ALERTWIRE_POSTGRES_URL", "postgresql://me:hidden@127.0.0.1:1/none")
    answer = await audit("verify", "--anchors", "anchors")
    assert answer.exit_code == 1
    assert "Postgres does not let us in" in answer.output
    assert "hidden" not in answer.output


WRONG = {
    ("--no-anchors",): 2,
    ("--file", "x", "--from", "3"): 2,
    ("--from", "0"): 2,
    ("--stream", "none"): 1,
    ("--file", "x"): 1,
}


async def test_wrong_use_is_told(trail):
    for arguments, status in WRONG.items():
        answer = await audit("verify", "--anchors", "anchors", *arguments)
        assert answer.exit_code == status, answer.output
