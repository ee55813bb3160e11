"""In-memory implementations of our own interfaces, for unit tests."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.order import ExchangeCall, Holding, Leg
from libs.common.contracts.words import (
    ClientOrderId,
    Effect,
    PositionMode,
    PositionSide,
    VenueSymbol,
)
from services.executor.exchange import (
    PASSING_CAUSES,
    Accepted,
    BeforeSend,
    Cause,
    Duplicate,
    Failed,
    Found,
    Holdings,
    NotFound,
    NotSent,
    OrderQuery,
    OrderState,
    QueryFailed,
    RateLimited,
    Rejected,
    Submitted,
    Unknown,
)
from tests.factories import NOW, make_instrument

TAKER_FEE_RATE = Decimal("0.0008")


class Mishap(StrEnum):
    """What befalls one submitted order."""

    LOSE_REPLY = "lose_reply"
    """The exchange executes it, and the reply is lost."""
    DROP = "drop"
    """It is lost on the way there, which looks the same from here."""
    NOT_SENT = "not_sent"
    RATE_LIMIT = "rate_limit"
    STAY_OPEN = "stay_open"
    """Accepted, and filled only by `settle()`."""
    DIE_LATER = "die_later"
    """Accepted, then invalid."""
    PARTIAL_FILL = "partial_fill"
    """Half is filled, the rest canceled."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The exchange's no, for one submitted order or for a number of questions."""

    code: int
    message: str
    kind: Cause


class FakeExchange:
    """An `Exchange` whose prices stand still until a test moves them.

    `prices`, `position_mode_` and `instruments_` may be changed at any time; `submitted` holds
    every order that reached it, `asked` the name of every question. Clearing `gate` holds orders
    back until it is set again.
    """

    def __init__(
        self,
        *,
        instruments: Iterable[Instrument] = (make_instrument(),),
        position_mode: PositionMode = PositionMode.HEDGE,
        price: str = "50000",
        now: Callable[[], datetime] = lambda: NOW,
    ) -> None:
        self.instruments_ = {instrument.symbol: instrument for instrument in instruments}
        self.prices = dict.fromkeys(self.instruments_, Decimal(price))
        self.position_mode_ = position_mode
        self.submitted: list[tuple[VenueSymbol, Leg]] = []
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False
        self._now = now
        self._mishaps: deque[Mishap | Refusal] = deque()
        self._failing: deque[Refusal | None] = deque()
        self._hidden: Counter[ClientOrderId] = Counter()
        self._orders: dict[ClientOrderId, tuple[VenueSymbol, Leg, Found]] = {}
        self._held: dict[tuple[VenueSymbol, PositionSide], Holding] = {}

    def befall(self, *mishaps: Mishap | Refusal) -> None:
        """What happens to the next submitted orders, one each."""
        self._mishaps.extend(mishaps)

    def fail_queries(self, refusal: Refusal | None = None, *, count: int = 1) -> None:
        """The next questions fail: refused with `refusal`, else without an answer."""
        self._failing.extend([refusal] * count)

    def hide(self, order: ClientOrderId, *, asks: int) -> None:
        """The order is not found the next few times that it is asked for."""
        self._hidden[order] = asks

    def settle(self) -> None:
        """Fill what stayed open."""
        for symbol, leg, found in list(self._orders.values()):
            if found.state is OrderState.OPEN:
                self._fill(symbol, leg, contracts=leg.contracts)

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
        held = (holding for (of, _), holding in self._held.items() if of == symbol)
        return Holdings(holdings=tuple(held), calls=(call,))

    async def order(self, symbol: VenueSymbol, client_order_id: ClientOrderId) -> OrderQuery:
        self.asked.append("order")
        call = self._call("GET", f"/order/{symbol}/{client_order_id}")
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
        of, _, found = self._orders.get(client_order_id, (None, None, None))
        if found is None or of != symbol:
            return NotFound(call=call)
        return replace(found, call=call)

    async def submit(
        self, leg: Leg, *, symbol: VenueSymbol, before_send: BeforeSend | None = None
    ) -> Submitted:
        await self.gate.wait()
        call = self._call("POST", "/order", body=msgspec.json.encode(leg).decode())
        if before_send is not None:
            before_send(call)
        mishap = self._mishaps.popleft() if self._mishaps else None
        if mishap is Mishap.NOT_SENT:
            return NotSent(why="connection refused", call=call)
        if mishap is Mishap.DROP:
            return Unknown(why="connection lost", call=call)
        self.submitted.append((symbol, leg))
        if mishap is Mishap.RATE_LIMIT:
            return RateLimited(code=510, message="Requests are too frequent", call=call)
        if leg.client_order_id in self._orders:
            return Duplicate(code=2042, message="Duplicate order ID", call=call)
        refusal = mishap if isinstance(mishap, Refusal) else self._refusal(symbol, leg)
        if refusal is not None:
            return Rejected(
                code=refusal.code, message=refusal.message, kind=refusal.kind, call=call
            )
        accepted = self._execute(symbol, leg, mishap=mishap, call=call)
        if mishap is Mishap.LOSE_REPLY:
            return Unknown(why="connection lost", call=call)
        return accepted

    async def close(self) -> None:
        self.closed = True

    def _refusal(self, symbol: VenueSymbol, leg: Leg) -> Refusal | None:
        instrument = self.instruments_.get(symbol)
        if instrument is None:
            return Refusal(code=1001, message="Contract does not exist", kind=Cause.SYMBOL)
        if leg.position_mode is not self.position_mode_:
            return Refusal(code=7002, message="Position mode mismatch", kind=Cause.POSITION_MODE)
        if not instrument.minimum_contracts <= leg.contracts <= instrument.maximum_contracts:
            return Refusal(code=2011, message="Order quantity error", kind=Cause.QUANTITY)
        if leg.effect is Effect.CLOSE:
            held = self._held.get((symbol, leg.position_side))
            if held is None:
                return Refusal(code=2009, message="Position is closed", kind=Cause.POSITION)
            if held.free_contracts < leg.contracts:
                return Refusal(code=2008, message="Not enough to close", kind=Cause.POSITION)
        return None

    def _execute(
        self, symbol: VenueSymbol, leg: Leg, *, mishap: Mishap | Refusal | None, call: ExchangeCall
    ) -> Accepted:
        exchange_order_id = str(739_113_577_038_255_616 + len(self._orders))
        resting = Found(
            state=OrderState.OPEN,
            exchange_order_id=exchange_order_id,
            filled_contracts=Decimal(0),
            average_price=None,
            fee=Decimal(0),
            fee_currency=self.instruments_[symbol].quote,
            profit=Decimal(0),
            error_code=0,
            error_name="NORMAL",
            call=call,
        )
        self._orders[leg.client_order_id] = (symbol, leg, resting)
        if mishap is Mishap.DIE_LATER:
            dead = replace(
                resting,
                state=OrderState.INVALID,
                error_code=2,
                error_name="INSUFFICIENT_BALANCE",
            )
            self._orders[leg.client_order_id] = (symbol, leg, dead)
        elif mishap is Mishap.PARTIAL_FILL:
            self._fill(symbol, leg, contracts=leg.contracts // 2)
        elif mishap is not Mishap.STAY_OPEN:
            self._fill(symbol, leg, contracts=leg.contracts)
        return Accepted(exchange_order_id=exchange_order_id, call=call)

    def _fill(self, symbol: VenueSymbol, leg: Leg, *, contracts: Decimal) -> None:
        price = self.prices[symbol]
        base = contracts * self.instruments_[symbol].contract_size
        profit = Decimal(0)
        held = self._held.get((symbol, leg.position_side))
        if leg.effect is Effect.CLOSE and held is not None:
            gain = price - held.average_price
            profit = base * (gain if leg.position_side is PositionSide.LONG else -gain)
        _, _, resting = self._orders[leg.client_order_id]
        whole = contracts == leg.contracts
        self._orders[leg.client_order_id] = (
            symbol,
            leg,
            replace(
                resting,
                state=OrderState.FILLED if whole else OrderState.CANCELED,
                filled_contracts=contracts,
                average_price=price if contracts else None,
                fee=base * price * TAKER_FEE_RATE,
                profit=profit,
                error_code=0 if whole else 21,
                error_name="NORMAL" if whole else "MARKET_CANCEL",
            ),
        )
        self._hold(symbol, leg, held=held, contracts=contracts)

    def _hold(
        self, symbol: VenueSymbol, leg: Leg, *, held: Holding | None, contracts: Decimal
    ) -> None:
        key = (symbol, leg.position_side)
        before = held.contracts if held else Decimal(0)
        after = before + (contracts if leg.effect is Effect.OPEN else -contracts)
        if not after:
            self._held.pop(key, None)
            return
        average = held.average_price if held else self.prices[symbol]
        if leg.effect is Effect.OPEN:
            average = (before * average + contracts * self.prices[symbol]) / after
        self._held[key] = Holding(
            side=leg.position_side,
            contracts=after,
            free_contracts=after,
            average_price=average,
            margin_mode=leg.margin_mode,
            leverage=leg.leverage if held is None else held.leverage,
            position_id=held.position_id if held else str(1_109_973_831 + len(self._orders)),
        )

    def _ask(self, name: str) -> ExchangeCall:
        self.asked.append(name)
        call = self._call("GET", f"/{name}")
        if not self._failing:
            return call
        refusal = self._failing.popleft()
        if refusal is None:
            raise QueryFailed(kind=Cause.SYSTEM, code=None, message="no reply", call=call)
        raise QueryFailed(kind=refusal.kind, code=refusal.code, message=refusal.message, call=call)

    def _call(self, method: str, path: str, *, body: str = "") -> ExchangeCall:
        return ExchangeCall(
            method=method, path=path, request_body=body, sent_at=self._now(), elapsed_ms=0.0
        )
