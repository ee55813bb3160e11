"""What is halted by hand, followed live."""

import msgspec

from libs.common.contracts import subjects
from libs.common.contracts.control import Control
from libs.common.contracts.intent import Denial
from libs.common.contracts.words import AccountId, RouteId
from libs.common.domain.halting import halted
from libs.common.watching import Watched


class Halts:
    def __init__(self) -> None:
        self.controls = Watched(
            bucket=subjects.BUCKET_CONTROLS,
            decode=msgspec.json.Decoder(Control).decode,
            on_change=None,
        )

    def denial(self, *, route: RouteId, account: AccountId) -> Denial | None:
        """Why nothing must be opened, where that is so."""
        return halted(self.controls.values, route=route, account=account)
