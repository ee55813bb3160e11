"""The set-up step shares the routes anew: what the log's consumers are then, also where the step
was interrupted, or somebody has changed their mind.
"""

import pytest

from libs.common.contracts import subjects
from libs.common.router_shards import (
    router_consumers,
    router_consumers_made,
    times_made,
    working_shards,
)
from libs.common.topology import ensure_topology

pytestmark = pytest.mark.integration


class StepBrokenError(Exception):
    pass


class Breaking:
    """A connection that breaks at the call of that number to a method."""

    def __init__(self, js, method, *, at):
        self._js, self._method, self._left = js, method, at

    def __getattr__(self, name):
        found = getattr(self._js, name)
        if name != self._method:
            return found

        async def call(*args, **named):
            self._left -= 1
            if not self._left:
                raise StepBrokenError
            return await found(*args, **named)

        return call


async def fill(js, count):
    for _ in range(count):
        await js.publish("alert.received.demo", b"{}")


async def handle(js, name, count):
    subscription = await js.pull_subscribe_bind(name, subjects.STREAM)
    for message in await subscription.fetch(count):
        await message.ack_sync()
    await subscription.unsubscribe()


async def floors(js):
    return {
        name: info.ack_floor.stream_seq for name, info in (await router_consumers_made(js)).items()
    }


async def working(js):
    return working_shards(times_made((await router_consumers_made(js)).values()))


async def test_new_shards_begin_where_the_slowest_old_one_is(js):
    await ensure_topology(js, router_shards=2)
    await fill(js, 10)
    await handle(js, "router-0-of-2", 9)
    await handle(js, "router-1-of-2", 4)
    await ensure_topology(js, router_shards=3)
    assert await floors(js) == dict.fromkeys(router_consumers(3), 4)
    info = await js.consumer_info(subjects.STREAM, "router-2-of-3")
    assert info.num_pending == 6


async def test_the_step_without_a_number_leaves_what_is_there(js):
    await ensure_topology(js)
    assert set(await floors(js)) == {"router"}
    await ensure_topology(js, router_shards=3)
    await fill(js, 3)
    await handle(js, "router-0-of-3", 2)
    for again in (None, 3):
        await ensure_topology(js, router_shards=again)
        found = await floors(js)
        assert found == {"router-0-of-3": 2, "router-1-of-3": 0, "router-2-of-3": 0}


async def test_settings_are_brought_to_shards_that_began_behind_a_place(js):
    """Where a consumer begins cannot be changed, and is not."""
    await ensure_topology(js)
    await fill(js, 5)
    await handle(js, "router", 5)
    await ensure_topology(js, router_shards=2)
    await ensure_topology(js, router_shards=2)
    assert await floors(js) == dict.fromkeys(router_consumers(2), 5)


@pytest.mark.parametrize(
    ("method", "at", "counts"),
    [
        # The consumers of executor and auditor come behind the router's.
        ("add_consumer", 1, 2),
        ("add_consumer", 3, 2),
        ("delete_consumer", 1, 2),
        ("delete_consumer", 2, 4),
    ],
    ids=["before-the-first", "half-made", "none-taken-away", "one-taken-away"],
)
async def test_an_interrupted_step_is_finished_by_the_next(js, method, at, counts):
    await ensure_topology(js, router_shards=2)
    await fill(js, 10)
    for name in router_consumers(2):
        await handle(js, name, 6)
    with pytest.raises(StepBrokenError):
        await ensure_topology(Breaking(js, method, at=at), router_shards=4)
    assert await working(js) == counts
    await ensure_topology(js, router_shards=4)
    assert await working(js) == 4
    assert await floors(js) == dict.fromkeys(router_consumers(4), 6)


async def test_the_old_number_comes_back_where_the_step_was_interrupted(js):
    await ensure_topology(js, router_shards=2)
    await fill(js, 10)
    for name in router_consumers(2):
        await handle(js, name, 3)
    with pytest.raises(StepBrokenError):
        await ensure_topology(Breaking(js, "delete_consumer", at=2), router_shards=4)
    for name in router_consumers(4):
        await handle(js, name, 5)
    await ensure_topology(js, router_shards=2)
    assert await working(js) == 2
    assert await floors(js) == dict.fromkeys(router_consumers(2), 8)


async def test_shards_that_an_interrupted_step_has_left_go_on_where_the_others_are(js):
    await ensure_topology(js, router_shards=2)
    await fill(js, 10)
    with pytest.raises(StepBrokenError):
        await ensure_topology(Breaking(js, "delete_consumer", at=1), router_shards=3)
    for name in router_consumers(2):
        await handle(js, name, 7)
    await ensure_topology(js, router_shards=3)
    assert await floors(js) == dict.fromkeys(router_consumers(3), 7)
