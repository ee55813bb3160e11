"""A consumer that works while its process has the lease of the durable's name, and else stands by:
two processes at one durable would get each other's messages again.
"""

import asyncio
from collections.abc import Callable

from libs.common.bus import Bus
from libs.common.consuming import Consumer, Handler
from libs.common.contracts.codec import AnyMessage
from libs.common.owning import Owner, Ownership


class OwnedConsumer:
    """Begins each tenure with what the log tells, as a process that was just started."""

    def __init__(
        self,
        bus: Bus,
        *,
        durable: str,
        handler: Handler,
        lane_of: Callable[[AnyMessage], str],
        on_tenure: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_tenure` is called before each: what the handler remembers of an earlier one is old,
        since somebody else may have worked meanwhile.
        """
        self._bus = bus
        self._durable = durable
        self._handler = handler
        self._lane_of = lane_of
        self._on_tenure = on_tenure
        self._owner = Owner(bus, name=durable)
        self._consumer: Consumer | None = None

    @property
    def ownership(self) -> Ownership:
        return self._owner.ownership

    def missing(self) -> str | None:
        """A readiness check; a bystander misses nothing, since the owner works."""
        if self._owner.ownership.stands_by:
            return None
        if self._consumer is None:
            return f"the lease of {self._durable} is not taken yet"
        return self._consumer.missing()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        await self._owner.run(self._work, stop)

    async def _work(self, _ownership: Ownership, stop: asyncio.Event) -> None:
        self._on_tenure()
        self._consumer = Consumer(
            self._bus, durable=self._durable, handler=self._handler, lane_of=self._lane_of
        )
        try:
            await self._consumer.run(stop)
        finally:
            self._consumer = None
