"""Handles one intent: gathers the picture, plans, stores the plan, and has it carried out. A
message that may have been handled before resumes the plan that the log holds.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from libs.common.bus import Bus
from libs.common.clock import Clock
from libs.common.consuming import Delivery
from libs.common.contracts import subjects
from libs.common.contracts.causes import Cause
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.intent import Denial, Intent, IntentDenied
from libs.common.contracts.order import ExchangeCall, Plan
from libs.common.contracts.route import Account
from libs.common.domain import identity
from libs.common.domain.planning import plan_orders
from libs.common.metrics import Latency, denied, stage_seconds
from libs.common.outcome import Refuse, Retry
from libs.common.owning import Ownership
from libs.common.telemetry import failed, inner_span
from libs.common.topology import DUPLICATE_WINDOW_S
from services.executor.accounts import Accounts, Connected
from services.executor.asking import mend_clock
from services.executor.carrying import PlanRunner
from services.executor.changes import ChangeRunner
from services.executor.claiming import Claim, ReadExecutions
from services.executor.errands import Errand
from services.executor.exchange import QueryFailed
from services.executor.journal import NOTHING, History, read_executions, read_history
from services.executor.legs import LegRunner
from services.executor.moved import Moved
from services.executor.proposing import Proposer
from services.executor.recording import Recorder
from services.executor.resting import RestingOrders
from services.executor.settings import Timing
from services.executor.stops import acting_for
from services.executor.telling import Teller, split
from services.executor.withholding import ENTRIES, Denied, Halted

_NEW_FOR = timedelta(seconds=10)
"""What lay here for longer may have been handled by another process meanwhile."""
_REMEMBERED_FOR = timedelta(seconds=DUPLICATE_WINDOW_S / 2)
_planned_in = Latency(stage_seconds.labels("planned"))
_log = structlog.get_logger()


def lane_of(message: AnyMessage) -> str:
    """One account's orders on one symbol keep their order; lanes do not wait for each other."""
    if isinstance(message, Intent):
        return f"{message.account} {message.symbol}"
    return ""


class Executor:
    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        *,
        bus: Bus,
        accounts: Accounts,
        resting: RestingOrders,
        moved: Moved,
        halts: Halted,
        ownership: Ownership,
        timing: Timing,
        clock: Clock,
        on_done: Callable[[Intent], None] = lambda _intent: None,
        refused_from_here: Callable[[Account], Denial | None] = lambda _account: None,
    ) -> None:
        """`on_done` is told of each intent that was carried out, behind its last order;
        `refused_from_here`: why nothing must be opened on an account from our address, if so.
        """
        self._bus = bus
        self._on_done = on_done
        self._ownership = ownership
        self._accounts = accounts
        self._resting = resting
        self._timing = timing
        self._clock = clock
        self._moved = moved
        self._teller = Teller(bus=bus, clock=clock)
        # Questions about plans are answered by the same looks.
        self.proposer = Proposer(
            resting=resting,
            moved=moved,
            halts=halts,
            ownership=ownership,
            timing=timing,
            clock=clock,
            refused_from_here=refused_from_here,
        )

    async def handle(self, delivery: Delivery) -> None:
        intent = delivery.message
        if not isinstance(intent, Intent):
            raise Refuse(f"a {type(intent).__name__} is no intent")
        lane = (intent.account, intent.symbol)
        with self._moved.busy(lane), acting_for(intent.alert_id):
            await self._handle(intent, delivery)

    async def _handle(self, intent: Intent, delivery: Delivery) -> None:
        begun_at = self._clock.now()
        history = NOTHING
        if not (delivery.fresh and self._is_new(delivery, now=begun_at)):
            history = await read_history(self._bus, intent, after=delivery.origin_seq)
        if history.denied:
            return
        connected = self._accounts.find(intent.account)
        if isinstance(connected, Denial):
            await self._cannot_trade(intent, connected, history=history)
            return
        resumed = history.plan is not None
        if history.plan is None:
            decided = await self._decided(intent, connected)
            if self._clock.now() - begun_at > _REMEMBERED_FOR:
                self._tell(intent, decided.calls, what="asked, and too long ago to count")
                raise Retry("another may have planned it meanwhile, and the log have forgotten so")
            if isinstance(decided, Denied):
                await self._deny(intent, decided.denial, calls=decided.calls)
                return
            stored = await self._store(decided, routed_at=intent.at)
            if not stored:
                # Somebody else made the plan meanwhile: theirs counts, and may be under way.
                self._tell(intent, decided.calls, what="asked for a plan that another has made")
                history = await read_history(self._bus, intent, after=delivery.origin_seq)
                resumed = True
            else:
                history = History(plan=decided)
        if history.plan is None:
            raise Retry("the log holds a plan for this intent and does not show it yet")
        await self._carry_out(
            intent,
            connected,
            history=history,
            read=partial(read_executions, self._bus, intent, after=delivery.origin_seq),
            known_at=begun_at if resumed else history.plan.at,
            resumed=resumed,
        )
        self._on_done(intent)

    async def _cannot_trade(self, intent: Intent, why: Denial, *, history: History) -> None:
        if history.plan is None:
            await self._deny(intent, why)
        elif not history.is_finished:
            # An order of it may be at the exchange: that cannot be denied any more.
            raise Retry(why.message, delay_s=self._timing.poll_largest_s)

    async def _decided(self, intent: Intent, connected: Connected) -> Plan | Denied:
        with inner_span("plan") as span:
            decided = await self._plan(intent, connected)
            if isinstance(decided, Denied):
                failed(decided.denial.reason.value, decided.denial.message)
            elif span.is_recording():
                span.set_attribute("alertwire.legs", len(decided.legs))
                span.set_attribute("alertwire.changes", len(decided.changes))
                span.set_attribute("alertwire.summary", decided.summary)
        return decided

    async def _plan(self, intent: Intent, connected: Connected) -> Plan | Denied:
        permitted = self.proposer.permitted(intent, connected, now=self._clock.now())
        if isinstance(permitted, Denial):
            return Denied(denial=permitted)
        intent = permitted
        asked: list[ExchangeCall] = []
        try:
            gathered = await self.proposer.gathered(intent, connected, asked=asked)
        except QueryFailed as failure:
            asked += failure.calls
            if failure.kind is Cause.TIMESTAMP:
                await mend_clock(connected.exchange)
            if failure.retryable:
                self._tell(intent, asked, what=f"not answered: {failure}")
                raise Retry(str(failure), delay_s=self._timing.refused_again_s) from failure
            if failure.kind is Cause.IP and self._waits_for_an_address(intent):
                self._tell(intent, asked, what=f"refused: {failure}")
                raise Retry(str(failure), delay_s=self._timing.poll_largest_s) from failure
            denial = self.proposer.refused(failure, connected.account)
            return Denied(denial=denial, calls=asked)
        if not gathered.live:
            self._moved.believe(gathered.picture.holdings, lane=(intent.account, intent.symbol))
        planned = plan_orders(intent, gathered.picture)
        if isinstance(planned, Denial):
            return Denied(denial=planned, calls=asked)
        return Plan(
            intent_id=intent.intent_id,
            alert_id=intent.alert_id,
            route=intent.route,
            account=intent.account,
            symbol=intent.symbol,
            at=self._clock.now(),
            holdings=gathered.picture.holdings,
            legs=planned.legs,
            summary=planned.summary,
            calls=self._fitting(intent, asked),
            changes=planned.changes,
            withheld=planned.withheld,
            steps=planned.steps,
            order_id=intent.order_id,
            comment=intent.comment,
        )

    def _is_new(self, delivery: Delivery, *, now: datetime) -> bool:
        """Whether nobody else can have handled a message that this process was the first to get:
        it came a moment ago, or this process has been the owner ever since.
        """
        if now - delivery.stored_at <= _NEW_FOR:
            return True
        since = self._ownership.since
        has_been_ours = since is not None and since <= delivery.stored_at
        return has_been_ours and self._ownership.age_s(now) <= self._timing.claim_s

    def _waits_for_an_address(self, intent: Intent) -> bool:
        """What closes is not given up at once for an address that the exchange refuses: another
        process may take over in a moment, or the same come under its own address again.
        """
        waited = self._clock.now() - intent.received_at
        return intent.action not in ENTRIES and waited.total_seconds() < self._timing.give_up_s

    async def _store(self, plan: Plan, *, routed_at: datetime) -> bool:
        """True where this plan is the one that the log holds."""
        stored = await self._bus.publish(
            subject=subjects.order_planned(account=plan.account, symbol=plan.symbol),
            message=plan,
            event_id=identity.plan_event_id(plan.intent_id),
        )
        if not stored.duplicate:
            took_s = (self._clock.now() - routed_at).total_seconds()
            _planned_in.observe(took_s, plan.alert_id)
            _log.info(
                "order.planned",
                route=plan.route,
                account=plan.account,
                symbol=plan.symbol,
                legs=len(plan.legs),
                changes=len(plan.changes),
                summary=plan.summary,
            )
        return not stored.duplicate

    async def _carry_out(
        self,
        intent: Intent,
        connected: Connected,
        *,
        history: History,
        read: ReadExecutions,
        known_at: datetime,
        resumed: bool,
    ) -> None:
        plan = history.plan
        assert plan is not None  # noqa: S101 - the caller looked
        recorder = Recorder(
            bus=self._bus,
            origin=plan,
            clock=self._clock,
            known=history.executions,
            received_at=intent.received_at,
        )
        errand = Errand(
            plan=plan,
            connected=connected,
            recorder=recorder,
            claim=Claim(
                read=read,
                recorder=recorder,
                since=known_at,
                ownership=self._ownership,
                timing=self._timing,
                clock=self._clock,
            ),
            resting=self._resting,
            moved=self._moved,
            timing=self._timing,
            clock=self._clock,
        )
        runner = PlanRunner(
            errand,
            history=history,
            legs=LegRunner(
                errand,
                not_to_open=lambda: self.proposer.not_to_open(intent, connected.account),
            ),
            changes=ChangeRunner(errand),
        )
        # Whoever made a resumed plan may have signed its next request until this very moment.
        try:
            await runner.run(maybe_sent_until=self._clock.elapsed_s() if resumed else None)
        finally:
            recorder.leave()
            await recorder.stored()

    def _fitting(self, intent: Intent, calls: Sequence[ExchangeCall]) -> tuple[ExchangeCall, ...]:
        """The latest, as many as a message holds; the older ones are told apart."""
        older, latest = split(calls)
        self._tell(intent, older, what="asked for this alert")
        return latest

    def _tell(self, intent: Intent, calls: Sequence[ExchangeCall], *, what: str) -> None:
        self._teller.tell(
            calls,
            what=what,
            account=intent.account,
            symbol=intent.symbol,
            alert_id=intent.alert_id,
        )

    async def _deny(
        self, intent: Intent, denial: Denial, *, calls: Sequence[ExchangeCall] = ()
    ) -> None:
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
                calls=self._fitting(intent, calls),
            ),
            event_id=identity.denial_event_id(alert=intent.alert_id, account=intent.account),
        )
        denied.labels(self._bus.service, denial.reason.value).inc()
        failed(denial.reason.value, denial.message)
        _log.info(
            "intent.denied",
            route=intent.route,
            account=intent.account,
            symbol=intent.symbol,
            reason=denial.reason.value,
        )
