"""Books a fill: closes and opens positions, realises profit, takes the fee. Money is moved here
and nowhere else.
"""

from dataclasses import dataclass
from decimal import Decimal

from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.engine.margin import MAKER_RATE, TAKER_RATE, cut, wallet_for
from tools.paper_exchange.engine.state import (
    CLOSED_POSITIONS_KEPT,
    ZERO,
    Account,
    Deal,
    LeverageChoice,
    Order,
    Position,
    State,
    slot,
)
from tools.paper_exchange.engine.words import PositionType


@dataclass(frozen=True, kw_only=True)
class Fill:
    vol: Decimal
    price: Decimal
    taker: bool
    at_ms: int


def book_fill(
    state: State, contract: Contract, account: Account, *, order: Order, fill: Fill
) -> None:
    """One fill of an order. What it closes must be held and free: the caller has seen to that."""
    size = contract.contract_size
    rate = TAKER_RATE if fill.taker else MAKER_RATE
    closed_type = order.target if order.closes_only else order.target.opposite
    closed = account.position(order.symbol, closed_type)
    closing = ZERO
    if order.closes_only:
        closing = fill.vol
    elif order.is_net and closed is not None:
        closing = min(fill.vol, closed.hold_vol)
    opening = fill.vol - closing
    profit = ZERO
    if closed is not None and closing:
        profit = _reduce(closed, contract, vol=closing, fill=fill)
        closed.fees += closing * fill.price * size * rate
        order.position_id = closed.id
        if not closed.hold_vol:
            _retire(account, closed)
    if opening:
        opened = _position_to_open(state, account, order=order, at_ms=fill.at_ms)
        _add(opened, vol=opening, fill=fill)
        opened.fees += opening * fill.price * size * rate
        order.position_id = opened.id
        order.used_margin += cut(opening * fill.price * size / opened.leverage)
    fee = fill.vol * fill.price * size * rate
    wallet = wallet_for(account, contract.settle_coin)
    wallet.cash += profit - fee
    wallet.profit += profit
    wallet.fees += fee
    _note_deal(state, order, fill=fill, fee=fee, profit=profit)


def _reduce(position: Position, contract: Contract, *, vol: Decimal, fill: Fill) -> Decimal:
    # What is cut off here stays in the cost, so the parts add up exactly.
    share = cut(position.cost * vol / position.hold_vol)
    profit = (fill.price * vol - share) * contract.contract_size * position.type.sign
    position.cost -= share
    position.hold_vol -= vol
    position.close_vol += vol
    position.close_value += fill.price * vol
    position.profit += profit
    position.updated_ms = fill.at_ms
    position.version += 1
    return profit


def _retire(account: Account, position: Position) -> None:
    del account.positions[slot(position.symbol, position.type)]
    account.closed_positions.append(position)
    del account.closed_positions[:-CLOSED_POSITIONS_KEPT]


def _position_to_open(state: State, account: Account, *, order: Order, at_ms: int) -> Position:
    kind: PositionType = order.target
    place = slot(order.symbol, kind)
    held = account.positions.get(place)
    if held is not None:
        return held
    state.last_position_id += 1
    account.leverages[place] = LeverageChoice(open_type=order.open_type, leverage=order.leverage)
    account.positions[place] = Position(
        id=state.last_position_id,
        symbol=order.symbol,
        type=kind,
        open_type=order.open_type,
        leverage=order.leverage,
        created_ms=at_ms,
        updated_ms=at_ms,
    )
    return account.positions[place]


def _add(position: Position, *, vol: Decimal, fill: Fill) -> None:
    position.cost += fill.price * vol
    position.hold_vol += vol
    position.open_vol += vol
    position.open_value += fill.price * vol
    position.updated_ms = fill.at_ms
    position.version += 1


def _note_deal(state: State, order: Order, *, fill: Fill, fee: Decimal, profit: Decimal) -> None:
    state.last_deal_id += 1
    order.deals.append(
        Deal(
            id=state.last_deal_id,
            vol=fill.vol,
            price=fill.price,
            fee=fee,
            profit=profit,
            taker=fill.taker,
            at_ms=fill.at_ms,
        )
    )
    order.deal_vol += fill.vol
    order.deal_value += fill.price * fill.vol
    order.profit += profit
    if fill.taker:
        order.taker_fee += fee
    else:
        order.maker_fee += fee
    order.updated_ms = fill.at_ms
    order.version += 1
