"""What became of an alert: its status, why, its orders and changes, folded from its events in the
log.

Pure and total: whatever part of the trail is there gives an answer, and more of it a later one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from libs.common.contracts import subjects
from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.dead_letter import DeadLetter, DeadReplayed
from libs.common.contracts.execution import Execution
from libs.common.contracts.flattening import Flattening
from libs.common.contracts.intent import Denial, Intent, IntentDenied
from libs.common.contracts.order import Change, ExchangeCall, Leg, Plan
from libs.common.contracts.words import (
    AccountId,
    AlertStatus,
    ChangeKind,
    ClientOrderId,
    Effect,
    ExecutionKind,
    PositionSide,
    VenueSymbol,
)
from libs.common.domain.lifecycle import BAD_ENDS, FINAL, GOOD_ENDS, OrderState, next_state

_OFF_THE_PATH = frozenset({"auditor", "console"})
"""A dead letter of these is a hole in the trail, not the end of the alert."""
_UNDER_WAY = frozenset({OrderState.PLANNED, OrderState.SENT, OrderState.ACCEPTED})


@dataclass(frozen=True, kw_only=True)
class TrailEvent:
    """One message of the alert as the trail holds it."""

    seq: int
    stage: str
    service: str
    at: datetime
    stored_at: datetime | None
    message: AnyMessage


@dataclass(kw_only=True)
class JourneyStep:
    """What is known of anything that was asked of the exchange."""

    client_order_id: ClientOrderId
    """Of a change its `change_id`."""
    account: AccountId
    symbol: VenueSymbol
    state: OrderState = OrderState.PLANNED
    exchange_order_id: str | None = None
    request: str | None = None
    """With `response`, the creating call's bytes."""
    response: str | None = None
    filled_contracts: Decimal | None = None
    average_price: Decimal | None = None
    fee: Decimal | None = None
    words: str = ""
    """What the exchange said last about why it is so, with its code."""
    told: Execution | None = field(default=None, repr=False)
    """Where those words stand."""
    sent: ExchangeCall | None = field(default=None, repr=False)
    """The latest request as it left."""


@dataclass(kw_only=True)
class JourneyOrder(JourneyStep):
    """One leg."""

    effect: Effect
    position_side: PositionSide
    contracts: Decimal


@dataclass(kw_only=True)
class JourneyChange(JourneyStep):
    """One change, which makes no order of its own."""

    change: Change

    @property
    def kind(self) -> ChangeKind:
        return self.change.kind


@dataclass(frozen=True, kw_only=True)
class JourneyPart:
    """What became of an alert on one account, or before it was shared out among them (None)."""

    account: AccountId | None
    status: AlertStatus
    reason: str | None
    intent: Intent | None
    plan: Plan | None
    orders: tuple[JourneyOrder, ...]
    changes: tuple[JourneyChange, ...]
    denied: IntentDenied | None
    letter: DeadLetter | None
    """It was given up on, and nothing has come of it since."""
    letter_seq: int | None

    @property
    def steps(self) -> tuple[JourneyStep, ...]:
        return (*self.orders, *self.changes)

    @property
    def withheld(self) -> Denial | None:
        return self.plan.withheld if self.plan is not None else None


@dataclass(frozen=True, kw_only=True)
class Journey:
    status: AlertStatus
    reason: str | None
    """A denial's or refusal's code of the closed list, the exchange's words, why it died, or that
    it was canceled."""
    orders: tuple[JourneyOrder, ...]
    changes: tuple[JourneyChange, ...] = ()
    parts: tuple[JourneyPart, ...] = ()
    """Of each account; of an alert that was refused there is none."""


@dataclass(kw_only=True)
class _Lane:
    # What happened on one account.
    intent: Intent | None = None
    plan: Plan | None = None
    orders: list[JourneyOrder] = field(default_factory=list)
    changes: list[JourneyChange] = field(default_factory=list)
    denied: IntentDenied | None = None
    letter: DeadLetter | None = None
    letter_seq: int | None = None

    @property
    def steps(self) -> list[JourneyStep]:
        return [*self.orders, *self.changes]


@dataclass(kw_only=True)
class _Story:
    # What was told so far: of the whole alert, and of each account.
    refused: str | None = None
    flattened: bool = False
    whole: _Lane = field(default_factory=_Lane)
    lanes: dict[AccountId, _Lane] = field(default_factory=dict)


Outcome = tuple[AlertStatus, str | None]
"""A status and why."""


def journey(events: Iterable[TrailEvent]) -> Journey:
    """Fold an alert's events, in the order of the log.

    An alert that fans out is judged by the accounts seen so far: the router publishes the intents
    one after the other, so the first may be executed a moment before the second is known.
    """
    story = _Story()
    for event in events:
        _add(story, event.message, seq=event.seq)
    refused, flattened, whole, lanes = story.refused, story.flattened, story.whole, story.lanes
    for lane in lanes.values():
        _abandon(lane.orders)
    orders = tuple(order for lane in lanes.values() for order in lane.orders)
    changes = tuple(change for lane in lanes.values() for change in lane.changes)
    if refused is not None:
        return Journey(status=AlertStatus.REFUSED, reason=refused, orders=orders, changes=changes)
    if flattened and not lanes and whole.letter is None:
        # What it lists has journeys of its own.
        return Journey(status=AlertStatus.EXECUTED, reason=None, orders=(), changes=())
    told = whole.letter is not None or whole.denied is not None
    judged: list[tuple[AccountId | None, _Lane]] = [*lanes.items()]
    if told or not lanes:
        judged.append((None, whole))
    parts = tuple(_part(account, lane) for account, lane in judged)
    status, reason = folded([(part.status, part.reason) for part in parts])
    return Journey(status=status, reason=reason, orders=orders, changes=changes, parts=parts)


def _part(account: AccountId | None, lane: _Lane) -> JourneyPart:
    status, reason = _outcome(lane)
    return JourneyPart(
        account=account,
        status=status,
        reason=reason,
        intent=lane.intent,
        plan=lane.plan,
        orders=tuple(lane.orders),
        changes=tuple(lane.changes),
        denied=lane.denied,
        letter=lane.letter,
        letter_seq=lane.letter_seq if lane.letter is not None else None,
    )


def _add(story: _Story, message: AnyMessage | None, *, seq: int) -> None:
    whole, lanes = story.whole, story.lanes
    match message:
        case AlertRefused(reason=why):
            story.refused = story.refused or why.value
        case Flattening():
            story.flattened = True
        case DeadReplayed():
            # Others stay dead; and where the replay has failed too, its letter may stand before.
            for lane in (whole, *lanes.values()):
                if lane.letter_seq == message.letter_seq:
                    lane.letter = None
        case DeadLetter():
            if message.service not in _OFF_THE_PATH:
                lane = _dead_lane(message, whole=whole, lanes=lanes)
                lane.letter, lane.letter_seq = message, seq
        case IntentDenied(account=None):
            _tell(whole, message)
        case Intent() | IntentDenied() | Plan() | Execution():
            assert message.account is not None  # noqa: S101 - the case above
            whole.letter = None  # What was given up on before is going on again.
            _tell(lanes.setdefault(message.account, _Lane()), message)
        case _:
            # What arrived, what came twice, what moved the position later: none of it is an end.
            pass


def _dead_lane(letter: DeadLetter, *, whole: _Lane, lanes: dict[AccountId, _Lane]) -> _Lane:
    # A given-up intent is the end on its account alone; its subject names the account.
    subject = subjects.parse(letter.subject)
    if subject.stage == "intent.accepted" and len(subject.keys) > 1:
        return lanes.setdefault(AccountId(subject.keys[1]), _Lane())
    return whole


def _tell(lane: _Lane, message: AnyMessage) -> None:
    if not _is_followed(lane, message):
        lane.letter = None  # It was replayed, or delivered after all.
    match message:
        case Intent():
            lane.intent = message
        case IntentDenied():
            lane.denied = message
        case Plan() if lane.plan is None:
            lane.plan = message
            lane.orders = [_order(message, leg) for leg in message.legs]
            lane.changes = [_change(message, change) for change in message.changes]
        case Execution(client_order_id=wanted):
            for step in lane.steps:
                if step.client_order_id == wanted:
                    _hear(step, message)


def _is_followed(lane: _Lane, message: AnyMessage) -> bool:
    # The end of an order that waited comes by itself, whatever became of the rest of its plan.
    return isinstance(message, Execution) and any(
        order.client_order_id == message.client_order_id and order.state is OrderState.RESTING
        for order in lane.orders
    )


def _order(plan: Plan, leg: Leg) -> JourneyOrder:
    return JourneyOrder(
        client_order_id=leg.client_order_id,
        account=plan.account,
        symbol=plan.symbol,
        effect=leg.effect,
        position_side=leg.position_side,
        contracts=leg.contracts,
    )


def _change(plan: Plan, change: Change) -> JourneyChange:
    return JourneyChange(
        client_order_id=change.change_id, account=plan.account, symbol=plan.symbol, change=change
    )


def _hear(order: JourneyStep, execution: Execution) -> None:
    filled = execution.filled_contracts
    if filled is not None and filled >= (order.filled_contracts or 0):
        order.filled_contracts = filled
        order.average_price = execution.average_price or order.average_price
        order.fee = order.fee if execution.fee is None else execution.fee
    order.exchange_order_id = execution.exchange_order_id or order.exchange_order_id
    before = order.state
    order.state = next_state(before, execution.kind, filled_contracts=order.filled_contracts)
    if before not in FINAL or order.state is not before:
        order.words, order.told = _words(execution), execution
    if execution.kind is ExecutionKind.SENT and execution.calls:
        order.sent = execution.calls[0]
    call = _creating_call(execution.calls, order=order)
    if call is not None:
        order.request = call.request_body
        order.response = call.response_body or order.response


def _words(execution: Execution) -> str:
    if execution.code is None:
        return execution.message
    return f"{execution.code} {execution.message}".strip()


def _creating_call(calls: Sequence[ExchangeCall], *, order: JourneyStep) -> ExchangeCall | None:
    # The first call that carries the order's id in its body makes the order. What has no such id
    # (a stop order, a change) is known by where its request was sent. Where it was tried again
    # (out of budget), the last try on the same path is the one that counts.
    carrying = [call for call in calls if order.client_order_id in call.request_body]
    path = carrying[0].path if carrying else order.sent.path if order.sent else None
    tries = carrying or [call for call in calls if call.request_body]
    return next((call for call in reversed(tries) if call.path == path), None)


def _abandon(orders: list[JourneyOrder]) -> None:
    # Changes are not: the executor does them all the same, or says why not. Nor is what closes.
    stopped = False
    for order in orders:
        opens = order.effect is Effect.OPEN
        if stopped and opens and order.state is OrderState.PLANNED:
            order.state = OrderState.ABANDONED
        stopped = stopped or order.state in BAD_ENDS


def _outcome(lane: _Lane) -> Outcome:
    states = [step.state for step in lane.steps]
    unknown = next((step for step in lane.steps if step.state is OrderState.UNKNOWN), None)
    stopped = next((step for step in lane.steps if step.state in BAD_ENDS), None)
    moved = any(step.filled_contracts or step.state in GOOD_ENDS for step in lane.steps)
    if lane.letter is not None:
        return AlertStatus.DEAD, lane.letter.reason
    if unknown is not None:
        return AlertStatus.UNKNOWN, unknown.words or None
    if lane.plan is not None and all(state in GOOD_ENDS for state in states):
        if lane.plan.withheld is not None:
            return AlertStatus.PARTIAL, lane.plan.withheld.reason.value
        return AlertStatus.EXECUTED, None
    if lane.denied is not None:
        status = AlertStatus.PARTIAL if moved else AlertStatus.DENIED
        return status, lane.denied.denial.reason.value
    if OrderState.RESTING in states or any(state in _UNDER_WAY for state in states):
        return AlertStatus.PENDING, None
    if stopped is not None and stopped.told is not None and stopped.told.reason is not None:
        # It was held back in the executor's queue: the exchange never had it.
        return AlertStatus.PARTIAL if moved else AlertStatus.DENIED, stopped.told.reason.value
    if stopped is not None:
        status = AlertStatus.PARTIAL if moved else AlertStatus.REJECTED
        return status, stopped.words or _UNTOLD[stopped.state]
    return AlertStatus.PENDING, None


_UNTOLD = {
    OrderState.PARTLY_FILLED: "canceled after a part of it was filled",
    OrderState.CANCELED: "canceled before it was filled",
    OrderState.REJECTED: None,
}
"""The reason where the exchange names none: an order that was canceled on request has none."""

# Of several accounts, the first of these that any of them is in; `partial` is handled apart.
_PRECEDENCE = (
    AlertStatus.UNKNOWN,
    AlertStatus.PENDING,
    AlertStatus.PARTIAL,
    AlertStatus.DEAD,
    AlertStatus.REJECTED,
    AlertStatus.DENIED,
    AlertStatus.EXECUTED,
)


def folded(outcomes: Sequence[Outcome]) -> Outcome:
    """What several parts, of which there is at least one, come to together."""
    found = {status for status, _ in outcomes}
    worst = next(status for status in _PRECEDENCE if status in found)
    reason = next((why for status, why in outcomes if status is worst and why), None)
    if AlertStatus.EXECUTED in found and worst in {
        AlertStatus.DEAD,
        AlertStatus.REJECTED,
        AlertStatus.DENIED,
    }:
        return AlertStatus.PARTIAL, reason
    return worst, reason
