"""The checks of a new order, in MEXC's order: parameters, symbol, position mode, margin mode,
leverage, volume, price, client id, position to close, balance. The first that fails names the code.
"""

from decimal import Decimal

from tools.paper_exchange.engine.commands import DuplicateRule, PlaceOrder
from tools.paper_exchange.engine.contracts import Contract, Contracts
from tools.paper_exchange.engine.depth import AT_MARKET, best_price, offers_for, total
from tools.paper_exchange.engine.margin import TAKER_RATE, available, cut, held_margin
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import (
    ZERO,
    Account,
    LeverageChoice,
    Order,
    Price,
    slot,
)
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import (
    OpenType,
    OrderType,
    PositionMode,
    PositionType,
    Side,
)

CLIENT_ID_LENGTH = 32
_SIDES = frozenset(Side)
_TYPES = frozenset(OrderType)
_OPEN_TYPES = frozenset(OpenType)
_MODES_OR_NONE = frozenset({None, *PositionMode})
_NEVER_REST = AT_MARKET | {OrderType.IOC, OrderType.FOK}


def checked_order(turn: Turn, account: Account, *, command: PlaceOrder) -> Order:
    """The order that the command asks for, or `Refused`; the state is not touched."""
    _check_words(command)
    contract = known_contract(turn.contracts, command.symbol)
    if contract.state != 0 or not contract.api_allowed:
        raise Refused(1002)
    mode = PositionMode(command.position_mode or PositionMode.HEDGE)
    if mode is not account.position_mode:
        raise Refused(7002)
    order = Order(
        id=0,
        symbol=command.symbol,
        side=Side(command.side),
        type=OrderType(command.type),
        vol=command.vol,
        price=command.price,
        leverage=0,
        open_type=OpenType(command.open_type),
        position_mode=mode,
        # Only one-way orders know the flag; the real venue ignores it on hedge orders.
        reduce_only=command.reduce_only and mode is PositionMode.ONE_WAY,
        external_oid=command.external_oid,
        created_ms=command.at_ms,
        updated_ms=command.at_ms,
        attached=command.attached,
    )
    if not order.closes_only:
        _check_open_type(account, contract, order)
    order.leverage = _leverage(account, contract, order=order, asked=command.leverage)
    _check_volume(contract, order)
    if order.type in AT_MARKET:
        _check_offered(turn, order)
    else:
        _check_price(contract, turn.price(order.symbol), order)
    _check_client_id(account, order.external_oid, rule=command.duplicates)
    _check_closable(account, order)
    _check_balance(turn, account, order)
    return order


def known_contract(contracts: Contracts, symbol: str) -> Contract:
    contract = contracts.get(symbol)
    if contract is None:
        raise Refused(1001)
    return contract


def check_leverage_range(contract: Contract, leverage: int) -> None:
    if not contract.min_leverage <= leverage <= contract.max_leverage:
        raise Refused(2006, max=contract.max_leverage, min=contract.min_leverage)


def leverage_choice(account: Account, contract: Contract, kind: PositionType) -> LeverageChoice:
    """What the account has set for a symbol and side; 20x isolated until it sets anything."""
    chosen = account.leverages.get(slot(contract.symbol, kind))
    return chosen or LeverageChoice(
        open_type=OpenType.ISOLATED, leverage=min(20, contract.max_leverage)
    )


def opening_vol(account: Account, order: Order) -> Decimal:
    """How much of what remains would open, rather than reduce what is held."""
    if order.closes_only:
        return ZERO
    opposite = account.position(order.symbol, order.target.opposite) if order.is_net else None
    held = opposite.hold_vol if opposite is not None else ZERO
    return max(order.remaining - held, ZERO)


def means(turn: Turn, account: Account, order: Order) -> Decimal:
    """What the account can put up for the order. A net order that opens anything closes all that
    is held on the other side first, which sets that margin free.
    """
    contract = turn.contract(order.symbol)
    free = available(account, turn.contracts, contract.settle_coin)
    opposite = account.position(order.symbol, order.target.opposite) if order.is_net else None
    if opposite is None:
        return free
    return free + held_margin(opposite, contract)


def money_needed(contract: Contract, *, vol: Decimal, price: Decimal, leverage: int) -> Decimal:
    """Initial margin and the taker's fee for opening `vol` contracts."""
    notional = vol * price * contract.contract_size
    return cut(notional / leverage) + notional * TAKER_RATE


def _check_words(command: PlaceOrder) -> None:
    if command.side not in _SIDES:
        raise Refused(2001)
    if command.type not in _TYPES:
        raise Refused(2029)
    if command.open_type not in _OPEN_TYPES:
        raise Refused(600)
    if command.position_mode not in _MODES_OR_NONE:
        raise Refused(600)


def _check_open_type(account: Account, contract: Contract, order: Order) -> None:
    if contract.position_open_type not in {3, order.open_type}:
        raise Refused(9070 if contract.position_open_type == OpenType.ISOLATED else 9071)
    held = account.position(order.symbol, order.target)
    if held is not None and held.open_type is not order.open_type:
        raise Refused(2027)


def _leverage(account: Account, contract: Contract, *, order: Order, asked: int | None) -> int:
    held = account.position(order.symbol, order.target)
    if order.closes_only:
        return held.leverage if held is not None else max(asked or 1, 1)
    if asked is None:
        # Stock clients leave it out for cross orders; isolated ones must name it.
        if order.open_type is OpenType.ISOLATED:
            raise Refused(600)
        kept = leverage_choice(account, contract, order.target).leverage
        return held.leverage if held is not None else kept
    check_leverage_range(contract, asked)
    if held is not None and held.leverage != asked:
        raise Refused(2021)
    for other in account.open_orders.values():
        same = other.symbol == order.symbol and other.target is order.target
        if same and not other.closes_only and other.leverage != asked:
            raise Refused(7004)
    return asked


def _check_volume(contract: Contract, order: Order) -> None:
    if order.vol <= 0:
        raise Refused(2011)
    if order.vol < contract.min_vol:
        raise Refused(2057)
    # Limit orders may be larger than market orders on some contracts, never smaller.
    most = contract.max_vol
    if order.type not in AT_MARKET:
        most = max(most, contract.limit_max_vol)
    if order.vol > most:
        raise Refused(2028, count=most)
    if order.vol % contract.vol_unit:
        raise Refused(2015)


def _check_offered(turn: Turn, order: Order) -> None:
    if best_price(turn, order) is None:
        raise Refused(2056 if order.closes_only else 2039)


def _check_price(contract: Contract, price: Price, order: Order) -> None:
    if order.price <= 0:
        raise Refused(2007)
    highest = contract.max_bid_price(price.index)
    lowest = contract.min_ask_price(price.index)
    if order.side.is_buy and order.price > highest:
        raise Refused(2003, amount=highest, currency=contract.settle_coin)
    if not order.side.is_buy and order.price < lowest:
        raise Refused(2004, amount=lowest, currency=contract.settle_coin)
    if order.price % contract.price_unit:
        raise Refused(2015)


def _check_client_id(account: Account, external_oid: str, *, rule: DuplicateRule) -> None:
    if len(external_oid) > CLIENT_ID_LENGTH:
        raise Refused(2030)
    if rule is DuplicateRule.REJECT and external_oid in account.client_ids:
        raise Refused(2042)


def _check_closable(account: Account, order: Order) -> None:
    if not order.closes_only:
        return
    held = account.position(order.symbol, order.target)
    if held is None:
        raise Refused(2009)
    if order.vol > held.free_vol:
        raise Refused(2008)


def _check_balance(turn: Turn, account: Account, order: Order) -> None:
    opening = opening_vol(account, order)
    if not opening:
        return
    offers = offers_for(turn, order, vol=order.vol)
    filled = total(offers)
    rests = filled < order.vol and order.type not in _NEVER_REST
    # What is neither offered nor rests will be canceled, and ties up nothing.
    vol = opening if rests else min(opening, filled)
    prices = [price for price, _ in offers] + ([order.price] if rests else [])
    if not vol:
        return
    contract = turn.contract(order.symbol)
    needed = money_needed(contract, vol=vol, price=max(prices), leverage=order.leverage)
    if needed > means(turn, account, order):
        raise Refused(2005)
