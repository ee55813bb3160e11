"""Several routers share the routes, as real processes on a real log: whoever comes, goes, dies or
sleeps, and however often the number of shards is changed, each alert is decided once and those of a
route in their order.
"""

import asyncio
import signal

import pytest

from libs.common.bus import connected
from libs.common.connecting import Access
from libs.common.health import Health
from libs.common.router_shards import router_consumers
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from tests.integration.router_stand import RouterStand

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


@pytest.fixture
async def stand(js, nats_url):
    async with connected(Access(url=Secret(nats_url)), service="test", health=Health("t")) as bus:
        yield RouterStand(bus, nats_url)


async def test_shards_spread_over_whoever_comes_and_goes(stand):
    await stand.prepare(shards=4)
    async with asyncio.TaskGroup() as group, stand.routers(2, shards=4) as two:
        posting = group.create_task(stand.burst(60, pause_s=0.1))
        await stand.until_owned(two, 2, 2)
        async with stand.routers(1, shards=4) as third:
            await stand.until_owned([*two, *third], 2, 1, 1)
        await stand.until_owned(two, 2, 2)
        await posting
        await stand.until_decided()


async def test_who_dies_in_a_burst_is_followed(stand):
    await stand.prepare(shards=4)
    async with stand.routers(2, shards=4) as (first, second):
        await stand.until_owned([first, second], 2, 2)
        await stand.burst(10)
        await first.end(signal.SIGKILL)
        await stand.burst(10)
        await stand.until_owned([second], 4)
        await stand.until_decided()


async def test_who_sleeps_in_a_burst_decides_nothing_when_it_wakes(stand):
    await stand.prepare(shards=2)
    async with stand.routers(2, shards=2) as (first, second):
        await stand.until_owned([first, second], 1, 1)
        await stand.burst(5)
        first.send(signal.SIGSTOP)
        await stand.burst(5)
        await stand.until_owned([second], 2)
        await stand.until_decided()
        async with asyncio.TaskGroup() as group:
            group.create_task(stand.burst(40, pause_s=0.01))
            await asyncio.sleep(0.2)
            first.send(signal.SIGCONT)
        await stand.until_owned([first, second], 1, 1)
        await stand.until_decided()


@pytest.mark.parametrize(
    ("old", "new", "asleep"),
    [(1, 4, False), (3, 2, True)],
    ids=["1-to-4", "3-to-2-while-one-sleeps"],
)
async def test_another_number_of_shards_loses_doubles_and_reorders_nothing(stand, old, new, asleep):
    """The set-up step comes first, in the middle of a burst; then the processes are replaced."""
    await stand.prepare(shards=old)
    async with stand.routers(2, shards=old) as before:
        await stand.until_owned(before, old // 2, old - old // 2)
        async with asyncio.TaskGroup() as group:
            posting = group.create_task(stand.burst(40, pause_s=0.05))
            await asyncio.sleep(0.3)
            if asleep:
                before[0].send(signal.SIGSTOP)
            await ensure_topology(stand.bus.js, router_shards=new)
            async with stand.routers(2, shards=new) as after:
                await stand.until_owned(after, new // 2, new - new // 2)
                before[0].send(signal.SIGCONT)
                told = await stand.until_all_tell([*before, *after])
                assert all(told[each.pid].ready for each in after)
                await stand.until_idle(before, f"set up for {old}")
                await posting
                await stand.until_decided()
    made = {info.name for info in await stand.bus.js.consumers_info("PIPELINE")}
    assert made == {*router_consumers(new), "executor-0", "auditor"}
