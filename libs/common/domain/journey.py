"""What became of an alert: its status, why, and its orders, folded from its events in the log.

Pure and total: whatever part of the trail is there gives an answer, and more of it a later one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from libs.common.contracts import subjects
from libs.common.contracts.alert import Alert, AlertDuplicate, AlertRefused
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.contracts.execution import Execution
from libs.common.contracts.intent import Denial, Intent, IntentDenied
from libs.common.contracts.order import ExchangeCall, Leg, Plan
from libs.common.contracts.words import (
    AccountId,
    AlertStatus,
    ClientOrderId,
    Effect,
    PositionSide,
    VenueSymbol,
)
from libs.common.domain.lifecycle import FINAL, OrderState, next_state

_OFF_THE_PATH = frozenset({"auditor", "console"})
"""A dead letter of these is a hole in the trail, not the end of the alert."""
_STOPPED = FINAL - {OrderState.FILLED}


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
class JourneyOrder:
    """One leg and all that is known of it. Request and reply are the creating call's bytes."""

    client_order_id: ClientOrderId
    account: AccountId
    symbol: VenueSymbol
    effect: Effect
    position_side: PositionSide
    contracts: Decimal
    state: OrderState = OrderState.PLANNED
    exchange_order_id: str | None = None
    request: str | None = None
    response: str | None = None
    filled_contracts: Decimal | None = None
    average_price: Decimal | None = None
    fee: Decimal | None = None
    words: str = ""
    """What the exchange said last about why it is so, with its code."""


@dataclass(frozen=True, kw_only=True)
class Journey:
    status: AlertStatus
    reason: str | None
    """A denial's or refusal's code of the closed list, the exchange's words, or why it died."""
    orders: tuple[JourneyOrder, ...]


@dataclass(kw_only=True)
class _Lane:
    # What happened on one account.
    planned: bool = False
    orders: list[JourneyOrder] = field(default_factory=list)
    denial: Denial | None = None
    dead: str | None = None


_Outcome = tuple[AlertStatus, str | None]


def journey(events: Iterable[TrailEvent]) -> Journey:
    """Fold an alert's events, in the order of the log.

    An alert that fans out is judged by the accounts seen so far: the router publishes the intents
    one after the other, so the first may be executed a moment before the second is known.
    """
    refused: str | None = None
    whole = _Lane()
    lanes: dict[AccountId, _Lane] = {}
    for event in events:
        match event.message:
            case AlertRefused(reason=why):
                refused = refused or why.value
            case Alert() | AlertDuplicate():
                pass
            case IntentDenied(account=None) | DeadLetter():
                _tell(_dead_lane(event.message, whole=whole, lanes=lanes), event.message)
            case Intent() | IntentDenied() | Plan() | Execution():
                assert event.message.account is not None  # noqa: S101 - the case above
                whole.dead = None  # What was given up on before is going on again.
                _tell(lanes.setdefault(event.message.account, _Lane()), event.message)
    for lane in lanes.values():
        _abandon(lane.orders)
    orders = tuple(order for lane in lanes.values() for order in lane.orders)
    if refused is not None:
        return Journey(status=AlertStatus.REFUSED, reason=refused, orders=orders)
    told = whole.dead is not None or whole.denial is not None
    judged = [*lanes.values(), whole] if told or not lanes else [*lanes.values()]
    status, reason = _folded([_outcome(lane) for lane in judged])
    return Journey(status=status, reason=reason, orders=orders)


def _dead_lane(message: AnyMessage, *, whole: _Lane, lanes: dict[AccountId, _Lane]) -> _Lane:
    # A given-up intent is the end on its account alone; its subject names the account.
    if isinstance(message, DeadLetter):
        subject = subjects.parse(message.subject)
        if subject.stage == "intent.accepted" and len(subject.keys) > 1:
            return lanes.setdefault(AccountId(subject.keys[1]), _Lane())
    return whole


def _tell(lane: _Lane, message: AnyMessage) -> None:
    if isinstance(message, DeadLetter):
        if message.service not in _OFF_THE_PATH:
            lane.dead = message.reason
        return
    lane.dead = None  # It was replayed, or delivered after all.
    match message:
        case IntentDenied(denial=denial):
            lane.denial = denial
        case Plan() if not lane.planned:
            lane.planned = True
            lane.orders = [_order(message, leg) for leg in message.legs]
        case Execution(client_order_id=wanted):
            for order in lane.orders:
                if order.client_order_id == wanted:
                    _hear(order, message)


def _order(plan: Plan, leg: Leg) -> JourneyOrder:
    return JourneyOrder(
        client_order_id=leg.client_order_id,
        account=plan.account,
        symbol=plan.symbol,
        effect=leg.effect,
        position_side=leg.position_side,
        contracts=leg.contracts,
    )


def _hear(order: JourneyOrder, execution: Execution) -> None:
    filled = execution.filled_contracts
    if filled is not None and filled >= (order.filled_contracts or 0):
        order.filled_contracts = filled
        order.average_price = execution.average_price or order.average_price
        order.fee = order.fee if execution.fee is None else execution.fee
    order.exchange_order_id = execution.exchange_order_id or order.exchange_order_id
    before = order.state
    order.state = next_state(before, execution.kind, filled_contracts=order.filled_contracts)
    if before not in FINAL or order.state is not before:
        order.words = _words(execution)
    call = _creating_call(execution.calls, order=order.client_order_id)
    if call is not None:
        order.request = call.request_body
        order.response = call.response_body or order.response


def _words(execution: Execution) -> str:
    if execution.code is None:
        return execution.message
    return f"{execution.code} {execution.message}".strip()


def _creating_call(calls: Sequence[ExchangeCall], *, order: ClientOrderId) -> ExchangeCall | None:
    # The first call that carries the order's id in its body makes the order. Where it was tried
    # again (out of budget), the last try on the same path is the one that counts.
    carrying = [call for call in calls if order in call.request_body]
    return next((call for call in reversed(carrying) if call.path == carrying[0].path), None)


def _abandon(orders: list[JourneyOrder]) -> None:
    stopped = False
    for order in orders:
        if stopped and order.state is OrderState.PLANNED:
            order.state = OrderState.ABANDONED
        stopped = stopped or order.state in _STOPPED


def _outcome(lane: _Lane) -> _Outcome:
    states = [order.state for order in lane.orders]
    unknown = next((o for o in lane.orders if o.state is OrderState.UNKNOWN), None)
    stopped = next((o for o in lane.orders if o.state in _STOPPED), None)
    moved = any(order.filled_contracts or order.state is OrderState.FILLED for order in lane.orders)
    if lane.dead is not None:
        return AlertStatus.DEAD, lane.dead
    if unknown is not None:
        return AlertStatus.UNKNOWN, unknown.words or None
    if lane.planned and all(state is OrderState.FILLED for state in states):
        return AlertStatus.EXECUTED, None
    if lane.denial is not None:
        status = AlertStatus.PARTIAL if moved else AlertStatus.DENIED
        return status, lane.denial.reason.value
    if stopped is not None:
        status = AlertStatus.PARTIAL if moved else AlertStatus.REJECTED
        return status, stopped.words or None
    return AlertStatus.PENDING, None


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


def _folded(outcomes: Sequence[_Outcome]) -> _Outcome:
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
