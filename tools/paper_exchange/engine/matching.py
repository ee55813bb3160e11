"""What becomes of an accepted order: filled at the price that is set, resting, or canceled.

The depth is unlimited at the last price. A taker fills there; a resting order fills at its own
price, as maker, once the last price reaches it.

One-way mode: side 1 buys and side 3 sells, net against what is held (reduce first, open the rest,
so a larger order flips). Side 2 buys to close a short only, side 4 sells to close a long only, with
or without `reduceOnly`; `reduceOnly` on side 1 or 3 makes it close only.

The `partial_fill` fault fills half of the volume, floored to the step and at least one step, at
once. The rest of a market or IOC order is canceled (state 4 with dealVol above zero), the rest of
a limit order stays open, and a fill-or-kill order is canceled whole.
"""

from decimal import ROUND_FLOOR, Decimal

from tools.paper_exchange.engine.booking import Fill, book_fill
from tools.paper_exchange.engine.checking import (
    AT_MARKET,
    crosses,
    means,
    money_needed,
    opening_vol,
)
from tools.paper_exchange.engine.commands import Twist
from tools.paper_exchange.engine.contracts import Contract, Contracts
from tools.paper_exchange.engine.margin import wallet_for
from tools.paper_exchange.engine.state import (
    CLIENT_IDS_KEPT,
    FINISHED_ORDERS_KEPT,
    ZERO,
    Account,
    Order,
    State,
)
from tools.paper_exchange.engine.words import OrderError, OrderState, OrderType, PositionType


def enter(account: Account, order: Order) -> None:
    """The order is accepted: from here on it is in the books and its client id is taken."""
    account.open_orders[order.id] = order
    account.client_ids.setdefault(order.external_oid, order.id)
    if len(account.client_ids) > CLIENT_IDS_KEPT:
        del account.client_ids[next(iter(account.client_ids))]


def match_new(
    state: State, contracts: Contracts, account: Account, *, order: Order, twist: Twist | None
) -> None:
    """Decide over an order that has just entered, which may be partly filled by a fault."""
    last = state.prices[order.symbol].last
    contract = contracts[order.symbol]
    reached = crosses(order, last)
    vol = _half(contract, order.vol) if twist is Twist.PARTIAL_FILL else order.vol
    if reached and order.type is OrderType.POST_ONLY:
        finish(account, order, outcome=OrderState.CANCELED, error=OrderError.POST_ONLY_CANCEL)
        return
    if order.type is OrderType.FOK and (not reached or vol < order.vol):
        finish(account, order, outcome=OrderState.CANCELED, error=OrderError.FOK_CANCEL)
        return
    if reached:
        fill = Fill(vol=vol, price=last, taker=True, at_ms=order.updated_ms)
        _make_room(state, account, order=order, vol=vol)
        book_fill(state, contract, account, order=order, fill=fill)
    if not order.remaining:
        finish(account, order, outcome=OrderState.FILLED, error=OrderError.NORMAL)
    elif order.type in AT_MARKET:
        finish(account, order, outcome=OrderState.CANCELED, error=OrderError.MARKET_CANCEL)
    elif order.type is OrderType.IOC:
        finish(account, order, outcome=OrderState.CANCELED, error=OrderError.IOC_CANCEL)
    else:
        _rest(state, contract, account, order=order)


def match_resting(state: State, contracts: Contracts, *, symbol: str, at_ms: int) -> None:
    """Fill what the new price of a symbol has reached, oldest first."""
    last = state.prices[symbol].last
    for order_id, account_id in list(state.resting.get(symbol, {}).items()):
        account = state.accounts[account_id]
        order = account.open_orders.get(order_id)
        # An earlier fill of this very loop may have canceled it.
        if order is not None and crosses(order, last):
            _fill_resting(state, contracts, account, order=order, at_ms=at_ms)


def cancel(state: State, account: Account, *, order: Order, at_ms: int, error: OrderError) -> None:
    """Take a resting order out of the books."""
    _leave_rest(state, account, order=order)
    order.updated_ms = at_ms
    order.version += 1
    finish(account, order, outcome=OrderState.CANCELED, error=error)


def finish(account: Account, order: Order, *, outcome: OrderState, error: int) -> None:
    order.state = outcome
    order.error = error
    account.open_orders.pop(order.id, None)
    account.finished_orders[order.id] = order
    if len(account.finished_orders) > FINISHED_ORDERS_KEPT:
        del account.finished_orders[next(iter(account.finished_orders))]


def _half(contract: Contract, vol: Decimal) -> Decimal:
    steps = (vol / 2 / contract.vol_unit).to_integral_value(ROUND_FLOOR)
    return max(steps, Decimal(1)) * contract.vol_unit


def _fill_resting(
    state: State, contracts: Contracts, account: Account, *, order: Order, at_ms: int
) -> None:
    contract = contracts[order.symbol]
    frozen = order.frozen
    _leave_rest(state, account, order=order)
    opening = opening_vol(account, order)
    needed = money_needed(contract, vol=opening, price=order.price, leverage=order.leverage)
    # A net order opens more than it froze for when what it would have reduced is gone by now.
    if needed > frozen and needed > means(account, contracts, order):
        order.updated_ms = at_ms
        finish(account, order, outcome=OrderState.CANCELED, error=OrderError.INSUFFICIENT_BALANCE)
        return
    vol = order.remaining
    _make_room(state, account, order=order, vol=vol)
    fill = Fill(vol=vol, price=order.price, taker=False, at_ms=at_ms)
    book_fill(state, contract, account, order=order, fill=fill)
    finish(account, order, outcome=OrderState.FILLED, error=OrderError.NORMAL)


def _make_room(state: State, account: Account, *, order: Order, vol: Decimal) -> None:
    # A net order may take contracts that closing orders have frozen: the youngest of those die.
    if not order.is_net:
        return
    kind: PositionType = order.target.opposite
    held = account.position(order.symbol, kind)
    if held is None:
        return
    left = max(held.hold_vol - vol, ZERO)
    for other in reversed(list(account.open_orders.values())):
        if held.frozen_vol <= left:
            return
        if other.closes_only and other.symbol == order.symbol and other.target is kind:
            error = OrderError.POSITION_NOT_ENOUGH
            cancel(state, account, order=other, at_ms=order.updated_ms, error=error)


def _rest(state: State, contract: Contract, account: Account, *, order: Order) -> None:
    order.state = OrderState.OPEN
    state.resting.setdefault(order.symbol, {})[order.id] = account.id
    if order.closes_only:
        held = account.position(order.symbol, order.target)
        if held is not None:
            held.frozen_vol += order.remaining
            order.position_id = held.id
        return
    vol = opening_vol(account, order)
    order.frozen = money_needed(contract, vol=vol, price=order.price, leverage=order.leverage)
    order.frozen_currency = contract.settle_coin
    wallet_for(account, contract.settle_coin).frozen += order.frozen


def _leave_rest(state: State, account: Account, *, order: Order) -> None:
    state.resting[order.symbol].pop(order.id)
    if order.closes_only:
        held = account.position(order.symbol, order.target)
        if held is not None:
            held.frozen_vol -= order.remaining
        return
    wallet_for(account, order.frozen_currency).frozen -= order.frozen
    order.frozen = ZERO
