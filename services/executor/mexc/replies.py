"""What a transfer means for the caller: pure functions from what arrived to the port's values.

Where it is not certain that the exchange refused an order, the answer is `Unknown`.
"""

from dataclasses import dataclass

import msgspec

from libs.common.contracts.causes import PASSING_CAUSES, Cause
from libs.common.contracts.words import ClientOrderId
from services.executor.exchange import (
    Accepted,
    Duplicate,
    Failed,
    NotFound,
    NotSent,
    OrderQuery,
    QueryFailed,
    RateLimited,
    Rejected,
    Submitted,
    Unknown,
    Verdict,
)
from services.executor.mexc import errors, mapping, wire
from services.executor.mexc.transport import Transfer

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Answer:
    """The API did as it was asked."""

    data: msgspec.Raw
    has_data: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API said no."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing that the API said arrived: no reply, or a gateway's."""

    why: str


def read(transfer: Transfer) -> Answer | Refusal | Silence:
    """MEXC says no with HTTP 200, so the envelope decides, once the status is the API's own."""
    status = transfer.call.http_status
    if transfer.body is None or status is None:
        return Silence(transfer.call.error)
    if status >= 500 or 300 <= status < 400:
        return Silence(f"HTTP {status}")
    try:
        envelope = wire.envelope(transfer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if status == errors.HTTP_TOO_MANY_REQUESTS:
            return Refusal(status, "")
        return Silence(_not_ours(transfer))
    if not envelope.success:
        code = status if status == errors.HTTP_TOO_MANY_REQUESTS else envelope.code
        return Refusal(code, envelope.message or "")
    if status >= 400:
        return Silence(_not_ours(transfer))
    return Answer(envelope.data, envelope.has_data)


def verdict_on(transfer: Transfer) -> Verdict | None:
    """Whether the exchange did as asked, whatever it was; None where it has not said so."""
    match read(transfer):
        case Answer():
            return Verdict(refused=None, code=0, message="", begun_at=transfer.begun_at)
        case Refusal(code, message):
            cause = errors.cause_of(code)
            return Verdict(refused=cause, code=code, message=message, begun_at=transfer.begun_at)
        case Silence():
            return None


def judge_submission(transfer: Transfer) -> Submitted:
    call = transfer.call
    reply = read(transfer)
    match reply:
        case Silence(why):
            return Unknown(why=why, call=call) if transfer.left else NotSent(why=why, call=call)
        case Refusal(code, message):
            return _judge_refusal(transfer, code=code, message=message)
        case Answer(data):
            try:
                return Accepted(exchange_order_id=wire.created_order_id(data), call=call)
            except ValueError as error:
                # Also an id that is no UTF-8: the order may be there all the same.
                return Unknown(why=f"accepted, but without an order id: {error}", call=call)


def _judge_refusal(transfer: Transfer, *, code: int, message: str) -> Submitted:
    call = transfer.call
    cause = errors.cause_of(code)
    if code in errors.OUTCOME_UNKNOWN:
        return Unknown(why=f"code {code}: {message}", call=call)
    if code in errors.DUPLICATE_ORDER:
        return Duplicate(code=code, message=message, call=call)
    if cause is Cause.RATE_LIMIT:
        return RateLimited(code=code, message=message, call=call)
    return Rejected(code=code, message=message, kind=cause, call=call)


def judge_order(transfer: Transfer, *, client_order_id: ClientOrderId | None) -> OrderQuery:
    """`client_order_id`: None where the order was asked for by the exchange's id."""
    call = transfer.call
    reply = read(transfer)
    match reply:
        case Answer(has_data=False) | Refusal(code=errors.ORDER_NOT_EXIST):
            return NotFound(call=call)
        case Answer(data):
            try:
                order = wire.order(data)
                ours = client_order_id is None or order.external_oid in {None, client_order_id}
                if not ours:
                    return _unanswered(transfer, f"an answer about {order.external_oid}")
                if client_order_id is not None and order.error_code in errors.ORDER_DUPLICATE:
                    return _unanswered(transfer, _of_a_duplicate(order.error_code))
                return mapping.to_found(order, call=call)
            except ValueError as error:
                return _unanswered(transfer, f"an order that cannot be read: {error}")
        case Refusal(code, message):
            cause = errors.cause_of(code)
            return Failed(
                retryable=cause in PASSING_CAUSES,
                kind=cause,
                code=code,
                message=message,
                call=call,
            )
        case Silence(why):
            return _unanswered(transfer, why)


def failed(error: QueryFailed) -> Failed:
    """A question that was not answered, as a value."""
    return Failed(
        retryable=error.retryable,
        kind=error.kind,
        code=error.code,
        message=error.message,
        call=error.call,
        earlier=error.earlier,
    )


def data_of(transfer: Transfer) -> msgspec.Raw:
    """What a question was answered with. Raises `QueryFailed`."""
    reply = read(transfer)
    match reply:
        case Answer(data):
            return data
        case Refusal(code, message):
            kind = errors.cause_of(code)
            raise QueryFailed(kind=kind, code=code, message=message, call=transfer.call)
        case Silence(why):
            raise QueryFailed(kind=Cause.SYSTEM, code=None, message=why, call=transfer.call)


def unreadable(transfer: Transfer, error: ValueError) -> QueryFailed:
    """An answer of the right shape outside, and of the wrong one inside."""
    return QueryFailed(
        kind=Cause.SYSTEM,
        code=None,
        message=f"an answer that cannot be read: {error}",
        call=transfer.call,
    )


def _unanswered(transfer: Transfer, why: str) -> Failed:
    return Failed(retryable=True, kind=Cause.SYSTEM, code=None, message=why, call=transfer.call)


def _of_a_duplicate(code: int) -> str:
    name = errors.order_error_name(code)
    return f"an order that died as a duplicate ({name}): the first of its id is not shown"


def _not_ours(transfer: Transfer) -> str:
    shown = transfer.call.response_body[:_SHOWN_CHARACTERS]
    return f"HTTP {transfer.call.http_status}, not an answer of the API: {shown}"
