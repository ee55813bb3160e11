"""One change at the exchange: done once, and told how it ended.

A change has no id at the exchange, so each kind has its own fence against being done twice:
- cancels name what they cancel, and may be repeated at will; what was gone already is looked for;
- what sets prices may be repeated too, but a copy that was given up must be dead before the change
  has ended, or it could overwrite a later one;
- what makes something new (`protect`, `trail`) is looked for first, as an order is, until no copy
  can still be executed; what was there before and what is known to be another's does not count.
"""

from datetime import timedelta
from decimal import Decimal

import msgspec

from libs.common.contracts.causes import Cause
from libs.common.contracts.order import Change, ExchangeCall, Holding
from libs.common.contracts.words import ChangeKind, ExecutionKind
from libs.common.outcome import Retry
from libs.common.outcome import Unknown as UnknownOutcome
from libs.common.telemetry import inner_span, telling
from services.executor.asking import mend_clock
from services.executor.budget import Urgency
from services.executor.errands import Errand
from services.executor.exchange import Changed, Done, QueryFailed, RateLimited, Rejected, Unknown

_MAKING = frozenset({ChangeKind.PROTECT, ChangeKind.TRAIL})
_CANCELING = frozenset({ChangeKind.CANCEL_ORDERS, ChangeKind.CANCEL_TRIGGERS})
_OVERWRITING = frozenset(
    {ChangeKind.MOVE_PROTECTION, ChangeKind.AMEND_ORDER, ChangeKind.AMEND_TRIGGER}
)


class ChangeRunner:
    """Takes the changes of one plan to their end, one at a time."""

    def __init__(self, errand: Errand) -> None:
        self._plan = errand.plan
        self._connected = errand.connected
        self._recorder = errand.recorder
        self._claim = errand.claim
        self._resting = errand.resting
        self._moved = errand.moved
        self._timing = errand.timing
        self._clock = errand.clock
        self._is_clock_mended = False
        self._signed_at_s = 0.0
        """When the last request had its time, at the latest."""

    async def run(
        self, change: Change, *, opened: Decimal, maybe_sent_until: float | None
    ) -> ExecutionKind:
        """Do the change; `opened` is what the plan's legs have opened, and `maybe_sent_until` as of
        a leg. Raises `Retry` or `Unknown` when it cannot be finished now.
        """
        with telling(client_order_id=change.change_id), inner_span(f"change {change.kind.value}"):
            return await self._run(change, opened=opened, maybe_sent_until=maybe_sent_until)

    async def _run(
        self, change: Change, *, opened: Decimal, maybe_sent_until: float | None
    ) -> ExecutionKind:
        if not change.exchange_ids:
            fitted = await self._of_what_was_opened(change, opened=opened)
            if fitted is None:
                return ExecutionKind.CANCELED
            change = fitted
        certain_at = None
        if maybe_sent_until is not None:
            certain_at = self._dead_at(maybe_sent_until)
            if await self._was_made(change, certain_at=certain_at):
                return ExecutionKind.CHANGED
        return await self._do(change, certain_at=certain_at)

    async def give_up(self, change: Change, *, why: str) -> ExecutionKind:
        """Say that it will not be sent."""
        self._recorder.record(change, ExecutionKind.CANCELED, message=f"not sent (again): {why}")
        return ExecutionKind.CANCELED

    async def _do(self, change: Change, *, certain_at: float | None) -> ExecutionKind:
        """`certain_at`: when every request that may have been sent before is dead."""
        unknown_at = self._clock.now() + timedelta(seconds=self._timing.confirm_s)
        give_up_at = self._clock.now() + timedelta(seconds=self._timing.give_up_s)
        delay_s = self._timing.poll_first_s
        while True:
            await self._connected.budget.take(Urgency.CLOSE, since=self._plan.at)
            await self._claim.renew(change.change_id)
            changed = await self._send(change)
            if self._is_late(changed):
                await mend_clock(self._connected.exchange)
                continue
            if isinstance(changed, Done | Rejected):
                if change.kind in _OVERWRITING and certain_at is not None:
                    await self._sleep_until(certain_at)
                return await self._conclude(change, changed)
            if isinstance(changed, Unknown):
                certain_at = self._dead_at(self._signed_at_s)
                if await self._was_done(change, changed, certain_at=certain_at):
                    return ExecutionKind.CHANGED
                if self._clock.now() > unknown_at:
                    raise UnknownOutcome(changed.why, delay_s=self._timing.poll_largest_s)
                await self._clock.sleep(delay_s)
                delay_s = min(delay_s * 2, self._timing.poll_largest_s)
            elif self._clock.now() > give_up_at:
                raise Retry("the exchange does not take the change", delay_s=0.0)
            else:
                if isinstance(changed, RateLimited):
                    self._connected.budget.refused(pause_s=self._timing.refused_again_s)
                await self._clock.sleep(self._timing.refused_again_s)

    def _is_late(self, changed: Changed) -> bool:
        """Whether it came too late for the first time; once the clock is mended, it is rejected."""
        is_late = isinstance(changed, Rejected) and changed.kind is Cause.TIMESTAMP
        is_first = is_late and not self._is_clock_mended
        self._is_clock_mended |= is_late
        return is_first

    async def _of_what_was_opened(self, change: Change, *, opened: Decimal) -> Change | None:
        """The change as it fits what came of the opening legs; None where nothing did."""
        if opened <= 0:
            await self.give_up(change, why="nothing was opened")
            return None
        held = await self._held(change)
        if held is None:
            await self.give_up(change, why="the position is gone again")
            return None
        wanted = opened if change.contracts is None else min(change.contracts, opened)
        is_of_position = change.kind is ChangeKind.PROTECT
        return msgspec.structs.replace(
            change,
            contracts=min(wanted, held.contracts),
            exchange_ids=(held.position_id,) if is_of_position else (),
        )

    async def _held(self, change: Change) -> Holding | None:
        # What was filled a moment ago may not be shown yet, wholly or in part.
        shown_at = self._clock.now() + timedelta(seconds=self._timing.visible_after_s)
        while True:
            holdings = await self._holdings()
            held = next((one for one in holdings if one.side is change.position_side), None)
            now = self._clock.now()
            is_shown = self._moved.is_shown(
                holdings, account=self._plan.account, symbol=self._plan.symbol, now=now
            )
            if now > shown_at or (held is not None and is_shown):
                return held
            await self._clock.sleep(self._timing.shown_again_s)

    async def _holdings(self) -> tuple[Holding, ...]:
        try:
            told = await self._connected.exchange.holdings(self._plan.symbol)
        except QueryFailed as failure:
            self._recorder.saw(*failure.calls)
            if failure.retryable:
                raise Retry(str(failure), delay_s=self._timing.refused_again_s) from failure
            raise UnknownOutcome(str(failure), delay_s=self._timing.poll_largest_s) from failure
        self._recorder.saw(*told.calls)
        return told.holdings

    async def _send(self, change: Change) -> Changed:
        record = self._recorder.sending(change)

        def before_send(call: ExchangeCall) -> None:
            self._signed_at_s = self._clock.elapsed_s()
            record(call)

        # A cancel of several may take its time, and may be repeated at will.
        guarded = self._claim.guarding(before_send)
        changed = await self._connected.exchange.change(
            change,
            symbol=self._plan.symbol,
            before_send=before_send if len(change.exchange_ids) > 1 else guarded,
        )
        self._recorder.saw(*changed.calls)
        if isinstance(changed, Done) and changed.message and change.kind in _CANCELING:
            return await self._gone_or_unknown(change, changed)
        return changed

    async def _gone_or_unknown(self, change: Change, done: Done) -> Changed:
        # An order on its way into the book may be called one that cannot be canceled (code 2041).
        try:
            pending = await self._connected.exchange.pending(self._plan.symbol)
        except QueryFailed as failure:
            self._recorder.saw(*failure.calls)
            return Unknown(why=f"{done.message}; {failure}", call=done.call)
        self._recorder.saw(*pending.calls)
        waiting = {one.exchange_order_id for one in pending.value}.intersection(change.exchange_ids)
        if not waiting:
            return done
        return Unknown(why=f"{', '.join(waiting)} still waits: {done.message}", call=done.call)

    async def _conclude(self, change: Change, changed: Done | Rejected) -> ExecutionKind:
        if isinstance(changed, Rejected):
            self._recorder.record(
                change,
                ExecutionKind.REJECTED,
                code=changed.code,
                cause=changed.kind,
                message=changed.message,
            )
            return ExecutionKind.REJECTED
        return await self._done(change, changed.exchange_id, message=changed.message)

    async def _done(
        self, change: Change, exchange_id: str | None, *, message: str = ""
    ) -> ExecutionKind:
        done = self._recorder.record(
            change, ExecutionKind.CHANGED, exchange_order_id=exchange_id, message=message
        )
        self._resting.know(done)
        return done.kind

    async def _was_done(self, change: Change, lost: Unknown, *, certain_at: float) -> bool:
        self._recorder.record(change, ExecutionKind.UNKNOWN, message=lost.why)
        return await self._was_made(change, certain_at=certain_at)

    async def _was_made(self, change: Change, *, certain_at: float) -> bool:
        """Whether a change that makes something has done so, asked until that is certain."""
        if change.kind not in _MAKING:
            return False
        give_up_at = self._clock.now() + timedelta(seconds=self._timing.give_up_s)
        delay_s = self._timing.poll_first_s
        absent = 0
        while True:
            after_window = self._clock.elapsed_s() > certain_at
            try:
                made = await self._look(change)
            except QueryFailed as failure:
                self._recorder.saw(*failure.calls)
                if not failure.retryable or self._clock.now() > give_up_at:
                    raise UnknownOutcome(
                        f"the exchange does not tell whether it was done: {failure.message}",
                        delay_s=self._timing.poll_largest_s,
                    ) from failure
            else:
                if made is not None:
                    await self._done(change, made)
                    return True
                absent += 1 if after_window else 0
                if absent >= 2:
                    return False
                if after_window:
                    delay_s = self._timing.visible_after_s
            await self._clock.sleep(delay_s)
            delay_s = min(delay_s * 2, self._timing.poll_largest_s)

    async def _look(self, change: Change) -> str | None:
        """The exchange's id of what the change has made. Raises `QueryFailed`."""
        plan, exchange = self._plan, self._connected.exchange
        others = await self._resting.known_ids(account=plan.account, symbol=plan.symbol)
        others |= {each for other in plan.changes for each in other.exchange_ids}
        if change.kind is ChangeKind.PROTECT:
            protectives = await exchange.protectives(plan.symbol)
            self._recorder.saw(*protectives.calls)
            wanted = (change.position_side, change.stop_price, change.target_price)
            for stop in protectives.value:
                says = (stop.position_side, stop.stop_price, stop.target_price)
                # One of a part of the position may have just been moved to the same prices.
                covers = stop.whole or stop.contracts >= (change.contracts or 0)
                if says == wanted and covers and stop.position_id in change.exchange_ids:
                    return stop.exchange_id
            return None
        ahead = await exchange.server_time_ms() - self._clock.now().timestamp() * 1000
        margin_ms = self._timing.receive_margin_s * 1000
        since_ms = plan.at.timestamp() * 1000 + ahead - margin_ms
        trails = await exchange.trails(plan.symbol)
        self._recorder.saw(*trails.calls)
        for trail in trails.value:
            says_it = (trail.position_side, trail.distance) == (
                change.position_side,
                change.trail_distance,
            )
            if says_it and trail.created_ms >= since_ms and trail.exchange_id not in others:
                return trail.exchange_id
        return None

    def _dead_at(self, signed_until: float) -> float:
        """In the clock's elapsed seconds, as its argument."""
        return signed_until + self._timing.in_flight_s

    async def _sleep_until(self, then: float) -> None:
        await self._clock.sleep(max(0.0, then - self._clock.elapsed_s()))
