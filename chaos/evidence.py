"""What was seen from outside during and after a run, as the verdict reads it. Values only."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from chaos.world import Side

LaneKey = tuple[str, str]
"""Account and symbol."""
Column = str | int | datetime | uuid.UUID | bytes | None
"""A value as Postgres has it."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one try to deliver an alert came back with; seconds since the run began."""

    sent_s: float
    answered_s: float
    status: int
    """Of HTTP; 0 where nothing came back."""
    said: str = ""
    alert_id: str = ""


@dataclass(frozen=True, kw_only=True)
class StoredAlert:
    """An `alert.received` as the log holds it."""

    alert_id: str
    key: str
    route: str
    seq: int
    received_s: float
    """Unix time."""


@dataclass(frozen=True, kw_only=True)
class Denial:
    """An `intent.denied`, what a plan left out, or an order that was given up before the exchange
    had it; `account` None speaks of all.
    """

    alert_id: str
    account: str | None
    reason: str
    at_s: float


@dataclass(frozen=True, kw_only=True)
class ExchangeOrder:
    """As the exchange's own list has it."""

    account: str
    symbol: str
    oid: str
    order_id: int
    """Grows with each order that the exchange makes, of whatever account."""
    contracts: int
    filled: int
    state: int
    """3 is done, 4 canceled, 5 died after it was taken."""
    error: int = 0
    price: Decimal = Decimal(0)
    """Of a limit order; what a market order was filled at."""
    stop: Decimal = Decimal(0)
    """With `target`, the prices that came with the order; zero is none."""
    target: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class ExchangeStop:
    """A stop or target, or both, of a position, as the exchange's own list has it."""

    account: str
    symbol: str
    stop_id: int
    contracts: int
    stop: Decimal
    target: Decimal
    state: int
    """1 waits, 2 canceled, 3 done, 4 expired, 5 failed."""
    placed_id: int = 0
    """The order that it made."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to make an order, as it arrived at the exchange."""

    account: str
    oid: str
    received_ns: int
    code: int | None
    """None: it was not executed."""


@dataclass(frozen=True, kw_only=True)
class ToldOrder:
    """One order of an alert as the console tells it."""

    oid: str
    state: str
    filled: int
    exchange_order_id: str | None
    has_request: bool


@dataclass(frozen=True, kw_only=True)
class Told:
    """An alert's journey as the console tells it."""

    status: str
    reason: str | None
    seqs: tuple[int, ...]
    """The places in the log of its events."""
    orders: tuple[ToldOrder, ...]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One message of the log, or the row that should be its copy."""

    subject: str
    digest: str
    alert_id: str = ""


@dataclass(frozen=True, kw_only=True)
class ChainedRow:
    """One row of the trail, of whatever stream, as its hash covers it."""

    stream: str
    seq: int
    columns: tuple[Column, ...]
    """All that the hash covers, in the order of the format."""
    hash: bytes


@dataclass(frozen=True, kw_only=True)
class Anchored:
    """Where a chain ended at some moment, as it was put outside Postgres."""

    stream: str
    seq: int
    hash: str
    """In hex."""


@dataclass(kw_only=True)
class Evidence:
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """By the signal's key."""
    stored: list[StoredAlert] = field(default_factory=list)
    denials: list[Denial] = field(default_factory=list)
    orders: list[ExchangeOrder] = field(default_factory=list)
    stops: list[ExchangeStop] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    positions: dict[LaneKey, Mapping[Side, int]] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    """By the alert's id."""
    plans: dict[tuple[str, str], str] = field(default_factory=dict)
    """By alert and account, what the executor said that it was doing; it explains, and proves
    nothing.
    """
    sent: set[str] = field(default_factory=set)
    """Client order ids whose request is in the log."""
    log: dict[int, Entry] = field(default_factory=dict)
    rows: dict[int, Entry] = field(default_factory=dict)
    settled: int = 0
    """To this place of the log the auditor had done its work before the trail was read. The stack
    goes on writing, so what lies behind may be in one of them only.
    """
    chain: list[ChainedRow] = field(default_factory=list)
    anchors: list[Anchored] = field(default_factory=list)
