"""The real process among senders who mean no good: valid alerts are answered as if alone."""

import asyncio
import contextlib
import json
import os
import sys
import time
from pathlib import Path

import pytest

from libs.common.contracts.alert import Alert
from tests.bad_senders import BadSenders
from tests.integration.ingest_stand import BUY, free_port, stand_on

pytestmark = [pytest.mark.integration, pytest.mark.drill]

ROOT = Path(__file__).parent.parent.parent
TOKEN, OTHER = "t" * 32, "o" * 32
OF_EACH = 12
ALERTS = 60
APART_S = 0.1
ANSWERED_S = 1.0
GROWTH_MAX_BYTES = 40 * 1024 * 1024
LOG_MAX_BYTES = 2_000_000


@contextlib.asynccontextmanager
async def ingest(url, port, log):
    environ = {
        "PATH": os.environ["PATH"],
        "ALERTWIRE_NATS_URL": url,
        "ALERTWIRE_PORT": str(port),
        "ALERTWIRE_HEALTH_PORT": str(free_port()),
    }
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.ingest"), cwd=ROOT, env=environ, stderr=out
        )
    try:
        yield process
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


def resident_bytes(process):
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def send(stand, port, number):
    """How long a valid alert took, on a connection of its own, and what was answered."""
    body = BUY[:-1] + b',"alert_id":%d}' % number
    began = time.monotonic()
    reply = await stand.post(
        f"http://127.0.0.1:{port}/hook/{TOKEN}", body, headers={"connection": "close"}
    )
    return time.monotonic() - began, reply


async def test_valid_alerts_are_answered_in_time_and_nothing_grows(nats_url, tmp_path):
    log = tmp_path / "ingest.log"
    async with stand_on(nats_url) as stand:
        await stand.put_route({"id": "demo"}, token=TOKEN)
        await stand.put_route({"id": "leaked"}, token=OTHER)
        port = free_port()
        async with ingest(nats_url, port, log) as process:
            await stand.until_ready(f"http://127.0.0.1:{port}")
            bad = BadSenders(port, token=OTHER)
            async with bad.at_work(of_each=OF_EACH):
                answers = []
                for number in range(ALERTS):
                    answers.append(await send(stand, port, number))
                    if number == ALERTS // 4:
                        before = resident_bytes(process)
                    await asyncio.sleep(APART_S)
            grown = resident_bytes(process) - before
            assert process.returncode is None
        accepted = {each.alert_id for each in await stand.entries() if isinstance(each, Alert)}
    statuses = [reply.status for _, reply in answers]
    assert statuses == [200] * ALERTS
    assert {reply.body["alert_id"] for _, reply in answers} <= accepted
    assert max(elapsed_s for elapsed_s, _ in answers) < ANSWERED_S
    assert grown < GROWTH_MAX_BYTES
    assert bad.connections > 2 * OF_EACH * 10, "they were cut off, and came again"
    assert {400, 404, 413, 431} <= set(bad.statuses), "they were told so"
    assert not [status for status in bad.statuses if status >= 500]
    check_log(log)


def check_log(log):
    """Nobody forged a line or filled the log, and the tokens are not in it."""
    written = log.read_bytes()
    assert len(written) < LOG_MAX_BYTES
    lines = [json.loads(line) for line in written.decode().split("\n")[:-1]]
    assert {line["service"] for line in lines} == {"ingest"}
    assert "forged" not in {line["event"] for line in lines}
    assert not {"error", "critical"} & {line["level"] for line in lines}
    assert "http.refused" in {line["event"] for line in lines}
    for unwanted in (TOKEN, OTHER, "\x1b", "\u202e"):
        assert unwanted.encode() not in written
