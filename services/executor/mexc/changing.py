"""Changes at MEXC: which request does one, and what its reply means.

What a cancel no longer finds is done, and said so. Nothing else is done that was not confirmed:
a reply that says success may hold refusals in its items.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from libs.common.contracts.causes import Cause
from libs.common.contracts.order import Change, ExchangeCall
from libs.common.contracts.words import ChangeKind, VenueSymbol
from services.executor.exchange import Changed, Done, NotSent, RateLimited, Rejected, Unknown
from services.executor.mexc import bodies, errors, wire
from services.executor.mexc.replies import Answer, Refusal, Silence, read
from services.executor.mexc.transport import Transfer

STOP_PLACE = "/api/v1/private/stoporder/place"
STOP_CHANGE = "/api/v1/private/stoporder/change_plan_price"
STOP_CANCEL = "/api/v1/private/stoporder/cancel"
ORDER_STOP_CHANGE = "/api/v1/private/stoporder/change_price"
PLAN_STOP_CHANGE = "/api/v1/private/planorder/change_stop_order"
ORDER_CANCEL = "/api/v1/private/order/cancel"
PLAN_CANCEL = "/api/v1/private/planorder/cancel"
TRACK_PLACE = "/api/v1/private/trackorder/place"
TRACK_CANCEL = "/api/v1/private/trackorder/cancel"

CANCELED_AT_ONCE = 50
"""The most ids that order/cancel takes."""

Judge = Callable[[Transfer], Changed]


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a change."""

    path: str
    body: str
    judge: Judge


def steps(change: Change, *, symbol: VenueSymbol) -> list[Step]:
    """One, but for several ids: the cancels of plans and trailing orders tell nothing about each of
    several ids, so each has a request of its own. Raises `ValueError` where something is missing.
    """
    ids = change.exchange_ids
    match change.kind:
        case ChangeKind.TRAIL:
            return [Step(TRACK_PLACE, bodies.trail_body(change, symbol=symbol), judge_making)]
        case _ if not ids:
            raise ValueError(f"{change.kind.value} names nothing")
        case ChangeKind.CANCEL_ORDERS:
            return [
                Step(ORDER_CANCEL, bodies.canceled_orders_body(some), _judge_items_of(some))
                for start in range(0, len(ids), CANCELED_AT_ONCE)
                if (some := ids[start : start + CANCELED_AT_ONCE])
            ]
        case _:
            return [_step(change, symbol=symbol, id_=each) for each in ids]


def _step(change: Change, *, symbol: VenueSymbol, id_: str) -> Step:
    match change.kind:
        case ChangeKind.PROTECT:
            return Step(STOP_PLACE, bodies.protect_body(change, position_id=id_), judge_making)
        case ChangeKind.MOVE_PROTECTION if change.stop_price is change.target_price is None:
            # MEXC wants one of the two prices: without any, the stop itself has to go.
            return Step(STOP_CANCEL, bodies.canceled_stop_body(id_), _judge_cancel_of(id_))
        case ChangeKind.MOVE_PROTECTION:
            return Step(STOP_CHANGE, bodies.moved_stop_body(change, stop_id=id_), judge_changing)
        case ChangeKind.AMEND_ORDER:
            body = bodies.amended_order_body(change, order_id=id_)
            return Step(ORDER_STOP_CHANGE, body, judge_changing)
        case ChangeKind.AMEND_TRIGGER:
            body = bodies.amended_plan_body(change, symbol=symbol, plan_id=id_)
            return Step(PLAN_STOP_CHANGE, body, judge_changing)
        case ChangeKind.CANCEL_TRIGGERS:
            body = bodies.canceled_plan_body(id_, symbol=symbol)
            return Step(PLAN_CANCEL, body, _judge_cancel_of(id_))
        case ChangeKind.CANCEL_TRAILS:
            body = bodies.canceled_trail_body(id_, symbol=symbol)
            return Step(TRACK_CANCEL, body, _judge_cancel_of(id_))
        case _:
            raise ValueError(f"{change.kind.value} is no change of one thing")


def judge_making(transfer: Transfer) -> Changed:
    """A stop or a trailing order was asked for."""
    reply = read(transfer)
    if isinstance(reply, Answer):
        return Done(exchange_id=wire.made_id(reply.data), call=transfer.call)
    return _judge_failure(transfer, reply)


def judge_changing(transfer: Transfer) -> Changed:
    reply = read(transfer)
    if isinstance(reply, Answer):
        return Done(exchange_id=None, call=transfer.call)
    return _judge_failure(transfer, reply)


def judge_cancel(transfer: Transfer, *, id_: str) -> Changed:
    """Of one plan, stop or trailing order."""
    reply = read(transfer)
    match reply:
        case Answer():
            return Done(exchange_id=None, call=transfer.call)
        case Refusal(code, message) if code in errors.GONE:
            return Done(exchange_id=None, call=transfer.call, message=_said(id_, message or code))
        case _:
            return _judge_failure(transfer, reply)


def judge_items(transfer: Transfer, *, ids: Sequence[str]) -> Changed:
    """Of order/cancel, which succeeds whatever became of each order."""
    call = transfer.call
    reply = read(transfer)
    if not isinstance(reply, Answer):
        return _judge_failure(transfer, reply)
    try:
        items = [wire.row(row, wire.CanceledItem) for row in wire.rows(reply.data)]
    except ValueError as error:
        return Unknown(why=f"an answer that cannot be read: {error}", call=call)
    told = {str(item.order_id): item for item in items}
    missing = [id_ for id_ in ids if id_ not in told]
    if missing:
        return Unknown(why=f"nothing is said about {', '.join(missing)}", call=call)
    ours = [told[id_] for id_ in ids]
    failed = [item for item in ours if item.error_code and item.error_code not in errors.GONE]
    if failed:
        said = "; ".join(_said_of(item) for item in failed)
        return _judge_code(call, code=failed[0].error_code, message=said)
    gone = "; ".join(_said_of(item) for item in ours if item.error_code)
    return Done(exchange_id=None, call=call, message=gone)


def _judge_items_of(ids: Sequence[str]) -> Judge:
    return lambda transfer: judge_items(transfer, ids=ids)


def _judge_cancel_of(id_: str) -> Judge:
    return lambda transfer: judge_cancel(transfer, id_=id_)


def _judge_failure(transfer: Transfer, reply: Refusal | Silence) -> Changed:
    call = transfer.call
    match reply:
        case Silence(why):
            return Unknown(why=why, call=call) if transfer.left else NotSent(why=why, call=call)
        case Refusal(code, message):
            return _judge_code(call, code=code, message=message)


def _judge_code(call: ExchangeCall, *, code: int, message: str) -> Changed:
    cause = errors.cause_of(code)
    # A repeated request is one that was seen before, with an end that is not told.
    if code in errors.OUTCOME_UNKNOWN | errors.DUPLICATE_ORDER:
        return Unknown(why=f"code {code}: {message}", call=call)
    if cause is Cause.RATE_LIMIT:
        return RateLimited(code=code, message=message, call=call)
    return Rejected(code=code, message=message, kind=cause, call=call)


def _said_of(item: wire.CanceledItem) -> str:
    return _said(str(item.order_id), item.error_msg or item.error_code)


def _said(id_: str, words: str | int) -> str:
    return f"{id_}: {words}"
