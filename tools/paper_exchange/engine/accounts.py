"""Accounts: made, set up, emptied."""

from decimal import Decimal

from tools.paper_exchange.engine.checking import check_leverage_range, known_contract
from tools.paper_exchange.engine.commands import AddAccount, SetLeverage, SetPositionMode
from tools.paper_exchange.engine.events import PositionModeChanged
from tools.paper_exchange.engine.margin import available, initial_margin
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Account, Key, LeverageChoice, State, Wallet, slot
from tools.paper_exchange.engine.turn import Turn
from tools.paper_exchange.engine.words import OpenType, PositionMode, PositionType

BASE_CURRENCY = "USDT"


def set_leverage(turn: Turn, command: SetLeverage) -> int:
    account = turn.state.accounts[command.account_id]
    contract = known_contract(turn.contracts, command.symbol)
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
        if then - now > max(available(account, turn.contracts, contract.settle_coin), Decimal(0)):
            raise Refused(2005)
        held.leverage = command.leverage
        held.updated_ms = command.at_ms
        held.version += 1
        turn.position_changed(account, held)
        turn.wallet_changed(account, contract.settle_coin)
    kept = account.leverages.get(place)
    open_type = command.open_type or (kept.open_type if kept else OpenType.ISOLATED)
    account.leverages[place] = LeverageChoice(
        open_type=held.open_type if held else OpenType(open_type), leverage=command.leverage
    )
    return 0


def set_position_mode(turn: Turn, command: SetPositionMode) -> int:
    account = turn.state.accounts[command.account_id]
    if command.position_mode not in set(PositionMode):
        raise Refused(600)
    if account.open_orders or account.positions:
        raise Refused(7001)
    account.position_mode = PositionMode(command.position_mode)
    turn.note(PositionModeChanged(account), once_for=("mode", account.id))
    return 0


def add_account(state: State, command: AddAccount) -> int:
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


def reset(turn: Turn) -> int:
    state = turn.state
    state.resting.clear()
    state.depths.clear()
    for account in list(state.accounts.values()):
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
