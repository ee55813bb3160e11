"""What happens when a position has lost what it may lose. It is the fair price that decides.

An isolated position is taken over when the fair price reaches its liquidation price. It ends at the
bankruptcy price: the whole of its margin is lost, and nothing else. With `auto_add` its margin is
filled up again first, as long as there is money that is free.

The cross positions of a currency stand together. When what stands behind them falls to what must,
the account's resting orders that would open anything in the currency are canceled, and the
positions are closed at the fair price, for the liquidation fee, largest loss first, until what is
left is sound. What is lost beyond the last cent is paid by the insurance fund.
"""

from decimal import Decimal

from msgspec.structs import replace

from tools.paper_exchange.engine.booking import Fill, book_fill
from tools.paper_exchange.engine.events import LiquidationRisk
from tools.paper_exchange.engine.margin import (
    available,
    cross_standing,
    cut,
    held_in,
    held_margin,
    initial_margin,
    liquidation_price,
    margin_ratio,
    unrealised,
)
from tools.paper_exchange.engine.matching import cancel, enter, finish
from tools.paper_exchange.engine.ordering import next_id
from tools.paper_exchange.engine.state import ZERO, Account, Order, Position, slot
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import (
    Category,
    OpenType,
    OrderError,
    OrderState,
    OrderType,
    PositionType,
    Side,
)

# The margin ratio from which on the owner is warned.
RISKY = Decimal("0.8")


def liquidate(turn: Turn, symbol: str) -> None:
    """Take over what the fair price of a symbol has ruined, and warn of what is near to it."""
    places = [slot(symbol, kind) for kind in PositionType]
    for account in turn.state.accounts.values():
        held = [account.positions[place] for place in places if place in account.positions]
        if held:
            _look_at(turn, account, held=held)


def _look_at(turn: Turn, account: Account, *, held: list[Position]) -> None:
    for position in held:
        if position.open_type is OpenType.ISOLATED:
            _check_isolated(turn, account, position=position)
    if any(position.open_type is OpenType.CROSS for position in held):
        currency = turn.contract(held[0].symbol).settle_coin
        _check_cross(turn, account, currency=currency)


def _check_isolated(turn: Turn, account: Account, *, position: Position) -> None:
    contract = turn.contract(position.symbol)
    fair = turn.price(position.symbol).fair
    won = unrealised(position, contract, fair)
    if won >= 0 and position.extra_margin >= 0:
        position.warned = False
        return
    if not _is_reached(turn, position):
        _warn(
            turn, account, position=position, ratio=margin_ratio(turn, account, position=position)
        )
        return
    if position.auto_add and _filled_up(turn, account, position=position):
        return
    margin = held_margin(position, contract)
    # A long position cannot lose more than it is worth, however much margin it has.
    worth = position.cost * contract.contract_size
    loss = min(margin, worth) if position.type is PositionType.LONG else margin
    value = position.cost - position.type.sign * loss / contract.contract_size
    price = cut(value / position.hold_vol)
    _take_over(turn, account, position=position, price=price, loss=loss, fee_rate=ZERO)


def _is_reached(turn: Turn, position: Position) -> bool:
    price = liquidation_price(position, turn.contract(position.symbol))
    fair = turn.price(position.symbol).fair
    return fair <= price if position.type is PositionType.LONG else fair >= price


def _filled_up(turn: Turn, account: Account, *, position: Position) -> bool:
    # To what the initial margin was, or with all that is free where that still saves it.
    contract = turn.contract(position.symbol)
    won = unrealised(position, contract, turn.price(position.symbol).fair)
    missing = initial_margin(position, contract) - held_margin(position, contract) - won
    free = available(turn, account, currency=contract.settle_coin)
    added = min(missing, free)
    if added <= 0 or _is_reached(
        turn, replace(position, extra_margin=position.extra_margin + added)
    ):
        return False
    position.extra_margin += added
    position.updated_ms = turn.at_ms
    position.version += 1
    turn.position_changed(account, position)
    turn.wallet_changed(account, contract.settle_coin)
    return True


def _check_cross(turn: Turn, account: Account, *, currency: str) -> None:
    standing = cross_standing(turn, account, currency=currency)
    if not standing.is_ruined:
        ratio = standing.ratio
        for position in _cross_positions(turn, account, currency=currency):
            _warn(turn, account, position=position, ratio=ratio)
        return
    for order in list(account.open_orders.values()):
        if not order.closes_only and order.frozen_currency == currency:
            cancel(turn, account, order=order, error=OrderError.ORDER_LIQUIDATED)
    while held := _cross_positions(turn, account, currency=currency):
        if not cross_standing(turn, account, currency=currency).is_ruined:
            return
        position = min(held, key=lambda one: _won(turn, one))
        _take_over(
            turn,
            account,
            position=position,
            price=turn.price(position.symbol).fair,
            loss=None,
            fee_rate=turn.contract(position.symbol).liquidation_fee_rate,
        )


def _cross_positions(turn: Turn, account: Account, *, currency: str) -> list[Position]:
    held = held_in(turn, account, currency=currency)
    return [position for position, _ in held if position.open_type is OpenType.CROSS]


def _won(turn: Turn, position: Position) -> Decimal:
    contract = turn.contract(position.symbol)
    return unrealised(position, contract, turn.price(position.symbol).fair)


def _warn(turn: Turn, account: Account, *, position: Position, ratio: Decimal) -> None:
    # Once when it becomes risky, and again only after it was safe in between.
    risky = ratio >= RISKY
    if risky and not position.warned:
        turn.note(LiquidationRisk(account, position), once_for=("risk", position.id))
    position.warned = risky


def _take_over(
    turn: Turn,
    account: Account,
    *,
    position: Position,
    price: Decimal,
    loss: Decimal | None,
    fee_rate: Decimal,
) -> None:
    for other in list(account.open_orders.values()):
        if other.closes_only and other.symbol == position.symbol and other.target is position.type:
            cancel(turn, account, order=other, error=OrderError.POSITION_LIQUIDATED)
    order_id = next_id(turn)
    order = Order(
        id=order_id,
        symbol=position.symbol,
        side=Side.CLOSE_LONG if position.type is PositionType.LONG else Side.CLOSE_SHORT,
        type=OrderType.MARKET,
        vol=position.hold_vol,
        price=price,
        leverage=position.leverage,
        open_type=position.open_type,
        position_mode=account.position_mode,
        reduce_only=False,
        external_oid=f"_m_{order_id:032x}",
        created_ms=turn.at_ms,
        updated_ms=turn.at_ms,
        attached={},
        category=Category.LIQUIDATION,
    )
    enter(turn, account, order)
    fill = Fill(vol=order.vol, price=price, taker=True, fee_rate=fee_rate, loss=loss)
    book_fill(turn, account, order=order, fill=fill)
    finish(turn, account, order=order, outcome=OrderState.FILLED, error=OrderError.NORMAL)
