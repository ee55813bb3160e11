"""The call budget of an account: never more in any window than the exchange takes, and what closes
before what opens.
"""

import asyncio
import itertools
from collections import deque
from datetime import timedelta

import pytest

from services.executor import budget
from services.executor.budget import WINDOW_S, Budget, Urgency, wait_s
from tests.factories import NOW


@pytest.mark.parametrize(
    ("granted", "now", "expected"),
    [
        ([], 100.0, 0.0),
        ([100.0, 100.0, 100.0], 100.0, 0.0),  # Three of four.
        ([100.0, 100.0, 100.0, 100.0], 100.0, 2.0),
        ([100.0, 100.5, 101.0, 101.5], 101.5, 0.5),  # The oldest one counts.
        ([100.0, 100.5, 101.0, 101.5], 102.0, 0.0),
        ([100.0, 100.5, 101.0, 101.5], 200.0, 0.0),
        ([90.0, 100.0, 100.5, 101.0, 101.5], 101.5, 0.5),  # What is older does not.
    ],
)
def test_wait(granted, now, expected):
    assert wait_s(deque(granted), calls=4, now=now) == pytest.approx(expected)


@pytest.fixture
def short_window(monkeypatch):
    monkeypatch.setattr(budget, "WINDOW_S", 0.03)
    return 0.03


def make_budget(calls):
    return Budget(calls, clock=asyncio.get_running_loop().time)


async def taken_by(bucket, served, name, urgency=Urgency.OPEN, *, age_s=0):
    await bucket.take(urgency, since=NOW - timedelta(seconds=age_s))
    served.append((name, asyncio.get_running_loop().time()))


@pytest.mark.parametrize("calls", [1, 4])
async def test_no_window_holds_more_calls_than_allowed(short_window, calls):
    served = []
    bucket = make_budget(calls)
    async with asyncio.TaskGroup() as group:
        for number in range(calls * 5):
            group.create_task(taken_by(bucket, served, number))
    times = [at for _, at in served]
    for earlier, later in itertools.pairwise(times[::calls]):
        assert later - earlier >= short_window * 0.99
    assert [name for name, _ in served] == list(range(calls * 5))


async def test_nobody_waits_while_there_is_room():
    bucket = make_budget(4)
    assert bucket.left == 4
    for _ in range(4):
        await asyncio.wait_for(bucket.take(Urgency.OPEN, since=NOW), 1)
    assert (bucket.left, bucket.waiting) == (0, 0)


async def test_an_idle_account_has_its_whole_budget_again():
    now = [100.0]
    bucket = Budget(4, clock=lambda: now[0])
    for _ in range(4):
        await bucket.take(Urgency.OPEN, since=NOW)
    now[0] += WINDOW_S
    assert bucket.left == 4
    for _ in range(4):
        await asyncio.wait_for(bucket.take(Urgency.OPEN, since=NOW), 1)


@pytest.mark.usefixtures("short_window")
async def test_what_closes_goes_before_what_opens_and_older_before_newer():
    """Also where it comes last."""
    served = []
    bucket = make_budget(1)
    await bucket.take(Urgency.OPEN, since=NOW)
    async with asyncio.TaskGroup() as group:
        group.create_task(taken_by(bucket, served, "open", age_s=1))
        group.create_task(taken_by(bucket, served, "older open", age_s=9))
        await asyncio.sleep(0.005)
        group.create_task(taken_by(bucket, served, "close", Urgency.CLOSE))
        group.create_task(taken_by(bucket, served, "older close", Urgency.CLOSE, age_s=5))
    assert [name for name, _ in served] == ["older close", "close", "older open", "open"]


@pytest.mark.usefixtures("short_window")
async def test_one_that_comes_later_does_not_pass_who_waits():
    served = []
    bucket = make_budget(1)
    await bucket.take(Urgency.OPEN, since=NOW)
    async with asyncio.TaskGroup() as group:
        group.create_task(taken_by(bucket, served, "first", age_s=2))
        await asyncio.sleep(0.02)
        group.create_task(taken_by(bucket, served, "second", age_s=1))
    assert [name for name, _ in served] == ["first", "second"]


@pytest.mark.usefixtures("short_window")
async def test_one_who_gives_up_does_not_block_the_next():
    bucket = make_budget(1)
    await bucket.take(Urgency.OPEN, since=NOW)
    impatient = asyncio.create_task(bucket.take(Urgency.CLOSE, since=NOW))
    await asyncio.sleep(0)
    impatient.cancel()
    async with asyncio.timeout(1):
        await bucket.take(Urgency.OPEN, since=NOW)
    assert impatient.cancelled()


async def test_nobody_asks_while_the_exchange_has_had_too_many():
    now = [100.0]
    bucket = Budget(4, clock=lambda: now[0])
    bucket.refused(pause_s=0.5)
    assert bucket.left == 0
    waiting = asyncio.create_task(bucket.take(Urgency.CLOSE, since=NOW))
    await asyncio.sleep(0)
    assert bucket.waiting == 1
    now[0] += 0.5
    await asyncio.wait_for(waiting, 2)
    assert bucket.left == 3
