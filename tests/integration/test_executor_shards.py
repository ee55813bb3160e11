"""The number of executor shards on a real log: who tells it, who follows it, when it may change."""

import asyncio

import pytest

from libs.common.bus import connected
from libs.common.cancelling import cancelled
from libs.common.connecting import Access
from libs.common.consumers_made import ConsumersUntold, consumers_made
from libs.common.contracts import subjects
from libs.common.executor_shards import StillWaiting, shard_named, shards_told
from libs.common.health import Health
from libs.common.secret import Secret
from libs.common.topology import ensure_topology
from services.executor.shard_count import ShardCount
from tests.integration.router_stand import RouterStand
from tests.unled_consumers import leave_out

pytestmark = pytest.mark.integration

MISMATCH = "accounts are shared over 2 executor shards, and this process is set up for 1"


@pytest.fixture
async def bus(js, nats_url):
    async with connected(Access(url=Secret(nats_url)), service="t", health=Health("t")) as found:
        yield found


async def shards(js):
    """The consumers that there are, and how many the first one tells."""
    made = await consumers_made(js, subjects.STREAM)
    executors = sorted(name for name in made if shard_named(name) is not None)
    return executors, shards_told(made.get("executor-0"))


async def an_intent(js, *, shard):
    """What waits at a shard, whatever stands in it."""
    subject = subjects.intents_of_shard(shard).replace("*", "x")
    await js.publish(subject, b"{}")
    return subject


async def forget(js):
    """As a release left it that did not tell."""
    config = (await js.consumer_info(subjects.STREAM, "executor-0")).config
    await js.add_consumer(subjects.STREAM, config.evolve(metadata=None))


async def test_the_set_up_tells_the_number_and_leaves_it_as_it_is(js):
    await ensure_topology(js)
    assert await shards(js) == (["executor-0"], 1)
    assert await ensure_topology(js, shards=2) == [
        "accounts are shared over 2 executor shards, not 1"
    ]
    assert await shards(js) == (["executor-0", "executor-1"], 2)
    for wanted in (2, None):
        assert await ensure_topology(js, shards=wanted) == []
        assert await shards(js) == (["executor-0", "executor-1"], 2)


async def test_fewer_keep_the_consumers_which_do_not_begin_anew_when_there_are_more_again(js):
    await ensure_topology(js, shards=2)
    await an_intent(js, shard=1)
    pulled = await js.pull_subscribe_bind("executor-1", stream=subjects.STREAM)
    await (await pulled.fetch(1))[0].ack_sync()
    assert await ensure_topology(js, shards=1) == [
        "accounts are shared over 1 executor shard, not 2"
    ]
    assert await shards(js) == (["executor-0", "executor-1"], 1)
    await ensure_topology(js, shards=2)
    assert (await js.consumer_info(subjects.STREAM, "executor-1")).num_pending == 0


@pytest.mark.parametrize("in_hand", [False, True], ids=["waits", "in hand"])
@pytest.mark.parametrize("at", [0, 1])
async def test_nothing_changes_while_something_is_under_way(js, at, in_hand):
    await ensure_topology(js, shards=2)
    await an_intent(js, shard=at)
    if in_hand:
        pulled = await js.pull_subscribe_bind(f"executor-{at}", stream=subjects.STREAM)
        (message,) = await pulled.fetch(1)
    for wanted in (1, 3):
        with pytest.raises(StillWaiting, match=rf"become {wanted} only .*: executor-{at} has 1\."):
            await ensure_topology(js, shards=wanted)
    assert await shards(js) == (["executor-0", "executor-1"], 2)
    # The same number may be told at any time.
    assert await ensure_topology(js, shards=2) == []
    if in_hand:
        await message.ack_sync()
        await ensure_topology(js, shards=3)
        assert (await shards(js))[1] == 3


async def test_a_log_of_an_older_release_is_told_at_the_next_set_up(js):
    await ensure_topology(js, shards=2)
    await forget(js)
    assert await shards(js) == (["executor-0", "executor-1"], None)
    await an_intent(js, shard=1)
    # As many as it has: nothing changes by that.
    assert await ensure_topology(js) == []
    assert await shards(js) == (["executor-0", "executor-1"], 2)
    await forget(js)
    with pytest.raises(StillWaiting):
        await ensure_topology(js, shards=1)


async def test_a_first_step_that_was_interrupted_is_not_taken_for_a_finished_one(js, monkeypatch):
    await ensure_topology(js)
    await forget(js)
    add = js.add_consumer

    async def interrupted(stream, config, **more):
        await add(stream, config, **more)
        if config.durable_name == "executor-1":
            raise InterruptedError

    monkeypatch.setattr(js, "add_consumer", interrupted)
    with pytest.raises(InterruptedError):
        await ensure_topology(js, shards=2)
    monkeypatch.undo()
    await an_intent(js, shard=0)
    with pytest.raises(StillWaiting):
        await ensure_topology(js, shards=2)
    assert (await shards(js))[1] == 1


async def test_an_executor_follows_what_the_log_tells(js, bus):
    count = ShardCount(bus, shards=1)
    assert count.problem() == "the log has not told yet how accounts are shared"
    await count.look()
    assert count.problem() is not None
    assert "executor-0: the set-up step has to run" in count.problem()
    await ensure_topology(js)
    await count.look()
    assert count.problem() is None
    following = asyncio.create_task(count.follow())
    await ensure_topology(js, shards=2)
    async with asyncio.timeout(20):
        while count.problem() is None:
            await asyncio.sleep(0.05)
    assert count.problem().startswith(MISMATCH)
    await cancelled([following])
    await forget(js)
    await count.look()
    assert count.problem() is None, "nobody tells: as with a release that did not look"


@pytest.mark.parametrize("hidden", ["executor-0", "executor-1", "router-0-of-2", "router-1-of-2"])
async def test_the_set_up_takes_nothing_for_gone_that_nobody_leads(js, monkeypatch, hidden):
    """As while a server of the log restarts: it would share accounts or routes anew."""
    await ensure_topology(js, shards=2, router_shards=2)
    before = await consumers_made(js, subjects.STREAM)
    assert hidden in before
    with monkeypatch.context() as patch:
        leave_out(patch, hidden)
        with pytest.raises(ConsumersUntold):
            await ensure_topology(js)
    after = await consumers_made(js, subjects.STREAM)
    assert {each: info.config for each, info in after.items()} == {
        each: info.config for each, info in before.items()
    }
    assert await ensure_topology(js) == []


async def test_what_was_known_last_stands_while_the_log_is_away(js, bus):
    await ensure_topology(js, shards=2)
    known, unknown = ShardCount(bus, shards=2), ShardCount(bus, shards=2)
    await known.look()
    await bus.client.close()
    await known.look()
    await unknown.look()
    assert known.problem() is None
    assert unknown.problem() == "the log has not told yet how accounts are shared"


@pytest.mark.timeout(120)
async def test_a_router_that_writes_for_another_number_decides_nothing(bus, nats_url):
    stand = RouterStand(bus, nats_url)
    await stand.prepare(shards=1)
    await ensure_topology(bus.js, shards=2)
    async with stand.routers(1, shards=1) as routers:
        await stand.burst(1)
        await stand.until_all_tell(routers)
        await stand.until_idle(routers, MISMATCH)
        await ensure_topology(bus.js, shards=1)
        await stand.until_owned(routers, 1)
        await stand.until_decided()
