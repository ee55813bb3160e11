"""Handles one intent: reads what is held, plans, stores the plan, and takes its legs to the
exchange. A message that may have been handled before resumes the plan that the log holds.
"""

from datetime import timedelta

import structlog

from libs.common.bus import Bus
from libs.common.clock import Clock
from libs.common.consuming import Delivery
from libs.common.contracts import subjects
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.intent import Denial, Intent, IntentDenied
from libs.common.contracts.order import Plan
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, ExecutionKind
from libs.common.domain import identity
from libs.common.domain.planning import plan_orders
from libs.common.outcome import Refuse, Retry
from services.executor.accounts import Accounts, Connected
from services.executor.exchange import QueryFailed
from services.executor.journal import NOTHING, History, read_history
from services.executor.legs import LegEnd, LegRunner
from services.executor.recording import Recorder
from services.executor.settings import Timing

_ENTRIES = frozenset({Action.BUY, Action.SELL})
_log = structlog.get_logger()


def lane_of(message: AnyMessage) -> str:
    """One account's orders on one symbol keep their order; lanes do not wait for each other."""
    if isinstance(message, Intent):
        return f"{message.account} {message.symbol}"
    return ""


class Executor:
    def __init__(self, *, bus: Bus, accounts: Accounts, timing: Timing, clock: Clock) -> None:
        self._bus = bus
        self._accounts = accounts
        self._timing = timing
        self._clock = clock

    async def handle(self, delivery: Delivery) -> None:
        intent = delivery.message
        if not isinstance(intent, Intent):
            raise Refuse(f"a {type(intent).__name__} is no intent")
        history = NOTHING
        if not delivery.fresh:
            history = await read_history(self._bus, intent, after=delivery.seq)
        if history.denied:
            return
        connected = self._accounts.find(intent.account)
        if isinstance(connected, Denial):
            await self._deny(intent, connected)
            return
        resumed = history.plan is not None
        if history.plan is None:
            decided = await self._plan(intent, connected)
            if isinstance(decided, Denial):
                await self._deny(intent, decided)
                return
            stored = await self._store(decided)
            if not stored:
                # Somebody else made the plan meanwhile: theirs counts, and may be under way.
                history = await read_history(self._bus, intent, after=delivery.seq)
                resumed = True
            else:
                history = History(plan=decided)
        if history.plan is None:
            raise Retry("the log holds a plan for this intent and does not show it yet")
        await self._carry_out(intent, connected, history=history, resumed=resumed)

    async def _plan(self, intent: Intent, connected: Connected) -> Plan | Denial:
        age_s = (self._clock.now() - intent.received_at).total_seconds()
        if intent.action in _ENTRIES and age_s > intent.max_age_s:
            return Denial(
                reason=Reason.STALE,
                message=f"the entry is {age_s:.1f} s old; max_age_s is {intent.max_age_s}",
                context={"age_s": f"{age_s:.1f}", "max_age_s": str(intent.max_age_s)},
            )
        try:
            held = await connected.exchange.holdings(intent.symbol)
        except QueryFailed as failure:
            if failure.retryable:
                raise Retry(str(failure), delay_s=self._timing.refused_again_s) from failure
            return _query_refused(failure)
        planned = plan_orders(
            intent, holdings=held.holdings, position_mode=connected.account.position_mode
        )
        if isinstance(planned, Denial):
            return planned
        return Plan(
            intent_id=intent.intent_id,
            alert_id=intent.alert_id,
            route=intent.route,
            account=intent.account,
            symbol=intent.symbol,
            at=self._clock.now(),
            holdings=held.holdings,
            legs=planned.legs,
            summary=planned.summary,
            calls=held.calls,
        )

    async def _store(self, plan: Plan) -> bool:
        """True where this plan is the one that the log holds."""
        stored = await self._bus.publish(
            subject=subjects.order_planned(account=plan.account, symbol=plan.symbol),
            message=plan,
            event_id=identity.plan_event_id(plan.intent_id),
        )
        if not stored.duplicate:
            _log.info(
                "order.planned",
                route=plan.route,
                account=plan.account,
                symbol=plan.symbol,
                legs=len(plan.legs),
                summary=plan.summary,
            )
        return not stored.duplicate

    async def _carry_out(
        self, intent: Intent, connected: Connected, *, history: History, resumed: bool
    ) -> None:
        plan = history.plan
        assert plan is not None  # noqa: S101 - the caller looked
        runner = LegRunner(
            plan=plan,
            connected=connected,
            recorder=Recorder(bus=self._bus, plan=plan, clock=self._clock),
            timing=self._timing,
            clock=self._clock,
            open_until=intent.received_at + timedelta(seconds=intent.max_age_s),
        )
        # Whoever made a resumed plan may have signed its next request until this very moment.
        maybe_sent_until = self._clock.now() if resumed else None
        for leg in plan.legs:
            ending = history.ending(leg)
            if ending is ExecutionKind.FILLED:
                continue
            if ending is not None:
                return
            end = await runner.run(leg, maybe_sent_until=maybe_sent_until)
            if end is not LegEnd.FILLED:
                return

    async def _deny(self, intent: Intent, denial: Denial) -> None:
        await self._bus.publish(
            subject=subjects.intent_denied(intent.route),
            message=IntentDenied(
                alert_id=intent.alert_id,
                route=intent.route,
                at=self._clock.now(),
                denial=denial,
                account=intent.account,
                symbol=intent.symbol,
                intent_id=intent.intent_id,
            ),
            event_id=identity.denial_event_id(alert=intent.alert_id, account=intent.account),
        )
        _log.info(
            "intent.denied",
            route=intent.route,
            account=intent.account,
            symbol=intent.symbol,
            reason=denial.reason.value,
        )


def _query_refused(failure: QueryFailed) -> Denial:
    return Denial(
        reason=Reason.EXCHANGE_REFUSED_QUERY,
        message=f"the exchange refused to tell the position: {failure.message}",
        context={
            "code": str(failure.code),
            "cause": failure.kind.value,
            "path": failure.call.path,
            "response": failure.call.response_body[:1000],
        },
    )
