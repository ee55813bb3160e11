"""Books a fill: closes and opens positions, realises profit, takes the fee. Money of trades is
moved here and nowhere else.
"""

from dataclasses import dataclass
from decimal import Decimal

from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.engine.margin import (
    MAKER_RATE,
    TAKER_RATE,
    cut,
    held_in,
    held_margin,
    wallet_for,
)
from tools.paper_exchange.engine.state import (
    CLOSED_POSITIONS_KEPT,
    ZERO,
    Account,
    Deal,
    LeverageChoice,
    Order,
    Position,
    slot,
)
from tools.paper_exchange.engine.triggers.keeping import drop_stops
from tools.paper_exchange.engine.turn import Turn, notional
from tools.paper_exchange.engine.words import OpenType, PositionType


@dataclass(frozen=True, kw_only=True)
class Fill:
    vol: Decimal
    price: Decimal
    taker: bool
    # A takeover has terms of its own: its fee, and the loss where that is agreed beforehand.
    fee_rate: Decimal | None = None
    loss: Decimal | None = None


def book_fill(turn: Turn, account: Account, *, order: Order, fill: Fill) -> None:
    """One fill of an order. What it closes must be held and free: the caller has seen to that."""
    contract = turn.contract(order.symbol)
    rate = TAKER_RATE if fill.taker else MAKER_RATE
    if fill.fee_rate is not None:
        rate = fill.fee_rate
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
        profit = _reduce(turn, closed, vol=closing, fill=fill)
        closed.fees += notional(contract, vol=closing, price=fill.price) * rate
        order.position_id = closed.id
        if not closed.hold_vol:
            _retire(account, closed)
            drop_stops(turn, account, closed)
        turn.position_changed(account, closed)
    if opening:
        opened = _position_to_open(turn, account, order=order)
        _add(turn, opened, vol=opening, price=fill.price)
        opened.fees += notional(contract, vol=opening, price=fill.price) * rate
        order.position_id = opened.id
        order.used_margin += cut(
            notional(contract, vol=opening, price=fill.price) / opened.leverage
        )
        turn.position_changed(account, opened)
    fee = notional(contract, vol=fill.vol, price=fill.price) * rate
    wallet = wallet_for(account, contract.settle_coin)
    wallet.cash += profit - fee
    wallet.profit += profit
    wallet.fees += fee
    turn.wallet_changed(account, contract.settle_coin)
    if closing:
        cover_shortfall(turn, account, currency=contract.settle_coin)
    _note_deal(turn, account, order=order, fill=fill, fee=fee, profit=profit)


def cover_shortfall(turn: Turn, account: Account, *, currency: str) -> None:
    """The insurance fund pays what an account has lost beyond what it had, once it has no cross
    position left that could win it back. The margin of isolated positions stays untouched.
    """
    backed = ZERO
    for position, contract in held_in(turn, account, currency=currency):
        if position.open_type is OpenType.CROSS:
            return
        backed += held_margin(position, contract)
    wallet = wallet_for(account, currency)
    if wallet.cash < backed:
        wallet.insured += backed - wallet.cash
        wallet.cash = backed
        turn.wallet_changed(account, currency)


def _reduce(turn: Turn, position: Position, *, vol: Decimal, fill: Fill) -> Decimal:
    # What is cut off here stays in the cost, so the parts add up exactly.
    contract: Contract = turn.contract(position.symbol)
    share = cut(position.cost * vol / position.hold_vol)
    profit = (fill.price * vol - share) * contract.contract_size * position.type.sign
    if fill.loss is not None:
        profit = -fill.loss
    # Margin that was added goes with the part that is closed.
    position.extra_margin -= cut(position.extra_margin * vol / position.hold_vol)
    position.cost -= share
    position.hold_vol -= vol
    position.close_vol += vol
    position.close_value += fill.price * vol
    position.profit += profit
    position.updated_ms = turn.at_ms
    position.version += 1
    return profit


def _retire(account: Account, position: Position) -> None:
    del account.positions[slot(position.symbol, position.type)]
    position.extra_margin = ZERO
    account.closed_positions.append(position)
    del account.closed_positions[:-CLOSED_POSITIONS_KEPT]


def _position_to_open(turn: Turn, account: Account, *, order: Order) -> Position:
    kind: PositionType = order.target
    place = slot(order.symbol, kind)
    held = account.positions.get(place)
    if held is not None:
        return held
    turn.state.last_position_id += 1
    account.leverages[place] = LeverageChoice(open_type=order.open_type, leverage=order.leverage)
    account.positions[place] = Position(
        id=turn.state.last_position_id,
        symbol=order.symbol,
        type=kind,
        open_type=order.open_type,
        leverage=order.leverage,
        created_ms=turn.at_ms,
        updated_ms=turn.at_ms,
    )
    return account.positions[place]


def _add(turn: Turn, position: Position, *, vol: Decimal, price: Decimal) -> None:
    position.cost += price * vol
    position.hold_vol += vol
    position.open_vol += vol
    position.open_value += price * vol
    position.updated_ms = turn.at_ms
    position.version += 1


def _note_deal(
    turn: Turn, account: Account, *, order: Order, fill: Fill, fee: Decimal, profit: Decimal
) -> None:
    turn.state.last_deal_id += 1
    deal = Deal(
        id=turn.state.last_deal_id,
        vol=fill.vol,
        price=fill.price,
        fee=fee,
        profit=profit,
        taker=fill.taker,
        at_ms=turn.at_ms,
    )
    order.deals = (*order.deals, deal)
    order.deal_vol += fill.vol
    order.deal_value += fill.price * fill.vol
    order.profit += profit
    if fill.taker:
        order.taker_fee += fee
    else:
        order.maker_fee += fee
    order.updated_ms = turn.at_ms
    order.version += 1
    turn.deal_made(account, order, deal)
    turn.order_changed(account, order)
