"""One leg at the exchange: sent once, then asked for until its end is known, or until it rests.

The rules of money, each in one place below:
- a request whose fate is not known is asked for, never repeated, until no copy of it can still be
  executed (its receive window has passed) and the exchange has said twice that it knows nothing;
- what the exchange has acknowledged once is never sent again, whatever it says later;
- an acknowledgement is not a fill: the order is read back until it is final, or waits;
- too many requests means refused for certain, so the same order goes again in the next window;
- so does, once, what came too late: a clock was set, or the process slept;
- so does, for a while, what closes, where our address is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from libs.common.contracts.causes import Cause
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import ExchangeCall, Leg
from libs.common.contracts.words import RESTING_TYPES, Effect, ExecutionKind, OrderType
from libs.common.outcome import Retry
from libs.common.outcome import Unknown as UnknownOutcome
from libs.common.telemetry import event, inner_span, telling
from services.executor.asking import ENDS, WAITING, ask_for, mend_clock
from services.executor.budget import Urgency
from services.executor.errands import Errand
from services.executor.exchange import (
    Accepted,
    Duplicate,
    Failed,
    Found,
    NotFound,
    NotSent,
    OrderQuery,
    OrderState,
    RateLimited,
    Rejected,
    Submitted,
    Unknown,
)
from services.executor.news import Expected


class LegEnd(StrEnum):
    FILLED = "filled"
    RESTING = "resting"
    """It waits at the exchange, and is followed from there."""
    UNFILLED = "unfilled"
    """Rejected or canceled, wholly or in part: nothing must be opened behind it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LegResult:
    end: LegEnd
    filled: Decimal = Decimal(0)


_NOT_SENT = LegResult(end=LegEnd.UNFILLED)


class LegRunner:
    """Takes the legs of one plan to their end, one at a time."""

    def __init__(self, errand: Errand, *, not_to_open: Callable[[], Denial | None]) -> None:
        """`not_to_open`: why nothing must be opened now, if so."""
        self._plan = errand.plan
        self._connected = errand.connected
        self._recorder = errand.recorder
        self._claim = errand.claim
        self._resting = errand.resting
        self._moved = errand.moved
        self._timing = errand.timing
        self._clock = errand.clock
        self._not_to_open = not_to_open
        self._news = Expected()
        self._is_clock_mended = False
        self._signed_at_s = 0.0
        """When the last request had its time, at the latest."""

    async def run(
        self, leg: Leg, *, maybe_sent_until: float | None, exchange_order_id: str | None = None
    ) -> LegResult:
        """Send the leg and wait until it has ended, or rests.

        `maybe_sent_until`: somebody may have sent it already, at that time at the latest, in the
        clock's elapsed seconds; None where nobody can have. `exchange_order_id`: it was taken for
        certain, under this id. Raises `Retry` or `Unknown` when it cannot be finished now.
        """
        book = self._connected.book
        order = leg.client_order_id
        with book.orders.expecting(order) as self._news, telling(client_order_id=order):
            try:
                result = await self._run(
                    leg, maybe_sent_until=maybe_sent_until, exchange_order_id=exchange_order_id
                )
            finally:
                # What was pushed and nobody had to wait for.
                unread = self._news.take()
                self._recorder.saw(*(unread.calls if unread is not None else ()))
        book.ordered()
        return result

    async def _run(
        self, leg: Leg, *, maybe_sent_until: float | None, exchange_order_id: str | None
    ) -> LegResult:
        if maybe_sent_until is not None:
            found = await self._find(
                leg, signed_until=maybe_sent_until, exchange_order_id=exchange_order_id
            )
            if found is not None:
                return await self._confirm(leg, found)
            if exchange_order_id is not None:
                raise UnknownOutcome(
                    f"the exchange took the order as {exchange_order_id} and does not show it",
                    delay_s=self._timing.poll_largest_s,
                )
        give_up_at = self._clock.now() + timedelta(seconds=self._timing.give_up_s)
        while True:
            # The wait for the budget comes first: an entry may grow too old in it.
            urgency = Urgency.OPEN if leg.effect is Effect.OPEN else Urgency.CLOSE
            await self._connected.budget.take(urgency, since=self._plan.at)
            await self._claim.renew(leg.client_order_id)
            denial = self._not_to_open() if leg.effect is Effect.OPEN else None
            if denial is not None:
                message = f"not sent (again): {denial.message}"
                self._recorder.record(
                    leg, ExecutionKind.CANCELED, reason=denial.reason, message=message
                )
                return _NOT_SENT
            result = await self._settle(leg, await self._submit(leg))
            if result is not None:
                return result
            if self._clock.now() > give_up_at:
                raise Retry("the exchange does not take the order", delay_s=0.0)

    async def _submit(self, leg: Leg) -> Submitted:
        record = self._recorder.sending(leg)

        def before_send(call: ExchangeCall) -> None:
            # Behind the taking of the request's own time: whoever is stopped in between waits
            # longer, never shorter.
            self._signed_at_s = self._clock.elapsed_s()
            record(call)

        return await self._connected.exchange.submit(
            leg, symbol=self._plan.symbol, before_send=self._claim.guarding(before_send)
        )

    async def _settle(self, leg: Leg, submitted: Submitted) -> LegResult | None:
        """What a reply means; None: send again."""
        self._recorder.saw(*submitted.calls)
        match submitted:
            case Accepted():
                self._recorder.record(
                    leg,
                    ExecutionKind.ACCEPTED,
                    exchange_order_id=submitted.exchange_order_id,
                )
                return await self._confirm(leg, None, exchange_order_id=submitted.exchange_order_id)
            case Rejected(kind=Cause.TIMESTAMP) if not self._is_clock_mended:
                self._is_clock_mended = True
                await mend_clock(self._connected.exchange)
                return None
            case Rejected(kind=Cause.IP) if self._waits_for_an_address(leg):
                await self._clock.sleep(self._timing.poll_largest_s)
                return None
            case Rejected():
                self._recorder.record(
                    leg,
                    ExecutionKind.REJECTED,
                    code=submitted.code,
                    cause=submitted.kind,
                    message=submitted.message,
                )
                return _NOT_SENT
            case RateLimited():
                self._connected.budget.refused(pause_s=self._timing.refused_again_s)
                await self._clock.sleep(self._timing.refused_again_s)
                return None
            case NotSent():
                await self._clock.sleep(self._timing.refused_again_s)
                return None
            case Duplicate() | Unknown():
                why = submitted.why if isinstance(submitted, Unknown) else submitted.message
                self._recorder.record(leg, ExecutionKind.UNKNOWN, message=why)
                found = await self._find(leg, signed_until=self._signed_at_s)
                if found is not None:
                    return await self._confirm(leg, found)
                if isinstance(submitted, Duplicate):
                    # It says that the order is there and does not show it: sending it again would
                    # only bring the same answer.
                    raise UnknownOutcome(why, delay_s=self._timing.poll_largest_s)
                return None
            case _:
                assert_never(submitted)

    def _waits_for_an_address(self, leg: Leg) -> bool:
        """Whether a closing order is sent on from an address that the exchange refuses: it was not
        taken for certain, and another process may take over in a moment, under the right one.
        """
        waited = self._clock.now() - self._plan.at
        return leg.effect is Effect.CLOSE and waited.total_seconds() < self._timing.give_up_s

    async def _find(
        self, leg: Leg, *, signed_until: float, exchange_order_id: str | None = None
    ) -> Found | None:
        """Ask for the order until it is there, or certainly never will be (None)."""
        # By the clock that nobody sets: a forward step must not make a request look dead.
        certain_at_s = signed_until + self._timing.in_flight_s
        give_up_at = self._clock.now() + timedelta(seconds=self._timing.give_up_s)
        delay_s = self._timing.poll_first_s
        absent = 0
        while True:
            after_window = self._clock.elapsed_s() > certain_at_s
            pushed = self._news.take()
            if pushed is not None:
                self._saw_push(pushed)
                return pushed
            query = await self._ask(leg, exchange_order_id=exchange_order_id)
            match query:
                case Found():
                    return query
                case NotFound():
                    absent += 1 if after_window else 0
                    if absent >= 2:
                        return None
                    if after_window:
                        delay_s = self._timing.visible_after_s
                case Failed():
                    if not query.retryable or self._clock.now() > give_up_at:
                        raise UnknownOutcome(
                            f"the exchange does not tell whether the order exists: {query.message}",
                            delay_s=self._timing.poll_largest_s,
                        )
                case _:
                    assert_never(query)
            await self._clock.sleep(delay_s)
            delay_s = min(delay_s * 2, self._timing.poll_largest_s)

    def _saw_push(self, pushed: Found) -> None:
        self._recorder.saw(*pushed.calls)
        event("push", {"alertwire.order.state": pushed.state.value})

    async def _confirm(
        self, leg: Leg, found: Found | None, *, exchange_order_id: str | None = None
    ) -> LegResult:
        """Read the order back until it is final, or rests."""
        with inner_span("confirm") as span:
            result = await self._until_final(leg, found, exchange_order_id=exchange_order_id)
            span.set_attribute("alertwire.leg.end", result.end.value)
        return result

    async def _until_final(
        self, leg: Leg, found: Found | None, *, exchange_order_id: str | None
    ) -> LegResult:
        if found is not None and exchange_order_id is None:
            exchange_order_id = found.exchange_order_id
        deadline = self._clock.now() + timedelta(seconds=self._timing.confirm_s)
        delay_s = self._timing.poll_first_s
        while found is None or found.state in WAITING:
            if found is not None and _rests(leg, found):
                return await self._rest(leg, found)
            told = await self._told(leg, exchange_order_id=exchange_order_id)
            if told is not None:
                found = told
                if found.state not in WAITING or _rests(leg, found):
                    continue
            if self._clock.now() > deadline:
                message = "accepted, but no final state in time; asking on"
                self._recorder.record(leg, ExecutionKind.UNKNOWN, message=message)
                raise Retry(message, delay_s=self._timing.poll_largest_s)
            if not self._connected.book.is_live:
                await self._clock.sleep(delay_s)
                delay_s = min(delay_s * 2, self._timing.poll_largest_s)
        self._note(leg, found)
        ended = self._recorder.record_found(leg, ENDS[found.state], found)
        if leg.order_type is OrderType.STOP:
            self._resting.know(ended)
        is_filled = found.state is OrderState.FILLED
        return LegResult(
            end=LegEnd.FILLED if is_filled else LegEnd.UNFILLED, filled=found.filled_contracts
        )

    async def _told(self, leg: Leg, *, exchange_order_id: str | None) -> Found | None:
        """What the exchange pushes about an order, or answers where it pushes nothing in time."""
        if self._connected.book.is_live and leg.order_type is not OrderType.STOP:
            pushed = await self._news.next(timeout_s=self._timing.push_s)
            if pushed is not None:
                self._saw_push(pushed)
                return pushed
        query = await self._ask(leg, exchange_order_id=exchange_order_id)
        return query if isinstance(query, Found) else None

    async def _rest(self, leg: Leg, found: Found) -> LegResult:
        self._note(leg, found)
        resting = self._recorder.record_found(
            leg,
            ExecutionKind.RESTING,
            found,
            leg=leg,
            order_id=self._plan.order_id,
            comment=self._plan.comment,
        )
        self._resting.add(resting)
        return LegResult(end=LegEnd.RESTING, filled=found.filled_contracts)

    def _note(self, leg: Leg, found: Found) -> None:
        filled, at = found.filled_contracts, self._clock.now()
        self._moved.note(self._plan, leg, filled=filled, at=at)

    async def _ask(self, leg: Leg, *, exchange_order_id: str | None) -> OrderQuery:
        apart_from: frozenset[str] = frozenset()
        if leg.order_type is OrderType.STOP and exchange_order_id is None:
            apart_from = await self._resting.known_ids(
                account=self._plan.account, symbol=self._plan.symbol
            )
        query = await ask_for(
            self._connected.exchange,
            leg,
            symbol=self._plan.symbol,
            # The plan was stored before its first leg left; the margin is for the clocks.
            sent_after=self._plan.at - timedelta(seconds=self._timing.receive_margin_s),
            exchange_order_id=exchange_order_id,
            apart_from=apart_from,
        )
        self._recorder.saw(*query.calls)
        return query


def _rests(leg: Leg, found: Found) -> bool:
    return found.state is OrderState.OPEN and leg.order_type in RESTING_TYPES
