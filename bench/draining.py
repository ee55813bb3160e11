"""Waits until what was accepted has been worked off, without asking the exchange, which would slow
down what is measured.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

LOOK_S = 0.2
IDLE_S = 15.0
"""Without any progress for so long, nothing more is expected to come."""

Read = Callable[[], Awaitable[float | None]]


async def until_reached(
    read: Read,
    *,
    target: float,
    limit_s: float,
    idle_s: float = IDLE_S,
    look_s: float = LOOK_S,
) -> bool:
    """Whether the value reached the target in time; False as well when it stands still."""
    began = moved = time.monotonic()
    last: float | None = None
    while True:
        value = await read()
        now = time.monotonic()
        if value is not None and value >= target:
            return True
        if value != last:
            last, moved = value, now
        if now - moved > idle_s or now - began > limit_s:
            return False
        await asyncio.sleep(look_s)
