"""A long run at a terminal: tells what it does and when, and stops in order on a signal."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
Tell = Callable[[str], None]


async def until_signalled(whole: Callable[[Tell], Awaitable[T]]) -> T:
    """What `whole` returns; SIGINT and SIGTERM cancel it. It is told how to tell how far it is."""
    running = asyncio.current_task()
    assert running is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    began = time.monotonic()
    return await whole(lambda text: say(f"{time.monotonic() - began:6.1f} s  {text}"))


def say(text: str) -> None:
    """A line at once, also into a file."""
    print(text, flush=True)
