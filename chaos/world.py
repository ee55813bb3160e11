"""What a run is made of: who trades, what is signalled, and what is done to the processes. Values
only; `planning.py` makes them from a seed.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

TICKERS = {
    "BTC_USDT": "BTCUSDT.P",
    "ETH_USDT": "ETHUSDT.P",
    "SOL_USDT": "SOLUSDT.P",
    "XRP_USDT": "XRPUSDT.P",
    "DOGE_USDT": "DOGEUSDT.P",
}
"""By the exchange's symbol what an alert calls it."""
QUOTED = {
    "1INCH_USDT": ("1INCHUSDT.P", Decimal("0.1")),
    "ONE_USDT": ("ONEUSDT.P", Decimal("0.001")),
    "PEPE_USDT": ("PEPEUSDT.P", Decimal("0.000004")),
}
"""The same of those whose price is moved, with the price that they stand at; others trade these."""


class Mode(StrEnum):
    NETTING = "netting"
    OPPOSITE = "opposite"
    REVERSE = "reverse"
    HEDGE = "hedge"
    TARGET = "target"


class Word(StrEnum):
    """What an alert asks for, in the words of its body."""

    BUY = "buy"
    SELL = "sell"
    FLAT = "flat"
    TARGET = "target"
    """Never in a body: it stands for `market_position`."""
    NONSENSE = "nonsense"
    """No word at all: ingest has to refuse it."""


class Side(StrEnum):
    LONG = "long"
    SHORT = "short"


@dataclass(frozen=True, kw_only=True)
class Account:
    name: str
    one_way: bool
    """The position mode that the account has at the exchange."""


@dataclass(frozen=True, kw_only=True)
class Route:
    name: str
    mode: Mode
    accounts: tuple[tuple[str, int], ...]
    """Names with their multipliers."""
    symbols: tuple[str, ...]
    inverse: bool
    max_age_s: int


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One alert as it is to be sent; `key` is in its body and tells it apart from all others."""

    key: str
    route: str
    symbol: str
    word: Word
    contracts: int = 0
    wanted: Side | None = None
    """Of a target; None is flat."""
    due_s: float
    again_after_s: float | None = None
    """When it is sent once more although it was answered, as if the answer had been lost."""

    @property
    def means_nothing(self) -> bool:
        return self.word is Word.NONSENSE

    def body(self) -> bytes:
        content: dict[str, object] = {"ticker": TICKERS[self.symbol], "alert_id": self.key}
        if self.word is Word.TARGET:
            content |= {
                "market_position": "flat" if self.wanted is None else self.wanted.value,
                "market_position_size": str(self.contracts),
            }
        else:
            content["order_action"] = self.word.value
            if self.word is not Word.FLAT:
                content["order_contracts"] = str(self.contracts)
        return json.dumps(content).encode()


class Purpose(StrEnum):
    """What the alerts of one account and symbol try, where orders wait."""

    FILL = "fill"
    """Limit orders that a move of the price fills."""
    CANCEL = "cancel"
    """Limit orders that no move reaches, most of them canceled by an alert."""
    FIRE = "fire"
    """Entries whose stop and target a move reaches."""
    MODIFY = "modify"
    """Entries whose stop and target no move reaches, and alerts that change these prices."""


class StepWord(StrEnum):
    REST = "rest"
    """A limit order."""
    CANCEL = "cancel"
    ENTER = "enter"
    """A market order with stop and target."""
    MODIFY = "modify"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One alert about what waits; sent as a signal is."""

    key: str
    route: str
    symbol: str
    purpose: Purpose
    word: StepWord
    side: Side = Side.LONG
    """Which one is opened."""
    contracts: int = 0
    price: Decimal = Decimal(0)
    """Of a limit order."""
    stop: Decimal = Decimal(0)
    """Zero is none."""
    target: Decimal = Decimal(0)
    label: str = ""
    """Of the order that is made, or of the one that is canceled."""
    due_s: float
    again_after_s: float | None = None

    @property
    def means_nothing(self) -> bool:
        return False

    def body(self) -> bytes:
        ticker, standing = QUOTED[self.symbol]
        content = {"ticker": ticker, "alert_id": self.key}
        opening = {
            "order_action": "buy" if self.side is Side.LONG else "sell",
            "order_contracts": str(self.contracts),
        }
        prices = {"sl_price": self.stop, "tp_price": self.target}
        protecting = {name: f"{price:f}" for name, price in prices.items() if price}
        match self.word:
            case StepWord.REST:
                limit = {"order_type": "limit", "price": f"{self.price:f}", "order_id": self.label}
                content |= opening | limit
            case StepWord.CANCEL:
                content |= {"order_action": "cancel", "order_id": self.label}
            case StepWord.ENTER:
                content |= opening | protecting | {"price": f"{standing:f}"}
            case StepWord.MODIFY:
                content |= {"order_action": "modify"} | protecting
        return json.dumps(content).encode()


class Sendable(Protocol):
    """What a sender and a judge of answers know of an alert."""

    @property
    def key(self) -> str: ...
    @property
    def route(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def due_s(self) -> float: ...
    @property
    def again_after_s(self) -> float | None: ...
    @property
    def means_nothing(self) -> bool:
        """Ingest has to refuse it."""

    def body(self) -> bytes: ...


class ActKind(StrEnum):
    KILL = "kill"
    """SIGKILL; the supervisor starts it again."""
    STOP = "stop"
    """SIGSTOP, and SIGCONT after `seconds`."""
    SECOND = "second"
    """Another executor beside the supervised one, for `seconds`."""
    CUT = "cut"
    """The exchange's WebSocket: `value` is the fault, `seconds` how long where it lasts."""
    LATENCY = "latency"
    """The exchange's latency becomes `value` milliseconds one way."""
    DUPLICATES = "duplicates"
    """What the exchange does with a client order id that was used becomes `value`."""
    CLOCK = "clock"
    """The exchange's clock is `value` milliseconds off, for `seconds`."""
    SWEEP = "sweep"
    """Prices fall, rise and come back at once: what waits near is filled, what is near fires."""


@dataclass(frozen=True, kw_only=True)
class Act:
    at_s: float
    kind: ActKind
    target: str = ""
    seconds: float = 0.0
    value: str = ""

    def __str__(self) -> str:
        named = " ".join(part for part in (self.kind.value, self.target, self.value) if part)
        return f"{named} for {self.seconds:g} s" if self.seconds else named


Fault = dict[str, object]
"""One entry of the paper exchange's fault list."""


@dataclass(frozen=True, kw_only=True)
class World:
    """A whole run, before it happens."""

    seed: int
    accounts: tuple[Account, ...]
    routes: tuple[Route, ...]
    signals: tuple[Signal, ...]
    """By their time."""
    acts: tuple[Act, ...]
    """By their time."""
    faults: tuple[Fault, ...]
    """What befalls calls to the exchange while alerts are sent."""
    waiting: tuple[Route, ...] = ()
    """Of one account each, by the same name: those whose orders wait."""
    steps: tuple[Step, ...] = ()
    """What they are sent, by its time."""
