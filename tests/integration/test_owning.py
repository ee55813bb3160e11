"""One process at a time works: the lease is taken, kept, given back, lost and taken over."""

import asyncio
import contextlib

import msgspec
import pytest
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from libs.common import processes
from libs.common.bus import Bus, connected
from libs.common.cancelling import cancelled
from libs.common.connecting import Access
from libs.common.contracts import subjects
from libs.common.health import Health
from libs.common.owning import LeaseTiming, Owner, abandoned
from libs.common.processes import Holder, is_certainly_dead, this_process
from libs.common.secret import Secret
from libs.common.topology import ensure_topology

TIMING = LeaseTiming(renew_s=0.05, take_over_s=0.4)
ELSEWHERE = Holder(token="else", host="where", pid=1, boot="another", started="1")


class Shift:
    """Counts who works."""

    def __init__(self):
        self.at_work = []
        self.began = asyncio.Event()

    def named(self, name):
        async def work(_ownership, stop):
            self.at_work.append(name)
            self.began.set()
            try:
                await stop.wait()
            finally:
                self.at_work.remove(name)

        return work


@pytest.fixture
def shift():
    return Shift()


@contextlib.asynccontextmanager
async def running(owner, work):
    stop = asyncio.Event()
    task = asyncio.create_task(owner.run(work, stop))
    try:
        yield stop
    finally:
        stop.set()
        await task


async def until_gone(bucket):
    """Another process could take the lease now; one of this process may at any time."""
    with contextlib.suppress(KeyNotFoundError):
        async with asyncio.timeout(10):
            while await bucket.get("executor-0"):
                await asyncio.sleep(0.01)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
async def bus(js, nats_url):
    await ensure_topology(js)
    health = Health("executor")
    async with connected(Access(url=Secret(nats_url)), service="executor", health=health) as made:
        yield made


@pytest.fixture
def owner(bus: Bus):
    return Owner(bus, name="executor-0", timing=TIMING)


@pytest.fixture
async def bucket(bus: Bus):
    return await bus.js.key_value(subjects.BUCKET_OWNERS)


async def test_who_is_alone_works_at_once_and_gives_the_lease_back(owner, shift, bucket):
    async with running(owner, shift.named("one")):
        await until(lambda: shift.at_work == ["one"])
        entry = await bucket.get("executor-0")
        assert msgspec.json.decode(entry.value, type=Holder) == this_process()
        assert owner.ownership.since is not None
    assert shift.at_work == []
    assert owner.ownership.since is None
    with pytest.raises(KeyNotFoundError):
        await bucket.get("executor-0")


async def test_the_lease_is_confirmed_again_and_again(owner, shift, bucket):
    async with running(owner, shift.named("one")):
        await until(lambda: shift.at_work == ["one"])
        first = (await bucket.get("executor-0")).revision
        began = owner.ownership.since
        async with asyncio.timeout(10):
            while (await bucket.get("executor-0")).revision < first + 3:
                await asyncio.sleep(0.01)
        assert owner.ownership.since == began


async def test_a_renewal_that_swallows_its_end_keeps_nobody(owner, shift, monkeypatch):
    """As the client's `wait_for` does where an answer comes together with the cancellation."""
    swallowed = []

    async def deaf():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            swallowed.append(True)
        await asyncio.sleep(60)

    monkeypatch.setattr(owner, "_renew", deaf)
    async with asyncio.timeout(20):
        async with running(owner, shift.named("one")):
            await shift.began.wait()
    assert swallowed
    assert shift.at_work == []


async def test_a_bystander_waits_for_a_living_owner(owner, shift, bucket):
    await bucket.put("executor-0", msgspec.json.encode(ELSEWHERE))
    async with running(owner, shift.named("two")):
        for _ in range(20):
            await bucket.put("executor-0", msgspec.json.encode(ELSEWHERE))
            await asyncio.sleep(TIMING.take_over_s / 10)
        assert shift.at_work == []
        assert owner.ownership.stands_by
        await until(lambda: shift.at_work == ["two"])
        assert not owner.ownership.stands_by


async def test_an_owner_that_is_superseded_stops_and_stands_by(owner, shift, bucket):
    async with running(owner, shift.named("one")):
        await until(lambda: shift.at_work == ["one"])
        await bucket.put("executor-0", msgspec.json.encode(ELSEWHERE))
        await until(lambda: shift.at_work == [])
        await until(lambda: owner.ownership.stands_by)
        await until(lambda: shift.at_work == ["one"])


async def test_one_that_stopped_orderly_is_followed_at_once(bus, shift):
    patient = LeaseTiming(renew_s=0.05, take_over_s=3600)
    first = Owner(bus, name="executor-0", timing=patient)
    async with running(first, shift.named("one")):
        await until(lambda: shift.at_work == ["one"])
    second = Owner(bus, name="executor-0", timing=patient)
    async with running(second, shift.named("two")):
        await until(lambda: shift.at_work == ["two"])


async def test_a_dead_process_of_this_machine_is_followed_at_once(bus, shift, bucket):
    child = await asyncio.create_subprocess_exec("sleep", "60")
    dead = msgspec.structs.replace(
        this_process(), token="dead", pid=child.pid, started=processes._started(child.pid)
    )
    assert not is_certainly_dead(dead)
    child.kill()
    await child.wait()
    assert is_certainly_dead(dead)
    await bucket.put("executor-0", msgspec.json.encode(dead))
    patient = LeaseTiming(renew_s=0.05, take_over_s=3600)
    async with running(Owner(bus, name="executor-0", timing=patient), shift.named("two")):
        await until(lambda: shift.at_work == ["two"])


async def test_an_update_whose_answer_was_lost_loses_nothing(owner, shift, bucket):
    async with running(owner, shift.named("one")):
        await until(lambda: shift.at_work == ["one"])
        began = owner.ownership.since
        # As if an update of ours had been stored and its answer lost.
        await bucket.put("executor-0", msgspec.json.encode(this_process()))
        for _ in range(10):
            await asyncio.sleep(TIMING.renew_s)
            assert shift.at_work == ["one"]
        assert owner.ownership.since == began


async def test_what_the_work_raises_ends_the_owner(owner):
    async def broken(_ownership, _stop):
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        await owner.run(broken, asyncio.Event())


async def test_names_are_apart(bus, shift):
    async with (
        running(Owner(bus, name="executor-0", timing=TIMING), shift.named("one")),
        running(Owner(bus, name="executor-1", timing=TIMING), shift.named("two")),
    ):
        await until(lambda: sorted(shift.at_work) == ["one", "two"])


async def test_who_is_cancelled_stops_working(owner, shift):
    task = asyncio.create_task(owner.run(shift.named("one"), asyncio.Event()))
    await until(lambda: shift.at_work == ["one"])
    await cancelled([task])
    assert task.cancelled()
    assert shift.at_work == []


def test_a_pid_alone_proves_nothing():
    assert not is_certainly_dead(ELSEWHERE)
    assert not is_certainly_dead(msgspec.structs.replace(this_process(), boot="", pid=2**22 + 1))
    assert not is_certainly_dead(this_process())
    assert is_certainly_dead(msgspec.structs.replace(this_process(), started="1"))


async def test_who_is_barred_gives_the_lease_up_and_does_not_take_it_back(bus, shift, bucket):
    patient = LeaseTiming(renew_s=0.05, take_over_s=3600)
    reasons = []
    first = Owner(bus, name="executor-0", timing=patient, barred=lambda: next(iter(reasons), None))
    second = Owner(bus, name="executor-0", timing=patient)
    async with running(first, shift.named("one")):
        await until(lambda: shift.at_work == ["one"])
        reasons.append("another address")
        await until_gone(bucket)
        async with running(second, shift.named("two")):
            await until(lambda: shift.at_work == ["two"])
        assert first.ownership.since is None
        await asyncio.sleep(3 * patient.renew_s)
        assert shift.at_work == []
        assert not first.ownership.stands_by, "nobody would take over here"
        reasons.clear()
        await until(lambda: shift.at_work == ["one"])


async def test_work_that_is_barred_ends_in_order_before_the_lease_is_given_up(bus, shift, bucket):
    reasons, kept = [], []
    owner = Owner(bus, name="executor-0", timing=TIMING, barred=lambda: next(iter(reasons), None))

    async def work(_ownership, stop):
        shift.began.set()
        await stop.wait()
        await asyncio.sleep(4 * TIMING.renew_s)
        kept.append(msgspec.json.decode((await bucket.get("executor-0")).value, type=Holder))

    async with running(owner, work):
        await shift.began.wait()
        reasons.append("another address")
        await until(lambda: kept)
        assert kept == [this_process()]
        await until_gone(bucket)


async def test_a_renewal_that_was_cut_off_at_the_end_does_not_keep_the_lease(owner, shift, bucket):
    async def work(_ownership, stop):
        shift.began.set()
        await stop.wait()
        # As a renewal that is stored, and whose answer does not come before the end.
        await bucket.put("executor-0", msgspec.json.encode(this_process()))

    async with running(owner, work):
        await shift.began.wait()
    with pytest.raises(KeyNotFoundError):
        await bucket.get("executor-0")


async def test_who_is_barred_from_the_beginning_takes_nothing_and_can_be_stopped(bus, shift):
    owner = Owner(bus, name="executor-0", timing=TIMING, barred=lambda: "another address")
    async with running(owner, shift.named("one")):
        await asyncio.sleep(3 * TIMING.renew_s)
        assert not shift.began.is_set()


def is_old(name):
    return name.startswith("old-")


async def test_leases_that_concern_somebody_are_waited_for_until_they_stand_still(bus, bucket):
    """And are taken away then: their owner may only have slept."""
    await bucket.put("executor-0", msgspec.json.encode(ELSEWHERE))
    for name in ("old-0", "old-1"):
        await bucket.put(name, msgspec.json.encode(ELSEWHERE))
    stop = asyncio.Event()
    waiting = asyncio.create_task(abandoned(bus, concerns=is_old, stop=stop, timing=TIMING))
    for _ in range(20):
        revision = await bucket.put("old-1", msgspec.json.encode(ELSEWHERE))
        await asyncio.sleep(TIMING.take_over_s / 10)
        assert not waiting.done()
    async with asyncio.timeout(10):
        assert await waiting
    with pytest.raises(KeyWrongLastSequenceError):
        await bucket.update("old-1", msgspec.json.encode(ELSEWHERE), last=revision)
    assert await bucket.get("executor-0")


async def test_waiting_for_other_leases_ends_with_the_stop(bus, bucket):
    assert await abandoned(bus, concerns=is_old, stop=asyncio.Event(), timing=TIMING)
    await bucket.put("old-0", msgspec.json.encode(ELSEWHERE))
    stop, patient = asyncio.Event(), LeaseTiming(renew_s=0.05, take_over_s=3600)
    waiting = asyncio.create_task(abandoned(bus, concerns=is_old, stop=stop, timing=patient))
    await asyncio.sleep(0.2)
    stop.set()
    assert not await waiting
