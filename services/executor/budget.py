"""The exchange's call budget of an account: so many order calls per two seconds, first come, first
served. Being refused costs a round trip, so it is better to wait here.
"""

import asyncio
from collections import deque
from collections.abc import Callable

WINDOW_S = 2.0


class Budget:
    """Grants `calls` calls in any window of two seconds."""

    def __init__(self, calls: int, *, clock: Callable[[], float]) -> None:
        self._calls = calls
        self._clock = clock
        self._granted: deque[float] = deque()
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Wait until a call may be made, and count it."""
        async with self._turn:
            delay_s = wait_s(self._granted, calls=self._calls, now=self._clock())
            if delay_s > 0:
                await asyncio.sleep(delay_s)
            self._granted.append(self._clock())
            while len(self._granted) > self._calls:
                self._granted.popleft()


def wait_s(granted: deque[float], *, calls: int, now: float) -> float:
    """Seconds until another call fits, given the times of the latest `calls` ones."""
    if len(granted) < calls:
        return 0.0
    return max(0.0, granted[-calls] + WINDOW_S - now)
