"""What an order would tie up, and whether the account can put it up within its caps."""

from decimal import Decimal

from tools.paper_exchange.engine.contracts import Contract
from tools.paper_exchange.engine.depth import AT_MARKET, offers_for, total
from tools.paper_exchange.engine.margin import (
    TAKER_RATE,
    available,
    cut,
    maintenance_rate,
    position_margin,
    unrealised,
)
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.restrictions import Restrictions
from tools.paper_exchange.engine.state import ZERO, Account, Order
from tools.paper_exchange.engine.tiers import largest_vol, tiers_of
from tools.paper_exchange.engine.turn import Turn, notional
from tools.paper_exchange.engine.words import OpenType, OrderType

_NEVER_REST = AT_MARKET | {OrderType.IOC, OrderType.FOK}


def may_rest(order: Order) -> bool:
    return order.type not in _NEVER_REST


def opening_vol(account: Account, order: Order) -> Decimal:
    """How much of what remains would open, rather than reduce what is held."""
    if order.closes_only:
        return ZERO
    opposite = account.position(order.symbol, order.target.opposite) if order.is_net else None
    held = opposite.hold_vol if opposite is not None else ZERO
    return max(order.remaining - held, ZERO)


def means(turn: Turn, account: Account, order: Order, *, price: Decimal) -> Decimal:
    """What the account can put up for the order at the price. A net order that opens anything
    closes all that is held on the other side first: that margin is free then, and what the position
    has won or lost is realised.
    """
    contract = turn.contract(order.symbol)
    coin = contract.settle_coin
    opposite = account.position(order.symbol, order.target.opposite) if order.is_net else None
    free = available(turn, account, currency=coin, without=opposite)
    if opposite is None:
        return free
    fee = notional(contract, vol=opposite.hold_vol, price=price) * TAKER_RATE
    return free + unrealised(opposite, contract, price) - fee


def exceeds_risk_limit(
    contract: Contract, account: Account, order: Order, *, replaced: Order | None = None
) -> bool:
    """Whether what is held, what rests and the order together open more than the leverage allows.
    `replaced` is a resting order that this one takes the place of.
    """
    opening = opening_vol(account, order)
    if not opening:
        return False
    held = account.position(order.symbol, order.target)
    if held is not None:
        opening += held.hold_vol
    for other in account.open_orders.values():
        if other is order or other is replaced or other.symbol != order.symbol:
            continue
        if other.target is order.target:
            opening += opening_vol(account, other)
    return opening > largest_vol(contract, order.leverage)


def check_risk_limit(
    contract: Contract, account: Account, order: Order, *, replaced: Order | None = None
) -> None:
    if exceeds_risk_limit(contract, account, order, replaced=replaced):
        most = largest_vol(contract, order.leverage)
        if most >= tiers_of(contract)[-1].max_vol:
            raise Refused(2031)
        raise Refused(8819, amount=most)


def money_needed(contract: Contract, *, vol: Decimal, price: Decimal, leverage: int) -> Decimal:
    """Initial margin and the taker's fee for opening `vol` contracts."""
    worth = notional(contract, vol=vol, price=price)
    return cut(worth / leverage) + worth * TAKER_RATE


def check_balance(turn: Turn, account: Account, *, order: Order, freed: Decimal = ZERO) -> None:
    """`freed` is what an order has frozen that this one takes the place of."""
    opening = opening_vol(account, order)
    if not opening:
        return
    offers = offers_for(turn, order, vol=order.vol)
    filled = total(offers)
    rests = filled < order.vol and may_rest(order)
    # What is neither offered nor rests will be canceled, and ties up nothing.
    vol = opening if rests else min(opening, filled)
    prices = [price for price, _ in offers] + ([order.price] if rests else [])
    if not vol:
        return
    contract = turn.contract(order.symbol)
    needed = money_needed(contract, vol=vol, price=max(prices), leverage=order.leverage)
    if account.restrictions is not None:
        worth = notional(contract, vol=vol, price=max(prices))
        _check_caps(turn, account, caps=account.restrictions, order=order, worth=worth, freed=freed)
    worst = _worst(order, prices)
    needed += _lost_at_once(turn, order, vol=vol, price=worst)
    has = means(turn, account, order, price=worst)
    if rests and filled < order.vol - opening:
        # As long as it rests before the other side is closed, nothing has set that margin free.
        has = min(has, available(turn, account, currency=contract.settle_coin))
    if needed > has + freed:
        raise Refused(2005)


def _lost_at_once(turn: Turn, order: Order, *, vol: Decimal, price: Decimal) -> Decimal:
    # Contracts that are dearer than the fair price have lost the difference the moment they are
    # opened. A cross account must carry that; an isolated margin must survive it.
    contract = turn.contract(order.symbol)
    dearer = (price - turn.price(order.symbol).fair) * order.target.sign
    if dearer <= 0:
        return ZERO
    lost = notional(contract, vol=vol, price=dearer)
    if order.open_type is OpenType.CROSS:
        return lost
    worth = notional(contract, vol=vol, price=price)
    if worth / order.leverage - lost <= worth * maintenance_rate(contract, vol):
        raise Refused(2049)
    return ZERO


def _check_caps(
    turn: Turn,
    account: Account,
    *,
    caps: Restrictions,
    order: Order,
    worth: Decimal,
    freed: Decimal,
) -> None:
    coin = turn.contract(order.symbol).settle_coin
    if caps.margin_cap is not None:
        tied = position_margin(turn, account, currency=coin) + account.wallet(coin).frozen
        if tied - freed + cut(worth / order.leverage) > caps.margin_cap:
            raise Refused(caps.margin_cap_code)
    held = sum(
        (
            notional(
                turn.contract(position.symbol),
                vol=position.hold_vol,
                price=turn.price(position.symbol).fair,
            )
            for position in account.positions.values()
        ),
        ZERO,
    )
    ratio = caps.max_value_ratio
    if ratio is not None and held + worth > ratio * account.wallet(coin).cash:
        raise Refused(7009)
    if caps.value_cap is not None and held + worth + _resting(turn, account) > caps.value_cap:
        raise Refused(8919)


def _worst(order: Order, prices: list[Decimal]) -> Decimal:
    return max(prices) if order.side.is_buy else min(prices)


def _resting(turn: Turn, account: Account) -> Decimal:
    return sum(
        (
            notional(turn.contract(order.symbol), vol=order.remaining, price=order.price)
            for order in account.open_orders.values()
            if not order.closes_only
        ),
        ZERO,
    )
