"""What a run is made of: who trades, what is signalled, and what is done to the processes. Values
only; `planning.py` makes them from a seed.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

TICKERS = {
    "BTC_USDT": "BTCUSDT.P",
    "ETH_USDT": "ETHUSDT.P",
    "SOL_USDT": "SOLUSDT.P",
    "XRP_USDT": "XRPUSDT.P",
    "DOGE_USDT": "DOGEUSDT.P",
}
"""By the exchange's symbol what an alert calls it."""


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
