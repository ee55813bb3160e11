"""The exchange as the executor sees it: a port in the house's words, without a venue's numbers.

What happened to an order is a value, since each case asks for something else of the caller. A
question that got no answer raises `QueryFailed`, since its caller cannot go on without one. Every
value carries the call that led to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from libs.common.contracts.causes import PASSING_CAUSES, Cause
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.order import (
    Change,
    ExchangeCall,
    Holding,
    Leg,
    Pending,
    Protective,
    Trail,
)
from libs.common.contracts.words import ClientOrderId, PositionMode, VenueSymbol
from libs.common.domain.leverages import SideLeverage
from libs.common.domain.picture import Prices

if TYPE_CHECKING:
    from services.executor.checkable import Checkable
    from services.executor.viewable import Viewable

T = TypeVar("T")


class OrderState(StrEnum):
    PENDING = "pending"
    """Known to the exchange, not yet in its book."""
    OPEN = "open"
    """In the book, perhaps partly filled."""
    FILLED = "filled"
    CANCELED = "canceled"
    """Ended early; `filled_contracts` may be above zero all the same."""
    INVALID = "invalid"
    """Accepted first, then refused: nothing was or will be filled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Called:
    """What every value carries: the call that led to it."""

    call: ExchangeCall
    earlier: tuple[ExchangeCall, ...] = ()
    """Others before it that were made for the same answer: a list's pages, a change's steps."""

    @property
    def calls(self) -> tuple[ExchangeCall, ...]:
        """All of them, in their order."""
        return (*self.earlier, self.call)


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted(Called):
    """The exchange has the order. That is not a fill."""

    exchange_order_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected(Called):
    """The exchange refused the order: it does not exist and never will."""

    code: int
    message: str
    kind: Cause


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimited(Called):
    """Too many calls: the order was not taken, and may be sent again in the next window."""

    code: int
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Duplicate(Called):
    """An order of this client id is there already: look it up."""

    code: int
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown(Called):
    """The order may exist: ask by its client id until that is known, never send again blindly."""

    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NotSent(Called):
    """No connection came about, so not a byte of the order has left."""

    why: str


Submitted = Accepted | Rejected | RateLimited | Duplicate | Unknown | NotSent


@dataclass(frozen=True, kw_only=True, slots=True)
class Found(Called):
    state: OrderState
    exchange_order_id: str
    filled_contracts: Decimal
    average_price: Decimal | None
    """None while nothing is filled."""
    fee: Decimal | None
    """Above zero is paid; None where the exchange does not tell."""
    fee_currency: str | None
    profit: Decimal | None
    error_code: int
    """Why an accepted order died; 0 where it did not. Not of the same list as a reply's code."""
    error_name: str
    error_cause: Cause | None = None
    """What `error_code` is about; None where it is 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NotFound(Called):
    """The exchange knows no such order, which proves nothing while a request is in flight."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed(Called):
    """The question was not answered."""

    retryable: bool
    kind: Cause
    code: int | None
    """None where the answer was none of the exchange's, or did not come."""
    message: str


OrderQuery = Found | NotFound | Failed


@dataclass(frozen=True, kw_only=True, slots=True)
class Holdings:
    holdings: tuple[Holding, ...]
    calls: tuple[ExchangeCall, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Told(Generic[T]):
    """An answer with the calls that it took."""

    value: T
    calls: tuple[ExchangeCall, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Done(Called):
    """The exchange did the change."""

    exchange_id: str | None
    """Of what was made by it; None where it makes nothing."""
    message: str = ""
    """What is worth telling of it: items of a cancel that were gone already."""


Changed = Done | Rejected | RateLimited | Unknown | NotSent


class QueryFailed(Exception):  # noqa: N818 - says what happened, as the values above do
    """A question to the exchange was refused or lost."""

    def __init__(self, *, kind: Cause, code: int | None, message: str, call: ExchangeCall) -> None:
        super().__init__(f"{call.method} {call.path}: {message or code}")
        self.kind = kind
        self.code = code
        self.message = message
        self.call = call
        self.earlier: tuple[ExchangeCall, ...] = ()
        """What was asked before it for the same answer."""

    @property
    def calls(self) -> tuple[ExchangeCall, ...]:
        return (*self.earlier, self.call)

    @property
    def retryable(self) -> bool:
        return self.kind in PASSING_CAUSES


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the exchange said to one signed call; where no answer of it came, there is none."""

    refused: Cause | None
    """What the refusal is about; None where it did as asked."""
    code: int
    message: str
    begun_at: float
    """Monotonic seconds of the call's beginning: answers may overtake each other."""


Heard = Callable[[Verdict], None]
"""Told of each signed call what the exchange said to it, before whoever made it."""

BeforeSend = Callable[[ExchangeCall], None]
"""Gets the request as it is about to leave, without a reply yet."""


class Exchange(Protocol):
    """One account at the exchange. The conformance suite says what each method promises."""

    @property
    def checks(self) -> "Checkable":
        """What a checkup asks besides."""

    @property
    def views(self) -> "Viewable":
        """What is asked to show the account to people."""

    async def server_time_ms(self) -> int:
        """The exchange's clock. Raises `QueryFailed`."""

    async def sync_clock(self) -> int:
        """Measure and from now on use the exchange's time less ours, in ms."""

    async def instruments(self) -> list[Instrument]:
        """The catalogue, without the rows that make no sense. Raises `QueryFailed`."""

    async def holdings(self, symbol: VenueSymbol) -> Holdings:
        """What is held of one contract now; flat is empty. Raises `QueryFailed`."""

    async def positions(self) -> Told[tuple[tuple[VenueSymbol, Holding], ...]]:
        """All that the account holds now. Raises `QueryFailed`."""

    async def prices(self, symbol: VenueSymbol) -> Told[Prices]:
        """Last, mark and index price now. Raises `QueryFailed`."""

    async def equity(self, currency: str) -> Told[Decimal]:
        """What the account is worth in a settlement currency, unrealised profit included; 0 of a
        currency that it does not hold. Raises `QueryFailed`.
        """

    async def pending(self, symbol: VenueSymbol) -> Told[tuple[Pending, ...]]:
        """Orders of the symbol that rest in the book or wait for a trigger, oldest first, without
        labels. Raises `QueryFailed`.
        """

    async def pending_symbols(self) -> Told[frozenset[VenueSymbol]]:
        """Where the account has anything that `pending` would tell. Raises `QueryFailed`."""

    async def protectives(self, symbol: VenueSymbol) -> Told[tuple[Protective, ...]]:
        """Stops and targets that wait for positions of the symbol. Raises `QueryFailed`."""

    async def trails(self, symbol: VenueSymbol) -> Told[tuple[Trail, ...]]:
        """Trailing stops of the symbol that wait or run. Raises `QueryFailed`."""

    async def submit(
        self, leg: Leg, *, symbol: VenueSymbol, before_send: BeforeSend | None = None
    ) -> Submitted:
        """Send one order, once. `before_send` is called after the request's time is taken and
        before a byte leaves; what it raises keeps the order from leaving and passes through.
        """

    async def order(self, symbol: VenueSymbol, client_order_id: ClientOrderId) -> OrderQuery:
        """Ask for an order by the id that we gave it; not for a stop order, which has none."""

    async def stop_order(
        self,
        leg: Leg,
        *,
        symbol: VenueSymbol,
        sent_after: datetime,
        exchange_order_id: str | None,
        apart_from: frozenset[str] = frozenset(),
    ) -> OrderQuery:
        """Ask for a stop order: by the exchange's id, or where that is not known by what it says
        (side, contracts, trigger price) among those made since `sent_after` by our clock, apart
        from those that are known to be others. OPEN while it waits; once triggered, what became of
        the order that it made.
        """

    async def change(
        self, change: Change, *, symbol: VenueSymbol, before_send: BeforeSend | None = None
    ) -> Changed:
        """Do one change, once; `before_send` as of `submit`. Canceling what is gone is done."""

    async def position_mode(self) -> PositionMode:
        """Raises `QueryFailed`."""

    async def leverages(self, symbol: VenueSymbol) -> Told[tuple[SideLeverage, ...]]:
        """What each side of a contract is set to: orders are measured by it where they say nothing
        else. Raises `QueryFailed`.
        """

    async def set_leverage(
        self, wanted: SideLeverage, *, symbol: VenueSymbol, before_send: BeforeSend | None = None
    ) -> Changed:
        """Set one side of a contract, once; `before_send` as of `submit`. A position that is held
        may be changed by it: whoever asks for this looks first.
        """

    async def close(self) -> None:
        """Close the connections; nothing may be called after it."""
