"""What an intent comes to on an account right now: whether anything may be opened, and the picture
that a plan is made from. It only looks; whoever carries the plan out remembers what was seen.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from libs.common.clock import Clock
from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.route import Account
from libs.common.owning import Ownership
from services.executor.accounts import Connected
from services.executor.exchange import QueryFailed
from services.executor.gathering import Gathered, gather_picture
from services.executor.moved import Moved
from services.executor.resting import RestingOrders
from services.executor.settings import Timing
from services.executor.withholding import (
    ENTRIES,
    Halted,
    may_close,
    position_mode_differs,
    query_refused,
    stale,
)


class Proposer:
    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        *,
        resting: RestingOrders,
        moved: Moved,
        halts: Halted,
        ownership: Ownership,
        timing: Timing,
        clock: Clock,
        refused_from_here: Callable[[Account], Denial | None],
    ) -> None:
        """`refused_from_here`: why nothing must be opened on an account from our address, if so."""
        self._resting = resting
        self._moved = moved
        self._halts = halts
        self._ownership = ownership
        self._timing = timing
        self._clock = clock
        self._refused_from_here = refused_from_here

    def permitted(self, intent: Intent, connected: Connected, *, now: datetime) -> Intent | Denial:
        """The intent as it may be planned: with the reason why it must open nothing, where there is
        one; a denial where it could do nothing but open.
        """
        withheld = self._withheld(intent, connected, now=now)
        if withheld is None:
            return intent
        if not may_close(intent):
            return withheld
        denied = intent.opening_denied or withheld
        return msgspec.structs.replace(intent, opening_denied=denied)

    def not_to_open(self, intent: Intent, account: Account) -> Denial | None:
        """Why an opening order that waited must not leave any more."""
        return (
            stale(intent, now=self._clock.now())
            or self._halted(intent)
            or self._not_from_here(intent, account)
        )

    async def gathered(
        self, intent: Intent, connected: Connected, *, asked: list[ExchangeCall]
    ) -> Gathered:
        """Adds to `asked` what was asked of the exchange for it; raises `QueryFailed`."""
        lane, book = (intent.account, intent.symbol), connected.book
        live_looks = 0
        while True:
            # What was pushed while the process was stopped is not read yet when it wakes, and what
            # another owner has done was perhaps not pushed here.
            awake = self._ownership.age_s(self._clock.now()) <= self._timing.claim_s
            ours = book.is_corrected_since(self._ownership.monotonic_since)
            gathered = await gather_picture(
                intent,
                connected=connected,
                resting=self._resting,
                live=awake and ours and live_looks < self._timing.live_looks_max,
            )
            # A look at the live picture may have found the same pushes as the one before.
            asked += [call for call in gathered.calls if call not in asked]
            holdings = gathered.picture.holdings
            if gathered.live:
                if self._moved.is_expected(holdings, lane=lane):
                    return gathered
                live_looks += 1
                await book.positions.wait(intent.symbol, timeout_s=self._timing.shown_again_s)
            elif self._moved.is_shown(
                holdings, account=intent.account, symbol=intent.symbol, now=self._clock.now()
            ):
                return gathered
            else:
                await self._clock.sleep(self._timing.shown_again_s)

    def refused(self, failure: QueryFailed, account: Account) -> Denial:
        """Where the exchange will not tell what a plan needs."""
        return query_refused(failure, self._refused_from_here(account))

    def _withheld(self, intent: Intent, connected: Connected, *, now: datetime) -> Denial | None:
        """Why the intent must open nothing now."""
        expected = connected.account.position_mode
        told = connected.book.position_mode or expected
        return (
            stale(intent, now=now)
            or self._halted(intent)
            or position_mode_differs(intent, expected=expected, told=told)
            or self._not_from_here(intent, connected.account)
        )

    def _halted(self, intent: Intent) -> Denial | None:
        if intent.action not in ENTRIES:
            return None
        return self._halts.denial(route=intent.route, account=intent.account)

    def _not_from_here(self, intent: Intent, account: Account) -> Denial | None:
        return self._refused_from_here(account) if intent.action in ENTRIES else None
