"""Whether this process is set up for as many shards as the log's consumers: with another number of
router shards it would miss routes, or decide what others decide; with another one of executor
shards its intents would come to nobody, or out of order. Looked at again and again, since the
set-up step may change both (docs/decisions/0041, 0043).
"""

import asyncio
import contextlib
from collections.abc import Mapping

import nats.errors
import nats.js.errors
import structlog
from nats.js.api import ConsumerInfo

from libs.common import executor_shards
from libs.common.bus import Bus
from libs.common.consumers_made import consumers_made
from libs.common.contracts import subjects
from libs.common.executor_shards import executor_consumer, shards_told
from libs.common.owning import abandoned
from libs.common.router_shards import shards_named, times_made, working_shards

EVERY_S = 1.0
_FAILURES = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)

_log = structlog.get_logger()


class Generation:
    def __init__(self, bus: Bus, *, shards: int, executor_shards: int) -> None:
        self._bus = bus
        self._shards = shards
        self._executor_shards = executor_shards
        self._problem: str | None = "the log has not told yet how routes are shared"
        self._has_looked = False

    def problem(self) -> str | None:
        """Why this process must not work, where it must not: a readiness check, and what bars it
        from the leases. What was known last stands while the log is away.
        """
        return self._problem

    async def follow(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def admitted(self, stop: asyncio.Event) -> bool:
        """Asked with a lease in hand, before anything is decided: wait until nobody works any more
        whose shards are cut otherwise. False where this process must not work, or `stop` came.

        Each first writes its lease, then looks who counts, and then for the leases of the others:
        of two kinds one sees the other's lease, or does not count any more.
        """
        while not stop.is_set():
            if not await self.look():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EVERY_S):
                        await stop.wait()
                continue
            if self._problem is not None:
                return False
            return await abandoned(self._bus, concerns=self._is_other, stop=stop)
        return False

    def _is_other(self, lease: str) -> bool:
        return shards_named(lease) not in {None, self._shards}

    async def look(self) -> bool:
        """Once, now; whether the log has answered."""
        try:
            made = await consumers_made(self._bus.js, subjects.STREAM)
        except _FAILURES as error:
            told = f"{type(error).__name__}: {error}"
            _log.warning("generation.unknown", error=told)
            if not self._has_looked:
                self._problem = f"the log does not tell how routes are shared: {told}"
            return False
        self._has_looked = True
        problem = self._judged(made)
        if problem != self._problem:
            _log.info("generation.told", shards=self._shards, problem=problem)
        self._problem = problem
        return True

    def _judged(self, made: Mapping[str, ConsumerInfo]) -> str | None:
        routers = [info for name, info in made.items() if shards_named(name) is not None]
        told = shards_told(made.get(executor_consumer(0)))
        return mismatch(
            working_shards(times_made(routers)), ours=self._shards
        ) or executor_shards.mismatch(told, ours=self._executor_shards)


def mismatch(working: int | None, *, ours: int) -> str | None:
    """In words, where there is one."""
    if working == ours:
        return None
    if working is None:
        return "the log has no whole set of router consumers: the set-up step has to run"
    return (
        f"routes are shared over {working} router shard{'s' if working > 1 else ''}, and this"
        f" process is set up for {ours}: ALERTWIRE_ROUTER_SHARDS and the set-up step must agree"
    )
