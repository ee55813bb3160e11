"""The public tape: recent trades and the bars of every price, from what the engine announces. It is
in memory and begins anew with the process; rings keep it bounded.

A trade of an account is on the tape with the taker's side: the account's own where it took, the
opposite where it rested. The market itself trades only where a feed plays volume. A change of price
alone makes bars, not trades.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from tools.paper_exchange.engine.contracts import Contracts
from tools.paper_exchange.engine.events import DealMade, Event, OrderChanged, PriceChanged
from tools.paper_exchange.engine.state import Account, Price
from tools.paper_exchange.market.bars import Series

TRADES_KEPT = 1_000
FUNDINGS_KEPT = 1_000
ZERO = Decimal(0)


class Effect(IntEnum):
    """What a trade does to the open interest: the venue's `O`."""

    OPENS = 1
    CLOSES = 2
    NEITHER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """`id` counts the trades of this tape, over all symbols."""

    id: int
    price: Decimal
    vol: Decimal
    taker_buys: bool
    effect: Effect
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """A settlement that has happened."""

    symbol: str
    rate: Decimal
    at_ms: int


class Prices:
    """The bars of one contract: last, index and fair."""

    def __init__(self, price: Price, *, at_ms: int) -> None:
        self.last = Series(price.last, at_ms=at_ms)
        self.index = Series(price.index, at_ms=at_ms)
        self.fair = Series(price.fair, at_ms=at_ms)

    def tick(self, price: Price, *, at_ms: int) -> None:
        self.last.tick(price.last, at_ms=at_ms)
        self.index.tick(price.index, at_ms=at_ms)
        self.fair.tick(price.fair, at_ms=at_ms)


class Tape:
    """Its `listen` is one of the venue's listeners. `prices` is read as the engine changes it."""

    def __init__(self, contracts: Contracts, prices: Mapping[str, Price], *, at_ms: int) -> None:
        self._contracts = contracts
        self._prices = prices
        self.bars = {symbol: Prices(price, at_ms=at_ms) for symbol, price in prices.items()}
        # Counts what may have changed a symbol's depth.
        self.changes: dict[str, int] = defaultdict(int)
        self._trades: dict[str, deque[Trade]] = {}
        self._fundings: dict[str, deque[Funding]] = {}
        self._last_id = 0

    def listen(self, events: list[Event], at_ms: int) -> None:
        for event in events:
            if isinstance(event, OrderChanged):
                self.changes[event.order.symbol] += 1
            elif isinstance(event, DealMade):
                self._note_deal(event, at_ms)
            elif isinstance(event, PriceChanged):
                self.changes[event.symbol] += 1
                self.bars[event.symbol].tick(self._prices[event.symbol], at_ms=at_ms)

    def market_trade(
        self, symbol: str, *, price: Decimal, vol: Decimal, taker_buys: bool, at_ms: int
    ) -> None:
        """A trade in which no account has a part."""
        self._note(
            symbol,
            price=price,
            vol=vol,
            taker_buys=taker_buys,
            effect=Effect.NEITHER,
            at_ms=at_ms,
        )

    def note_funding(self, funding: Funding) -> None:
        kept = self._fundings.setdefault(funding.symbol, deque(maxlen=FUNDINGS_KEPT))
        kept.append(funding)

    def trades(self, symbol: str) -> list[Trade]:
        """Newest first."""
        return list(reversed(self._trades.get(symbol, ())))

    def fundings(self, symbol: str) -> list[Funding]:
        """Newest first."""
        return list(reversed(self._fundings.get(symbol, ())))

    def _note_deal(self, event: DealMade, at_ms: int) -> None:
        order, deal = event.order, event.deal
        # A one-way order that both closes and opens shows by its profit that it closed.
        closes = order.closes_only or bool(deal.profit)
        self._note(
            order.symbol,
            price=deal.price,
            vol=deal.vol,
            taker_buys=order.side.is_buy is deal.taker,
            effect=Effect.CLOSES if closes else Effect.OPENS,
            at_ms=at_ms,
        )

    def _note(
        self,
        symbol: str,
        *,
        price: Decimal,
        vol: Decimal,
        taker_buys: bool,
        effect: Effect,
        at_ms: int,
    ) -> None:
        self._last_id += 1
        ring = self._trades.get(symbol)
        if ring is None:
            ring = self._trades[symbol] = deque(maxlen=TRADES_KEPT)
        ring.append(
            Trade(
                id=self._last_id,
                price=price,
                vol=vol,
                taker_buys=taker_buys,
                effect=effect,
                at_ms=at_ms,
            )
        )
        amount = price * vol * self._contracts[symbol].contract_size
        self.bars[symbol].last.trade(price, vol=vol, amount=amount, at_ms=at_ms)


def open_interest(accounts: Iterable[Account]) -> dict[str, Decimal]:
    """Contracts held by accounts, long and short together, as the market holds the other side."""
    held: dict[str, Decimal] = {}
    for account in accounts:
        for position in account.positions.values():
            held[position.symbol] = held.get(position.symbol, ZERO) + position.hold_vol
    return held
