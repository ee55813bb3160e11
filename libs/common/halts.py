"""What is halted by hand, followed live: a halt holds within a second of its being written."""

import asyncio

import msgspec

from libs.common import metrics
from libs.common.contracts import subjects
from libs.common.contracts.control import Control
from libs.common.contracts.intent import Denial
from libs.common.contracts.words import AccountId, RouteId
from libs.common.domain.halting import halted
from libs.common.watching import Watched


class Halts:
    def __init__(self, *, service: str) -> None:
        self.changed = asyncio.Event()
        """Set when something was halted or resumed; whoever waits for it clears it."""
        self.controls = Watched(
            bucket=subjects.BUCKET_CONTROLS,
            decode=msgspec.json.Decoder(Control).decode,
            on_change=self._tell,
        )
        self._metric = metrics.halts.labels(service)

    def denial(self, *, route: RouteId, account: AccountId) -> Denial | None:
        """Why nothing must be opened, where that is so."""
        return halted(self.controls.values, route=route, account=account)

    def standing(self) -> list[Control]:
        """What is halted now."""
        return list(self.controls.values.values())

    def _tell(self) -> None:
        self._metric.set(len(self.controls.values))
        self.changed.set()
