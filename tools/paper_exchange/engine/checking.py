"""The checks of a new order, in MEXC's order: parameters, symbol, position mode, margin mode,
leverage, volume, price, client id, position to close, balance. The first that fails names the code.
"""

from decimal import Decimal

from tools.paper_exchange.engine.commands import DuplicateRule, PlaceOrder
from tools.paper_exchange.engine.contracts import Contract, Contracts
from tools.paper_exchange.engine.margin import TAKER_RATE, available, cut, initial_margin
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import (
    ZERO,
    Account,
    LeverageChoice,
    Order,
    Price,
    State,
    slot,
)
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
AT_MARKET = frozenset({OrderType.MARKET, OrderType.MARKET_TO_LIMIT})


def checked_order(
    state: State, contracts: Contracts, account: Account, *, command: PlaceOrder
) -> Order:
    """The order that the command asks for, or `Refused`; the state is not touched."""
    _check_words(command)
    contract = known_contract(contracts, command.symbol)
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
    _check_volume(contract, order.vol)
    price = state.prices[order.symbol]
    if order.type not in AT_MARKET:
        _check_price(contract, price, order)
    _check_client_id(account, order.external_oid, rule=command.duplicates)
    _check_closable(account, order)
    _check_balance(account, contracts, order=order, price=expected_price(order, price.last))
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


def crosses(order: Order, last: Decimal) -> bool:
    if order.type in AT_MARKET:
        return True
    return last <= order.price if order.side.is_buy else last >= order.price


def expected_price(order: Order, last: Decimal) -> Decimal:
    return last if crosses(order, last) else order.price


def opening_vol(account: Account, order: Order) -> Decimal:
    """How much of what remains would open, rather than reduce what is held."""
    if order.closes_only:
        return ZERO
    opposite = account.position(order.symbol, order.target.opposite) if order.is_net else None
    held = opposite.hold_vol if opposite is not None else ZERO
    return max(order.remaining - held, ZERO)


def means(account: Account, contracts: Contracts, order: Order) -> Decimal:
    """What the account can put up for the order. A net order that opens anything closes all that
    is held on the other side first, which sets that margin free.
    """
    free = available(account, contracts, contracts[order.symbol].settle_coin)
    opposite = account.position(order.symbol, order.target.opposite) if order.is_net else None
    if opposite is None:
        return free
    return free + initial_margin(opposite, contracts[order.symbol])


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


def _check_volume(contract: Contract, vol: Decimal) -> None:
    if vol <= 0:
        raise Refused(2011)
    if vol < contract.min_vol:
        raise Refused(2057)
    if vol > contract.max_vol:
        raise Refused(2028, count=contract.max_vol)
    if vol % contract.vol_unit:
        raise Refused(2015)


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


def _check_balance(account: Account, contracts: Contracts, *, order: Order, price: Decimal) -> None:
    contract = contracts[order.symbol]
    vol = opening_vol(account, order)
    if not vol:
        return
    needed = money_needed(contract, vol=vol, price=price, leverage=order.leverage)
    if needed > means(account, contracts, order):
        raise Refused(2005)
