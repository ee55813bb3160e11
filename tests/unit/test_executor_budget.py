"""The call budget of an account: never more in any window than the exchange takes."""

import asyncio
import itertools
from collections import deque

import pytest

from services.executor import budget
from services.executor.budget import WINDOW_S, Budget, wait_s


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


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(budget.asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def time(monkeypatch):
    return Time(monkeypatch)


@pytest.mark.parametrize("calls", [1, 4])
async def test_no_window_holds_more_calls_than_allowed(time, calls):
    taken = []
    bucket = Budget(calls, clock=lambda: time.now)
    for number in range(calls * 5):
        await bucket.take()
        taken.append(time.now)
        time.now += 0.1 * (number % 3)
    for start in taken:
        assert len([at for at in taken if start <= at < start + WINDOW_S]) <= calls
    assert taken[calls - 1] - taken[0] < 1, "the first ones do not wait"
    assert taken[-1] - taken[0] <= 5 * WINDOW_S, "and nobody waits longer than needed"


async def test_an_idle_account_has_its_whole_budget_again(time):
    bucket = Budget(4, clock=lambda: time.now)
    for _ in range(4):
        await bucket.take()
    time.now += WINDOW_S
    before = time.now
    for _ in range(4):
        await bucket.take()
    assert time.now == before


async def test_first_come_first_served(monkeypatch):
    """Also for one that comes while others wait."""
    monkeypatch.setattr(budget, "WINDOW_S", 0.02)
    loop = asyncio.get_running_loop()
    bucket = Budget(1, clock=loop.time)
    served = []

    async def caller(name):
        await bucket.take()
        served.append((name, loop.time()))

    async with asyncio.TaskGroup() as group:
        for name in "abc":
            group.create_task(caller(name))
        await asyncio.sleep(0.005)
        group.create_task(caller("d"))
    assert [name for name, _ in served] == list("abcd")
    times = [at for _, at in served]
    assert all(later - earlier >= 0.019 for earlier, later in itertools.pairwise(times))


async def test_one_who_gives_up_does_not_block_the_next(monkeypatch):
    monkeypatch.setattr(budget, "WINDOW_S", 0.02)
    loop = asyncio.get_running_loop()
    bucket = Budget(1, clock=loop.time)
    await bucket.take()
    impatient = asyncio.create_task(bucket.take())
    await asyncio.sleep(0)
    impatient.cancel()
    async with asyncio.timeout(1):
        await bucket.take()
    assert impatient.cancelled()
