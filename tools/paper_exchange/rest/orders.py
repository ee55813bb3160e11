"""Private endpoints that place, change and cancel orders."""

from typing import Any

from tools.paper_exchange.control.behaviour import AbsentMode, CreateAnswer
from tools.paper_exchange.engine.commands import (
    CancelOrder,
    ChangeOrder,
    ChaseOrder,
    PlaceOrder,
    Twist,
)
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import ZERO
from tools.paper_exchange.engine.words import PositionMode
from tools.paper_exchange.rest.bodies import (
    ChaseBody,
    OrderBody,
    SymbolBody,
    change_body,
    decoded,
    external_ids,
    order_bodies,
    order_body,
    order_ids,
)
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.errors import language_of, message_of
from tools.paper_exchange.venue import Venue

_CLOSING_SIDES = frozenset({2, 4})
_CANCEL_WORDS = {
    0: "success",
    2040: "order not exist",
    2041: "order state cannot be cancelled",
}


def create_order(venue: Venue, call: Call) -> dict[str, Any] | str:
    order_id = _place(venue, call, order_body(call.body))
    match venue.behaviour.create_answer:
        case CreateAnswer.OBJECT:
            return {"orderId": str(order_id), "ts": call.now_ms}
        case CreateAnswer.NUMBER:
            return {"orderId": order_id, "ts": call.now_ms}
        case CreateAnswer.BARE:
            return str(order_id)


def submit_order(venue: Venue, call: Call) -> str:
    """The older path, with the older answer."""
    return str(_place(venue, call, order_body(call.body)))


def submit_batch(venue: Venue, call: Call) -> list[dict[str, Any]]:
    """Each order for itself: those that are refused do not keep the others from being placed."""
    if venue.behaviour.batch_orders == "deny":
        raise Refused(511)
    return [_submitted(venue, call, raw) for raw in order_bodies(call.body)]


def change_limit_order(venue: Venue, call: Call) -> str:
    body = change_body(call.body)
    command = ChangeOrder(
        at_ms=call.now_ms,
        account_id=call.account.id,
        order_id=body.order_id,
        price=body.price,
        vol=body.vol,
    )
    return str(venue.apply(command))


def chase_limit_order(venue: Venue, call: Call) -> str:
    order_id = decoded(call.body, ChaseBody).order_id
    command = ChaseOrder(at_ms=call.now_ms, account_id=call.account.id, order_id=order_id)
    return str(venue.apply(command))


def cancel_orders(venue: Venue, call: Call) -> list[dict[str, Any]]:
    return [
        {"orderId": order_id, **_cancel(venue, call, order_id=order_id)}
        for order_id in order_ids(call.body)
    ]


def cancel_by_client_ids(venue: Venue, call: Call) -> list[dict[str, Any]]:
    answers = []
    for item in external_ids(call.body):
        order = call.account.order_by_client_id(item.symbol, item.external_oid)
        outcome = _cancel(venue, call, order_id=order.id if order is not None else 0)
        answers.append({"symbol": item.symbol, "externalOid": item.external_oid, **outcome})
    return answers


def cancel_all(venue: Venue, call: Call) -> None:
    symbol = decoded(call.body, SymbolBody).symbol if call.body else None
    for order in list(call.account.open_orders.values()):
        if not symbol or order.symbol == symbol:
            _cancel(venue, call, order_id=order.id)


def _submitted(venue: Venue, call: Call, raw: bytes) -> dict[str, Any]:
    named = {"externalOid": ""}
    try:
        body = order_body(raw)
        named = {"externalOid": body.external_oid or ""}
        # The venue documents no take profit and stop loss in batches.
        made = _place(venue, call, body, batched=True)
    except Refused as refused:
        language = language_of(
            call.headers.get("Language"), default=venue.behaviour.default_language
        )
        text = message_of(refused.code, language=language, **refused.values)
        return named | {"orderId": 0, "errorCode": refused.code, "errorMsg": text}
    return named | {"orderId": made, "errorCode": 0, "errorMsg": None}


def _place(venue: Venue, call: Call, body: OrderBody, *, batched: bool = False) -> int:
    mode = body.position_mode
    if mode is None and venue.behaviour.absent_position_mode is AbsentMode.ACCOUNT:
        mode = call.account.position_mode
    one_way = call.account.position_mode is PositionMode.ONE_WAY
    if one_way and body.side in _CLOSING_SIDES and venue.behaviour.one_way_close == "reject":
        raise Refused(2001)
    fault, hiding = call.befalling.order, call.befalling.hiding
    return venue.apply(
        PlaceOrder(
            at_ms=call.now_ms,
            account_id=call.account.id,
            symbol=body.symbol,
            side=body.side,
            type=body.type,
            vol=body.vol,
            open_type=body.open_type,
            price=body.price or ZERO,
            leverage=body.leverage,
            position_mode=mode,
            reduce_only=bool(body.reduce_only),
            external_oid=body.external_oid or "",
            attached={} if batched else body.attached(),
            position_id=body.position_id or 0,
            bbo_type=body.bbo_type_num or 0,
            stp_mode=body.stp_mode or 0,
            duplicates=venue.behaviour.duplicate_oid,
            twist=Twist(fault.kind) if fault is not None else None,
            twist_error=fault.code if fault is not None else None,
            hidden_ms=int(hiding.ms) if hiding is not None else 0,
        )
    )


def _cancel(venue: Venue, call: Call, *, order_id: int) -> dict[str, Any]:
    command = CancelOrder(at_ms=call.now_ms, account_id=call.account.id, order_id=order_id)
    try:
        venue.apply(command)
    except Refused as refused:
        return {"errorCode": refused.code, "errorMsg": _CANCEL_WORDS[refused.code]}
    return {"errorCode": 0, "errorMsg": _CANCEL_WORDS[0]}
