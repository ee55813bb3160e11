"""A desk at a fresh paper-exchange engine, without any server: one account, orders in one line."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tools.paper_exchange.catalogue import load_catalogue
from tools.paper_exchange.engine.applying import apply
from tools.paper_exchange.engine.commands import AddAccount, Command, PlaceOrder, SetPrice
from tools.paper_exchange.engine.contracts import Contracts
from tools.paper_exchange.engine.events import Event
from tools.paper_exchange.engine.margin import available
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import Account, Order, Position, State
from tools.paper_exchange.engine.words import PositionType

CONTRACTS = load_catalogue().contracts
NOW = 1_760_000_000_000
BTC = "BTC_USDT"
LONG, SHORT = PositionType.LONG, PositionType.SHORT


class Desk:
    """One account at a fresh exchange."""

    contracts: Contracts = CONTRACTS

    def __init__(self, *, mode: int = 1, balance: str = "10000") -> None:
        self.state = State(prices={})
        self.price("50000")
        self.mode = mode
        apply(
            self.state,
            CONTRACTS,
            AddAccount(
                at_ms=NOW,
                access_key="paper_test",
                secret_key="secret",
                permissions=[],
                ip_whitelist=[],
                expires_ms=None,
                balance=Decimal(balance),
                position_mode=mode,
            ),
        )

    @property
    def account(self) -> Account:
        return self.state.accounts[1]

    def price(self, last: str, *, symbol: str = BTC) -> None:
        apply(self.state, CONTRACTS, SetPrice(at_ms=NOW, symbol=symbol, last=Decimal(last)))

    def place(self, side: int, vol: Any, **changes: Any) -> Order:
        fields: dict[str, Any] = {
            "symbol": BTC,
            "type": 5,
            "open_type": 2,
            "leverage": 10,
            "position_mode": self.mode,
        } | changes
        command = PlaceOrder(at_ms=NOW, account_id=1, side=side, vol=Decimal(vol), **fields)
        order = self.account.order(apply(self.state, CONTRACTS, command).made)
        assert order is not None
        return order

    def limit(self, side: int, vol: Any, price: str, **changes: Any) -> Order:
        return self.place(side, vol, price=Decimal(price), **({"type": 1} | changes))

    def refused(self, side: int = 1, vol: Any = 10, **changes: Any) -> int:
        before = msgspec.json.encode(self.state)
        with pytest.raises(Refused) as caught:
            self.place(side, vol, **changes)
        assert msgspec.json.encode(self.state) == before, "a refused order left traces"
        return caught.value.code

    def held(self, kind: PositionType = LONG, symbol: str = BTC) -> Position:
        position = self.account.position(symbol, kind)
        assert position is not None
        return position

    def do(self, command: Command) -> list[Event]:
        """Apply any command; what it announced."""
        return apply(self.state, self.contracts, command).events

    @property
    def free(self) -> Decimal:
        """What of the USDT may still be tied up."""
        return available(self, self.account, currency="USDT")

    @property
    def cash(self) -> Decimal:
        return self.account.wallet("USDT").cash


def seen(thing: object, names: str) -> list[Any]:
    """Several attributes at once, to compare with a row of a table."""
    return [getattr(thing, name) for name in names.split()]
