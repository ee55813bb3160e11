"""Margin and worth: what a position ties up and needs, what a wallet has left, how near the end is.
Nothing here changes state.

Profit that is not realised counts by the fair price. Isolated positions live on their own margin;
the cross positions of a currency live together on all that is not isolated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Protocol

from tools.paper_exchange.engine.contracts import Contract, Contracts
from tools.paper_exchange.engine.state import ZERO, Account, Position, State, Wallet
from tools.paper_exchange.engine.tiers import tier_of
from tools.paper_exchange.engine.words import OpenType

TAKER_RATE = Decimal("0.0008")
MAKER_RATE = Decimal("0.0006")
# Wide enough that nothing but a quotient is ever rounded.
EXACT = Context(prec=60)
# Quotients are cut here once, and the cut value is the one that is booked.
QUANTUM = Decimal("1e-18")
RUINED = Decimal(1)


class Ledger(Protocol):
    """Who has the state and the contracts: a turn of the engine, or the running exchange."""

    @property
    def state(self) -> State: ...
    @property
    def contracts(self) -> Contracts: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class CrossStanding:
    """What stands behind all cross positions of a currency, and what must."""

    worth: Decimal
    maintenance: Decimal

    @property
    def is_ruined(self) -> bool:
        return self.worth <= self.maintenance

    @property
    def ratio(self) -> Decimal:
        return _ratio(self.maintenance, self.worth)


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


def held_in(
    ledger: Ledger, account: Account, *, currency: str
) -> Iterator[tuple[Position, Contract]]:
    """The positions that are settled in a currency."""
    for position in account.positions.values():
        contract = ledger.contracts[position.symbol]
        if contract.settle_coin == currency:
            yield position, contract


def position_margin(ledger: Ledger, account: Account, *, currency: str) -> Decimal:
    held = held_in(ledger, account, currency=currency)
    return sum((held_margin(position, contract) for position, contract in held), ZERO)


def spare(ledger: Ledger, account: Account, *, currency: str) -> Decimal:
    """Cash that neither positions nor resting orders tie up."""
    wallet = account.wallet(currency)
    return wallet.cash - wallet.frozen - position_margin(ledger, account, currency=currency)


def available(
    ledger: Ledger, account: Account, *, currency: str, without: Position | None = None
) -> Decimal:
    """What may still be tied up: what is spare, less what the cross positions have lost. What they
    have won does not count before it is realised. `without` leaves out a position.
    """
    wallet = account.wallet(currency)
    free = wallet.cash - wallet.frozen
    cross = ZERO
    for position, contract in held_in(ledger, account, currency=currency):
        if position is without:
            continue
        free -= held_margin(position, contract)
        if position.open_type is OpenType.CROSS:
            cross += unrealised(position, contract, ledger.state.prices[position.symbol].fair)
    return free + min(cross, ZERO)


def equity(ledger: Ledger, account: Account, *, currency: str) -> Decimal:
    open_profit = sum(
        (
            unrealised(position, contract, ledger.state.prices[position.symbol].fair)
            for position, contract in held_in(ledger, account, currency=currency)
        ),
        ZERO,
    )
    return account.wallet(currency).cash + open_profit


def maintenance_rate(contract: Contract, vol: Decimal) -> Decimal:
    return tier_of(contract, vol).mmr + contract.liquidation_fee_rate


def cross_standing(ledger: Ledger, account: Account, *, currency: str) -> CrossStanding:
    worth = account.wallet(currency).cash
    needed = ZERO
    for position, contract in held_in(ledger, account, currency=currency):
        if position.open_type is OpenType.ISOLATED:
            worth -= held_margin(position, contract)
            continue
        fair = ledger.state.prices[position.symbol].fair
        worth += unrealised(position, contract, fair)
        notional = fair * position.hold_vol * contract.contract_size
        needed += notional * maintenance_rate(contract, position.hold_vol)
    return CrossStanding(worth=worth, maintenance=needed)


def liquidation_price(position: Position, contract: Contract) -> Decimal:
    """The fair price at which an isolated position is taken over; zero for cross. That of a closed
    position is what it would be with all that was ever opened.
    """
    if position.open_type is OpenType.CROSS:
        return ZERO
    vol = position.hold_vol or position.open_vol
    cost = position.cost if position.hold_vol else position.open_value
    sign = position.type.sign
    room = 1 / Decimal(position.leverage) - maintenance_rate(contract, vol)
    price = (cost * (1 - sign * room) - sign * position.extra_margin / contract.contract_size) / vol
    steps = (max(price, ZERO) / contract.price_unit).to_integral_value(ROUND_HALF_EVEN)
    return steps * contract.price_unit


def margin_ratio(ledger: Ledger, account: Account, *, position: Position) -> Decimal:
    """What must stand behind a position by what does; 1 is where the venue takes it over."""
    contract = ledger.contracts[position.symbol]
    if not position.hold_vol:
        return ZERO
    if position.open_type is OpenType.CROSS:
        return cross_standing(ledger, account, currency=contract.settle_coin).ratio
    fair = ledger.state.prices[position.symbol].fair
    behind = held_margin(position, contract) + unrealised(position, contract, fair)
    entry = position.cost * contract.contract_size
    return _ratio(entry * maintenance_rate(contract, position.hold_vol), behind)


def wallet_for(account: Account, currency: str) -> Wallet:
    """The wallet to book on; made when the currency is new to the account."""
    return account.wallets.setdefault(currency, Wallet(deposit=ZERO, cash=ZERO))


def _ratio(needed: Decimal, behind: Decimal) -> Decimal:
    if not needed:
        return ZERO
    return min(needed / behind, RUINED) if behind > 0 else RUINED
