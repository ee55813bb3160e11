"""A process that may have been superseded takes nothing from the log: whoever owns the durable now
would get it only after the ack wait, behind newer messages.
"""

import asyncio

import pytest

from libs.common.bus import connected
from libs.common.connecting import Access
from libs.common.consuming import Consumer
from libs.common.contracts import subjects
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ROUTER, ensure_topology
from tests.integration.test_consuming import Notes, consuming, post

pytestmark = pytest.mark.integration


@pytest.fixture
async def buses(js, nats_url):
    await ensure_topology(js)
    url, health = Secret(nats_url), Health("t")
    async with (
        connected(Access(url=url), service="router", health=health) as one,
        connected(Access(url=url), service="router", health=health) as other,
    ):
        yield one, other


async def given(bus):
    info = await bus.js.consumer_info(subjects.STREAM, ROUTER)
    return info.delivered.stream_seq


async def test_who_wakes_leaves_what_comes_to_the_new_owner(buses):
    ours, theirs = buses
    certain, notes, stop = True, Notes(), asyncio.Event()
    sleeper = Consumer(
        ours,
        durable=ROUTER,
        handler=notes,
        lane_of=lambda message: message.route,
        is_certain=lambda: certain,
    )
    task = asyncio.create_task(sleeper.run(stop))
    first = await post(theirs, "a", 1)
    await notes.until(1)
    certain = False
    # What it asked for before it slept is asked for no more after two seconds.
    async with asyncio.timeout(20):
        while (await theirs.js.consumer_info(subjects.STREAM, ROUTER)).num_waiting:
            await asyncio.sleep(0.05)
    owner = Notes()
    async with consuming(theirs, owner):
        sent = [await post(theirs, "a", number) for number in range(2, 60)]
        await owner.until(len(sent))
        assert owner.seen[-len(sent) :] == sent
    assert notes.seen == [first]
    assert not task.done()
    certain = True
    last = await post(theirs, "a", 60)
    async with asyncio.timeout(20):
        while last not in notes.seen:
            await asyncio.sleep(0.01)
    stop.set()
    await task


async def test_who_is_not_certain_resets_nothing(buses):
    ours, theirs = buses
    await post(theirs, "a", 1)
    owner, stop = Notes(), asyncio.Event()
    sleeper = Consumer(
        ours,
        durable=ROUTER,
        handler=Notes(),
        lane_of=lambda message: message.route,
        is_certain=lambda: False,
    )
    release = asyncio.Event()

    async def hold(_delivery):
        await release.wait()

    owner = Notes(hold)
    async with consuming(theirs, owner):
        async with asyncio.timeout(20):
            while await given(theirs) < 1:
                await asyncio.sleep(0.01)
        task = asyncio.create_task(sleeper.run(stop))
        await asyncio.sleep(0.3)
        info = await theirs.js.consumer_info(subjects.STREAM, ROUTER)
        assert info.num_ack_pending == 1, "a reset would have made it wait again"
        release.set()
        await owner.until(1)
    stop.set()
    await task
