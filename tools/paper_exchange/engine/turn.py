"""One command at work: what it may read, the time it happens at, and what it has changed so far.

What changed is announced once for each thing, however often the command touched it: the order of
first touch is kept, and whoever listens sees the thing as it is when the command is done. Deals and
trades are announced each for itself.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from tools.paper_exchange.engine.contracts import Contract, Contracts
from tools.paper_exchange.engine.events import (
    DealMade,
    Event,
    OrderChanged,
    PositionChanged,
    PriceChanged,
    WalletChanged,
)
from tools.paper_exchange.engine.state import Account, Deal, Order, Position, Price, State


@dataclass(slots=True)
class Turn:
    state: State
    contracts: Contracts
    at_ms: int
    _events: dict[object, Event] = field(default_factory=dict)
    _woken: dict[str, None] = field(default_factory=dict)

    def contract(self, symbol: str) -> Contract:
        return self.contracts[symbol]

    def price(self, symbol: str) -> Price:
        return self.state.prices[symbol]

    def events(self) -> list[Event]:
        return list(self._events.values())

    def note(self, event: Event, *, once_for: object = None) -> None:
        """Announce an event; only the first of those with the same `once_for` is kept."""
        self._events.setdefault(event if once_for is None else once_for, event)

    def wake(self, symbol: str) -> None:
        """The triggers of the symbol are to be looked at before the command is done."""
        self._woken[symbol] = None

    def woken(self) -> str | None:
        """One symbol that was woken, until there is none left."""
        symbol = next(iter(self._woken), None)
        if symbol is not None:
            del self._woken[symbol]
        return symbol

    def order_changed(self, account: Account, order: Order) -> None:
        self.note(OrderChanged(account, order), once_for=("order", order.id))

    def deal_made(self, account: Account, order: Order, deal: Deal) -> None:
        self.note(DealMade(account, order, deal), once_for=("deal", deal.id))

    def position_changed(self, account: Account, position: Position) -> None:
        self.note(PositionChanged(account, position), once_for=("position", position.id))

    def wallet_changed(self, account: Account, currency: str) -> None:
        self.note(WalletChanged(account, currency), once_for=("wallet", account.id, currency))

    def price_changed(self, symbol: str) -> None:
        self.note(PriceChanged(symbol), once_for=("price", symbol))


def notional(contract: Contract, *, vol: Decimal, price: Decimal) -> Decimal:
    """What so many contracts are worth, in the settlement coin."""
    return vol * price * contract.contract_size
