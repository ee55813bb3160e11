"""The work of one shard of accounts, for as long as this process is its owner: intents are handled,
and orders that wait are followed. Each tenure begins with nothing but what the log tells.
"""

import asyncio

from libs.common.bus import Bus
from libs.common.clock import Clock
from libs.common.consuming import Consumer
from libs.common.contracts.subjects import shard_of
from libs.common.owning import Ownership
from libs.common.topology import executor_consumer
from services.executor.accounts import Accounts
from services.executor.following import Follower
from services.executor.handler import Executor, lane_of
from services.executor.resting import RestingOrders
from services.executor.settings import Settings, Timing
from services.executor.withholding import Halted


class Shard:
    def __init__(
        self,
        *,
        bus: Bus,
        accounts: Accounts,
        halts: Halted,
        settings: Settings,
        timing: Timing,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._accounts = accounts
        self._halts = halts
        self._settings = settings
        self._timing = timing
        self._clock = clock
        self._consumer: Consumer | None = None
        self._resting: RestingOrders | None = None

    @property
    def durable(self) -> str:
        """The consumer in the log, and the name of the lease."""
        return executor_consumer(self._settings.shard)

    def missing(self) -> str | None:
        """A readiness check of an owner."""
        if self._consumer is None or self._resting is None:
            return f"the lease of {self.durable} is not taken yet"
        return self._consumer.missing() or self._resting.missing()

    async def work(self, ownership: Ownership, stop: asyncio.Event) -> None:
        """One tenure."""
        settings = self._settings
        resting = RestingOrders(
            owned=lambda account: shard_of(account, shards=settings.shards) == settings.shard
        )
        executor = Executor(
            bus=self._bus,
            accounts=self._accounts,
            resting=resting,
            halts=self._halts,
            ownership=ownership,
            timing=self._timing,
            clock=self._clock,
        )
        follower = Follower(
            bus=self._bus,
            accounts=self._accounts,
            resting=resting,
            timing=self._timing,
            clock=self._clock,
        )
        self._resting = resting
        self._consumer = Consumer(
            self._bus, durable=self.durable, handler=executor.handle, lane_of=lane_of
        )
        try:
            async with asyncio.TaskGroup() as group:
                following = group.create_task(follower.follow())
                await self._consumer.run(stop)
                following.cancel()
        finally:
            self._consumer = self._resting = None
