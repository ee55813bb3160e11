"""docs/trail.md: its commands print what stands there, its verifier and SQL do what it says."""

import asyncio
import re
import shlex
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from libs.common.bus import connected
from libs.common.connecting import Access
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.auditor.anchoring import Anchoring
from services.auditor.store import Store, make_pool
from services.auditor.storing import store_rows
from tests.audited import chained, make_row
from tests.documented_commands import examples_of
from tests.unit.cli_stand import run

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs" / "trail.md"
ALERT = b'{"alert_id":"019ab0a2-0700-7000-8000-000000003039","n":"\\u0000"}'
ROWS = [make_row(seq, data={5: ALERT, 6: b"\xff"}.get(seq)) for seq in range(1, 41)]


def steady(printed):
    """Without what the machine's speed makes of it."""
    return re.sub(r"in [\d.]+ s, [\d,]+ rows/s", "in T", printed)


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


async def test_its_examples_print_what_is_shown(js, nats_url, store, database, place):
    await ensure_topology(js)
    bucket = [make_row(seq, stream="KV_routes") for seq in (1, 2, 3)]
    async with connected(
        Access(url=Secret(nats_url)), service="auditor", health=Health("auditor")
    ) as bus:
        anchoring = Anchoring(bus=bus, store=store)
        for last in (10, 20, 30, 40):
            await store_rows(store, [*ROWS[:last], *(bucket if last == 40 else [])])
            await anchoring.anchor()
    whole, deleted = examples_of(PAGE)
    owner = await asyncpg.connect(database)
    for example in (whole, deleted):
        if example is deleted:
            await owner.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_only_grows")
            await owner.execute("DELETE FROM audit_event WHERE seq = 17")
        answer = await asyncio.to_thread(run, *shlex.split(example.command)[1:])
        assert steady(answer.output) == steady(example.printed)
        assert answer.exit_code == example.status
    await owner.close()


async def test_its_verifier_verifies_an_exported_month(store, place, tmp_path):
    await store_rows(store, ROWS)
    exported = "audit export --month 2026-11 -o m.jsonl.gz"
    answer = await asyncio.to_thread(run, *exported.split())
    assert answer.exit_code == 0, answer.output
    (verifier,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    (tmp_path / "verifier.py").write_text(verifier)

    def verified(name):
        command = [sys.executable, "verifier.py", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    assert verified("m.jsonl.gz") == "everything fits\n"
    import gzip

    text = gzip.decompress((tmp_path / "m.jsonl.gz").read_bytes())
    with gzip.open(tmp_path / "x.jsonl.gz", "wb") as changed:
        changed.write(text.replace(b'"e17"', b'"e71"'))
    assert verified("x.jsonl.gz") == "PIPELINE 17 does not fit\n"


async def test_a_trail_that_begins_behind_an_anchor_comes_out_as_it_was(store, place, database):
    (statement,) = re.findall(r"^```sql\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    kept = chained(ROWS)
    owner = await asyncpg.connect(database)
    await owner.execute(statement.replace(r"\x...", rf"\x{kept[2].hash.hex()}"))

    # The log may still have some of what stands before.
    await store_rows(store, ROWS[1:])

    seen = await owner.fetch("SELECT seq, hash FROM audit_event ORDER BY seq")
    await owner.close()
    assert [tuple(row) for row in seen] == [(one.row.seq, one.hash) for one in kept[3:]]
    answer = await asyncio.to_thread(run, "audit", "verify", "--no-anchors")
    assert "PIPELINE  4 to 40: 37 rows" in answer.output
