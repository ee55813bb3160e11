"""A consumer that works while its process has the lease of the durable's name, and else stands by:
two processes at one durable would get each other's messages again.
"""

import asyncio
from collections.abc import Awaitable, Callable

from libs.common.bus import Bus
from libs.common.consuming import Consumer, Handler
from libs.common.contracts.codec import AnyMessage
from libs.common.owning import Barred, Owner, Ownership, Sharing

Admitted = Callable[[asyncio.Event], Awaitable[bool]]
"""Waits until the work may begin; False where it must not, or the event came first."""


class OwnedConsumer:
    """Begins each tenure with what the log tells, as a process that was just started."""

    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        bus: Bus,
        *,
        durable: str,
        handler: Handler,
        lane_of: Callable[[AnyMessage], str],
        on_tenure: Callable[[], None] = lambda: None,
        is_ours: Callable[[str], bool] = lambda _subject: True,
        admitted: Admitted | None = None,
        barred: Barred = lambda: None,
        sharing: Sharing | None = None,
    ) -> None:
        """`on_tenure` is called before each: what the handler remembers of an earlier one is old,
        since somebody else may have worked meanwhile. `admitted` is waited for before that, with
        the lease in hand.
        """
        self._bus = bus
        self._durable = durable
        self._handler = handler
        self._lane_of = lane_of
        self._on_tenure = on_tenure
        self._is_ours = is_ours
        self._admitted = admitted
        self._owner = Owner(bus, name=durable, barred=barred, sharing=sharing)
        self._is_waiting = False
        self._consumer: Consumer | None = None

    @property
    def ownership(self) -> Ownership:
        return self._owner.ownership

    def is_certain(self) -> bool:
        """Whether nobody else can be at work here now, so that what was read in the log is all that
        was done.
        """
        return self._owner.ownership.is_certain()

    def missing(self) -> str | None:
        """A readiness check; a bystander misses nothing, since the owner works, and nor does who
        waits for an owner of older days to end.
        """
        if self._owner.ownership.stands_by or self._is_waiting:
            return None
        if self._consumer is None:
            return f"the lease of {self._durable} is not taken yet"
        return self._consumer.missing()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        await self._owner.run(self._work, stop)

    async def _work(self, _ownership: Ownership, stop: asyncio.Event) -> None:
        if self._admitted is not None:
            self._is_waiting = True
            try:
                if not await self._admitted(stop):
                    return
            finally:
                self._is_waiting = False
        self._on_tenure()
        self._consumer = Consumer(
            self._bus,
            durable=self._durable,
            handler=self._handler,
            lane_of=self._lane_of,
            is_ours=self._is_ours,
            is_certain=self.is_certain,
        )
        try:
            await self._consumer.run(stop)
        finally:
            self._consumer = None
