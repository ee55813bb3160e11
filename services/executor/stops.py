"""Accounts on which nothing is opened, since the exchange has refused our address for their key
(MEXC's 406). Each stops alone; what closes is still tried. The next signed call that the exchange
accepts lifts it, at the latest a question that is asked for that alone.

It is kept in memory: a process that begins does not know the stop, and learns it by its first call
(docs/decisions/0019-own-address-and-stopped-accounts.md).
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from libs.common.contracts.causes import Cause
from libs.common.contracts.intent import Denial
from libs.common.contracts.route import Account
from libs.common.contracts.words import AccountId, AlertId
from services.executor import metrics
from services.executor.accounts import Accounts, Connected
from services.executor.exchange import Heard, QueryFailed, Verdict
from services.executor.withholding import address_not_linked, address_unexpected

PROBE_S = 60.0
_AT_ONCE = 8
"""Accounts that are asked side by side: where our address has changed, all of them are stopped."""

_NOT_KNOWN_AS_OURS = frozenset({Cause.IP, Cause.KEY, Cause.SIGNATURE})
"""Refusals of who we are. 406 alone stops an account, since an address mends no other; yet each may
come of a proxy or gateway that we are not meant to leave by, so that our address is asked for."""

OnStop = Callable[[AccountId, AlertId | None], None]
"""Told of each stop, with the alert whose call was refused, where it was one's."""

_acting_for: ContextVar[AlertId | None] = ContextVar("acting_for", default=None)
_log = structlog.get_logger()


@contextlib.contextmanager
def acting_for(alert: AlertId) -> Iterator[None]:
    """What is sent inside is sent for this alert."""
    token = _acting_for.set(alert)
    try:
        yield
    finally:
        _acting_for.reset(token)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    since: datetime
    code: int
    said: str
    """The exchange's words."""
    addresses: tuple[str, ...]
    """Ours at that time, as echo services told them."""


@dataclass(kw_only=True, slots=True)
class _Line:
    """What is known of one client of an account; another key or setting makes another client."""

    refused_at: float = float("-inf")
    accepted_at: float = float("-inf")
    """When the last call had begun that was answered so."""


class Stops:
    def __init__(
        self,
        *,
        addresses: Callable[[], tuple[str, ...]] = tuple,
        on_refused: Callable[[], None] = lambda: None,
        on_stop: OnStop = lambda _account, _alert: None,
        probe_s: float = PROBE_S,
    ) -> None:
        """`addresses`: ours now; `on_refused`: called whenever our address, key or signature was
        refused.
        """
        self._addresses = addresses
        self._on_refused = on_refused
        self._on_stop = on_stop
        self._probe_s = probe_s
        self._stops: dict[AccountId, Stop] = {}
        self._lines: dict[AccountId, _Line] = {}
        self._wanted = asyncio.Event()

    def listening(self, account: AccountId) -> Heard:
        """Whom a new client of the account tells what it is answered; the one before is heard no
        more.
        """
        line = self._lines[account] = _Line()
        metrics.account_stopped.labels(account).set(account in self._stops)
        self.probe_soon()

        def heard(verdict: Verdict) -> None:
            if self._lines.get(account) is line:
                self._hear(account, line, verdict)

        return heard

    def of(self, account: AccountId) -> Stop | None:
        return self._stops.get(account)

    def denial(self, account: Account) -> Denial | None:
        """Why nothing must be opened on the account from where we are."""
        stop = self._stops.get(account.account_id)
        if stop is not None:
            return address_not_linked(
                account,
                code=stop.code,
                said=stop.said,
                since=stop.since,
                addresses=stop.addresses,
            )
        if not account.expected_addresses:
            return None
        return address_unexpected(account, seen=self._addresses())

    def probe_soon(self) -> None:
        """Ask for the stopped accounts now: something that may have mended it has changed."""
        if self._stops:
            self._wanted.set()

    async def watch(self, accounts: Accounts) -> None:
        """Ask for the stopped accounts until cancelled."""
        while True:
            self._wanted.clear()
            await self.probe(accounts)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._probe_s):
                    await self._wanted.wait()

    async def probe(self, accounts: Accounts) -> None:
        """Once. What is answered is heard as any other call's."""
        for account in [one for one in self._lines if accounts.settings.get(one) is None]:
            self._forget(account)
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def ask(connected: Connected) -> None:
            async with at_once:
                with contextlib.suppress(QueryFailed):
                    await connected.exchange.position_mode()

        async with asyncio.TaskGroup() as group:
            for account in list(self._stops):
                found = accounts.find(account)
                if isinstance(found, Connected):
                    group.create_task(ask(found))

    def _hear(self, account: AccountId, line: _Line, verdict: Verdict) -> None:
        # Answers overtake each other: of two calls the one that began later tells how it is now.
        if verdict.refused is None:
            line.accepted_at = max(line.accepted_at, verdict.begun_at)
            if account in self._stops and line.accepted_at > line.refused_at:
                self._resume(account)
            return
        if verdict.refused is Cause.IP:
            line.refused_at = max(line.refused_at, verdict.begun_at)
            if account not in self._stops and line.refused_at > line.accepted_at:
                self._stop(account, verdict)
        if verdict.refused in _NOT_KNOWN_AS_OURS:
            self._on_refused()

    def _stop(self, account: AccountId, verdict: Verdict) -> None:
        stop = self._stops[account] = Stop(
            since=datetime.now(UTC),
            code=verdict.code,
            said=verdict.message,
            addresses=self._addresses(),
        )
        metrics.account_stopped.labels(account).set(1)
        _log.warning(
            "account.stopped",
            account=account,
            code=stop.code,
            said=stop.said,
            addresses=list(stop.addresses),
        )
        self._on_stop(account, _acting_for.get())

    def _resume(self, account: AccountId) -> None:
        stop = self._stops.pop(account)
        metrics.account_stopped.labels(account).set(0)
        lasted_s = (datetime.now(UTC) - stop.since).total_seconds()
        _log.info("account.resumed", account=account, stopped_s=round(lasted_s, 1))

    def _forget(self, account: AccountId) -> None:
        """The account is gone."""
        del self._lines[account]
        self._stops.pop(account, None)
        metrics.account_stopped.remove(account)
