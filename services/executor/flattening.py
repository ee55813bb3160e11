"""Closes what a halt with `flatten` says, once per halt and account: what is held is listed, the
list is stored, and an intent for each part of it goes the way of any other: lane, plan, fences,
trail.

A halt may stand for a week, with restarts in it, and somebody may open something by hand meanwhile.
So where the log has a list nothing is listed again; only intents of it that are missing are
published.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec
import structlog
from opentelemetry.trace import SpanKind

from libs.common.bus import Bus, LogUnavailable
from libs.common.clock import Clock
from libs.common.contracts import subjects
from libs.common.contracts.control import Control
from libs.common.contracts.flattening import Flattening
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial, Intent
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.route import Account
from libs.common.contracts.words import AccountId, AlertId, IntentId
from libs.common.describing import about
from libs.common.domain import identity
from libs.common.domain.flattening import FindInstrument, flatten_intents
from libs.common.domain.retrying import next_delay_s
from libs.common.halts import Halts
from libs.common.outcome import Retry
from libs.common.telemetry import alert_span
from libs.common.topology import RETENTION_S
from libs.common.watching import Watched
from services.executor.accounts import Accounts, Connected
from services.executor.exchange import QueryFailed
from services.executor.flat_lists import Lane, list_flattening
from services.executor.telling import Teller, split

_AT_ONCE = 16
"""Accounts that are asked side by side."""
_KNOWN_FOR = timedelta(seconds=RETENTION_S / 2)
"""A halt that is older may have been carried out: the log may have forgotten it."""
_log = structlog.get_logger()


class Flattener:
    """Of the accounts of one shard, while this process is their owner."""

    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        *,
        bus: Bus,
        accounts: Accounts,
        halts: Halts,
        contracts: Watched[Instrument],
        durable: str,
        shard_of: Callable[[AccountId], int | None],
        clock: Clock,
    ) -> None:
        """`durable` consumes the intents; `shard_of` is None of an account that is another's."""
        self._bus = bus
        self._accounts = accounts
        self._halts = halts
        self._contracts = contracts
        self._durable = durable
        self._shard_of = shard_of
        self._clock = clock
        self._teller = Teller(bus=bus, clock=clock)
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._begun: set[tuple[AlertId, AccountId]] = set()

    async def follow(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._halts.changed.clear()
                for control, account in self._due():
                    self._begun.add((control.halt_id, account))
                    group.create_task(self._flatten(control, account))
                await self._halts.changed.wait()

    def _due(self) -> list[tuple[Control, AccountId]]:
        return [
            (control, account)
            for control in self._halts.standing()
            if control.flatten
            for account in control.accounts
            if (control.halt_id, account) not in self._begun and self._shard_of(account) is not None
        ]

    async def _flatten(self, control: Control, account: AccountId) -> None:
        """Again and again until it is done, or resumed."""
        tried = 0
        while self._stands(control):
            try:
                async with self._at_once:
                    await self.carry_out(control, account)
            except (LogUnavailable, QueryFailed, Retry) as failure:
                if isinstance(failure, QueryFailed):
                    self._tell(control, account, failure.calls, what=f"not answered: {failure}")
                tried += 1
                delay_s = next_delay_s(tried)
                _log.warning("flatten.delayed", account=account, why=str(failure), delay_s=delay_s)
                await self._clock.sleep(delay_s)
            else:
                return

    def _stands(self, control: Control) -> bool:
        return any(one.halt_id == control.halt_id for one in self._halts.standing())

    async def carry_out(self, control: Control, account_id: AccountId) -> None:
        """Once, however often it is called. Raises `QueryFailed`, `LogUnavailable` or `Retry`."""
        account = self._accounts.settings.get(account_id)
        if account is None:
            return
        known = await self._stored(control, account_id)
        if known is not None:
            flattening, seq = known
            done = await self._published(flattening, after=seq)
            await self._publish(flattening, account=account, apart_from=done)
            return
        if self._clock.now() - control.at > _KNOWN_FOR:
            _log.warning("flatten.too_old", account=account_id, halted_at=control.at.isoformat())
            return
        connected = self._accounts.find(account_id)
        if isinstance(connected, Denial):
            raise Retry(connected.message)
        listed = await self._list(control, connected)
        if not self._stands(control):
            self._tell(control, account_id, listed.calls, what="asked, and resumed meanwhile")
            return
        older, latest = split(listed.calls)
        self._tell(control, account_id, older, what="asked for this list")
        listed = msgspec.structs.replace(listed, calls=latest)
        await self._store(listed)
        await self._publish(listed, account=account)

    def _tell(
        self, control: Control, account: AccountId, calls: Sequence[ExchangeCall], *, what: str
    ) -> None:
        self._teller.tell(calls, what=what, account=account, alert_id=control.halt_id)

    async def _stored(self, control: Control, account: AccountId) -> tuple[Flattening, int] | None:
        subject = subjects.intent_flattened(account)
        async for entry in self._bus.entries_after(subject=subject, seq=0):
            found = entry.message
            if isinstance(found, Flattening) and found.alert_id == control.halt_id:
                return found, entry.seq
        return None

    async def _list(self, control: Control, connected: Connected) -> Flattening:
        account = connected.account
        listed = await list_flattening(
            control,
            bus=self._bus,
            connected=connected,
            lane=Lane(subject=self._intents_of(account.account_id), durable=self._durable),
            find_instrument=self._finding(account),
            now=self._clock.now(),
        )
        prefix = subjects.instrument_prefix(account.base_url) + "."
        if listed.unlisted and not any(key.startswith(prefix) for key in self._contracts.values):
            raise Retry("the exchange's contracts were not read yet")
        return listed

    async def _store(self, listed: Flattening) -> None:
        with alert_span(
            listed.alert_id, "flatten", {}, about=about(listed), kind=SpanKind.INTERNAL
        ):
            stored = await self._bus.publish(
                subject=subjects.intent_flattened(listed.account),
                message=listed,
                event_id=identity.flattening_event_id(halt=listed.alert_id, account=listed.account),
            )
        if stored.duplicate:
            raise Retry("another process has made the list meanwhile: that one counts")
        _log.info(
            "intent.flattened",
            account=listed.account,
            route=listed.route,
            symbols=[lane.symbol for lane in listed.lanes],
            unlisted=list(listed.unlisted),
        )

    async def _published(self, flattening: Flattening, *, after: int) -> frozenset[IntentId]:
        """Which of a list's intents the log has."""
        account = flattening.account
        alerts = [each for lane in flattening.lanes for each in (lane.cancel, lane.close) if each]
        missing = {identity.intent_id(alert=alert, account=account) for alert in alerts}
        found: set[IntentId] = set()
        async for entry in self._bus.entries_after(subject=self._intents_of(account), seq=after):
            if isinstance(entry.message, Intent) and entry.message.intent_id in missing:
                found.add(entry.message.intent_id)
                if found == missing:
                    break
        return frozenset(found)

    async def _publish(
        self,
        flattening: Flattening,
        *,
        account: Account,
        apart_from: frozenset[IntentId] = frozenset(),
    ) -> None:
        shard = self._shard(flattening.account)
        for intent in flatten_intents(
            flattening, find_instrument=self._finding(account), now=self._clock.now()
        ):
            if intent.intent_id in apart_from:
                continue
            with alert_span(
                intent.alert_id, "flatten", {}, about=about(intent), kind=SpanKind.INTERNAL
            ):
                await self._bus.publish(
                    subject=subjects.intent_accepted(
                        shard=shard, account=intent.account, symbol=intent.symbol
                    ),
                    message=intent,
                    event_id=identity.intent_event_id(intent.intent_id),
                )

    def _finding(self, account: Account) -> FindInstrument:
        return lambda symbol: self._contracts.get(
            subjects.instrument_key(base_url=account.base_url, symbol=symbol)
        )

    def _intents_of(self, account: AccountId) -> str:
        return subjects.intents_of_account(shard=self._shard(account), account=account)

    def _shard(self, account: AccountId) -> int:
        shard = self._shard_of(account)
        assert shard is not None  # noqa: S101 - others are not due
        return shard
