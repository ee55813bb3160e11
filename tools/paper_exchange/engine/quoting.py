"""The price that an order names or takes from the book, and whether it may stand: within the band,
on the tick, and a close not beyond where the position would be liquidated before.
"""

from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.engine.depth import AT_MARKET, best_price, book_price
from tools.paper_exchange.engine.margin import liquidation_price
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Account, Order
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import BookPrice, OpenType, PositionType


def check_price(turn: Turn, account: Account, *, order: Order) -> None:
    """Also gives the order its price, where it takes it from the book."""
    if order.type in AT_MARKET:
        if best_price(turn, order) is None:
            raise Refused(_nobody_offers(order))
        return
    if order.bbo_type:
        taken = book_price(turn, order, kind=BookPrice(order.bbo_type))
        if taken is None:
            raise Refused(_nobody_offers(order))
        order.price = taken
    contract = turn.contract(order.symbol)
    _check_band(turn, contract, order=order)
    if order.closes_only:
        _check_close(account, contract, order=order)


def _nobody_offers(order: Order) -> int:
    return 2056 if order.closes_only else 2039


def _check_band(turn: Turn, contract: Contract, *, order: Order) -> None:
    if order.price <= 0:
        raise Refused(2007)
    index = turn.price(order.symbol).index
    if order.side.is_buy:
        highest = contract.max_bid_price(index)
        if order.price > highest:
            raise Refused(2003, amount=highest, currency=contract.settle_coin)
    else:
        lowest = contract.min_ask_price(index)
        if order.price < lowest:
            raise Refused(2004, amount=lowest, currency=contract.settle_coin)
    if order.price % contract.price_unit:
        raise Refused(2015)


def _check_close(account: Account, contract: Contract, *, order: Order) -> None:
    held = account.position(order.symbol, order.target)
    if held is None or held.open_type is OpenType.CROSS:
        return
    limit = liquidation_price(held, contract)
    if held.type is PositionType.LONG and order.price < limit:
        raise Refused(2032)
    if held.type is PositionType.SHORT and order.price > limit > 0:
        raise Refused(2033)
