"""Tells of positions that are not what our orders made them: closed by their stop or target, by
hand, or by the exchange. What is held counts all the same; the next plan is made from it.
"""

import structlog
from prometheus_client import Counter

from libs.common.bus import Bus, LogUnavailable
from libs.common.clock import Clock
from libs.common.contracts import subjects
from libs.common.contracts.drift import Held, PositionDrifted
from libs.common.contracts.intent import Denial
from libs.common.describing import about
from libs.common.domain.identity import drift_event_id
from libs.common.telemetry import later_span
from services.executor.accounts import Accounts
from services.executor.exchange import Holdings, QueryFailed
from services.executor.moved import Lane, Move, Moved, Sizes, sizes
from services.executor.resting import RestingOrders
from services.executor.settings import Timing

drifts = Counter(
    "alertwire_position_drifts", "Positions that something else than our orders has moved"
)
_log = structlog.get_logger()


class DriftWatch:
    """Looks at the live pictures of lanes that have nothing in flight."""

    def __init__(
        self,
        *,
        bus: Bus,
        accounts: Accounts,
        resting: RestingOrders,
        moved: Moved,
        timing: Timing,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._accounts = accounts
        self._resting = resting
        self._moved = moved
        self._timing = timing
        self._clock = clock
        self._suspected: dict[Lane, Sizes] = {}

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(self._timing.drift_s)
            await self.look()

    async def look(self) -> None:
        """One round. What is seen twice in a row is asked about, and told if the exchange says so:
        a push may have been lost.
        """
        now = self._clock.now()
        waiting = {(one.account, one.symbol) for one in self._resting.all()}
        for lane, move in self._moved.moves():
            if lane in waiting:
                # An order that rests may be filled in part without a word.
                move.is_muted = True
            if move.is_muted:
                continue
            if self._moved.is_busy(lane) or (now - move.at).total_seconds() < self._timing.drift_s:
                self._suspected.pop(lane, None)
                continue
            held = self._held(lane)
            if held is None or held == move.expected():
                self._suspected.pop(lane, None)
            elif self._suspected.get(lane) != held:
                self._suspected[lane] = held
            else:
                answered = await self._ask(lane)
                if answered is None or self._moved.is_busy(lane):
                    continue
                if sizes(answered.holdings) != move.expected():
                    await self._tell(move, answered)
                else:
                    self._suspected.pop(lane, None)

    async def _ask(self, lane: Lane) -> Holdings | None:
        account, symbol = lane
        connected = self._accounts.find(account)
        if isinstance(connected, Denial):
            return None
        connected.book.distrust(symbol)
        try:
            return await connected.exchange.holdings(symbol)
        except QueryFailed as failure:
            _log.info("position.unasked", account=account, symbol=symbol, why=str(failure))
            return None

    def _held(self, lane: Lane) -> Sizes | None:
        account, symbol = lane
        connected = self._accounts.find(account)
        if isinstance(connected, Denial):
            return None
        holdings = connected.book.holdings(symbol)
        return None if holdings is None else sizes(holdings)

    async def _tell(self, move: Move, answered: Holdings) -> None:
        plan, at, held = move.plan, self._clock.now(), sizes(answered.holdings)
        drifted = PositionDrifted(
            alert_id=plan.alert_id,
            intent_id=plan.intent_id,
            route=plan.route,
            account=plan.account,
            symbol=plan.symbol,
            at=at,
            expected=_told(move.expected()),
            held=_told(held),
            calls=answered.calls,
        )
        try:
            with later_span(plan.alert_id, "tell drift", about(plan)):
                await self._bus.publish(
                    subject=subjects.position_drifted(account=plan.account, symbol=plan.symbol),
                    message=drifted,
                    event_id=drift_event_id(intent=plan.intent_id, at=at),
                )
        except LogUnavailable as error:
            # It is seen again in the next round.
            _log.warning("position.untold", account=plan.account, error=str(error))
            return
        move.drifted, move.believed, move.at = held, None, at
        self._suspected.pop((plan.account, plan.symbol), None)
        drifts.inc()
        _log.warning(
            "position.drifted",
            alert_id=plan.alert_id,
            account=plan.account,
            symbol=plan.symbol,
            expected=_text(drifted.expected),
            held=_text(drifted.held),
        )


def _told(found: Sizes) -> tuple[Held, ...]:
    return tuple(Held(side=side, contracts=found[side]) for side in sorted(found))


def _text(found: tuple[Held, ...]) -> str:
    return ", ".join(f"{one.side.value} {one.contracts:f}" for one in found) or "nothing"
