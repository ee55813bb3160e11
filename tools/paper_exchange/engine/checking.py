"""The checks of a new order, in MEXC's order: account, parameters, symbol, position mode, margin
mode, leverage, volume, price, client id, number of orders, position to close, balance. The first
that fails names the code.
"""

from decimal import Decimal

from tools.paper_exchange.engine.affording import check_balance, check_risk_limit, may_rest
from tools.paper_exchange.engine.commands import DuplicateRule, PlaceOrder
from tools.paper_exchange.engine.contracts import Contract, Contracts
from tools.paper_exchange.engine.depth import AT_MARKET
from tools.paper_exchange.engine.permitting import check_account, check_may_open, check_tradable
from tools.paper_exchange.engine.quoting import check_price
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import ZERO, Account, LeverageChoice, Order, slot
from tools.paper_exchange.engine.turn import Turn, notional
from tools.paper_exchange.engine.words import (
    BookPrice,
    OpenType,
    OrderType,
    PositionMode,
    PositionType,
    Side,
)

CLIENT_ID_LENGTH = 32
STP_MODES = frozenset(range(4))
_SIDES = frozenset(Side)
_TYPES = frozenset(OrderType)
_OPEN_TYPES = frozenset(OpenType)
_MODES_OR_NONE = frozenset({None, *PositionMode})
_BOOK_PRICES = frozenset(BookPrice)


def checked_order(turn: Turn, account: Account, *, command: PlaceOrder) -> Order:
    """The order that the command asks for, or `Refused`; the state is not touched."""
    check_account(account)
    check_words(command)
    order = asked_order(command)
    check_may_open(account, order)
    contract = known_contract(turn.contracts, command.symbol)
    check_tradable(account, contract, order=order, at_ms=turn.at_ms)
    if order.position_mode is not account.position_mode:
        raise Refused(7002)
    _check_open_type(account, contract, order)
    order.leverage = _leverage(account, contract, order=order, asked=command.leverage)
    check_volume(turn, contract, order=order)
    check_risk_limit(contract, account, order)
    check_price(turn, account, order=order)
    _check_client_id(account, order.external_oid, rule=command.duplicates)
    _check_count(account, contract, order)
    check_closable(account, order=order, position_id=command.position_id)
    check_balance(turn, account, order=order)
    return order


def known_contract(contracts: Contracts, symbol: str) -> Contract:
    contract = contracts.get(symbol)
    if contract is None:
        raise Refused(1001)
    return contract


def check_leverage_range(contract: Contract, leverage: int, account: Account | None = None) -> None:
    """What the contract allows, then what the account's country does."""
    if not contract.min_leverage <= leverage <= contract.max_leverage:
        raise Refused(2006, max=contract.max_leverage, min=contract.min_leverage)
    caps = [contract.country_config_contract_max_leverage]
    if account is not None and account.restrictions is not None:
        caps.append(account.restrictions.country_max_leverage or 0)
    for cap in caps:
        if cap and leverage > cap:
            raise Refused(8931, max=cap)


def leverage_choice(account: Account, contract: Contract, kind: PositionType) -> LeverageChoice:
    """What the account has set for a symbol and side; 20x isolated until it sets anything."""
    chosen = account.leverages.get(slot(contract.symbol, kind))
    return chosen or LeverageChoice(
        open_type=OpenType.ISOLATED, leverage=min(20, contract.max_leverage)
    )


def check_volume(turn: Turn, contract: Contract, *, order: Order) -> None:
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
    if contract.min_order_value is not None or contract.max_order_value is not None:
        _check_value(turn, contract, order=order)


def check_closable(
    account: Account, *, order: Order, position_id: int = 0, freed: Decimal = ZERO
) -> None:
    """`freed` is the volume of an order that this one takes the place of."""
    if not order.closes_only:
        return
    held = account.position(order.symbol, order.target)
    if held is None:
        raise Refused(2009)
    if position_id not in {0, held.id}:
        raise Refused(2043)
    if order.vol > held.hold_vol:
        raise Refused(2008)
    if order.vol > held.free_vol + freed:
        raise Refused(7005)


def asked_order(command: PlaceOrder) -> Order:
    mode = PositionMode(command.position_mode or PositionMode.HEDGE)
    return Order(
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
        bbo_type=command.bbo_type,
    )


def check_words(command: PlaceOrder) -> None:
    if command.side not in _SIDES:
        raise Refused(2001)
    if command.type not in _TYPES:
        raise Refused(2029)
    if command.bbo_type not in _BOOK_PRICES:
        raise Refused(2035)
    if command.open_type not in _OPEN_TYPES:
        raise Refused(600)
    if command.position_mode not in _MODES_OR_NONE or command.stp_mode not in STP_MODES:
        raise Refused(600)


def _check_open_type(account: Account, contract: Contract, order: Order) -> None:
    if order.closes_only:
        return
    if contract.position_open_type not in {3, order.open_type}:
        raise Refused(9070 if contract.position_open_type == OpenType.ISOLATED else 9071)
    held = account.position(order.symbol, order.target)
    if held is not None and held.open_type is not order.open_type:
        raise Refused(2027)
    opposite = account.position(order.symbol, order.target.opposite)
    if opposite is not None and opposite.open_type is not order.open_type:
        raise Refused(5006)
    for other in account.open_orders.values():
        if other.symbol != order.symbol or other.closes_only:
            continue
        if other.open_type is not order.open_type:
            raise Refused(7003 if other.target is order.target else 5006)


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
    check_leverage_range(contract, asked, account)
    if held is not None and held.leverage != asked:
        raise Refused(2021)
    for other in account.open_orders.values():
        same = other.symbol == order.symbol and other.target is order.target
        if same and not other.closes_only and other.leverage != asked:
            raise Refused(7004)
    return asked


def _check_value(turn: Turn, contract: Contract, *, order: Order) -> None:
    # A price that is wrong is for the check of prices to say.
    price = order.price if order.price > 0 else turn.price(order.symbol).last
    worth = notional(contract, vol=order.vol, price=price)
    if contract.min_order_value is not None and worth < contract.min_order_value:
        raise Refused(7008, value=contract.min_order_value)
    if contract.max_order_value is not None and worth > contract.max_order_value:
        raise Refused(2051)


def _check_client_id(account: Account, external_oid: str, *, rule: DuplicateRule) -> None:
    if len(external_oid) > CLIENT_ID_LENGTH:
        raise Refused(2030)
    if rule is DuplicateRule.REJECT and external_oid in account.client_ids:
        raise Refused(2042)


def _check_count(account: Account, contract: Contract, order: Order) -> None:
    if not may_rest(order):
        return
    hedged, one_way = contract.max_num_orders
    most = hedged if order.position_mode is PositionMode.HEDGE else one_way
    if len(account.open_orders) < most:
        return
    resting = sum(other.symbol == order.symbol for other in account.open_orders.values())
    if resting >= most:
        raise Refused(2036)
