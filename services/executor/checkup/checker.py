"""One checkup of one account, from the first question to the message of the log."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from libs.common.bus import Bus, LogUnavailable
from libs.common.clock import Clock
from libs.common.contracts import subjects
from libs.common.contracts.checkup import AccountChecked, CheckupReason
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Plan
from libs.common.contracts.route import Account
from libs.common.contracts.words import AccountId, AlertId, RouteId, VenueSymbol
from libs.common.domain.leverages import terms_of
from services.executor.accounts import Accounts, Connected
from services.executor.checkable import KeyInfo
from services.executor.checkup.addresses import OwnAddress, SeenAddress
from services.executor.checkup.gathering import Inquiry, Pacer, gather
from services.executor.checkup.judging import judge_checkup
from services.executor.checkup.judging_key import days_left
from services.executor.checkup.judging_way import (
    clock_offset_ms,
    expected_addresses,
    latencies,
)
from services.executor.checkup.observed import LaneSeen, Observed
from services.executor.checkup.probing import Prober
from services.executor.route_terms import RouteTerms

PINGS_ASKED = 20
PINGS_OTHERWISE = 5
CONTRACTS_MAX = 10
"""Of one account: three questions each."""
LANES_MAX = 20
ENDS_AFTER_S = 11.0
"""Somebody may be waiting for the answer, fifteen seconds at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    account: AccountId
    reason: CheckupReason
    alert_id: AlertId | None = None


class Checker:
    def __init__(
        self,
        *,
        bus: Bus,
        accounts: Accounts,
        terms: RouteTerms,
        own: OwnAddress,
        is_stopped: Callable[[AccountId], bool],
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._accounts = accounts
        self._terms = terms
        self._own = own
        self._is_stopped = is_stopped
        self._clock = clock
        self._prober = Prober(clock=clock)
        self._pacer = Pacer(clock=clock)
        self._traded: dict[AccountId, Mapping[VenueSymbol, RouteId]] = {}

    async def ready(self) -> None:
        """Until the routes were read."""
        await self._terms.routes.complete.wait()

    async def check(self, request: Request) -> AccountChecked | None:
        """None where there is no such account."""
        account = self._accounts.settings.get(request.account)
        if account is None:
            return None
        at = self._clock.now()
        seen = Observed(account=account, own=_as_seen(self._own))
        await self._lay_out(seen)
        found = self._accounts.find(request.account)
        if isinstance(found, Denial):
            seen.denial = found.message
        else:
            await self._gather(request, found, seen)
        p50, p99 = latencies(seen.pings) if seen.pings else (None, None)
        told = seen.key if isinstance(seen.key, KeyInfo) else None
        return AccountChecked(
            account=request.account,
            at=at,
            reason=request.reason,
            alert_id=request.alert_id,
            findings=judge_checkup(seen),
            addresses=seen.own.addresses,
            expected_addresses=expected_addresses(seen),
            linked_addresses=told.linked if told is not None else None,
            permissions=told.permissions if told is not None else None,
            key_days_left=days_left(seen),
            clock_offset_ms=clock_offset_ms(seen.pings),
            latency_p50_ms=p50,
            latency_p99_ms=p99,
            stopped=self._is_stopped(request.account),
            calls=tuple(sorted(seen.calls, key=lambda call: call.sent_at)),
        )

    async def _gather(self, request: Request, connected: Connected, seen: Observed) -> None:
        asked = request.reason is CheckupReason.ASKED
        inquiry = Inquiry(
            connected=connected,
            seen=seen,
            reason=request.reason,
            pings=PINGS_ASKED if asked else PINGS_OTHERWISE,
            prober=self._prober,
            pacer=self._pacer,
            clock=self._clock,
        )
        try:
            async with asyncio.timeout(ENDS_AFTER_S):
                await gather(inquiry)
        except TimeoutError:
            # What is missing is judged as such.
            return

    async def _lay_out(self, seen: Observed) -> None:
        """Which contracts of which routes there are to look at."""
        account = seen.account.account_id
        routes = self._terms.trading_on(account, known=await self._known(seen.account))
        lanes = [
            LaneSeen(route=RouteId(route.id), symbol=symbol, terms=terms_of(route))
            for route, symbols in routes
            for symbol in sorted(symbols)
        ]
        taken = list(dict.fromkeys(lane.symbol for lane in lanes))[:CONTRACTS_MAX]
        seen.lanes = [lane for lane in lanes if lane.symbol in taken][:LANES_MAX]
        seen.left_out = len(lanes) - len(seen.lanes)
        seen.idle_routes = tuple(RouteId(route.id) for route, symbols in routes if not symbols)

    async def _known(self, account: Account) -> Mapping[VenueSymbol, RouteId]:
        """Who has traded what on the account, as far back as the log goes: asked once, since what
        is traded from now on the routes' terms are told.
        """
        key = account.account_id
        if key not in self._traded:
            try:
                self._traded[key] = await traded_by(self._bus, key)
            except LogUnavailable:
                return {}
        return self._traded[key]


async def traded_by(bus: Bus, account: AccountId) -> dict[VenueSymbol, RouteId]:
    """Whose plan was the last of each contract. Raises `LogUnavailable`."""
    found = {}
    for subject in (await bus.subjects(subjects.orders_planned_on(account)))[:LANES_MAX]:
        entry = await bus.last(subject)
        if entry is not None and isinstance(entry.message, Plan):
            found[entry.message.symbol] = entry.message.route
    return found


def _as_seen(own: OwnAddress) -> SeenAddress:
    return SeenAddress(addresses=own.addresses, expected=own.expected, problem=own.problem)
