"""The log of three servers, put back on three others with keys of their own, TLS and each message
synced, as for real money: nothing that the backup left open is carried out again, and new alerts
are traded once.
"""

import asyncio
import contextlib
import json
import os
import sys

import pytest

from libs.common.buckets import HEADER_OPERATION
from libs.common.contracts import subjects
from libs.common.contracts.control import Scope
from libs.common.permissions import User
from tests.e2e.cluster_services import Sent, send_steadily, service, set_up_trading
from tests.e2e.running_stack import ROOT
from tests.nats_cluster import nats_cluster
from tests.paper_client import CREATE, PaperClient
from tests.paper_server import address_fixture  # noqa: F401 - a fixture
from tools.cli.log_reaching import log_at

pytestmark = [pytest.mark.e2e, pytest.mark.drill, pytest.mark.timeout(240)]

TRADED, LEFT_OPEN, NEW = 12, 4, 8


async def alertwire(cluster, user, *words):
    """What a command prints as JSON."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.cli", *words, "--json"),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **cluster.environment(user)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, (out.decode(), err.decode())
    return json.loads(out)


@contextlib.asynccontextmanager
async def accepting(cluster, directory):
    async with (
        service(cluster, User.ROUTER, directory),
        service(cluster, User.INGEST, directory) as port,
    ):
        yield port


def executing(cluster, directory):
    own = {"SEALING_KEY_FILE": directory / "sealing.key", "CHECKUP_EVERY_S": 0, "ECHO_URLS": ""}
    return service(cluster, User.EXECUTOR, directory, **own)


async def send(port, *, first, count):
    sent = Sent()
    await send_steadily(port, first=first, count=count, per_s=20, sent=sent)
    return set(sent.accepted.values())


async def until(count, counted):
    async with asyncio.timeout(60):
        while (found := len(await counted())) < count:
            await asyncio.sleep(0.1)
    assert found == count


async def messages_of(cluster):
    """Of the log: place, subject, body."""
    async with log_at(cluster.access(User.OPS)) as js:
        state = (await js.stream_info(subjects.STREAM)).state
        found, seq = [], 0
        while seq < state.last_seq:
            raw = await js.get_msg(subjects.STREAM, seq=seq + 1, subject=">", next=True)
            seq = raw.seq
            found.append((seq, raw.subject, raw.data))
    return found


async def resume(cluster):
    """As the console does it."""
    key = subjects.control_key(scope=Scope.ALL.value, name=None)
    subject = subjects.bucket_subject(bucket=subjects.BUCKET_CONTROLS, key=key)
    async with log_at(cluster.access(User.CONSOLE), user=User.CONSOLE) as js:
        await js.publish(subject, b"", headers={HEADER_OPERATION: "DEL"})


async def trade_and_save(cluster, paper, directory, *, ordered):
    """The alerts that it leaves open, which are executed afterwards; what the log held."""
    async with accepting(cluster, directory) as port:
        async with executing(cluster, directory):
            await send(port, first=0, count=TRADED)
            await until(TRADED, ordered)

        async def waiting():
            return [s for _, s, _ in await messages_of(cluster) if s.startswith("intent.accepted.")]

        left_open = await send(port, first=TRADED, count=LEFT_OPEN)
        await until(TRADED + LEFT_OPEN, waiting)
        words = ("ops", "backup", str(directory / "backup"), "--no-database")
        await alertwire(cluster, User.ADMIN, *words)
        saved = await messages_of(cluster)
        async with executing(cluster, directory):
            await until(TRADED + LEFT_OPEN, ordered)
    return left_open, saved


async def test_a_log_is_put_back_on_three_other_servers(address, tmp_path):
    async with PaperClient(address) as paper:

        async def ordered():
            calls = await paper.control("GET", f"requests?path={CREATE}")
            ids = [call["body"]["externalOid"] for call in calls]
            assert len(ids) == len(set(ids))
            return ids

        async with nats_cluster() as old:
            words = ("--replicas", "3", "--placement", "disk:fast")
            await alertwire(old, User.SETUP, "ops", "setup", *words)
            await set_up_trading(old, address, tmp_path)
            left_open, saved = await trade_and_save(old, paper, tmp_path, ordered=ordered)
        async with nats_cluster() as new:
            words = ("ops", "restore", str(tmp_path / "backup"), "--no-database")
            restored = await alertwire(new, User.ADMIN, *words)
            assert {each["alert_id"] for each in restored["buried"]} == left_open
            assert (await messages_of(new))[: len(saved)] == saved
            done = await alertwire(new, User.SETUP, "ops", "setup")
            assert done["done"] == ["made bucket owners", "made bucket sessions"]
            assert (await alertwire(new, User.OPS, "ops", "check", "--replicas", "3"))[
                "wrong"
            ] == []
            async with accepting(new, tmp_path) as port, executing(new, tmp_path):
                await resume(new)
                # Known by their ids, since the log is; so nothing is traded.
                assert await send(port, first=TRADED, count=LEFT_OPEN) == left_open
                await send(port, first=TRADED + LEFT_OPEN, count=NEW)
                await until(TRADED + LEFT_OPEN + NEW, ordered)
            assert new.refused() == []
