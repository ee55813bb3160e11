"""Private endpoints about orders."""

from collections.abc import Iterable
from typing import Any

from tools.paper_exchange.engine.commands import CancelOrder, PlaceOrder, Twist
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import ZERO, Order
from tools.paper_exchange.rest.bodies import (
    SymbolBody,
    decoded,
    external_ids,
    order_body,
    order_ids,
)
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.shapes import deal_shapes, order_shape
from tools.paper_exchange.venue import AbsentMode, Venue

LARGEST_PAGE = 100
_CANCEL_WORDS = {
    0: "success",
    2040: "order not exist",
    2041: "order state cannot be cancelled",
}


def create_order(venue: Venue, call: Call) -> dict[str, Any]:
    return {"orderId": str(_place(venue, call)), "ts": call.now_ms}


def submit_order(venue: Venue, call: Call) -> str:
    """The older path, with the older answer."""
    return str(_place(venue, call))


def get_order(venue: Venue, call: Call) -> dict[str, Any] | None:
    return _visible(venue, call, call.account.order(call.whole_number("order_id", default=0)))


def get_order_by_client_id(venue: Venue, call: Call) -> dict[str, Any] | None:
    found = call.account.order_by_client_id(call.params["symbol"], call.params["external_oid"])
    return _visible(venue, call, found)


def open_orders(venue: Venue, call: Call) -> list[dict[str, Any]]:
    return _page(venue, call, call.account.open_orders.values())


def history_orders(venue: Venue, call: Call) -> list[dict[str, Any]]:
    return _page(venue, call, call.account.finished_orders.values())


def deal_details(venue: Venue, call: Call) -> list[dict[str, Any]]:
    order = call.account.order(call.whole_number("order_id", default=0))
    return deal_shapes(venue, order) if order is not None else []


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


def _place(venue: Venue, call: Call) -> int:
    body = order_body(call.body)
    mode = body.position_mode
    if mode is None and venue.behaviour.absent_position_mode is AbsentMode.ACCOUNT:
        mode = call.account.position_mode
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
            attached=body.attached(),
            duplicates=venue.behaviour.duplicate_oid,
            twist=Twist(fault.kind) if fault is not None else None,
            twist_error=fault.code if fault is not None else None,
            hidden_ms=int(hiding.ms) if hiding is not None else 0,
        )
    )


def _visible(venue: Venue, call: Call, order: Order | None) -> dict[str, Any] | None:
    # A fault hides an order either at its creation, for a time, or at one query.
    if order is None or call.befalling.hiding is not None:
        return None
    return order_shape(venue, order) if call.now_ms >= order.hidden_until_ms else None


def _cancel(venue: Venue, call: Call, *, order_id: int) -> dict[str, Any]:
    command = CancelOrder(at_ms=call.now_ms, account_id=call.account.id, order_id=order_id)
    try:
        venue.apply(command)
    except Refused as refused:
        return {"errorCode": refused.code, "errorMsg": _CANCEL_WORDS[refused.code]}
    return {"errorCode": 0, "errorMsg": _CANCEL_WORDS[0]}


def _page(venue: Venue, call: Call, orders: Iterable[Order]) -> list[dict[str, Any]]:
    # Newest first. Both spellings of the times are in use.
    symbol = call.params.get("symbol")
    states = {int(word) for word in call.params.get("states", "").split(",") if word.isdecimal()}
    side = call.whole_number("side", default=0)
    earliest = call.whole_number("start_time", default=call.whole_number("startTime", default=0))
    latest = call.whole_number("end_time", default=call.whole_number("endTime", default=0))
    found = [
        order
        for order in orders
        if (not symbol or order.symbol == symbol)
        and (not states or order.state in states)
        and (not side or order.side == side)
        and order.created_ms >= earliest
        and (not latest or order.created_ms <= latest)
    ]
    found.reverse()
    size = call.whole_number("page_size", default=20)
    page = call.whole_number("page_num", default=1)
    if not 1 <= size <= LARGEST_PAGE or page < 1:
        raise Refused(600)
    return [order_shape(venue, order) for order in found[(page - 1) * size : page * size]]
