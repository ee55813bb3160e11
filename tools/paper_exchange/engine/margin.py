"""Margin and worth: what a position ties up, what a wallet has left. Nothing here changes state.

There is no liquidation yet: losses may take a balance below zero.
"""

from decimal import Context, Decimal

from tools.paper_exchange.engine.contracts import Contract, Contracts
from tools.paper_exchange.engine.state import ZERO, Account, Position, State, Wallet
from tools.paper_exchange.engine.words import OpenType

TAKER_RATE = Decimal("0.0008")
MAKER_RATE = Decimal("0.0006")
# Wide enough that nothing but a quotient is ever rounded.
EXACT = Context(prec=60)
# Quotients are cut here once, and the cut value is the one that is booked.
QUANTUM = Decimal("1e-18")


def cut(value: Decimal) -> Decimal:
    return value.quantize(QUANTUM, context=EXACT)


def average(value: Decimal, vol: Decimal) -> Decimal:
    return cut(value / vol) if vol else ZERO


def initial_margin(position: Position, contract: Contract) -> Decimal:
    return cut(position.cost * contract.contract_size / position.leverage)


def held_margin(position: Position, contract: Contract) -> Decimal:
    """What stands behind a position: its initial margin and what was added to it."""
    return initial_margin(position, contract) + position.extra_margin


def unrealised(position: Position, contract: Contract, price: Decimal) -> Decimal:
    worth = price * position.hold_vol - position.cost
    return worth * contract.contract_size * position.type.sign


def position_margin(account: Account, contracts: Contracts, currency: str) -> Decimal:
    return sum(
        (
            held_margin(position, contracts[position.symbol])
            for position in account.positions.values()
            if contracts[position.symbol].settle_coin == currency
        ),
        ZERO,
    )


def available(account: Account, contracts: Contracts, currency: str) -> Decimal:
    """What may still be tied up: cash without the margin of positions and of resting orders."""
    wallet = account.wallet(currency)
    return wallet.cash - wallet.frozen - position_margin(account, contracts, currency)


def equity(account: Account, *, state: State, contracts: Contracts, currency: str) -> Decimal:
    open_profit = sum(
        (
            unrealised(position, contracts[position.symbol], state.prices[position.symbol].fair)
            for position in account.positions.values()
            if contracts[position.symbol].settle_coin == currency
        ),
        ZERO,
    )
    return account.wallet(currency).cash + open_profit


def liquidation_price(position: Position, contract: Contract) -> Decimal:
    """An estimate for isolated positions, as the real formula is unpublished; zero for cross."""
    if position.open_type is OpenType.CROSS:
        return ZERO
    entry = average(position.cost, position.hold_vol)
    room = 1 / Decimal(position.leverage) - contract.maintenance_margin_rate
    price = max(entry * (1 - position.type.sign * room), ZERO)
    return price.quantize(contract.price_unit, context=EXACT)


def wallet_for(account: Account, currency: str) -> Wallet:
    """The wallet to book on; made when the currency is new to the account."""
    return account.wallets.setdefault(currency, Wallet(deposit=ZERO, cash=ZERO))
