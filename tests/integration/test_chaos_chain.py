"""The suite's reading of the chains from a real Postgres: what the auditor stored fits, and a row
that was changed there does not.
"""

import asyncpg
import pytest

from chaos.chain import judge_chain
from chaos.evidence import Evidence
from chaos.trail_reading import read_rows
from libs.common.contracts import codec
from libs.common.secret import Secret
from services.auditor.store import Store, make_pool
from services.auditor.storing import store_rows
from tests.audited import make_row
from tests.trail_messages import make_execution

pytestmark = pytest.mark.integration

TAMPER = """
ALTER TABLE audit_event DISABLE TRIGGER audit_event_only_grows;
UPDATE audit_event SET account = 'another' WHERE stream = 'PIPELINE' AND seq = 2;
"""


async def read(url):
    seen = Evidence()
    await read_rows(url, into=seen)
    return seen


async def test_rows_as_stored_fit_and_a_changed_one_is_found(database, writer_dsn):
    full = make_row(2, data=codec.encode(make_execution("filled")))
    rows = [make_row(1), full, make_row(3), make_row(8, stream="KV_routes")]
    async with make_pool(Secret(writer_dsn)) as pool:
        await store_rows(Store(pool), rows)
    seen = await read(database)
    assert len(seen.chain) == 4
    assert set(seen.rows) == {1, 2, 3}
    assert list(judge_chain(seen)) == []
    owner = await asyncpg.connect(database)
    await owner.execute(TAMPER)
    await owner.close()
    [found] = judge_chain(await read(database))
    assert found.text == "PIPELINE 2 does not fit behind 1"
