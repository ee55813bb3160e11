"""Answers what an alert would come to, on each of its route's accounts, for whoever wants to know
before anything is sent. Any one router answers, also one that stands by: what changes by hand each
of them follows, and what was opened lately is read from the log.
"""

import asyncio

import msgspec

from libs.common.answering import Answers
from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.intent import Denial
from libs.common.contracts.questions import DecideAnswered, DecideAsked, Decided
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import RouteAccount
from libs.common.contracts.words import AccountId
from services.router.deciding import decide_intent
from services.router.handler import Accounts, Catalogues, Halted, account_unknown
from services.router.pace import Pace

QUEUE = "router"
AT_ONCE = 4
WITHIN_S = 4.0

_decode = msgspec.json.Decoder(DecideAsked).decode


class Questions:
    def __init__(
        self,
        *,
        bus: Bus,
        accounts: Accounts,
        catalogues: Catalogues,
        halts: Halted,
    ) -> None:
        self._bus = bus
        self._accounts = accounts
        self._catalogues = catalogues
        self._halts = halts
        self._answers = Answers(
            bus,
            subject=subjects.DECIDE_ASKED,
            queue=QUEUE,
            on_asked=self._on_asked,
            problem=lambda words: DecideAnswered(problem=words),
            at_once=AT_ONCE,
            within_s=WITHIN_S,
        )

    async def follow(self) -> None:
        """Until cancelled."""
        await self._answers.follow()

    async def answer(self, asked: DecideAsked) -> DecideAnswered:
        """In the order of the route's accounts."""
        found = await asyncio.gather(
            *(self._decide(asked, each) for each in asked.settings.accounts)
        )
        return DecideAnswered(accounts=tuple(found))

    async def _on_asked(self, _subject: str, payload: bytes) -> DecideAnswered:
        return await self.answer(_decode(payload))

    async def _decide(self, asked: DecideAsked, part: RouteAccount) -> Decided:
        account, route = AccountId(part.account), asked.alert.route
        known = self._accounts.get(account)
        if known is None:
            return Decided(account=account, denial=account_unknown(part, route=route))
        prefix = subjects.instrument_prefix(known.base_url)
        catalogue = self._catalogues().get(prefix, {})
        if not catalogue:
            return Decided(account=account, denial=_contracts_unknown(part))
        decided = decide_intent(
            asked.alert,
            route=asked.settings,
            account=part,
            catalogue=catalogue,
            now=asked.now,
            recent_openings=await self._recent(asked, account),
            halted=self._halts.denial(route=route, account=account),
        )
        if isinstance(decided, Denial):
            return Decided(account=account, denial=decided)
        return Decided(account=account, intent=decided)

    async def _recent(self, asked: DecideAsked, account: AccountId) -> int:
        if asked.settings.guards.orders_per_minute is None:
            return 0
        # A new one each time: the handler's must not be written to by the way, and that of a router
        # which stands by knows nothing of what another has decided.
        pace = Pace(bus=self._bus)
        return await pace.recent(asked.alert, account=account, seq=await self._bus.last_seq())


def _contracts_unknown(part: RouteAccount) -> Denial:
    return Denial(
        reason=Reason.CONTRACTS_UNKNOWN,
        message=(
            f"the contracts of account {part.account}'s exchange were not read yet; an alert would"
            " wait for them for half a minute"
        ),
        context={"account": part.account},
    )
