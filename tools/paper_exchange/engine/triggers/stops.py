"""Take profit and stop loss of positions: placed, changed, canceled, fired. A stop closes what it
was made for and no more, so it can never open anything; only a reversal that was asked for does,
and only after the position is gone.
"""

from decimal import Decimal

from msgspec.structs import replace

from tools.paper_exchange.engine.checking import checked_order
from tools.paper_exchange.engine.commands import DuplicateRule, PlaceOrder
from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.engine.events import AttachedChanged
from tools.paper_exchange.engine.matching import cancel
from tools.paper_exchange.engine.ordering import admit
from tools.paper_exchange.engine.permitting import check_account
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import ZERO, Account, Order, Position, slot
from tools.paper_exchange.engine.triggers.checking import (
    check_count,
    check_legs,
    check_order_attached,
)
from tools.paper_exchange.engine.triggers.commands import (
    CancelStops,
    ChangeAttached,
    ChangeStop,
    PlaceStop,
)
from tools.paper_exchange.engine.triggers.keeping import (
    cancel_listed,
    changed,
    keep,
    next_stop_id,
    retire,
)
from tools.paper_exchange.engine.triggers.state import StopLeg, StopOrder
from tools.paper_exchange.engine.triggers.words import Leg, TriggerState
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import OpenType, OrderError, OrderType, PositionType, Side

# Refusals that may pass: a stop that meets them keeps waiting, and tries again.
NOBODY_OFFERS = 2056


def place_stop(turn: Turn, command: PlaceStop) -> int:
    """The id of the new stop, or of an open one with the same prices, which is changed instead."""
    account = turn.state.accounts[command.account_id]
    check_account(account)
    held = account.position_by_id(command.position_id)
    if held is None:
        raise Refused(2009)
    contract = turn.contract(held.symbol)
    asked = StopOrder(
        id=0,
        symbol=held.symbol,
        position_id=held.id,
        position_type=held.type,
        vol=held.hold_vol if command.is_whole else command.vol,
        profit=command.profit,
        loss=command.loss,
        is_whole=command.is_whole,
        is_separate=command.is_separate,
        price_protect=command.price_protect,
        created_ms=turn.at_ms,
        updated_ms=turn.at_ms,
    )
    check_legs(contract, kind=held.type, profit=asked.profit, loss=asked.loss)
    stops = account.triggers.stops.open.values()
    others = [stop for stop in stops if stop.position_id == held.id]
    same = next((stop for stop in others if _prices(stop) == _prices(asked)), None)
    others = [stop for stop in others if stop is not same]
    if asked.is_whole:
        if any(stop.is_whole for stop in others):
            raise Refused(5005)
    else:
        _check_vols(contract, asked)
        _check_closable(held, asked, others=others)
    if same is None:
        check_count(account, contract, account.triggers.stops)
        asked.id = next_stop_id(turn)
    else:
        asked = replace(
            asked,
            id=same.id,
            order_id=same.order_id,
            created_ms=same.created_ms,
            version=same.version,
        )
    keep(turn, account, asked)
    return asked.id


def change_stop(turn: Turn, command: ChangeStop) -> int:
    account = turn.state.accounts[command.account_id]
    stop = account.triggers.stops.open.get(command.stop_id)
    if stop is None:
        raise Refused(5002)
    profit = _changed_leg(stop, stop.profit, to=command.profit)
    loss = _changed_leg(stop, stop.loss, to=command.loss)
    contract = turn.contract(stop.symbol)
    check_legs(contract, kind=stop.position_type, profit=profit, loss=loss)
    stop.profit, stop.loss = profit, loss
    changed(turn, account, stop)
    turn.wake(stop.symbol)
    return stop.id


def cancel_stops(turn: Turn, command: CancelStops) -> int:
    account = turn.state.accounts[command.account_id]
    return cancel_listed(
        turn,
        account,
        account.triggers.stops,
        ids=command.stop_ids,
        state=TriggerState.CANCELED,
        codes=(5002, 5002),
    )


def change_attached(turn: Turn, command: ChangeAttached) -> int:
    """Of an order that is still open; what has been filled already has its stop, or gets it."""
    account = turn.state.accounts[command.account_id]
    order = account.open_orders.get(command.order_id)
    if order is None:
        raise Refused(2009 if command.order_id in account.finished_orders else 2040)
    check_order_attached(turn, replace(order, attached=command.attached))
    order.attached = command.attached
    order.updated_ms = turn.at_ms
    order.version += 1
    turn.order_changed(account, order)
    turn.note(AttachedChanged(account, order), once_for=("attached", order.id))
    return order.id


def fire_stop(turn: Turn, account: Account, stop: StopOrder, *, which: Leg) -> None:
    """Close what the leg is for. Closing orders that stand in its way are canceled, youngest first:
    whoever has a stop wants to be out.
    """
    leg = stop.leg(which)
    held = account.position(stop.symbol, stop.position_type)
    if leg is None or held is None:
        retire(turn, account, stop, state=TriggerState.CANCELED)
        return
    stop.close_tries += 1
    left = held.hold_vol if stop.is_whole else min(leg.vol, held.hold_vol)
    dealt = ZERO
    while left:
        try:
            order = _checked_close(turn, account, stop, leg=leg, vol=left)
        except Refused as refused:
            if not stop.placed_id and refused.code != NOBODY_OFFERS:
                stop.fired = which
                retire(turn, account, stop, state=TriggerState.FAILED, error=refused.code)
            break
        if stop.fired is Leg.NONE:
            stop.fired = which
            retire(turn, account, stop, state=TriggerState.EXECUTED)
        _make_way(turn, account, held, vol=order.vol)
        admit(turn, account, order)
        stop.placed_id = stop.placed_id or order.id
        stop.closed_vol += order.vol
        left -= order.vol
        dealt += order.deal_vol
    if dealt and leg.reverse:
        _reverse(turn, account, stop, held=held, vol=dealt)


def _checked_close(
    turn: Turn, account: Account, stop: StopOrder, *, leg: StopLeg, vol: Decimal
) -> Order:
    # Checked as if the closing orders in its way were gone already. What is more than one order
    # may be is closed by several.
    contract = turn.contract(stop.symbol)
    most = max(contract.max_vol, contract.limit_max_vol) if leg.order_price else contract.max_vol
    long = stop.position_type is PositionType.LONG
    part = int(stop.closed_vol // most) + 1
    command = PlaceOrder(
        at_ms=turn.at_ms,
        account_id=account.id,
        symbol=stop.symbol,
        side=Side.CLOSE_LONG if long else Side.CLOSE_SHORT,
        type=OrderType.LIMIT if leg.order_price else OrderType.MARKET,
        price=leg.order_price,
        vol=min(vol, most),
        open_type=OpenType.CROSS,
        position_mode=account.position_mode,
        reduce_only=True,
        external_oid=f"stoporder_{stop.id}_{part}",
        duplicates=DuplicateRule.ACCEPT,
    )
    held = account.positions[slot(stop.symbol, stop.position_type)]
    frozen, held.frozen_vol = held.frozen_vol, ZERO
    try:
        return checked_order(turn, account, command=command)
    finally:
        held.frozen_vol = frozen


def _make_way(turn: Turn, account: Account, held: Position, *, vol: Decimal) -> None:
    for order in reversed(list(account.open_orders.values())):
        if held.free_vol >= vol:
            return
        if order.closes_only and order.symbol == held.symbol and order.target is held.type:
            cancel(turn, account, order=order, error=OrderError.POSITION_NOT_ENOUGH)


def _reverse(
    turn: Turn, account: Account, stop: StopOrder, *, held: Position, vol: Decimal
) -> None:
    stop.reverse_tries += 1
    if held.hold_vol:
        stop.reverse_error = 2008
        return
    other = account.position(held.symbol, held.type.opposite)
    command = PlaceOrder(
        at_ms=turn.at_ms,
        account_id=account.id,
        symbol=held.symbol,
        side=Side.OPEN_SHORT if held.type is PositionType.LONG else Side.OPEN_LONG,
        type=OrderType.MARKET,
        vol=min(vol, turn.contract(held.symbol).max_vol),
        open_type=held.open_type,
        leverage=other.leverage if other is not None else held.leverage,
        position_mode=account.position_mode,
        external_oid=f"stoporder_{stop.id}_r",
        duplicates=DuplicateRule.ACCEPT,
    )
    try:
        order = checked_order(turn, account, command=command)
    except Refused as refused:
        stop.reverse_error = refused.code
    else:
        admit(turn, account, order)


def _prices(stop: StopOrder) -> tuple[Decimal | None, ...]:
    return tuple(leg.price if leg is not None else None for leg in (stop.profit, stop.loss))


def _check_vols(contract: Contract, stop: StopOrder) -> None:
    for leg in (stop.profit, stop.loss):
        if leg is None:
            continue
        if leg.vol <= 0:
            raise Refused(2011)
        if leg.vol < contract.min_vol:
            raise Refused(2057)
        if leg.vol % contract.vol_unit:
            raise Refused(2015)


def _check_closable(held: Position, stop: StopOrder, *, others: list[StopOrder]) -> None:
    # Only one leg of each stop can fire, so profits and losses count each for themselves.
    for which in (Leg.PROFIT, Leg.LOSS):
        leg = stop.leg(which)
        if leg is None:
            continue
        standing = [other.leg(which) for other in others if not other.is_whole]
        together = leg.vol + sum((each.vol for each in standing if each is not None), ZERO)
        if together > held.free_vol:
            raise Refused(5004)


def _changed_leg(stop: StopOrder, leg: StopLeg | None, *, to: StopLeg | None) -> StopLeg | None:
    if to is None:
        return leg
    if not to.price:
        return None
    if leg is None:
        return replace(to, vol=stop.vol)
    return replace(leg, price=to.price, trend=to.trend, reverse=to.reverse)
