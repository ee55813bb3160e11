"""Tasks that swallow a cancellation are ended all the same."""

import asyncio

from libs.common.cancelling import cancelled


async def test_a_task_that_swallows_its_cancellation_once_is_cancelled_again():
    swallowed = asyncio.Event()

    async def deaf():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.sleep(60)

    async def failing():
        raise ValueError("of its own")

    tasks = [asyncio.ensure_future(deaf()), asyncio.ensure_future(failing())]
    await asyncio.sleep(0)
    await cancelled(tasks)
    assert swallowed.is_set()
    assert tasks[0].cancelled()
    assert isinstance(tasks[1].exception(), ValueError)
