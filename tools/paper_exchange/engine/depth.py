"""What the market offers against an order: a list of levels where a depth was set, else all that
is asked for at the last price.
"""

from decimal import Decimal

from tools.paper_exchange.engine.state import ZERO, Depth, Order
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import BookPrice, OrderType

AT_MARKET = frozenset({OrderType.MARKET, OrderType.MARKET_TO_LIMIT})
_OWN_SIDE = frozenset({BookPrice.SAME_1, BookPrice.SAME_5})
_FIFTH = frozenset({BookPrice.OPPOSITE_5, BookPrice.SAME_5})

Level = tuple[Decimal, Decimal]


def reaches(order: Order, price: Decimal) -> bool:
    """Whether the order may trade at the price."""
    if order.type in AT_MARKET:
        return True
    return price <= order.price if order.side.is_buy else price >= order.price


def best_price(turn: Turn, order: Order) -> Decimal | None:
    """The price of the first contract that the order could get; None where nobody offers any."""
    depth = turn.state.depths.get(order.symbol)
    if depth is None:
        return turn.price(order.symbol).last
    offers = _against(depth, order)
    return offers[0][0] if offers else None


def book_price(turn: Turn, order: Order, *, kind: BookPrice) -> Decimal | None:
    """The price of the first or fifth level (or the last, where there are fewer) of one side of
    the book; None where that side is empty.
    """
    depth = turn.state.depths.get(order.symbol)
    wanted = 5 if kind in _FIFTH else 1
    of_bids = (kind in _OWN_SIDE) is order.side.is_buy
    if depth is None:
        # Unlimited depth is shown as a ladder of ticks on both sides of the last price.
        away = turn.contract(order.symbol).price_unit * wanted
        return turn.price(order.symbol).last + (-away if of_bids else away)
    levels = depth.bids if of_bids else depth.asks
    if not levels:
        return None
    return levels[min(wanted, len(levels)) - 1][0]


def offers_for(turn: Turn, order: Order, *, vol: Decimal) -> list[Level]:
    """What `vol` contracts of the order would trade at: price and volume, best first. A market
    order goes through so many levels as the contract allows.
    """
    depth = turn.state.depths.get(order.symbol)
    if depth is None:
        last = turn.price(order.symbol).last
        return [(last, vol)] if reaches(order, last) else []
    levels = _against(depth, order)
    if order.type in AT_MARKET:
        levels = levels[: turn.contract(order.symbol).market_order_max_level]
    taken: list[Level] = []
    for price, offered in levels:
        if not vol or not reaches(order, price):
            break
        part = min(vol, offered)
        taken.append((price, part))
        vol -= part
    return taken


def use_up(turn: Turn, order: Order, *, vol: Decimal) -> None:
    """Take the best `vol` contracts off a depth that was set."""
    depth = turn.state.depths.get(order.symbol)
    if depth is None:
        return
    levels = _against(depth, order)
    while vol:
        part = min(vol, levels[0][1])
        levels[0][1] -= part
        vol -= part
        if not levels[0][1]:
            del levels[0]
    turn.price_changed(order.symbol)


def drop_passed(depth: Depth, last: Decimal) -> None:
    """Levels that the last price has gone through have been traded away."""
    depth.bids = [level for level in depth.bids if level[0] <= last]
    depth.asks = [level for level in depth.asks if level[0] >= last]


def total(levels: list[Level]) -> Decimal:
    return sum((vol for _, vol in levels), ZERO)


def _against(depth: Depth, order: Order) -> list[list[Decimal]]:
    return depth.asks if order.side.is_buy else depth.bids
