"""Accounts: made, set up, emptied."""

from tools.paper_exchange.engine.checking import check_leverage_range, known_contract
from tools.paper_exchange.engine.commands import AddAccount, SetLeverage, SetPositionMode
from tools.paper_exchange.engine.events import PositionModeChanged, RiskLimitChanged
from tools.paper_exchange.engine.margin import (
    available,
    cut,
    initial_margin,
    maintenance_rate,
    unrealised,
)
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import (
    ZERO,
    Account,
    Key,
    LeverageChoice,
    Position,
    State,
    Wallet,
    slot,
)
from tools.paper_exchange.engine.tiers import largest_vol, tier_of
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
    if command.open_type == OpenType.CROSS and contract.position_open_type == OpenType.ISOLATED:
        raise Refused(2026)
    check_leverage_range(contract, command.leverage, account)
    kind = PositionType(command.position_type)
    for order in account.open_orders.values():
        if order.symbol == command.symbol and order.target is kind and not order.closes_only:
            raise Refused(2019)
    place = slot(command.symbol, kind)
    held = account.positions.get(place)
    if held is not None:
        if command.open_type not in {None, held.open_type}:
            raise Refused(2027)
        _check_leverage_of(turn, account, held, leverage=command.leverage)
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
    changed = RiskLimitChanged(account, command.symbol, kind)
    turn.note(changed, once_for=("risk limit", account.id, place))
    return 0


def _check_leverage_of(turn: Turn, account: Account, held: Position, *, leverage: int) -> None:
    contract = turn.contract(held.symbol)
    if held.hold_vol > largest_vol(contract, leverage):
        raise Refused(8821, leverage=tier_of(contract, held.hold_vol).max_leverage)
    then = cut(held.cost * contract.contract_size / leverage)
    more = then - initial_margin(held, contract)
    free = max(available(turn, account, currency=contract.settle_coin), ZERO)
    if more > free:
        raise Refused(2044)
    if held.open_type is OpenType.ISOLATED:
        # With less margin it must not be ripe for liquidation at once.
        won = unrealised(held, contract, turn.price(held.symbol).fair)
        needed = held.cost * contract.contract_size * maintenance_rate(contract, held.hold_vol)
        if more < 0 and then + held.extra_margin + min(won, ZERO) <= needed:
            raise Refused(2044)


def set_position_mode(turn: Turn, command: SetPositionMode) -> int:
    account = turn.state.accounts[command.account_id]
    if command.position_mode not in set(PositionMode):
        raise Refused(600)
    if account.open_orders or account.positions or account.triggers.any_open:
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
    for symbol in [*state.resting, *state.depths]:
        turn.price_changed(symbol)
    state.resting.clear()
    state.depths.clear()
    state.waiting.clear()
    for account in list(state.accounts.values()):
        state.accounts[account.id] = Account(
            id=account.id,
            start_balance=account.start_balance,
            start_mode=account.start_mode,
            position_mode=account.start_mode,
            restrictions=account.restrictions,
            wallets={
                BASE_CURRENCY: Wallet(deposit=account.start_balance, cash=account.start_balance)
            },
        )
    return 0
