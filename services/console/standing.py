"""What is halted now, followed live, so that every page can tell it without asking the log."""

import asyncio

import msgspec

from libs.common import metrics
from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.control import Control
from libs.common.contracts.words import AlertId
from libs.common.watching import Watched

_SEEN_WITHIN_S = 1.0


class Standing:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._changed = asyncio.Event()
        self._controls = Watched(
            bucket=subjects.BUCKET_CONTROLS,
            decode=msgspec.json.Decoder(Control).decode,
            on_change=self._tell,
        )
        self._metric = metrics.halts.labels(bus.service)

    async def follow(self) -> None:
        """Until cancelled."""
        await self._controls.follow(self._bus)

    def missing(self) -> str | None:
        """A readiness check."""
        return self._controls.missing()

    def now(self) -> list[Control] | None:
        """Sorted, everything first; None while the log is away: then nobody knows."""
        if not self._controls.complete.is_set() or not self._bus.client.is_connected:
            return None
        return sorted(
            self._controls.values.values(), key=lambda one: (one.scope.value, one.id or "")
        )

    async def seen(self, key: str, halt_id: AlertId | None) -> None:
        """Wait until a halt that was just written (None: taken back) is known here, too, so that
        whoever did it is shown it; but not for long.
        """
        try:
            async with asyncio.timeout(_SEEN_WITHIN_S):
                while self._halt_id(key) != halt_id:
                    await self._changed.wait()
        except TimeoutError:
            # The page asks again within a second.
            return

    def _halt_id(self, key: str) -> AlertId | None:
        standing = self._controls.get(key)
        return None if standing is None else standing.halt_id

    def _tell(self) -> None:
        self._metric.set(len(self._controls.values))
        self._changed.set()
        self._changed = asyncio.Event()
