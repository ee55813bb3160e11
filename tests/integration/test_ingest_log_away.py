"""Ingest while its log is stopped, hangs, or comes back: 503 in time, never a lost or a doubled
alert.
"""

import asyncio
import signal
import subprocess
import time

import pytest

from libs.common.contracts.alert import Alert
from tests.integration.ingest_stand import BUY, stand_on
from tools.devstack.nats import NatsServer
from tools.devstack.ports import free_port

pytestmark = pytest.mark.integration


class OwnNats:
    """A server of the test's own, to stop and start again on the same files."""

    def __init__(self, directory):
        self._server = NatsServer(
            directory=directory, port=free_port(), user="test", password="test"
        )
        self.url = self._server.url

    async def start(self):
        command = self._server.prepare()
        self.process = subprocess.Popen(command.argv, env=command.env, stderr=subprocess.DEVNULL)
        await self._server.wait_ready()

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
async def own_nats(tmp_path):
    server = OwnNats(tmp_path)
    await server.start()
    yield server
    server.stop()


async def post_until_stored(stand, address):
    """As TradingView does it, only more often."""
    async with asyncio.timeout(10):
        while (reply := await stand.post(f"{address}/hook/t0ken", BUY)).status == 503:
            await asyncio.sleep(0.05)
    return reply


async def test_a_stopped_log_is_503_and_its_return_is_200(own_nats):
    async with stand_on(own_nats.url) as stand:
        await stand.put_route({}, token="t0ken")
        address = await stand.start()
        first = await stand.post(f"{address}/hook/t0ken", BUY)
        own_nats.stop()
        other = BUY.replace(b"0.001", b"0.002")
        away = await stand.post(f"{address}/hook/t0ken", other)
        assert (away.status, away.headers["retry-after"]) == (503, "5")
        assert away.headers["content-type"] == "application/problem+json"
        async with stand.session.get(f"{address}/health/ready") as ready:
            assert ready.status == 503
        await own_nats.start()
        again = await post_until_stored(stand, address)
        assert again.body == {"status": "duplicate", "alert_id": first.body["alert_id"]}
        await stand.until_ready(address)
        assert (await stand.post(f"{address}/hook/t0ken", other)).body["status"] == "accepted"


async def test_a_log_that_hangs_is_503_in_time_and_nothing_is_doubled(own_nats):
    """The log may have stored what it did not confirm: then the resend is its duplicate."""
    async with stand_on(own_nats.url) as stand:
        await stand.put_route({}, token="t0ken")
        address = await stand.start()
        own_nats.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        reply = await stand.post(f"{address}/hook/t0ken", BUY)
        assert reply.status == 503
        assert time.monotonic() - began < 3
        own_nats.process.send_signal(signal.SIGCONT)
        await post_until_stored(stand, address)
        alerts = [entry for entry in await stand.entries() if isinstance(entry, Alert)]
        assert len(alerts) == 1


async def test_after_a_restart_the_chain_of_predecessors_is_known_again(own_nats):
    """A restarted ingest and a restarted log still know the second alert of a body."""
    async with stand_on(own_nats.url) as stand:
        await stand.put_route({"duplicate_window_s": 2}, token="t0ken")
        address = await stand.start()
        await stand.post(f"{address}/hook/t0ken", BUY)
        await asyncio.sleep(2.05)
        second = await stand.post(f"{address}/hook/t0ken", BUY)
        assert second.body["status"] == "accepted"
        own_nats.stop()
        await own_nats.start()
        late = await stand.start()
        again = await stand.post(f"{late}/hook/t0ken", BUY)
        assert again.body == {"status": "duplicate", "alert_id": second.body["alert_id"]}
