"""Many viewers cost one question; what failed is asked again."""

import asyncio

import pytest

from services.console.keeping import Kept


class Oracle:
    def __init__(self):
        self.asked = 0
        self.now = 0.0
        self.going = asyncio.Event()
        self.going.set()
        self.fails = False
        self.kept = Kept(seconds=1.0, clock=lambda: self.now)

    async def ask(self):
        self.asked += 1
        await self.going.wait()
        if self.fails:
            raise LookupError
        return self.asked

    async def get(self, question="q"):
        return await self.kept.get(question, self.ask)


async def test_an_answer_holds_for_its_time():
    oracle = Oracle()
    assert [await oracle.get(), await oracle.get()] == [1, 1]
    oracle.now = 0.999
    assert await oracle.get() == 1
    oracle.now = 1.0
    assert await oracle.get() == 2


async def test_who_comes_while_it_is_asked_waits_for_that_answer():
    oracle = Oracle()
    oracle.going.clear()
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(oracle.get()) for _ in range(20)]
        while not oracle.asked:
            await asyncio.sleep(0)
        oracle.going.set()
    assert {task.result() for task in waiting} == {1}


async def test_one_who_goes_away_takes_nobody_along():
    oracle = Oracle()
    oracle.going.clear()
    first = asyncio.ensure_future(oracle.get())
    second = asyncio.ensure_future(oracle.get())
    while not oracle.asked:
        await asyncio.sleep(0)
    first.cancel()
    oracle.going.set()
    assert await second == 2


async def test_what_fails_is_not_kept():
    oracle = Oracle()
    oracle.fails = True
    for _ in range(2):
        with pytest.raises(LookupError):
            await oracle.get()
    oracle.fails = False
    assert await oracle.get() == 3


async def test_different_questions_have_different_answers_and_not_without_end():
    oracle = Oracle()
    answers = [await oracle.get(number) for number in range(1_000)]
    assert answers == list(range(1, 1_001))
    assert await oracle.get(999) == 1_000
    assert len(oracle.kept._answers) <= 64
    assert not oracle.kept._turns
