"""Private endpoints that ask about orders and their fills."""

from collections.abc import Iterable, Mapping
from typing import Any

from tools.paper_exchange.engine.checking import known_contract
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Account, Deal, Order
from tools.paper_exchange.numbers import number
from tools.paper_exchange.rest.bodies import MOST_AT_ONCE, external_ids
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.lists import listed, span, words_of
from tools.paper_exchange.rest.shapes import deal_shape, order_shape
from tools.paper_exchange.venue import Venue

LARGEST_LIST = 1_000
MOST_DEAL_IDS = 20
FEE_DAYS = 7
_STATES = range(1, 6)

Listed = list[Any] | dict[str, Any]


def get_order(venue: Venue, call: Call) -> dict[str, Any] | None:
    return _one(venue, call, call.account.order(call.whole_number("order_id", default=0)))


def get_order_by_client_id(venue: Venue, call: Call) -> dict[str, Any] | None:
    found = call.account.order_by_client_id(call.params["symbol"], call.params["external_oid"])
    return _one(venue, call, found)


def batch_query(venue: Venue, call: Call) -> list[dict[str, Any]]:
    """Ids that are not there are left out."""
    asked = words_of(call, "order_ids", most=MOST_AT_ONCE)
    if not asked:
        raise Refused(600)
    return _seen(venue, call, (call.account.order(order_id) for order_id in asked))


def batch_query_by_client_ids(venue: Venue, call: Call) -> list[dict[str, Any]]:
    asked = external_ids(call.body, code=2034)
    found = (call.account.order_by_client_id(item.symbol, item.external_oid) for item in asked)
    return _seen(venue, call, found)


def open_orders(venue: Venue, call: Call) -> Listed:
    found = _matching(call, call.account.open_orders)
    return listed(venue, call, found, shape=lambda order: order_shape(venue, order))


def history_orders(venue: Venue, call: Call) -> Listed:
    """Orders that are over, newest first."""
    found = _matching(call, call.account.finished_orders)
    return listed(venue, call, found, shape=lambda order: order_shape(venue, order))


def close_orders(venue: Venue, call: Call) -> Listed:
    _required_symbol(venue, call)
    found = _matching(call, call.account.finished_orders)
    return listed(
        venue,
        call,
        found,
        shape=lambda order: order_shape(venue, order),
        largest=LARGEST_LIST,
    )


def deal_details(venue: Venue, call: Call) -> list[dict[str, Any]]:
    order = call.account.order(call.whole_number("order_id", default=0))
    if order is None or not _is_visible(call, order):
        return []
    return [deal_shape(venue, order, deal) for deal in order.deals]


def order_deals(venue: Venue, call: Call) -> Listed:
    symbol = _required_symbol(venue, call)
    found = _deals(call.account, symbol, period=span(call))
    return listed(
        venue,
        call,
        found,
        # The other side of every deal is the market, which has no orders.
        shape=lambda pair: deal_shape(venue, *pair) | {"opponentOrderId": 0},
        largest=LARGEST_LIST,
    )


def fee_details(venue: Venue, call: Call) -> Listed:
    """What was paid of a fee, and by what it was made less: nothing here."""
    symbol = _required_symbol(venue, call)
    wanted = set(words_of(call, "ids", most=MOST_DEAL_IDS))
    found = _deals(call.account, symbol, period=span(call, days=FEE_DAYS))
    if wanted:
        found = [(order, deal) for order, deal in found if deal.id in wanted]
    coin = venue.contracts[symbol].settle_coin
    return listed(
        venue,
        call,
        found,
        shape=lambda pair: {
            "id": pair[1].id,
            "orderId": pair[0].id,
            "symbol": symbol,
            "feeCurrency": coin,
            "fee": number(pair[1].fee),
            "deductType": 0,
            "deductFee": 0,
            "timestamp": pair[1].at_ms,
        },
    )


def open_order_count(_venue: Venue, call: Call) -> dict[str, int]:
    triggers = call.account.triggers
    counts = {
        "limitOrderCount": len(call.account.open_orders),
        "stopOrderCount": len(triggers.stops.open),
        "planOrderCount": len(triggers.plans.open),
        "trackOrderCount": len(triggers.tracks.open),
    }
    return {"sumCount": sum(counts.values()), **counts}


def _one(venue: Venue, call: Call, order: Order | None) -> dict[str, Any] | None:
    if order is not None and _is_visible(call, order):
        return order_shape(venue, order)
    if venue.behaviour.unknown_order == "refuse":
        raise Refused(2040)
    return None


def _seen(venue: Venue, call: Call, orders: Iterable[Order | None]) -> list[dict[str, Any]]:
    return [
        order_shape(venue, order)
        for order in orders
        if order is not None and _is_visible(call, order)
    ]


def _is_visible(call: Call, order: Order) -> bool:
    # A fault hides an order either at its creation, for a time, or at one query.
    return call.befalling.hiding is None and call.now_ms >= order.hidden_until_ms


def _required_symbol(venue: Venue, call: Call) -> str:
    symbol = call.params.get("symbol", "")
    if not symbol:
        raise Refused(600)
    return known_contract(venue.contracts, symbol).symbol


def _matching(call: Call, orders: Mapping[int, Order]) -> list[Order]:
    # What the call asks for, newest first.
    symbol = call.params.get("symbol")
    states = words_of(call, "states", most=len(_STATES))
    if any(state not in _STATES for state in states):
        raise Refused(600)
    side = call.whole_number("side", default=0)
    category = call.whole_number("category", default=0)
    order_id = call.whole_number("orderId", default=call.whole_number("order_id", default=0))
    earliest, latest = span(call)
    return [
        order
        for order in reversed(list(orders.values()))
        if (not symbol or order.symbol == symbol)
        and (not states or order.state in states)
        and side in {0, order.side}
        and category in {0, order.category}
        and order_id in {0, order.id}
        and earliest <= order.created_ms <= latest
    ]


def _deals(account: Account, symbol: str, *, period: tuple[int, int]) -> list[tuple[Order, Deal]]:
    earliest, latest = period
    found = [
        (order, deal)
        for orders in (account.open_orders, account.finished_orders)
        for order in orders.values()
        if order.symbol == symbol
        for deal in order.deals
        if earliest <= deal.at_ms <= latest
    ]
    found.sort(key=lambda pair: pair[1].id, reverse=True)
    return found
