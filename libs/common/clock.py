"""Time as a dependency, so that a test of a twelve-second wait takes no time."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol

# Linux counts a machine's sleep in the second one alone.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC. It may be set at any time, by hours in either direction."""

    def elapsed_s(self) -> float:
        """Since some moment: goes on while the machine sleeps, and is never set. What must have
        passed for certain is measured by it.
        """

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed_s(self) -> float:
        return time.clock_gettime(_STEADY)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
