"""Handles one alert: gathers the route and the catalogue, decides for each account, publishes.
What goes wrong for one account keeps no other from its intent.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from libs.common.bus import Bus, LogUnavailable
from libs.common.clock import Clock
from libs.common.consuming import Delivery
from libs.common.contracts import subjects
from libs.common.contracts.alert import Alert
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial, Intent, IntentDenied
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Account, Route, RouteAccount
from libs.common.contracts.words import AccountId, RouteId, VenueSymbol
from libs.common.domain import identity
from libs.common.metrics import Latency, denied, stage_seconds
from libs.common.outcome import Refuse, Retry
from libs.common.telemetry import failed
from libs.common.watching import Watched
from services.router.deciding import decide_intent
from services.router.decisions import Decisions
from services.router.pace import Pace

# The console may have made a route, and ingest may know it, a moment before this process does.
_ROUTE_GRACE_S = 2.0
# So long the executor may take to read the contracts of an exchange that is new, or was away.
_CATALOGUE_GRACE_S = 30.0

_routed_in = Latency(stage_seconds.labels("routed"))

Accounts = Watched[Account]
Catalogues = Callable[[], Mapping[str, Mapping[VenueSymbol, Instrument]]]
"""Contracts by the exchange's prefix and symbol."""

_log = structlog.get_logger()


def lane_of(message: AnyMessage) -> str:
    """Alerts of one route keep their order; routes do not wait for each other."""
    return getattr(message, "route", "")


class Halted(Protocol):
    """What is halted by hand."""

    def denial(self, *, route: RouteId, account: AccountId) -> Denial | None: ...


class Router:
    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        *,
        bus: Bus,
        routes: Watched[Route],
        accounts: Accounts,
        catalogues: Catalogues,
        halts: Halted,
        shards: int,
        clock: Clock,
        is_owner: Callable[[], bool],
    ) -> None:
        """`is_owner`: whether it is certain that nobody else decides the same alerts now."""
        self._bus = bus
        self._routes = routes
        self._accounts = accounts
        self._catalogues = catalogues
        self._halts = halts
        self._shards = shards
        self._clock = clock
        self._is_owner = is_owner
        self.begin()

    def begin(self) -> None:
        """A tenure: openings are counted by the log again, where another router's stand too."""
        self._pace = Pace(bus=self._bus)
        self._decisions = Decisions(self._bus)

    async def handle(self, delivery: Delivery) -> None:
        alert = delivery.message
        if not isinstance(alert, Alert):
            raise Refuse(f"a {type(alert).__name__} is no alert")
        route = self._routes.get(alert.route)
        if route is None:
            if delivery.fresh or not await self._touched(alert, after=delivery.origin_seq):
                await self._without_route(alert)
            return
        outcomes = await asyncio.gather(
            *(self._serve(alert, route, account, delivery) for account in route.settings.accounts),
            return_exceptions=True,
        )
        failure = _gravest([each for each in outcomes if isinstance(each, BaseException)])
        if failure is not None:
            raise failure

    async def _serve(
        self, alert: Alert, route: Route, account: RouteAccount, delivery: Delivery
    ) -> None:
        if not delivery.fresh:
            decided = await self._decisions.find(
                alert=alert.alert_id,
                route=alert.route,
                account=AccountId(account.account),
                after=delivery.origin_seq,
            )
            if decided is not None:
                if isinstance(decided, Intent):
                    self._pace.note(decided)
                return
        decision = await self._decide(alert, route, account, seq=delivery.seq)
        await self._publish(alert, account, decision)
        if isinstance(decision, Intent):
            self._pace.note(decision)

    async def _decide(
        self, alert: Alert, route: Route, account: RouteAccount, *, seq: int
    ) -> Intent | Denial:
        known = self._accounts.get(account.account)
        if known is None:
            return account_unknown(account, route=route.id)
        catalogue = self._catalogue(known.base_url)
        now = self._clock.now()
        if not catalogue:
            return _without_contracts(account, age_s=(now - alert.at).total_seconds())
        recent = 0
        if route.settings.guards.orders_per_minute is not None:
            recent = await self._pace.recent(alert, account=known.account_id, seq=seq)
        return decide_intent(
            alert,
            route=route.settings,
            account=account,
            catalogue=catalogue,
            now=now,
            recent_openings=recent,
            halted=self._halts.denial(route=route.id, account=known.account_id),
        )

    def _catalogue(self, base_url: str) -> Mapping[VenueSymbol, Instrument]:
        return self._catalogues().get(subjects.instrument_prefix(base_url), {})

    async def _publish(
        self, alert: Alert, account: RouteAccount | None, decided: Intent | Denial
    ) -> None:
        # A process that slept since it looked into the log finds there what another has decided.
        if not self._is_owner():
            raise LogUnavailable("the lease was not confirmed lately")
        if isinstance(decided, Intent):
            await self._bus.publish(
                subject=subjects.intent_accepted(
                    shard=subjects.shard_of(decided.account, shards=self._shards),
                    account=decided.account,
                    symbol=decided.symbol,
                ),
                message=decided,
                event_id=identity.intent_event_id(decided.intent_id),
            )
            took_s = (self._clock.now() - alert.at).total_seconds()
            _routed_in.observe(took_s, alert.alert_id)
            _log.info(
                "intent.accepted",
                route=alert.route,
                account=decided.account,
                symbol=decided.symbol,
                action=decided.action,
                contracts=str(decided.contracts),
                opening_denied=decided.opening_denied.reason if decided.opening_denied else None,
            )
            return
        account_id = AccountId(account.account) if account else None
        await self._bus.publish(
            subject=subjects.intent_denied(alert.route),
            message=IntentDenied(
                alert_id=alert.alert_id,
                route=alert.route,
                at=self._clock.now(),
                denial=decided,
                account=account_id,
            ),
            event_id=identity.denial_event_id(alert=alert.alert_id, account=account_id),
        )
        denied.labels(self._bus.service, decided.reason.value).inc()
        failed(decided.reason.value, decided.message)
        _log.info(
            "intent.denied", route=alert.route, account=account_id, reason=decided.reason.value
        )

    async def _without_route(self, alert: Alert) -> None:
        age_s = (self._clock.now() - alert.at).total_seconds()
        if age_s < _ROUTE_GRACE_S:
            raise Retry(f"route {alert.route} is not known here yet", delay_s=0.2)
        denial = Denial(
            reason=Reason.ROUTE_UNKNOWN,
            message=f"route {alert.route} no longer exists",
            context={"route": alert.route},
        )
        await self._publish(alert, None, denial)

    async def _touched(self, alert: Alert, *, after: int) -> bool:
        """Whether anything was decided about it while its route was still there."""
        for subject in (subjects.intent_denied(alert.route), subjects.INTENTS_ACCEPTED):
            async for entry in self._bus.entries_after(subject=subject, seq=after):
                if entry.message.alert_id == alert.alert_id:
                    return True
        return False


def account_unknown(account: RouteAccount, *, route: RouteId) -> Denial:
    return Denial(
        reason=Reason.ACCOUNT_UNKNOWN,
        message=f"route {route} names account {account.account}, which does not exist",
        context={"account": account.account},
    )


def _without_contracts(account: RouteAccount, *, age_s: float) -> Denial:
    if age_s < _CATALOGUE_GRACE_S:
        raise Retry("the exchange's contracts were not read yet", delay_s=0.5)
    return Denial(
        reason=Reason.CONTRACTS_UNKNOWN,
        message=(
            f"the contracts of account {account.account}'s exchange were not read within"
            f" {_CATALOGUE_GRACE_S:.0f} s of the alert"
        ),
        context={"account": account.account, "age_s": f"{age_s:.1f}"},
    )


def _gravest(failures: list[BaseException]) -> BaseException | None:
    """Of several accounts' failures the one that leaves the others most time to be mended: a log
    that is away costs no try, and a bug of ours is buried after a few.
    """
    for kind in (LogUnavailable, Retry, BaseException):
        for failure in failures:
            if isinstance(failure, kind):
                return failure
    return None
