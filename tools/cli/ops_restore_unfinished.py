"""What a restored log leaves open: alerts and intents of which it does not show the end. Pure.

Whether they were carried out after the backup nobody knows here, so they are not carried out by
themselves (docs/decisions/0040). Where it is doubtful, it counts as open: a letter too many costs a
look, an order too many costs money.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from libs.common.contracts import codec, subjects
from libs.common.contracts.alert import Alert
from libs.common.contracts.codec import AnyMessage, UndecodableError
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.contracts.execution import Execution
from libs.common.contracts.intent import Intent, IntentDenied
from libs.common.contracts.order import Plan
from libs.common.contracts.words import (
    AccountId,
    AlertId,
    Effect,
    ExecutionKind,
    IntentId,
    RouteId,
)
from libs.common.topology import ROUTER
from services.executor.journal import History

_EXECUTOR = "executor"
_RECEIVED, _ACCEPTED = "alert.received", "intent.accepted"


@dataclass(frozen=True, kw_only=True)
class Open:
    """A message that a service has not finished with, as far as the log shows."""

    service: str
    seq: int
    subject: str
    headers: Mapping[str, str]
    data: bytes
    alert_id: AlertId | None


@dataclass(kw_only=True)
class Reading:
    """Of the log from the lowest floor on, message by message."""

    router_floor: int
    """Up to where the router has handled everything."""
    shard_floors: Mapping[int, int]
    """The same of each executor's shard."""
    accounts: Mapping[RouteId, frozenset[AccountId]]
    """What each route trades now."""
    _open: dict[int, Open] = field(default_factory=dict)
    _messages: dict[int, AnyMessage] = field(default_factory=dict)
    _decided: dict[AlertId, set[AccountId | None]] = field(default_factory=dict)
    _denied: set[IntentId] = field(default_factory=set)
    _plans: dict[IntentId, Plan] = field(default_factory=dict)
    _executions: dict[IntentId, list[Execution]] = field(default_factory=dict)
    _buried: set[tuple[str, int]] = field(default_factory=set)

    def take(self, *, seq: int, subject: str, headers: Mapping[str, str], data: bytes) -> None:
        try:
            message = codec.decode(data)
        except UndecodableError:
            message = None
        service = self._consumed_by(seq, subject)
        if service is not None:
            self._open[seq] = Open(
                service=service,
                seq=seq,
                subject=subject,
                headers=headers,
                data=data,
                alert_id=None if message is None else message.alert_id,
            )
            if message is not None:
                self._messages[seq] = message
        self._note(message)

    def left_open(self) -> list[Open]:
        """In the order of the log."""
        return [each for seq, each in sorted(self._open.items()) if not self._is_finished(seq)]

    def _consumed_by(self, seq: int, subject: str) -> str | None:
        parsed = subjects.parse(subject)
        if parsed.stage == _RECEIVED:
            return ROUTER if seq > self.router_floor else None
        if parsed.stage != _ACCEPTED or not parsed.keys or not parsed.keys[0].isdigit():
            return None
        floor = self.shard_floors.get(int(parsed.keys[0]))
        return _EXECUTOR if floor is not None and seq > floor else None

    def _note(self, message: AnyMessage | None) -> None:
        match message:
            case Intent():
                self._decided.setdefault(message.alert_id, set()).add(message.account)
            case IntentDenied():
                self._decided.setdefault(message.alert_id, set()).add(message.account)
                if message.intent_id is not None:
                    self._denied.add(message.intent_id)
            case Plan():
                self._plans[message.intent_id] = message
            case Execution():
                self._executions.setdefault(message.intent_id, []).append(message)
            case DeadLetter():
                self._buried.add((message.service, message.seq))
            case _:
                pass

    def _is_finished(self, seq: int) -> bool:
        if (self._open[seq].service, seq) in self._buried:
            return True
        match self._messages.get(seq):
            case Alert() as alert:
                decided = self._decided.get(alert.alert_id, set())
                # None: denied as a whole, for no account of it.
                wanted = self.accounts.get(alert.route, frozenset())
                return None in decided or (bool(decided) and wanted <= decided)
            case Intent() as intent:
                if intent.intent_id in self._denied:
                    return True
                done = tuple(self._executions.get(intent.intent_id, ()))
                plan = self._plans.get(intent.intent_id)
                return plan is not None and _is_carried_out(plan, executions=done)
            case _:
                return False


def _is_carried_out(plan: Plan, *, executions: tuple[Execution, ...]) -> bool:
    """Every leg and change has ended or waits at the exchange, but for what was rightly left out:
    behind a leg that was not filled nothing is opened (services/executor/carrying.py).
    """
    history = History(plan=plan, executions=executions)
    may_open = True
    for leg in plan.legs:
        if leg.effect is Effect.OPEN and not may_open:
            continue
        ended = history.ending(leg.client_order_id)
        if ended is None and history.resting(leg.client_order_id) is None:
            return False
        if ended is None:
            may_open &= leg.effect is not Effect.CLOSE
        else:
            may_open &= ended.kind is ExecutionKind.FILLED
    return all(history.ending(change.change_id) for change in plan.changes)
