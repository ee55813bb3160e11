"""Takes a stored plan to its end: its legs in order, then its changes. What the log says is done
already is left alone.
"""

from decimal import Decimal

from libs.common.contracts.execution import Execution
from libs.common.contracts.order import Change, Leg
from libs.common.contracts.words import ChangeKind, Effect, ExecutionKind
from services.executor.changes import ChangeRunner
from services.executor.errands import Errand
from services.executor.journal import History
from services.executor.legs import LegEnd, LegResult, LegRunner


class PlanRunner:
    """Carries out one plan, once per delivery of its intent."""

    def __init__(
        self, errand: Errand, *, history: History, legs: LegRunner, changes: ChangeRunner
    ) -> None:
        self._plan = errand.plan
        self._resting = errand.resting
        self._history = history
        self._legs = legs
        self._changes = changes

    async def run(self, *, maybe_sent_until: float | None) -> None:
        """`maybe_sent_until`: somebody else may have sent requests of the plan until then, in the
        clock's elapsed seconds.
        """
        for execution in self._history.executions:
            self._resting.know(execution)
        opened = await self._run_legs(maybe_sent_until=maybe_sent_until)
        trail_failed = False
        for change in self._plan.changes:
            kind = await self._run_change(
                change,
                opened=opened,
                trail_failed=trail_failed,
                maybe_sent_until=maybe_sent_until,
            )
            if change.kind is ChangeKind.TRAIL and kind is not ExecutionKind.CHANGED:
                trail_failed = True

    async def _run_legs(self, *, maybe_sent_until: float | None) -> Decimal:
        """Returns the contracts that were opened."""
        opened = Decimal(0)
        may_open = True
        for leg in self._plan.legs:
            if leg.effect is Effect.OPEN and not may_open:
                # What closes goes on all the same: a position that cannot be closed, or not whole,
                # is no reason to keep another.
                continue
            result = self._known_end(leg)
            if result is None:
                result = await self._legs.run(
                    leg,
                    maybe_sent_until=maybe_sent_until,
                    exchange_order_id=self._history.exchange_id(leg.client_order_id),
                )
            if leg.effect is Effect.OPEN:
                opened += result.filled
            # Close, confirmed, then open: nothing is opened behind a closing order that waits.
            waits = leg.effect is Effect.CLOSE and result.end is LegEnd.RESTING
            may_open &= result.end is not LegEnd.UNFILLED and not waits
        return opened

    def _known_end(self, leg: Leg) -> LegResult | None:
        ended = self._history.ending(leg.client_order_id)
        if ended is not None:
            is_filled = ended.kind is ExecutionKind.FILLED
            return LegResult(
                end=LegEnd.FILLED if is_filled else LegEnd.UNFILLED, filled=_filled(ended)
            )
        resting = self._history.resting(leg.client_order_id)
        if resting is not None:
            self._resting.add(resting)
            return LegResult(end=LegEnd.RESTING, filled=_filled(resting))
        return None

    async def _run_change(
        self,
        change: Change,
        *,
        opened: Decimal,
        trail_failed: bool,
        maybe_sent_until: float | None,
    ) -> ExecutionKind:
        ended = self._history.ending(change.change_id)
        if ended is not None:
            return ended.kind
        if change.kind is ChangeKind.CANCEL_TRAILS and trail_failed:
            return await self._changes.give_up(change, why="its successor was not placed")
        return await self._changes.run(change, opened=opened, maybe_sent_until=maybe_sent_until)


def _filled(execution: Execution) -> Decimal:
    return execution.filled_contracts or Decimal(0)
