"""Applies one command to the state. All that can be refused is refused before anything changes,
so a command is either applied whole or not at all.
"""

import decimal
from decimal import Decimal
from typing import assert_never

from tools.paper_exchange.engine.checking import (
    check_leverage_range,
    checked_order,
    known_contract,
)
from tools.paper_exchange.engine.commands import (
    AddAccount,
    CancelOrder,
    Command,
    PlaceOrder,
    Reset,
    SetLeverage,
    SetPositionMode,
    SetPrice,
    Twist,
)
from tools.paper_exchange.engine.contracts import Contracts
from tools.paper_exchange.engine.margin import EXACT, available, initial_margin
from tools.paper_exchange.engine.matching import cancel, enter, finish, match_new, match_resting
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import (
    Account,
    Key,
    LeverageChoice,
    Price,
    State,
    Wallet,
    slot,
)
from tools.paper_exchange.engine.words import (
    OpenType,
    OrderError,
    OrderState,
    PositionMode,
    PositionType,
)

BASE_CURRENCY = "USDT"
# Ids look like the venue's: 18 digits that grow with the time, and never twice the same.
IDS_PER_MS = 400_000


def apply(state: State, contracts: Contracts, command: Command) -> int:
    """Change the state as the command says, or raise `Refused` and change nothing.

    Returns the id of the order or account that was made, else 0.
    """
    with decimal.localcontext(EXACT):
        match command:
            case PlaceOrder():
                return _place_order(state, contracts, command)
            case CancelOrder():
                return _cancel_order(state, command)
            case SetPrice():
                return _set_price(state, contracts, command)
            case SetLeverage():
                return _set_leverage(state, contracts, command)
            case SetPositionMode():
                return _set_position_mode(state, command)
            case AddAccount():
                return _add_account(state, command)
            case Reset():
                return _reset(state)
            case _:
                assert_never(command)


def _place_order(state: State, contracts: Contracts, command: PlaceOrder) -> int:
    account = state.accounts[command.account_id]
    order = checked_order(state, contracts, account, command=command)
    duplicate = order.external_oid in account.client_ids
    state.last_order_id = max(state.last_order_id + 1, command.at_ms * IDS_PER_MS)
    order.id = state.last_order_id
    order.external_oid = order.external_oid or f"_m_{order.id:032x}"
    order.hidden_until_ms = command.at_ms + command.hidden_ms if command.hidden_ms else 0
    enter(account, order)
    if duplicate and command.duplicates == "async":
        finish(account, order, outcome=OrderState.INVALID, error=OrderError.CLIENT_ID_DUPLICATE)
    elif command.twist is Twist.ASYNC_REJECT:
        error = command.twist_error or OrderError.INSUFFICIENT_BALANCE
        finish(account, order, outcome=OrderState.INVALID, error=error)
    else:
        match_new(state, contracts, account, order=order, twist=command.twist)
    return order.id


def _cancel_order(state: State, command: CancelOrder) -> int:
    account = state.accounts[command.account_id]
    order = account.open_orders.get(command.order_id)
    if order is None:
        raise Refused(2041 if command.order_id in account.finished_orders else 2040)
    cancel(state, account, order=order, at_ms=command.at_ms, error=OrderError.NORMAL)
    return order.id


def _set_price(state: State, contracts: Contracts, command: SetPrice) -> int:
    known_contract(contracts, command.symbol)
    state.prices[command.symbol] = Price(
        last=command.last,
        fair=command.last if command.fair is None else command.fair,
        index=command.last if command.index is None else command.index,
    )
    match_resting(state, contracts, symbol=command.symbol, at_ms=command.at_ms)
    return 0


def _set_leverage(state: State, contracts: Contracts, command: SetLeverage) -> int:
    account = state.accounts[command.account_id]
    contract = known_contract(contracts, command.symbol)
    if command.position_type not in set(PositionType):
        raise Refused(2002)
    if command.open_type not in {None, *OpenType}:
        raise Refused(600)
    check_leverage_range(contract, command.leverage)
    kind = PositionType(command.position_type)
    for order in account.open_orders.values():
        if order.symbol == command.symbol and order.target is kind and not order.closes_only:
            raise Refused(2019)
    place = slot(command.symbol, kind)
    held = account.positions.get(place)
    if held is not None:
        if command.open_type not in {None, held.open_type}:
            raise Refused(2027)
        now = initial_margin(held, contract)
        then = held.cost * contract.contract_size / Decimal(command.leverage)
        if then - now > max(available(account, contracts, contract.settle_coin), Decimal(0)):
            raise Refused(2005)
        held.leverage = command.leverage
        held.updated_ms = command.at_ms
        held.version += 1
    kept = account.leverages.get(place)
    open_type = command.open_type or (kept.open_type if kept else OpenType.ISOLATED)
    account.leverages[place] = LeverageChoice(
        open_type=held.open_type if held else OpenType(open_type), leverage=command.leverage
    )
    return 0


def _set_position_mode(state: State, command: SetPositionMode) -> int:
    account = state.accounts[command.account_id]
    if command.position_mode not in set(PositionMode):
        raise Refused(600)
    if account.open_orders or account.positions:
        raise Refused(7001)
    account.position_mode = PositionMode(command.position_mode)
    return 0


def _add_account(state: State, command: AddAccount) -> int:
    state.last_account_id += 1
    mode = PositionMode(command.position_mode)
    account = Account(
        id=state.last_account_id,
        start_balance=command.balance,
        start_mode=mode,
        position_mode=mode,
        wallets={BASE_CURRENCY: Wallet(deposit=command.balance, cash=command.balance)},
    )
    state.accounts[account.id] = account
    state.keys[command.access_key] = Key(
        access_key=command.access_key,
        secret_key=command.secret_key,
        account_id=account.id,
        permissions=command.permissions,
        ip_whitelist=command.ip_whitelist,
        created_ms=command.at_ms,
        expires_ms=command.expires_ms,
    )
    return account.id


def _reset(state: State) -> int:
    state.resting.clear()
    for account in state.accounts.values():
        state.accounts[account.id] = Account(
            id=account.id,
            start_balance=account.start_balance,
            start_mode=account.start_mode,
            position_mode=account.start_mode,
            wallets={
                BASE_CURRENCY: Wallet(deposit=account.start_balance, cash=account.start_balance)
            },
        )
    return 0
