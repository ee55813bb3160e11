"""Three NATS servers with TLS and a key for each service: the one that leads the log is killed
under load, and not an alert is lost, nor an order sent twice.
"""

import asyncio
import base64
import json
import logging
import os
import sys
import time
from collections import Counter

import aiohttp
import pytest
from click import ClickException
from nats.js.api import ConsumerConfig

from libs.common.consumers_made import consumers_made
from libs.common.contracts import codec, subjects
from libs.common.permissions import User
from tests.e2e.cluster_services import Sent, send_steadily, service, set_up_trading
from tests.e2e.running_stack import ROOT
from tests.nats_cluster import NAMES, nats_cluster
from tests.paper_client import CREATE, PaperClient
from tests.paper_server import address_fixture  # noqa: F401 - a fixture
from tools.cli.log_reaching import log_at
from tools.cli.ops_setup import set_up
from tools.devstack.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.drill]

_log = logging.getLogger(__name__)
ALERTS, PER_S = 150, 50
ACCEPTED_AGAIN_S = 10
"""The servers take four to seven to choose a leader."""
DONE_S = 90
CONSOLE = {
    "CONSOLE_TOKEN": "t" * 40,
    "WEBHOOK_BASE_URL": "https://hook.example.org",
    "SEALING_PUBLIC_KEY": base64.b64encode(bytes(32)).decode(),
}


@pytest.fixture
async def cluster():
    async with nats_cluster() as found:
        yield found


async def bring_up(cluster, *, replicas):
    return await set_up(
        cluster.access(User.SETUP),
        replicas=replicas,
        placement=("disk:fast",),
        shards=1,
        router_shards=None,
        wait_s=60,
        tell=lambda _: None,
    )


async def accepted_in_log(js):
    """The alerts that stand in the log, by id, and how often."""
    state = (await js.stream_info(subjects.STREAM)).state
    found = Counter()
    seq = 0
    while seq < state.last_seq:
        raw = await js.get_msg(subjects.STREAM, seq=seq + 1, subject=">", next=True)
        seq = raw.seq
        if raw.subject.startswith("alert.received."):
            found[codec.decode(raw.data).alert_id] += 1
    return found


async def leader(cluster):
    async with log_at(cluster.access(User.OPS)) as js:
        return (await js.stream_info(subjects.STREAM)).cluster.leader


async def ordered(paper):
    return [
        call["body"]["externalOid"]
        for call in await paper.control("GET", f"requests?path={CREATE}")
    ]


async def check(cluster):
    """What `alertwire ops check` finds to be wrong."""
    environ = {"PATH": os.environ["PATH"], **cluster.environment(User.OPS)}
    words = ("-m", "tools.cli", "ops", "check", "--replicas", "3", "--json")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, env=environ, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return process.returncode, json.loads(out)["wrong"]


@pytest.mark.timeout(120)
async def test_consumers_that_nobody_leads_are_not_taken_for_gone(cluster):
    await bring_up(cluster, replicas=1)
    async with log_at(cluster.access(User.OPS)) as js:
        await cluster.kill((await js.stream_info(subjects.STREAM)).cluster.leader)
    said = await refusal_to_list(cluster)
    assert "nobody leads consumer auditor, executor-0, router of PIPELINE" in said


async def refusal_to_list(cluster):
    """Once the servers that are left agree on who answers, which they may have to choose."""
    async with asyncio.timeout(90):
        while True:
            with pytest.raises(ClickException) as refused:
                async with log_at(cluster.access(User.OPS)) as js:
                    await consumers_made(js, subjects.STREAM)
            if "Timeout" not in (said := str(refused.value)):
                return said


@pytest.mark.timeout(240)
async def test_every_service_starts_and_an_alert_is_carried_while_a_server_is_away(
    cluster, address, tmp_path, writer_dsn, reader_dsn
):
    await bring_up(cluster, replicas=3)
    await set_up_trading(cluster, address, tmp_path)
    async with log_at(cluster.access(User.ADMIN), user=User.ADMIN) as js:
        # As of somebody who looks: nobody leads it while its server is away, and lists wait for it.
        of_the_moment = ConsumerConfig(name="looking", inactive_threshold=300)
        info = await js.add_consumer(subjects.STREAM, of_the_moment)
    await cluster.kill(info.cluster.leader)
    executor = {"SEALING_KEY_FILE": tmp_path / "sealing.key", "ECHO_URLS": ""}
    port, api = free_port(), {"Authorization": f"Bearer {CONSOLE['CONSOLE_TOKEN']}"}
    async with (
        PaperClient(address) as paper,
        service(cluster, User.AUDITOR, tmp_path, POSTGRES_URL=writer_dsn),
        service(cluster, User.CONSOLE, tmp_path, PORT=port, POSTGRES_URL=reader_dsn, **CONSOLE),
        service(cluster, User.ROUTER, tmp_path),
        service(cluster, User.EXECUTOR, tmp_path, CHECKUP_EVERY_S=0, **executor),
        service(cluster, User.INGEST, tmp_path) as hook,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=api) as console,
    ):
        await send_steadily(hook, count=4, per_s=20, sent=Sent())
        async with asyncio.timeout(DONE_S):
            while await statuses(console) != ["executed"] * 4:
                await asyncio.sleep(0.2)
        orders = await ordered(paper)
    assert len(orders) == len(set(orders)) == 4
    assert cluster.refused() == []


async def statuses(console):
    async with console.get("/api/alerts") as answer:
        assert answer.status == 200, await answer.text()
        return [each["status"] for each in (await answer.json())["alerts"]]


@pytest.mark.timeout(240)
async def test_the_log_grows_from_one_server_to_three_and_outlives_the_one_that_leads(
    cluster, address, tmp_path
):
    assert "made stream PIPELINE" in await bring_up(cluster, replicas=1)
    assert await bring_up(cluster, replicas=None) == []
    await set_up_trading(cluster, address, tmp_path)
    grown = await bring_up(cluster, replicas=3)
    assert "stream PIPELINE: num_replicas was 1, is 3" in grown
    assert "bucket routes: num_replicas was 1, is 3" in grown
    _log.info("grown")
    assert await check(cluster) == (0, [])
    executor = {"SEALING_KEY_FILE": tmp_path / "sealing.key", "ECHO_URLS": ""}
    sent = Sent()
    async with (
        PaperClient(address) as paper,
        service(cluster, User.ROUTER, tmp_path),
        service(cluster, User.EXECUTOR, tmp_path, CHECKUP_EVERY_S=0, **executor),
        service(cluster, User.INGEST, tmp_path, RATE_PER_S=1000, RATE_BURST=1000) as port,
        asyncio.TaskGroup() as group,
    ):
        sending = group.create_task(send_steadily(port, count=ALERTS, per_s=PER_S, sent=sent))
        while len(sent.accepted) < ALERTS / 3:
            await asyncio.sleep(0.02)
        led = await leader(cluster)
        await cluster.kill(led)
        killed_at = time.monotonic()
        _log.info("killed %s", led)
        await sending
        _log.info("sent")
        again_s = min(at for began, at in sent.accepted_at if began > killed_at) - killed_at
        async with asyncio.timeout(DONE_S):
            while len(await ordered(paper)) < ALERTS:
                await asyncio.sleep(0.2)
        _log.info("ordered")
        cluster.start(led)
        await bring_up(cluster, replicas=3)
        async with log_at(cluster.access(User.ADMIN), user=User.ADMIN) as js:
            stored = await accepted_in_log(js)
        orders = await ordered(paper)
    _log.info("accepted again after %.1f s; %d sent again", again_s, sent.resent)
    _log.info("the slowest answer took %.2f s", sent.slowest_s)
    assert stored == Counter(sent.accepted.values())
    assert set(stored.values()) == {1}
    assert len(sent.accepted) == len(stored) == ALERTS
    assert len(orders) == len(set(orders)) == ALERTS
    assert again_s < ACCEPTED_AGAIN_S
    assert await leader(cluster) in NAMES
    assert await check(cluster) == (0, [])
    assert cluster.refused() == []
