"""Answers what an account holds now: of the accounts of one shard, while this process is their
owner. Nothing that trades waits for any of it, and no answer waits for an exchange that is slow.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from libs.common.asking import answer, answering
from libs.common.bus import Bus
from libs.common.clock import Clock
from libs.common.contracts import codec, subjects
from libs.common.contracts.account_picture import AccountPicture, StopSeen
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial
from libs.common.contracts.route import Account
from libs.common.contracts.words import AccountId, VenueSymbol
from libs.common.watching import Watched
from services.executor.accounts import Accounts, Connected
from services.executor.checkup.addresses import OwnAddress
from services.executor.resting import RestingOrders
from services.executor.viewing.asked import Asked
from services.executor.viewing.asking import AGAIN_S, Inquirer
from services.executor.viewing.composing import Budgeted, Known, compose, unconnected
from services.executor.viewing.egress import egress_of
from services.executor.viewing.marks import MarkPrices

PATIENCE_S = 1.5
"""How long an answer waits for the exchange before it tells what is known without it."""
_BUGS = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError)

_log = structlog.get_logger()


class AccountPictures:
    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        *,
        bus: Bus,
        accounts: Accounts,
        contracts: Watched[Instrument],
        resting: RestingOrders,
        shard_of: Callable[[AccountId], int | None],
        own: OwnAddress,
        refused_from_here: Callable[[Account], Denial | None],
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`contracts`: the catalogue; `monotonic`: the clock of the books."""
        self._bus = bus
        self._accounts = accounts
        self._contracts = contracts
        self._resting = resting
        self._shard_of = shard_of
        self._own = own
        self._refused_from_here = refused_from_here
        self._clock = clock
        self._monotonic = monotonic
        self._patience_s = patience_s
        self._marks = MarkPrices(again_s=AGAIN_S, clock=monotonic)
        self._inquirer = Inquirer(bus=bus, marks=self._marks, clock=monotonic)
        self._questions: asyncio.Queue[tuple[AccountId, str]] = asyncio.Queue()
        self._waiting: dict[AccountId, list[str]] = {}
        """Who waits for an answer that is being made."""

    async def follow(self) -> None:
        """Until cancelled."""
        async with (
            answering(self._bus, subjects.PICTURES_ASKED, self._note),
            asyncio.TaskGroup() as group,
        ):
            while True:
                account, reply = await self._questions.get()
                if self._shard_of(account) is None:
                    continue
                waiting = self._waiting.setdefault(account, [])
                waiting.append(reply)
                if len(waiting) == 1:
                    group.create_task(self._answer(account, group))

    async def picture(
        self, account_id: AccountId, group: asyncio.TaskGroup
    ) -> AccountPicture | None:
        """None where there is no such account. Refreshes go on in `group`."""
        account = self._accounts.settings.get(account_id)
        if account is None:
            self._inquirer.forget(account_id)
            return None
        found = self._accounts.find(account_id)
        if isinstance(found, Denial):
            self._inquirer.forget(account_id)
            return unconnected(
                account,
                at=self._clock.now(),
                stop=_stop(found),
                egress=egress_of(account, self._own),
            )
        asked = await self._inquirer.look(found, group, within_s=self._patience_s)
        return compose(self._known(found, asked))

    def _note(self, subject: str, reply: str, _payload: bytes) -> None:
        self._questions.put_nowait((AccountId(subjects.parse(subject).keys[0]), reply))

    async def _answer(self, account: AccountId, group: asyncio.TaskGroup) -> None:
        payload = b""
        try:
            picture = await self.picture(account, group)
            payload = codec.encode(picture) if picture is not None else b""
        except _BUGS:
            _log.exception("account_picture.failed", account=account)
        for reply in self._waiting.pop(account):
            answer(self._bus, reply, payload)

    def _known(self, connected: Connected, asked: Asked) -> Known:
        account, book, budget = connected.account, connected.book, connected.budget
        denial, now = self._refused_from_here(account), self._monotonic()
        marks = self._marks.of(account.base_url)
        shown = book.shown
        symbols = {symbol for symbol, _ in shown}
        symbols |= {one.symbol for one in asked.positions.value or ()}
        never = float("-inf")
        return Known(
            account=account,
            at=self._clock.now(),
            now=now,
            asked=asked,
            marks=marks,
            doubted=book.doubted(),
            shown=shown,
            told_at=book.told_at,
            confirmed_at=never if book.told_at == never else now - book.confirmed_s_ago,
            position_mode=book.position_mode,
            instruments={
                symbol: found
                for symbol in symbols
                if (found := self._instrument(account, symbol)) is not None
            },
            resting=self._resting.of(account.account_id),
            stops=() if denial is None else (_stop(denial),),
            egress=egress_of(account, self._own),
            budget=Budgeted(left=budget.left, waiting=budget.waiting),
        )

    def _instrument(self, account: Account, symbol: VenueSymbol) -> Instrument | None:
        key = subjects.instrument_key(base_url=account.base_url, symbol=symbol)
        return self._contracts.get(key)


def _stop(denial: Denial) -> StopSeen:
    since, code = denial.context.get("since"), denial.context.get("code")
    return StopSeen(
        reason=denial.reason,
        message=denial.message,
        since=datetime.fromisoformat(since).astimezone(UTC) if since else None,
        code=int(code) if code else None,
    )
