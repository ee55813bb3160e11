"""Puts what happened to a leg into the log, with each call to the exchange since the last event."""

from datetime import datetime
from typing import Any

import structlog

from libs.common.bus import Bus
from libs.common.clock import Clock
from libs.common.contracts import subjects
from libs.common.contracts.execution import Execution
from libs.common.contracts.order import ExchangeCall, Leg, Plan
from libs.common.contracts.words import ExecutionKind
from libs.common.domain.identity import execution_event_id

CALLS_KEPT = 24

_REPEATABLE = frozenset({ExecutionKind.SENT, ExecutionKind.UNKNOWN})
_log = structlog.get_logger()


class Recorder:
    """Records the executions of one plan's legs."""

    def __init__(self, *, bus: Bus, plan: Plan, clock: Clock) -> None:
        self._bus = bus
        self._plan = plan
        self._clock = clock
        self._calls: list[ExchangeCall] = []

    def saw(self, call: ExchangeCall) -> None:
        """Keep a call for the next event; of very many polls the first and the latest."""
        self._calls.append(call)
        if len(self._calls) > CALLS_KEPT:
            del self._calls[CALLS_KEPT // 2]

    async def record(
        self,
        leg: Leg,
        kind: ExecutionKind,
        *,
        call: ExchangeCall | None = None,
        at: datetime | None = None,
        **facts: Any,
    ) -> None:
        """Store one event; raises `LogUnavailable`. `facts` are fields of `Execution`."""
        plan = self._plan
        when = at or self._clock.now()
        if call is not None:
            calls: tuple[ExchangeCall, ...] = (call,)
        else:
            calls, self._calls = tuple(self._calls), []
        # What may happen more than once to an order is told apart by its time.
        occurrence = int(when.timestamp() * 1e6) if kind in _REPEATABLE else 0
        await self._bus.publish(
            subject=subjects.execution(kind=kind, account=plan.account, symbol=plan.symbol),
            message=Execution(
                alert_id=plan.alert_id,
                intent_id=plan.intent_id,
                route=plan.route,
                account=plan.account,
                symbol=plan.symbol,
                client_order_id=leg.client_order_id,
                kind=kind,
                at=when,
                calls=calls,
                **facts,
            ),
            event_id=execution_event_id(
                order=leg.client_order_id, kind=kind, occurrence=occurrence
            ),
        )
        _log.info(
            f"execution.{kind.value}",
            route=plan.route,
            account=plan.account,
            symbol=plan.symbol,
            client_order_id=leg.client_order_id,
            effect=leg.effect.value,
            position_side=leg.position_side.value,
            contracts=str(leg.contracts),
            **{name: str(fact) for name, fact in facts.items() if fact is not None},
        )
