"""Whether this process is set up for as many executor shards as the log tells: with another number
it would share accounts with a process that it knows nothing of, or leave some to nobody. Looked at
again and again, since the set-up step may change it (docs/decisions/0043).
"""

import asyncio

import nats.errors
import nats.js.errors
import structlog

from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.executor_shards import executor_consumer, mismatch, shards_told

EVERY_S = 1.0
_FIRST = executor_consumer(0)
_FAILURES = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)

_log = structlog.get_logger()


class ShardCount:
    def __init__(self, bus: Bus, *, shards: int) -> None:
        self._bus = bus
        self._shards = shards
        self._problem: str | None = "the log has not told yet how accounts are shared"

    def problem(self) -> str | None:
        """Why this process must not work, where it must not: a readiness check, and what bars it
        from its lease. What was known last stands while the log is away.
        """
        return self._problem

    async def follow(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Once, now."""
        try:
            first = await self._bus.js.consumer_info(subjects.STREAM, _FIRST)
        except nats.js.errors.NotFoundError:
            problem: str | None = f"the log has no consumer {_FIRST}: the set-up step has to run"
        except _FAILURES as error:
            _log.warning("shards.unknown", error=f"{type(error).__name__}: {error}")
            return
        else:
            problem = mismatch(shards_told(first), ours=self._shards)
        if problem != self._problem:
            _log.info("shards.told", shards=self._shards, problem=problem)
        self._problem = problem
