"""Answers what would be planned for an intent right now, for whoever wants to know before anything
is sent: by the looks and rules of a real plan, with the account's live picture. Nothing is stored,
sent, set or remembered, no lane is held, and no call of the order budget is spent. Of the accounts
of one shard, while this process is their owner.
"""

from collections import Counter
from collections.abc import Callable

import msgspec

from libs.common.answering import BUSY, Answers
from libs.common.bus import Bus
from libs.common.clock import Clock
from libs.common.contracts import subjects
from libs.common.contracts.intent import Denial
from libs.common.contracts.questions import (
    PictureSeen,
    PlanAnswered,
    PlanAsked,
    PricesSeen,
    Proposal,
)
from libs.common.contracts.words import AccountId, VenueSymbol
from libs.common.domain.planning import plan_orders
from services.executor.accounts import Accounts, Connected
from services.executor.exchange import QueryFailed
from services.executor.gathering import Gathered
from services.executor.moved import Moved
from services.executor.proposing import Proposer

AT_ONCE = 4
"""Each may ask the exchange five things, and MEXC grants twenty of most in two seconds."""
OF_ONE_ACCOUNT = 2
WITHIN_S = 4.0
"""A picture that orders of a moment ago must show is waited for up to a second, and the exchange
has its own time to answer."""

_decode = msgspec.json.Decoder(PlanAsked).decode


class Inquiries:
    def __init__(
        self,
        *,
        bus: Bus,
        accounts: Accounts,
        proposer: Proposer,
        moved: Moved,
        shard_of: Callable[[AccountId], int | None],
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._proposer = proposer
        self._moved = moved
        self._clock = clock
        self._asking: Counter[AccountId] = Counter()
        self._answers = Answers(
            bus,
            subject=subjects.PLANS_ASKED,
            on_asked=self._on_asked,
            problem=lambda words: PlanAnswered(problem=words),
            at_once=AT_ONCE,
            within_s=WITHIN_S,
            is_ours=lambda subject: shard_of(_account(subject)) is not None,
        )

    async def follow(self) -> None:
        """Until cancelled."""
        await self._answers.follow()

    async def answer(self, asked: PlanAsked) -> PlanAnswered:
        """What would be planned."""
        intent = asked.intent
        connected = self._accounts.find(intent.account)
        if isinstance(connected, Denial):
            return PlanAnswered(denial=connected)
        # As old as the router has found it: the question's own way makes no entry stale.
        permitted = self._proposer.permitted(intent, connected, now=intent.at)
        if isinstance(permitted, Denial):
            return PlanAnswered(denial=permitted)
        try:
            gathered = await self._proposer.gathered(permitted, connected, asked=[])
        except QueryFailed as failure:
            return self._unanswered(failure, connected)
        picture = self._seen(gathered, lane=(intent.account, intent.symbol))
        planned = plan_orders(permitted, gathered.picture)
        if isinstance(planned, Denial):
            return PlanAnswered(denial=planned, picture=picture)
        proposal = Proposal(
            legs=planned.legs,
            changes=planned.changes,
            withheld=planned.withheld,
            summary=planned.summary,
            steps=planned.steps,
        )
        return PlanAnswered(proposal=proposal, picture=picture)

    async def _on_asked(self, subject: str, payload: bytes) -> PlanAnswered:
        account = _account(subject)
        asked = _decode(payload)
        if asked.intent.account != account:
            return PlanAnswered(problem=f"the intent is for account {asked.intent.account}")
        if self._asking[account] >= OF_ONE_ACCOUNT:
            return PlanAnswered(problem=BUSY)
        self._asking[account] += 1
        try:
            return await self.answer(asked)
        finally:
            self._asking[account] -= 1

    def _unanswered(self, failure: QueryFailed, connected: Connected) -> PlanAnswered:
        if failure.retryable:
            return PlanAnswered(
                problem=f"the exchange does not tell what the plan needs: {failure}; for an alert"
                " it would be asked again"
            )
        return PlanAnswered(denial=self._proposer.refused(failure, connected.account))

    def _seen(self, gathered: Gathered, *, lane: tuple[AccountId, VenueSymbol]) -> PictureSeen:
        picture = gathered.picture
        prices = picture.prices
        return PictureSeen(
            at=self._clock.now(),
            live=gathered.live,
            position_mode=picture.position_mode,
            holdings=picture.holdings,
            prices=None
            if prices is None
            else PricesSeen(last=prices.last, mark=prices.mark, index=prices.index),
            equity=picture.equity,
            pending=picture.pending,
            protectives=picture.protectives,
            trails=picture.trails,
            busy=self._moved.is_busy(lane),
        )


def _account(subject: str) -> AccountId:
    return AccountId(subjects.parse(subject).keys[0])
