"""One leg at the exchange: sent once, then asked for until its end is known.

The rules of money, each in one place below:
- a request whose fate is not known is asked for, never repeated, until no copy of it can still be
  executed (its receive window has passed) and the exchange has said twice that it knows nothing;
- an acknowledgement is not a fill: the order is read back until it is final;
- too many requests means refused for certain, so the same order goes again in the next window.
"""

import asyncio
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from libs.common.clock import Clock
from libs.common.contracts.order import ExchangeCall, Leg, Plan
from libs.common.contracts.words import Effect, ExecutionKind
from libs.common.outcome import Retry
from libs.common.outcome import Unknown as UnknownOutcome
from services.executor.accounts import Connected
from services.executor.exchange import (
    Accepted,
    Duplicate,
    Failed,
    Found,
    NotFound,
    NotSent,
    OrderState,
    RateLimited,
    Rejected,
    Submitted,
    Unknown,
)
from services.executor.recording import Recorder
from services.executor.settings import Timing


class LegEnd(StrEnum):
    FILLED = "filled"
    UNFILLED = "unfilled"
    """Rejected or canceled, wholly or in part: the legs behind it must not be sent."""


class LegRunner:
    """Takes the legs of one plan to their end, one at a time."""

    def __init__(
        self,
        *,
        plan: Plan,
        connected: Connected,
        recorder: Recorder,
        timing: Timing,
        clock: Clock,
        open_until: datetime,
    ) -> None:
        self._plan = plan
        self._connected = connected
        self._recorder = recorder
        self._timing = timing
        self._clock = clock
        self._open_until = open_until

    async def run(self, leg: Leg, *, maybe_sent_until: datetime | None) -> LegEnd:
        """Send the leg and wait for its end.

        `maybe_sent_until`: somebody may have sent it already, at that time at the latest; None
        where nobody can have. Raises `Retry` or `Unknown` when it cannot be finished now.
        """
        if maybe_sent_until is not None:
            found = await self._find(leg, signed_until=maybe_sent_until)
            if found is not None:
                return await self._confirm(leg, found)
        while True:
            # The wait for the budget comes first: an entry may grow too old in it.
            await self._connected.budget.take()
            if leg.effect is Effect.OPEN and self._clock.now() > self._open_until:
                message = "not sent (again): the entry is older than the route's max_age_s"
                await self._recorder.record(leg, ExecutionKind.CANCELED, message=message)
                return LegEnd.UNFILLED
            end = await self._settle(leg, await self._submit(leg))
            if end is not None:
                return end

    async def _submit(self, leg: Leg) -> Submitted:
        recording: list[asyncio.Task[None]] = []

        def before_send(call: ExchangeCall) -> None:
            # Stored while the request is under way: the plan in the log is what makes it safe.
            record = self._recorder.record(leg, ExecutionKind.SENT, call=call, at=call.sent_at)
            recording.append(asyncio.create_task(record))

        try:
            return await self._connected.exchange.submit(
                leg, symbol=self._plan.symbol, before_send=before_send
            )
        finally:
            for task in recording:
                await task

    async def _settle(self, leg: Leg, submitted: Submitted) -> LegEnd | None:
        """What a reply means; None: send again."""
        self._recorder.saw(submitted.call)
        match submitted:
            case Accepted():
                await self._recorder.record(
                    leg,
                    ExecutionKind.ACCEPTED,
                    exchange_order_id=submitted.exchange_order_id,
                )
                return await self._confirm(leg, None)
            case Rejected():
                await self._recorder.record(
                    leg, ExecutionKind.REJECTED, code=submitted.code, message=submitted.message
                )
                return LegEnd.UNFILLED
            case RateLimited():
                await self._clock.sleep(self._timing.refused_again_s)
                return None
            case NotSent():
                await self._clock.sleep(self._timing.refused_again_s)
                return None
            case Duplicate() | Unknown():
                why = submitted.why if isinstance(submitted, Unknown) else submitted.message
                await self._recorder.record(leg, ExecutionKind.UNKNOWN, message=why)
                found = await self._find(leg, signed_until=submitted.call.sent_at)
                if found is not None:
                    return await self._confirm(leg, found)
                if isinstance(submitted, Duplicate):
                    # It says that the order is there and does not show it: sending it again would
                    # only bring the same answer.
                    raise UnknownOutcome(why, delay_s=self._timing.poll_largest_s)
                return None
            case _:
                assert_never(submitted)

    async def _find(self, leg: Leg, *, signed_until: datetime) -> Found | None:
        """Ask for the order until it is there, or certainly never will be (None)."""
        certain_at = signed_until + timedelta(seconds=self._timing.in_flight_s)
        delay_s = self._timing.poll_first_s
        absent = 0
        while True:
            after_window = self._clock.now() > certain_at
            query = await self._connected.exchange.order(self._plan.symbol, leg.client_order_id)
            self._recorder.saw(query.call)
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
                    if not query.retryable:
                        raise UnknownOutcome(
                            f"the exchange does not tell whether the order exists: {query.message}",
                            delay_s=self._timing.poll_largest_s,
                        )
                case _:
                    assert_never(query)
            await self._clock.sleep(delay_s)
            delay_s = min(delay_s * 2, self._timing.poll_largest_s)

    async def _confirm(self, leg: Leg, found: Found | None) -> LegEnd:
        """Read the order back until it is final."""
        deadline = self._clock.now() + timedelta(seconds=self._timing.confirm_s)
        delay_s = self._timing.poll_first_s
        while found is None or found.state in {OrderState.PENDING, OrderState.OPEN}:
            query = await self._connected.exchange.order(self._plan.symbol, leg.client_order_id)
            self._recorder.saw(query.call)
            if isinstance(query, Found):
                found = query
                if found.state not in {OrderState.PENDING, OrderState.OPEN}:
                    break
            if self._clock.now() > deadline:
                message = "accepted, but no final state in time; asking on"
                await self._recorder.record(leg, ExecutionKind.UNKNOWN, message=message)
                raise Retry(message, delay_s=self._timing.poll_largest_s)
            await self._clock.sleep(delay_s)
            delay_s = min(delay_s * 2, self._timing.poll_largest_s)
        return await self._conclude(leg, found)

    async def _conclude(self, leg: Leg, found: Found) -> LegEnd:
        kinds = {
            OrderState.FILLED: ExecutionKind.FILLED,
            OrderState.CANCELED: ExecutionKind.CANCELED,
            OrderState.INVALID: ExecutionKind.REJECTED,
        }
        await self._recorder.record(
            leg,
            kinds[found.state],
            exchange_order_id=found.exchange_order_id,
            filled_contracts=found.filled_contracts,
            average_price=found.average_price,
            fee=found.fee,
            fee_currency=found.fee_currency,
            profit=found.profit,
            code=found.error_code or None,
            message=found.error_name if found.error_code else "",
        )
        return LegEnd.FILLED if found.state is OrderState.FILLED else LegEnd.UNFILLED
