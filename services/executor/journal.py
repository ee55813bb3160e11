"""What the log says was done about an intent: read when a message may have been handled before, so
that a plan is resumed and never made twice.
"""

from dataclasses import dataclass

from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.execution import Execution
from libs.common.contracts.intent import Intent, IntentDenied
from libs.common.contracts.order import Plan
from libs.common.contracts.words import ClientOrderId, ExecutionKind


@dataclass(frozen=True, kw_only=True)
class History:
    denied: bool = False
    plan: Plan | None = None
    executions: tuple[Execution, ...] = ()

    @property
    def is_finished(self) -> bool:
        """Every leg and change of the plan has ended, or is followed from elsewhere."""
        if self.plan is None:
            return False
        orders = [leg.client_order_id for leg in self.plan.legs]
        orders += [change.change_id for change in self.plan.changes]
        return all(self.ending(order) or self.resting(order) for order in orders)

    def ending(self, order: ClientOrderId) -> Execution | None:
        """How a leg or change ended; None where it has not, or was never sent."""
        return next((found for found in self._of(order) if found.kind in ENDINGS), None)

    def resting(self, order: ClientOrderId) -> Execution | None:
        """Where it waits, or waited, at the exchange."""
        kind = ExecutionKind.RESTING
        return next((found for found in self._of(order) if found.kind is kind), None)

    def exchange_id(self, order: ClientOrderId) -> str | None:
        """What the exchange calls it: then it was taken for certain."""
        ids = (found.exchange_order_id for found in self._of(order))
        return next((known for known in ids if known is not None), None)

    def _of(self, order: ClientOrderId) -> list[Execution]:
        return [found for found in self.executions if found.client_order_id == order]


ORDER_ENDINGS = frozenset({ExecutionKind.FILLED, ExecutionKind.CANCELED, ExecutionKind.REJECTED})
ENDINGS = ORDER_ENDINGS | {ExecutionKind.CHANGED}
NOTHING = History()


async def read_history(bus: Bus, intent: Intent, *, after: int) -> History:
    """Read what was stored about an intent after its own message; raises `LogUnavailable`."""
    async for entry in bus.entries_after(subject=subjects.intent_denied(intent.route), seq=after):
        found = entry.message
        if isinstance(found, IntentDenied) and found.intent_id == intent.intent_id:
            return History(denied=True)
    plans = subjects.order_planned(account=intent.account, symbol=intent.symbol)
    async for entry in bus.entries_after(subject=plans, seq=after):
        if isinstance(entry.message, Plan) and entry.message.intent_id == intent.intent_id:
            executions = await read_executions(bus, intent, after=entry.seq)
            return History(plan=entry.message, executions=executions)
    return NOTHING


async def read_executions(bus: Bus, intent: Intent, *, after: int) -> tuple[Execution, ...]:
    """What was executed of an intent after a place in the log; raises `LogUnavailable`."""
    subject = subjects.executions_of(account=intent.account, symbol=intent.symbol)
    return tuple(
        [
            entry.message
            async for entry in bus.entries_after(subject=subject, seq=after)
            if isinstance(entry.message, Execution) and entry.message.intent_id == intent.intent_id
        ]
    )
