"""In-memory implementations of our own interfaces, for unit tests."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

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
from libs.common.contracts.words import (
    ClientOrderId,
    OrderType,
    PositionMode,
    VenueSymbol,
)
from libs.common.domain.leverages import SideLeverage
from libs.common.domain.picture import Prices
from services.executor.exchange import (
    Accepted,
    BeforeSend,
    Changed,
    Done,
    Duplicate,
    Failed,
    Holdings,
    NotFound,
    NotSent,
    OrderQuery,
    OrderState,
    QueryFailed,
    RateLimited,
    Rejected,
    Submitted,
    Told,
    Unknown,
)
from tests import fake_changes, fake_leverages, fake_lists
from tests.factories import NOW, make_instrument
from tests.fake_checks import FakeChecks
from tests.fake_orders import Refusal
from tests.fake_venue import TAKER_FEE_RATE, FakeVenue
from tests.fake_views import FakeViews

__all__ = ["TAKER_FEE_RATE", "FakeExchange", "Mishap", "Refusal"]


class Mishap(StrEnum):
    """What befalls one submitted order or change."""

    LOSE_REPLY = "lose_reply"
    """The exchange executes it, and the reply is lost."""
    DROP = "drop"
    """It is lost on the way there, which looks the same from here."""
    NOT_SENT = "not_sent"
    RATE_LIMIT = "rate_limit"
    STAY_OPEN = "stay_open"
    """Accepted, and filled only by `settle()`; of orders alone, as what follows."""
    DIE_LATER = "die_later"
    """Accepted, then invalid."""
    PARTIAL_FILL = "partial_fill"
    """Half is filled, the rest canceled."""


class FakeExchange:
    """An `Exchange` whose prices stand still until a test moves them with `move`.

    `position_mode_`, `instruments_` and `equities` may be changed at any time; `submitted` holds
    every order that reached it, `changed` every change and `leverages_set` every leverage that was
    to be set, `asked` the name of every question. Clearing `gate` holds orders and changes back
    until it is set again. `venue` is what stands behind it.
    """

    def __init__(
        self,
        *,
        instruments: Iterable[Instrument] = (make_instrument(),),
        position_mode: PositionMode = PositionMode.HEDGE,
        price: str = "50000",
        now: Callable[[], datetime] = lambda: NOW,
    ) -> None:
        self.venue = FakeVenue(
            instruments=instruments,
            position_mode=position_mode,
            price=Decimal(price),
            now_ms=lambda: int(now().timestamp() * 1_000),
        )
        self.checks = FakeChecks(self)
        self.views = FakeViews(self)
        self.equities: dict[str, Decimal] = {}
        """What an account is said to be worth; without an entry it is counted."""
        self.submitted: list[tuple[VenueSymbol, Leg]] = []
        self.changed: list[tuple[VenueSymbol, Change]] = []
        self.leverages_set: list[tuple[VenueSymbol, SideLeverage]] = []
        self.leverages_: fake_leverages.Leverages = {}
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False
        self.takes_ids_twice = False
        """It does not mind a client id that it has seen."""
        self._now = now
        self._mishaps: deque[Mishap | Refusal] = deque()
        self._failing: deque[Refusal | None] = deque()
        self._hidden: Counter[ClientOrderId] = Counter()

    @property
    def instruments_(self) -> dict[VenueSymbol, Instrument]:
        return self.venue.instruments

    @instruments_.setter
    def instruments_(self, instruments: dict[VenueSymbol, Instrument]) -> None:
        self.venue.instruments = instruments

    @property
    def position_mode_(self) -> PositionMode:
        return self.venue.position_mode

    @position_mode_.setter
    def position_mode_(self, mode: PositionMode) -> None:
        self.venue.position_mode = mode

    def move(
        self,
        last: str,
        *,
        mark: str | None = None,
        index: str | None = None,
        symbol: VenueSymbol = VenueSymbol("BTC_USDT"),  # noqa: B008 - a string
    ) -> None:
        """Give a contract another price, and fill and fire what that reaches. Mark and index follow
        `last` where they are not given.
        """
        prices = (Decimal(price or last) for price in (last, mark, index))
        self.venue.move(symbol, Prices(**dict(zip(("last", "mark", "index"), prices, strict=True))))

    def befall(self, *mishaps: Mishap | Refusal) -> None:
        """What happens to the next submitted orders and changes, one each."""
        self._mishaps.extend(mishaps)

    def fail_queries(self, refusal: Refusal | None = None, *, count: int = 1) -> None:
        """The next questions fail: refused with `refusal`, else without an answer."""
        self._failing.extend([refusal] * count)

    def hide(self, order: ClientOrderId, *, asks: int) -> None:
        """The order is not found the next few times that it is asked for."""
        self._hidden[order] = asks

    def settle(self) -> None:
        """Fill what stayed open."""
        self.venue.settle()

    async def server_time_ms(self) -> int:
        self._ask("server_time_ms")
        return int(self._now().timestamp() * 1000)

    async def sync_clock(self) -> int:
        await self.server_time_ms()
        return 0

    async def instruments(self) -> list[Instrument]:
        self._ask("instruments")
        return list(self.instruments_.values())

    async def position_mode(self) -> PositionMode:
        self._ask("position_mode")
        return self.position_mode_

    async def holdings(self, symbol: VenueSymbol) -> Holdings:
        call = self._ask("holdings")
        return Holdings(holdings=self.venue.holdings(symbol), calls=(call,))

    async def positions(self) -> Told[tuple[tuple[VenueSymbol, Holding], ...]]:
        call = self._ask("positions")
        held = tuple((symbol, holding) for (symbol, _), holding in self.venue.held.items())
        return Told(value=held, calls=(call,))

    async def prices(self, symbol: VenueSymbol) -> Told[Prices]:
        call = self._ask("prices")
        if symbol not in self.venue.prices:
            raise QueryFailed(kind=Cause.SYMBOL, code=1001, message="no such contract", call=call)
        return Told(value=self.venue.prices[symbol], calls=(call,))

    async def equity(self, currency: str) -> Told[Decimal]:
        call = self._ask("equity")
        counted = self.venue.equity() if currency == "USDT" else Decimal(0)
        return Told(value=self.equities.get(currency, counted), calls=(call,))

    async def pending(self, symbol: VenueSymbol) -> Told[tuple[Pending, ...]]:
        call = self._ask("pending")
        return Told(value=fake_lists.pending(self.venue, symbol), calls=(call,))

    async def pending_symbols(self) -> Told[frozenset[VenueSymbol]]:
        call = self._ask("pending_symbols")
        waiting = (s for s in self.instruments_ if fake_lists.pending(self.venue, s))
        return Told(value=frozenset(waiting), calls=(call,))

    async def protectives(self, symbol: VenueSymbol) -> Told[tuple[Protective, ...]]:
        call = self._ask("protectives")
        return Told(value=fake_lists.protectives(self.venue, symbol), calls=(call,))

    async def trails(self, symbol: VenueSymbol) -> Told[tuple[Trail, ...]]:
        call = self._ask("trails")
        return Told(value=fake_lists.trails(self.venue, symbol), calls=(call,))

    async def leverages(self, symbol: VenueSymbol) -> Told[tuple[SideLeverage, ...]]:
        call = self._ask("leverages")
        return Told(value=fake_leverages.told(self.leverages_, symbol), calls=(call,))

    async def set_leverage(
        self, wanted: SideLeverage, *, symbol: VenueSymbol, before_send: BeforeSend | None = None
    ) -> Changed:
        call, mishap = await self._send("/leverage", wanted, before_send)
        lost = _lost(mishap, call)
        if lost is not None:
            return lost
        self.leverages_set.append((symbol, wanted))
        if mishap is Mishap.RATE_LIMIT:
            return _rate_limited(call)
        ours = isinstance(mishap, Refusal)
        refusal = mishap if ours else fake_leverages.refused(self.venue, symbol, wanted)
        if isinstance(refusal, Refusal):
            return _rejected(refusal, call)
        self.leverages_[symbol, wanted.side] = wanted
        if mishap is Mishap.LOSE_REPLY:
            return Unknown(why="connection lost", call=call)
        return Done(exchange_id=None, call=call)

    async def order(self, symbol: VenueSymbol, client_order_id: ClientOrderId) -> OrderQuery:
        self.asked.append("order")
        call = self._call("GET", f"/order/{symbol}/{client_order_id}")
        unanswered = self._unanswered(client_order_id, call=call)
        if unanswered is not None:
            return unanswered
        found = self.venue.by_client_id(symbol, client_order_id)
        return NotFound(call=call) if found is None else replace(found.found, call=call)

    async def stop_order(
        self,
        leg: Leg,
        *,
        symbol: VenueSymbol,
        sent_after: datetime,
        exchange_order_id: str | None,
        apart_from: frozenset[str] = frozenset(),
    ) -> OrderQuery:
        self.asked.append("stop_order")
        call = self._call("GET", f"/stop_order/{symbol}")
        unanswered = self._unanswered(leg.client_order_id, call=call)
        if unanswered is not None:
            return unanswered
        if exchange_order_id is not None:
            plan = self.venue.plan_of_id(symbol, exchange_order_id)
        else:
            since_ms = int(sent_after.timestamp() * 1_000)
            plan = self.venue.plan_that_says(symbol, leg, since_ms=since_ms, apart_from=apart_from)
        if plan is None:
            return NotFound(call=call)
        return replace(plan.found if plan.made is None else plan.made.found, call=call)

    async def submit(
        self, leg: Leg, *, symbol: VenueSymbol, before_send: BeforeSend | None = None
    ) -> Submitted:
        call, mishap = await self._send("/order", leg, before_send)
        lost = _lost(mishap, call)
        if lost is not None:
            return lost
        self.submitted.append((symbol, leg))
        if mishap is Mishap.RATE_LIMIT:
            return _rate_limited(call)
        seen = self.venue.by_client_id(symbol, leg.client_order_id) is not None
        if seen and not self.takes_ids_twice:
            return Duplicate(code=2042, message="Duplicate order ID", call=call)
        refusal = mishap if isinstance(mishap, Refusal) else self.venue.check(symbol, leg)
        if refusal is not None:
            return _rejected(refusal, call)
        accepted = self._execute(symbol, leg, mishap=mishap, call=call)
        if mishap is Mishap.LOSE_REPLY:
            return Unknown(why="connection lost", call=call)
        return accepted

    async def change(
        self, change: Change, *, symbol: VenueSymbol, before_send: BeforeSend | None = None
    ) -> Changed:
        call, mishap = await self._send("/change", change, before_send)
        lost = _lost(mishap, call)
        if lost is not None:
            return lost
        self.changed.append((symbol, change))
        if mishap is Mishap.RATE_LIMIT:
            return _rate_limited(call)
        outcome = (
            mishap
            if isinstance(mishap, Refusal)
            else fake_changes.apply(self.venue, change, symbol=symbol)
        )
        if mishap is Mishap.LOSE_REPLY:
            return Unknown(why="connection lost", call=call)
        if isinstance(outcome, Refusal):
            return _rejected(outcome, call)
        return Done(exchange_id=outcome.exchange_id, message=outcome.message, call=call)

    async def close(self) -> None:
        self.closed = True

    def _execute(
        self, symbol: VenueSymbol, leg: Leg, *, mishap: Mishap | Refusal | None, call: ExchangeCall
    ) -> Accepted:
        if leg.order_type is OrderType.STOP:
            plan = self.venue.plan(symbol, leg, call=call)
            return Accepted(exchange_order_id=plan.id, call=call)
        order = self.venue.enter(symbol, leg, call=call)
        fake_leverages.opened(self.leverages_, symbol, leg)
        if mishap is Mishap.DIE_LATER:
            self.venue.end(order, OrderState.INVALID, error=(2, "INSUFFICIENT_BALANCE"))
        elif mishap is not Mishap.STAY_OPEN:
            self.venue.match(order, half=mishap is Mishap.PARTIAL_FILL)
        return Accepted(exchange_order_id=order.found.exchange_order_id, call=call)

    async def _send(
        self, path: str, sent: Leg | Change | SideLeverage, before_send: BeforeSend | None
    ) -> tuple[ExchangeCall, Mishap | Refusal | None]:
        await self.gate.wait()
        call = self._call("POST", path, body=msgspec.json.encode(sent).decode())
        if before_send is not None:
            before_send(call)
        return call, self._mishaps.popleft() if self._mishaps else None

    def _unanswered(
        self, client_order_id: ClientOrderId, *, call: ExchangeCall
    ) -> Failed | NotFound | None:
        if self._failing:
            refusal = self._failing.popleft()
            kind = refusal.kind if refusal else Cause.SYSTEM
            return Failed(
                retryable=kind in PASSING_CAUSES,
                kind=kind,
                code=refusal.code if refusal else None,
                message=refusal.message if refusal else "no reply",
                call=call,
            )
        if self._hidden[client_order_id] > 0:
            self._hidden[client_order_id] -= 1
            return NotFound(call=call)
        return None

    def _ask(self, name: str) -> ExchangeCall:
        self.asked.append(name)
        call = self._call("GET", f"/{name}")
        refusal = self.checks.refused(name)
        if refusal is None and not self._failing:
            return call
        refusal = refusal or self._failing.popleft()
        if refusal is None:
            raise QueryFailed(kind=Cause.SYSTEM, code=None, message="no reply", call=call)
        raise QueryFailed(kind=refusal.kind, code=refusal.code, message=refusal.message, call=call)

    def _call(self, method: str, path: str, *, body: str = "") -> ExchangeCall:
        return ExchangeCall(
            method=method, path=path, request_body=body, sent_at=self._now(), elapsed_ms=0.0
        )


def _lost(mishap: Mishap | Refusal | None, call: ExchangeCall) -> NotSent | Unknown | None:
    if mishap is Mishap.NOT_SENT:
        return NotSent(why="connection refused", call=call)
    if mishap is Mishap.DROP:
        return Unknown(why="connection lost", call=call)
    return None


def _rate_limited(call: ExchangeCall) -> RateLimited:
    return RateLimited(code=510, message="Requests are too frequent", call=call)


def _rejected(refusal: Refusal, call: ExchangeCall) -> Rejected:
    return Rejected(code=refusal.code, message=refusal.message, kind=refusal.kind, call=call)
