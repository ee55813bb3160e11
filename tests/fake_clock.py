"""A clock that moves only when somebody sleeps."""

import asyncio
from datetime import datetime, timedelta

from tests.factories import NOW


class FakeClock:
    def __init__(self, now: datetime = NOW) -> None:
        self._now = now
        self._elapsed_s = 1000.0

    def elapsed_s(self) -> float:
        return self._elapsed_s

    def set(self, seconds: float) -> None:
        """Somebody sets the clock forward; no time passes."""
        self._now += timedelta(seconds=seconds)

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._elapsed_s += seconds

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)
