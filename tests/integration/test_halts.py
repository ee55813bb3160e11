"""What is halted is followed in its bucket, over real NATS."""

import asyncio

import msgspec
import pytest

from libs.common import metrics
from libs.common.bus import Bus
from libs.common.cancelling import cancelled
from libs.common.contracts.reasons import Reason
from libs.common.contracts.subjects import control_key
from libs.common.express import ExpressClient
from libs.common.halts import Halts
from libs.common.topology import ensure_topology
from tests.fake_halts import make_control

pytestmark = pytest.mark.integration


@pytest.fixture
async def followed(js, nats_url):
    await ensure_topology(js)
    client = ExpressClient()
    await client.connect(nats_url)
    halts = Halts(service="test")
    following = asyncio.create_task(halts.controls.follow(Bus(client=client, service="test")))
    await asyncio.wait_for(halts.controls.complete.wait(), 5)
    yield halts
    await cancelled([following])
    await client.close()


async def put(js, control):
    bucket = await js.key_value("controls")
    key = control_key(scope=control.scope, name=control.id)
    await bucket.put(key, msgspec.json.encode(control))
    return bucket, key


async def until(halts, condition):
    async with asyncio.timeout(5):
        while not condition():
            halts.changed.clear()
            await halts.changed.wait()


async def test_a_halt_holds_once_it_is_written_and_until_it_is_deleted(js, followed):
    def denial(route="demo", account="paper"):
        return followed.denial(route=route, account=account)

    assert denial() is None
    bucket, key = await put(js, make_control("account", "paper", reason="enough"))
    await until(followed, denial)
    assert denial().reason is Reason.HALTED
    assert denial(account="second") is None
    assert metrics.halts.labels("test")._value.get() == 1
    await bucket.delete(key)
    await until(followed, lambda: denial() is None)
    assert metrics.halts.labels("test")._value.get() == 0


async def test_a_name_with_anything_in_it_has_a_key(js, followed):
    await put(js, make_control("route", "a b.c>*ü"))
    await until(followed, lambda: followed.denial(route="a b.c>*ü", account="x"))
