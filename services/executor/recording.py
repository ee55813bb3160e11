"""Puts what happened to a leg or change into the log, with each call to the exchange since the last
event.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from libs.common.bus import Bus, Stored
from libs.common.clock import Clock
from libs.common.contracts import subjects
from libs.common.contracts.execution import Execution
from libs.common.contracts.order import Change, ExchangeCall, Leg, Plan
from libs.common.contracts.words import ClientOrderId, ExecutionKind
from libs.common.domain.identity import execution_event_id
from libs.common.telemetry import failed
from services.executor.exchange import BeforeSend, Found
from services.executor.measuring import PlanTimes, count, restore
from services.executor.telling import CALLS_KEPT, Teller, split

_REPEATABLE = frozenset({ExecutionKind.SENT, ExecutionKind.UNKNOWN})
_ON_THE_WAY = frozenset({ExecutionKind.SENT, ExecutionKind.ACCEPTED})
_log = structlog.get_logger()


class Recorder:
    """Records the executions of what one plan asked for; `origin` is the plan, or an earlier
    execution of it.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        origin: Plan | Execution,
        clock: Clock,
        known: Iterable[Execution] = (),
        received_at: datetime | None = None,
    ) -> None:
        """`received_at`: when the alert came; given with a plan, whose way is then timed."""
        self._bus = bus
        self._origin = origin
        self._clock = clock
        self._teller = Teller(bus=bus, clock=clock)
        self._calls: list[ExchangeCall] = []
        self._storing: list[asyncio.Future[Stored]] = []
        known = tuple(known)
        self._known = {_told(execution) for execution in known}
        self._times: PlanTimes | None = None
        if received_at is not None and isinstance(origin, Plan):
            was_sent = any(execution.kind is ExecutionKind.SENT for execution in known)
            self._times = PlanTimes(origin, received_at=received_at, was_sent=was_sent)
        restore(known)

    def knows(self, execution: Execution) -> bool:
        """Whether it was recorded here, or known from the beginning."""
        return _told(execution) in self._known

    def saw(self, *calls: ExchangeCall) -> None:
        """Keep calls for the next event; of very many the older ones are told by themselves."""
        self._calls += calls
        if len(self._calls) > CALLS_KEPT:
            self._tell_apart(self._calls[: -CALLS_KEPT // 2])
            del self._calls[: -CALLS_KEPT // 2]

    def leave(self) -> None:
        """Tell what no event has told: the plan was not carried on to one."""
        left, self._calls = self._calls, []
        self._tell_apart(left)

    def sending(self, item: Leg | Change) -> BeforeSend:
        """Records each request as it leaves. It is stored while the request is under way: the plan
        in the log is what makes that safe.
        """

        def before_send(call: ExchangeCall) -> None:
            self.record(item, ExecutionKind.SENT, call=call, at=call.sent_at)

        return before_send

    async def stored(self) -> None:
        """Wait until the log has all that was recorded; raises `LogUnavailable`."""
        storing, self._storing = self._storing, []
        for result in await asyncio.gather(*storing, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    def record_found(self, item: Leg, kind: ExecutionKind, found: Found, **facts: Any) -> Execution:
        """Record what the exchange told about an order."""
        return self.record(
            item,
            kind,
            exchange_order_id=found.exchange_order_id,
            filled_contracts=found.filled_contracts,
            average_price=found.average_price,
            fee=found.fee,
            fee_currency=found.fee_currency,
            profit=found.profit,
            code=found.error_code or None,
            cause=found.error_cause,
            message=found.error_name if found.error_code else "",
            **facts,
        )

    def record(
        self,
        item: Leg | Change,
        kind: ExecutionKind,
        *,
        call: ExchangeCall | None = None,
        at: datetime | None = None,
        **facts: Any,
    ) -> Execution:
        """Hand one event to the log, behind what was recorded before it; `facts` are fields of
        `Execution`. Nothing that follows waits for it but `stored`: whoever carries the plan on
        after a crash asks the exchange, and does not need it.
        """
        origin = self._origin
        when = at or self._clock.now()
        if call is not None:
            calls: tuple[ExchangeCall, ...] = (call,)
        else:
            calls, self._calls = self._fitting(self._calls), []
        # What may happen more than once to an order is told apart by its time.
        occurrence = int(when.timestamp() * 1e6) if kind in _REPEATABLE else 0
        execution = Execution(
            alert_id=origin.alert_id,
            intent_id=origin.intent_id,
            route=origin.route,
            account=origin.account,
            symbol=origin.symbol,
            client_order_id=id_of(item),
            kind=kind,
            at=when,
            calls=calls,
            **facts,
        )
        self._known.add(_told(execution))
        self._storing.append(
            self._bus.publish_soon(
                subject=subjects.execution(kind=kind, account=origin.account, symbol=origin.symbol),
                message=execution,
                event_id=execution_event_id(order=id_of(item), kind=kind, occurrence=occurrence),
            )
        )
        self._measure(execution)
        self._tell(item, kind, facts)
        return execution

    def _fitting(self, calls: list[ExchangeCall]) -> tuple[ExchangeCall, ...]:
        older, latest = split(calls)
        self._tell_apart(older)
        return latest

    def _tell_apart(self, calls: Sequence[ExchangeCall]) -> None:
        origin = self._origin
        self._teller.tell(
            calls,
            what="about this alert's orders, beside their events",
            account=origin.account,
            symbol=origin.symbol,
            alert_id=origin.alert_id,
        )

    def _measure(self, execution: Execution) -> None:
        order, kind, at = _told(execution)
        count(order, kind, at=at, cause=execution.cause)
        if self._times is not None:
            self._times.note(order, kind, at=at)
        if kind is ExecutionKind.REJECTED:
            failed(f"rejected {execution.code or ''}".rstrip(), execution.message)

    def _tell(self, item: Leg | Change, kind: ExecutionKind, facts: Mapping[str, Any]) -> None:
        # A line for how each ended; what lies before it stands in the trail.
        level = logging.DEBUG if kind in _ON_THE_WAY else logging.INFO
        if not _log.is_enabled_for(level):
            return
        _log.log(
            level,
            f"execution.{kind.value}",
            route=self._origin.route,
            account=self._origin.account,
            symbol=self._origin.symbol,
            client_order_id=id_of(item),
            **_described(item),
            **{
                name: str(fact)
                for name, fact in facts.items()
                if fact is not None and name != "leg"
            },
        )


def id_of(item: Leg | Change) -> ClientOrderId:
    """What its executions are told apart by."""
    return item.client_order_id if isinstance(item, Leg) else item.change_id


def _told(execution: Execution) -> tuple[ClientOrderId, ExecutionKind, datetime]:
    return execution.client_order_id, execution.kind, execution.at


def _described(item: Leg | Change) -> dict[str, str]:
    if isinstance(item, Change):
        return {"change": item.kind.value}
    return {
        "effect": item.effect.value,
        "position_side": item.position_side.value,
        "contracts": str(item.contracts),
    }
