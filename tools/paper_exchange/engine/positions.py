"""What the owner does to a position other than by orders: its margin, closing everything, turning
it round.
"""

from decimal import Decimal

from tools.paper_exchange.engine.commands import (
    ChangeMargin,
    CloseAll,
    PlaceOrder,
    ReversePosition,
    SetAutoAdd,
)
from tools.paper_exchange.engine.events import CloseAllFailed, PositionReversed
from tools.paper_exchange.engine.margin import (
    available,
    cut,
    held_margin,
    initial_margin,
    unrealised,
)
from tools.paper_exchange.engine.matching import cancel
from tools.paper_exchange.engine.ordering import place_order
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import ZERO, Account, Order, Position
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import (
    OpenType,
    OrderError,
    OrderType,
    PositionMode,
    PositionType,
    Side,
)


def change_margin(turn: Turn, command: ChangeMargin) -> int:
    account = turn.state.accounts[command.account_id]
    position = _isolated(account, command.position_id)
    contract = turn.contract(position.symbol)
    added = cut(command.amount)
    free = max(available(turn, account, currency=contract.settle_coin), ZERO)
    if added > free:
        raise Refused(2005)
    if added < 0 and -added > (most := _reducible(turn, position)):
        raise Refused(2018, vol=most)
    position.extra_margin += added
    _touch(turn, account, position)
    turn.wallet_changed(account, contract.settle_coin)
    return 0


def set_auto_add(turn: Turn, command: SetAutoAdd) -> int:
    account = turn.state.accounts[command.account_id]
    position = _isolated(account, command.position_id)
    position.auto_add = command.enabled
    _touch(turn, account, position)
    return 0


def close_all(turn: Turn, command: CloseAll) -> int:
    """At market. Closing orders in the way are canceled; whoever cannot be closed is announced."""
    account = turn.state.accounts[command.account_id]
    for position in list(account.positions.values()):
        for order in list(account.open_orders.values()):
            same = order.symbol == position.symbol and order.target is position.type
            if order.closes_only and same:
                cancel(turn, account, order=order, error=OrderError.NORMAL)
        if not _closed_whole(turn, account, position):
            turn.note(CloseAllFailed(account), once_for=("close all", account.id))
    return 0


def reverse_position(turn: Turn, command: ReversePosition) -> int:
    """Close at market, then open as much of the other side. What cannot be closed is refused;
    whether the opening went well is announced.
    """
    account = turn.state.accounts[command.account_id]
    position = account.position_by_id(command.position_id)
    if position is None or position.symbol != command.symbol:
        raise Refused(2009)
    vol = position.hold_vol if command.vol is None else command.vol
    if account.position_mode is PositionMode.ONE_WAY and vol != position.hold_vol:
        # What is left would be reduced by what is opened.
        raise Refused(600)
    closing = _order(turn, account, position, vol=vol, opens=False)
    error = 0
    if closing.deal_vol:
        try:
            _order(turn, account, position, vol=closing.deal_vol, opens=True)
        except Refused as refused:
            error = refused.code
    reversed_ = PositionReversed(account, turn.contract(position.symbol).id, position.id, error)
    turn.note(reversed_, once_for=("reversed", position.id))
    return closing.id


def _isolated(account: Account, position_id: int) -> Position:
    position = account.position_by_id(position_id)
    if position is None:
        raise Refused(2009)
    if position.open_type is not OpenType.ISOLATED:
        raise Refused(600)
    return position


def _reducible(turn: Turn, position: Position) -> Decimal:
    # Only what was added, and only what a loss does not need.
    contract = turn.contract(position.symbol)
    lost = min(unrealised(position, contract, turn.price(position.symbol).fair), ZERO)
    beyond = held_margin(position, contract) + lost - initial_margin(position, contract)
    return max(min(position.extra_margin, beyond), ZERO)


def _touch(turn: Turn, account: Account, position: Position) -> None:
    position.updated_ms = turn.at_ms
    position.version += 1
    turn.position_changed(account, position)


def _closed_whole(turn: Turn, account: Account, position: Position) -> bool:
    most = turn.contract(position.symbol).max_vol
    while position.hold_vol:
        try:
            order = _order(turn, account, position, vol=min(position.hold_vol, most), opens=False)
        except Refused:
            return False
        if order.remaining:
            return False
    return True


def _order(turn: Turn, account: Account, position: Position, *, vol: Decimal, opens: bool) -> Order:
    # Closes a position, or opens its opposite. An opposite that is held keeps its leverage.
    long = position.type is PositionType.LONG
    side = Side.CLOSE_LONG if long else Side.CLOSE_SHORT
    leverage = position.leverage
    if opens:
        side = Side.OPEN_SHORT if long else Side.OPEN_LONG
        other = account.position(position.symbol, position.type.opposite)
        leverage = other.leverage if other is not None else leverage
    order_id = place_order(
        turn,
        PlaceOrder(
            at_ms=turn.at_ms,
            account_id=account.id,
            symbol=position.symbol,
            side=side,
            type=OrderType.MARKET,
            vol=vol,
            open_type=position.open_type,
            leverage=leverage,
            position_mode=account.position_mode,
        ),
    )
    order = account.order(order_id)
    if order is None:
        raise KeyError(order_id)
    return order
