"""What becomes of an accepted order: filled against what the market offers, resting, or canceled.

Where no depth was set it is unlimited at the last price: a taker fills there, and a resting order
fills whole, at its own price and as maker, once the last price reaches it. Where a depth was set, a
taker goes through its levels and uses them up, and a resting order gets what a new depth offers.

One-way mode: side 1 buys and side 3 sells, net against what is held (reduce first, open the rest,
so a larger order flips). Side 2 buys to close a short only, side 4 sells to close a long only, with
or without `reduceOnly`; `reduceOnly` on side 1 or 3 makes it close only.

The `partial_fill` fault fills half of the volume, floored to the step and at least one step, at
once. The rest of a market or IOC order is canceled (state 4 with dealVol above zero), the rest of
a limit order stays open, and a fill-or-kill order is canceled whole.
"""

from decimal import ROUND_FLOOR, Decimal

from tools.paper_exchange.engine.affording import (
    exceeds_risk_limit,
    means,
    money_needed,
    opening_vol,
)
from tools.paper_exchange.engine.booking import Fill, book_fill
from tools.paper_exchange.engine.commands import Twist
from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.engine.depth import (
    AT_MARKET,
    best_price,
    offers_for,
    reaches,
    total,
    use_up,
)
from tools.paper_exchange.engine.events import AttachedChanged
from tools.paper_exchange.engine.margin import spare, wallet_for
from tools.paper_exchange.engine.state import (
    CLIENT_IDS_KEPT,
    FINISHED_ORDERS_KEPT,
    ZERO,
    Account,
    Order,
)
from tools.paper_exchange.engine.triggers.keeping import protect
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import OrderError, OrderState, OrderType, PositionType


def enter(turn: Turn, account: Account, order: Order) -> None:
    """The order is accepted: from here on it is in the books and its client id is taken."""
    account.open_orders[order.id] = order
    account.client_ids.setdefault(order.external_oid, order.id)
    if len(account.client_ids) > CLIENT_IDS_KEPT:
        del account.client_ids[next(iter(account.client_ids))]
    turn.order_changed(account, order)
    if order.attached:
        turn.note(AttachedChanged(account, order), once_for=("attached", order.id))


def match_new(turn: Turn, account: Account, *, order: Order, twist: Twist | None = None) -> None:
    """Decide over an order that has just entered, which may be partly filled by a fault."""
    best = best_price(turn, order)
    if order.type is OrderType.POST_ONLY and best is not None and reaches(order, best):
        _cancel(turn, account, order=order, error=OrderError.POST_ONLY_CANCEL)
        return
    wanted = order.vol
    if twist is Twist.PARTIAL_FILL:
        wanted = _half(turn.contract(order.symbol), order.vol)
    offers = offers_for(turn, order, vol=wanted)
    if order.type is OrderType.FOK and total(offers) < order.vol:
        _cancel(turn, account, order=order, error=OrderError.FOK_CANCEL)
        return
    if offers:
        _make_room(turn, account, order=order, vol=total(offers))
        use_up(turn, order, vol=total(offers))
        for price, vol in offers:
            book_fill(turn, account, order=order, fill=Fill(vol=vol, price=price, taker=True))
    if not order.remaining:
        finish(turn, account, order=order, outcome=OrderState.FILLED, error=OrderError.NORMAL)
    elif order.type in AT_MARKET:
        _cancel(turn, account, order=order, error=OrderError.MARKET_CANCEL)
    elif order.type is OrderType.IOC:
        _cancel(turn, account, order=order, error=OrderError.IOC_CANCEL)
    else:
        _rest(turn, account, order=order)


def match_resting(turn: Turn, *, symbol: str, moved: bool) -> None:
    """Fill what a new price (`moved`) or a new depth of a symbol has reached, oldest first."""
    last = turn.price(symbol).last
    for order_id, account_id in list(turn.state.resting.get(symbol, {}).items()):
        account = turn.state.accounts[account_id]
        order = account.open_orders.get(order_id)
        if order is None:
            # An earlier fill of this very loop has canceled it.
            continue
        if moved and reaches(order, last):
            _fill_resting(turn, account, order=order, vol=order.remaining)
        elif vol := total(offers_for(turn, order, vol=order.remaining)):
            use_up(turn, order, vol=vol)
            _fill_resting(turn, account, order=order, vol=vol)


def cancel(turn: Turn, account: Account, *, order: Order, error: OrderError) -> None:
    """Take a resting order out of the books."""
    _release(turn, account, order=order)
    _cancel(turn, account, order=order, error=error)


def finish(turn: Turn, account: Account, *, order: Order, outcome: OrderState, error: int) -> None:
    """The order is over; what it had frozen must have been released."""
    order.state = outcome
    order.error = error
    order.updated_ms = turn.at_ms
    turn.state.resting.get(order.symbol, {}).pop(order.id, None)
    account.open_orders.pop(order.id, None)
    account.finished_orders[order.id] = order
    if len(account.finished_orders) > FINISHED_ORDERS_KEPT:
        del account.finished_orders[next(iter(account.finished_orders))]
    turn.order_changed(account, order)
    if order.attached and order.deal_vol:
        protect(turn, account, order)


def _cancel(turn: Turn, account: Account, *, order: Order, error: OrderError) -> None:
    order.version += 1
    finish(turn, account, order=order, outcome=OrderState.CANCELED, error=error)


def _half(contract: Contract, vol: Decimal) -> Decimal:
    steps = (vol / 2 / contract.vol_unit).to_integral_value(ROUND_FLOOR)
    return max(steps, Decimal(1)) * contract.vol_unit


def _fill_resting(turn: Turn, account: Account, *, order: Order, vol: Decimal) -> None:
    frozen = order.frozen
    _release(turn, account, order=order)
    error = _unfit(turn, account, order=order, frozen=frozen)
    if error is not None:
        _cancel(turn, account, order=order, error=error)
        return
    _make_room(turn, account, order=order, vol=vol)
    book_fill(turn, account, order=order, fill=Fill(vol=vol, price=order.price, taker=False))
    if order.remaining:
        _freeze(turn, account, order=order)
    else:
        finish(turn, account, order=order, outcome=OrderState.FILLED, error=OrderError.NORMAL)


def _unfit(turn: Turn, account: Account, *, order: Order, frozen: Decimal) -> OrderError | None:
    # Why a resting order cannot open what it is to open by now.
    opening = opening_vol(account, order)
    if not opening:
        return None
    contract = turn.contract(order.symbol)
    needed = money_needed(contract, vol=opening, price=order.price, leverage=order.leverage)
    if needed <= frozen:
        # What was frozen for it is its own, unless funding or a loss has eaten the cash itself.
        enough = spare(turn, account, currency=contract.settle_coin) >= needed
    else:
        # A net order opens more than it froze for when what it would have reduced is gone by now.
        enough = means(turn, account, order, price=order.price) >= needed
        if exceeds_risk_limit(contract, account, order):
            return OrderError.RISK_LIMIT
    return None if enough else OrderError.INSUFFICIENT_BALANCE


def _make_room(turn: Turn, account: Account, *, order: Order, vol: Decimal) -> None:
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
            cancel(turn, account, order=other, error=OrderError.POSITION_NOT_ENOUGH)


def _rest(turn: Turn, account: Account, *, order: Order) -> None:
    order.state = OrderState.OPEN
    turn.state.resting.setdefault(order.symbol, {})[order.id] = account.id
    _freeze(turn, account, order=order)


def _freeze(turn: Turn, account: Account, *, order: Order) -> None:
    if order.closes_only:
        held = account.position(order.symbol, order.target)
        if held is not None:
            held.frozen_vol += order.remaining
            order.position_id = held.id
            turn.position_changed(account, held)
        return
    contract = turn.contract(order.symbol)
    vol = opening_vol(account, order)
    order.frozen = money_needed(contract, vol=vol, price=order.price, leverage=order.leverage)
    order.frozen_currency = contract.settle_coin
    wallet_for(account, contract.settle_coin).frozen += order.frozen
    turn.wallet_changed(account, contract.settle_coin)


def _release(turn: Turn, account: Account, *, order: Order) -> None:
    if order.closes_only:
        held = account.position(order.symbol, order.target)
        if held is not None:
            held.frozen_vol -= order.remaining
            turn.position_changed(account, held)
        return
    wallet_for(account, order.frozen_currency).frozen -= order.frozen
    order.frozen = ZERO
    turn.wallet_changed(account, order.frozen_currency)
