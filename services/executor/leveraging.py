"""Sets the leverage of contracts at the exchange before anything is traded there, off the way of
every order: only where nothing is held, open or under way, and slowly. An order carries its own
leverage all the same, so whatever goes wrong here is told once and costs no order
(docs/decisions/0012-leverage-beforehand.md).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import assert_never

import structlog

from libs.common.bus import Bus, LogUnavailable
from libs.common.clock import Clock
from libs.common.contracts import subjects
from libs.common.contracts.causes import PASSING_CAUSES, Cause
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import ExchangeCall, Plan
from libs.common.contracts.route import Account
from libs.common.contracts.words import AccountId
from libs.common.domain.leverages import Lane, SideLeverage, Wish, changes_due, obstacle
from libs.common.outcome import Retry
from libs.common.owning import Ownership
from libs.common.watching import Watched
from services.executor.accounts import Accounts, Connected
from services.executor.exchange import (
    BeforeSend,
    Done,
    NotSent,
    QueryFailed,
    RateLimited,
    Rejected,
    Told,
    Unknown,
)
from services.executor.leverage_attempts import Attempt, in_words
from services.executor.moved import Moved
from services.executor.resting import RestingOrders
from services.executor.route_terms import RouteTerms
from services.executor.settings import Timing
from services.executor.telling import Teller

_AT_ONCE = 4
"""Accounts that are looked at side by side: nothing here is in a hurry, and orders are."""
_READ_AT_ONCE = 4
"""Contracts of one account that are read in one look; the first that is set ends it."""
_OF_ACCOUNT = PASSING_CAUSES | {
    *(Cause.IP, Cause.KEY, Cause.PERMISSION, Cause.SIGNATURE, Cause.REGION),
}
"""Refusals that every other contract of the account would meet too."""
_Failure = Rejected | RateLimited | Unknown | NotSent
_NOW = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
_log = structlog.get_logger()


@dataclass(kw_only=True, slots=True)
class _Turn:
    """When something is tried next, and how that has gone."""

    due_at: datetime = _NOW
    failed: int = 0
    said: str = ""


@dataclass(kw_only=True, slots=True)
class _Lane(_Turn):
    wish: Wish
    account: Account
    before: str = ""
    """What it was set to when a change of ours has reached the exchange, until that is told."""


class _NotDone(Exception):  # noqa: N818 - says what happened
    """Nothing can be set on the account now, whatever the contract."""

    def __init__(self, event: str, why: str, *, code: int | None = None) -> None:
        super().__init__(why)
        self.event = event
        self.code = code


class LeverageSetter:
    """Of the accounts of one shard, while this process is their owner."""

    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        *,
        bus: Bus,
        accounts: Accounts,
        terms: RouteTerms,
        contracts: Watched[Instrument],
        resting: RestingOrders,
        moved: Moved,
        ownership: Ownership,
        shard_of: Callable[[AccountId], int | None],
        timing: Timing,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._accounts = accounts
        self._terms = terms
        self._contracts = contracts
        self._resting = resting
        self._moved = moved
        self._ownership = ownership
        self._shard_of = shard_of
        self._timing = timing
        self._clock = clock
        self._teller = Teller(bus=bus, clock=clock)
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._looking: dict[AccountId, asyncio.Task[None]] = {}
        self._turns: dict[AccountId, _Turn] = {}
        self._lanes: dict[Lane, _Lane] = {}
        self._restored: set[AccountId] = set()
        self._seen_version = -1
        self._seen_accounts: dict[str, Account] = {}

    async def follow(self) -> None:
        """Until cancelled."""
        await self._terms.routes.complete.wait()
        await self._resting.complete.wait()
        async with asyncio.TaskGroup() as group:
            while True:
                for account in self.due():
                    running = self._looking.get(account)
                    # An exchange that answers slowly keeps no other account waiting.
                    if running is None or running.done():
                        self._looking[account] = group.create_task(self.look(account))
                await self._clock.sleep(self._timing.leverage_look_s)

    def due(self) -> list[AccountId]:
        """The accounts that have something to be looked at now."""
        now = self._clock.now()
        version, accounts = self._terms.version, self._accounts.settings.values
        if version != self._seen_version or accounts != self._seen_accounts:
            self._seen_version, self._seen_accounts = version, dict(accounts)
            self._refresh()
        waiting = {account for (account, _), lane in self._lanes.items() if lane.due_at <= now}
        unread = self._turns.keys() - self._restored
        return [one for one in sorted(waiting | unread) if self._turns[one].due_at <= now]

    async def look(self, account: AccountId) -> None:
        """One look at one account. Raises nothing that is expected to go wrong."""
        turn = self._turns[account]
        connected = self._accounts.find(account)
        if isinstance(connected, Denial):
            # Told elsewhere, with each alert that wants it.
            self._after(turn, self._timing.leverage_retry_s)
            return
        async with self._at_once:
            try:
                await self._restore(connected)
                await self._look(account, connected)
            except (QueryFailed, LogUnavailable) as failure:
                self._say(turn, "leverage.delayed", str(failure), account=account)
            except _NotDone as failure:
                self._say(turn, failure.event, str(failure), account=account, code=failure.code)
            else:
                turn.failed, turn.said = 0, ""

    def _refresh(self) -> None:
        """Take over what is wanted now; what is wanted as before keeps its turn."""
        for account_id in self._terms.accounts():
            if account_id in self._seen_accounts and self._shard_of(account_id) is not None:
                self._turns.setdefault(account_id, _Turn())
        known, self._lanes = self._lanes, {}
        for (account_id, symbol), wish in self._terms.wishes().items():
            account = self._seen_accounts.get(account_id)
            if account is None or account_id not in self._turns:
                continue
            key = (account_id, symbol)
            lane = known.get(key)
            if lane is None or (lane.wish, lane.account) != (wish, account):
                if wish.disputed and (lane is None or lane.wish != wish):
                    _log.warning(
                        "leverage.disputed", account=account_id, symbol=symbol, why=wish.disputed
                    )
                lane = _Lane(wish=wish, account=account)
                self._turns[account_id].due_at = _NOW
            self._lanes[key] = lane

    async def _restore(self, connected: Connected) -> None:
        """Learn from the log who trades what is held, once: a process that has just begun knows of
        no alert yet.
        """
        account = connected.account.account_id
        if account in self._restored:
            return
        held = connected.book.held_symbols()
        if not connected.book.is_live:
            held = frozenset(symbol for symbol, _ in (await connected.exchange.positions()).value)
        for symbol in sorted(held):
            found = await self._bus.last(subjects.order_planned(account=account, symbol=symbol))
            if found is not None and isinstance(found.message, Plan):
                self._terms.know((account, symbol), route=found.message.route)
        self._restored.add(account)

    async def _look(self, account: AccountId, connected: Connected) -> None:
        now = self._clock.now()
        lanes = [(key, lane) for key, lane in self._lanes.items() if key[0] == account]
        due = [(key, lane) for key, lane in lanes if lane.due_at <= now]
        due.sort(key=lambda each: each[1].due_at)
        for key, lane in due[:_READ_AT_ONCE]:
            try:
                if await self._settle(key, lane, connected):
                    return
            except Retry:
                # Its lane has begun to work, or the lease was not confirmed.
                self._after(lane, self._timing.leverage_busy_s)
                return
            except _NotDone:
                # Another contract comes first next time: it may be this one alone.
                self._put_off(lane)
                raise
            except QueryFailed as failure:
                if failure.kind in _OF_ACCOUNT:
                    self._put_off(lane)
                    raise
                self._refused(key, lane, failure.message, code=failure.code)

    async def _settle(self, key: Lane, lane: _Lane, connected: Connected) -> bool:
        """Whether anything was sent that changes something."""
        terms = lane.wish.terms
        if terms is None:
            lane.due_at = _NEVER
            return False
        _, symbol = key
        instrument = self._contracts.get(
            subjects.instrument_key(base_url=connected.account.base_url, symbol=symbol)
        )
        why = obstacle(terms, instrument=instrument)
        if why is not None:
            self._refused(key, lane, why)
            return False
        if not self._is_quiet(key, connected):
            self._after(lane, self._timing.leverage_busy_s)
            return False
        entered = self._moved.entered(key)
        found = await connected.exchange.leverages(symbol)
        if not changes_due(terms, told=found.value):
            self._settled(key, lane, found.value)
            return False
        if not await self._is_flat(key, connected):
            self._after(lane, self._timing.leverage_busy_s)
            return False
        await self._set(key, lane, connected, found=found, entered=entered)
        return True

    async def _set(
        self,
        key: Lane,
        lane: _Lane,
        connected: Connected,
        *,
        found: Told[tuple[SideLeverage, ...]],
        entered: int,
    ) -> None:
        """Set what differs from what was found, and look whether it is shown."""
        terms = lane.wish.terms
        assert terms is not None  # noqa: S101 - the caller looked
        _, symbol = key
        attempt = Attempt(calls=[*found.calls])
        try:
            for change in changes_due(terms, told=found.value):
                guard = self._guarding(key, connected, entered=entered)
                changed = await connected.exchange.set_leverage(
                    change, symbol=symbol, before_send=guard
                )
                attempt.note(change, changed)
                if isinstance(changed, Done | Unknown):
                    lane.before = lane.before or in_words(found.value)
                if not isinstance(changed, Done):
                    self._not_done(key, lane, changed)
                    return
            shown = await connected.exchange.leverages(symbol)
            attempt.calls += shown.calls
        except QueryFailed as failure:
            attempt.calls += failure.calls
            raise
        finally:
            self._tell(key, attempt)
        if changes_due(terms, told=shown.value):
            self._refused(key, lane, f"taken, and then told as {in_words(shown.value)}")
        else:
            self._settled(key, lane, shown.value)

    def _tell(self, key: Lane, attempt: Attempt) -> None:
        if attempt.said:
            account, symbol = key
            self._teller.tell(
                attempt.calls, what="; ".join(attempt.said), account=account, symbol=symbol
            )

    def _is_quiet(self, key: Lane, connected: Connected) -> bool:
        """Whether nothing that this process knows of is held, open or under way."""
        account, symbol = key
        if self._moved.is_busy(key):
            return False
        if any(one.symbol == symbol for one in self._resting.of(account)):
            return False
        held = connected.book.holdings(symbol)
        # A picture that is not trusted says nothing; the exchange is asked before anything is set.
        return not held

    async def _is_flat(self, key: Lane, connected: Connected) -> bool:
        """What the exchange says to it: also of what was placed by hand."""
        account, symbol = key
        held = (await connected.exchange.holdings(symbol)).holdings
        if held or (await connected.exchange.pending(symbol)).value:
            return False
        return self._moved.is_shown(held, account=account, symbol=symbol, now=self._clock.now())

    def _guarding(self, key: Lane, connected: Connected, *, entered: int) -> BeforeSend:
        """The last look before the bytes leave, behind which nothing is waited for: it was signed
        before it, so that who is stopped right then has signed what the exchange finds too old.
        """

        def guard(_call: ExchangeCall) -> None:
            if self._ownership.age_s(self._clock.now()) > self._timing.claim_s:
                raise Retry("not set: nothing confirms that this process is still the owner")
            if self._moved.entered(key) != entered or not self._is_quiet(key, connected):
                raise Retry("not set: an alert is traded there")

        return guard

    def _settled(self, key: Lane, lane: _Lane, shown: tuple[SideLeverage, ...]) -> None:
        account, symbol = key
        if lane.before:
            _log.info(
                "leverage.set",
                account=account,
                symbol=symbol,
                wanted=str(lane.wish.terms),
                before=lane.before,
                now=in_words(shown),
            )
        lane.failed, lane.said, lane.before = 0, "", ""
        # Routes that differ move it with each order: to set it back each time would never end.
        lane.due_at = _NEVER
        if not lane.wish.disputed:
            self._after(lane, self._timing.leverage_check_s)

    def _not_done(self, key: Lane, lane: _Lane, changed: _Failure) -> None:
        """Raises `_NotDone` where other contracts of the account would fare no better."""
        match changed:
            case Rejected(kind=kind, message=said, code=code) if kind in _OF_ACCOUNT:
                raise _NotDone("leverage.refused", said, code=code)
            case Rejected(message=said, code=code):
                self._refused(key, lane, said, code=code)
            case RateLimited(message=said, code=code):
                raise _NotDone("leverage.delayed", said, code=code)
            case Unknown(why=why) | NotSent(why=why):
                # To set the same once more is harmless, and what came of it is read first.
                raise _NotDone("leverage.delayed", why)
            case _:
                assert_never(changed)

    def _refused(self, key: Lane, lane: _Lane, why: str, *, code: int | None = None) -> None:
        account, symbol = key
        wanted = str(lane.wish.terms)
        self._say(
            lane, "leverage.refused", why, account=account, symbol=symbol, wanted=wanted, code=code
        )

    def _say(self, turn: _Turn, event: str, why: str, **about: object) -> None:
        """Once, until something else is said."""
        delay_s = self._put_off(turn)
        if turn.said != why:
            turn.said = why
            _log.warning(event, why=why, retry_s=delay_s, **about)

    def _put_off(self, turn: _Turn) -> float:
        doubled = self._timing.leverage_retry_s * 2.0 ** min(turn.failed, 10)
        delay_s = min(doubled, self._timing.leverage_retry_largest_s)
        turn.failed += 1
        self._after(turn, delay_s)
        return delay_s

    def _after(self, turn: _Turn, seconds: float) -> None:
        turn.due_at = self._clock.now() + timedelta(seconds=seconds)
