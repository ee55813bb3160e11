"""What stands behind `FakeExchange`: prices, orders, positions, and what waits for a price.

Depth has no end: a taker is filled at the last price, what rests at its own once the last price
reaches it.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from msgspec.structs import replace as replaced

from libs.common.contracts.causes import Cause
from libs.common.contracts.instrument import Instrument
from libs.common.contracts.order import ExchangeCall, Holding, Leg
from libs.common.contracts.words import (
    ClientOrderId,
    Effect,
    OrderType,
    PositionMode,
    PositionSide,
    VenueSymbol,
)
from libs.common.domain.picture import Prices
from services.executor.exchange import Found, OrderState
from tests.fake_orders import FakeOrder, FakePlan, FakeStop, FakeTrail, Refusal, died

TAKER_FEE_RATE = Decimal("0.0008")
MAKER_FEE_RATE = Decimal("0.0006")
ZERO = Decimal(0)

Kept = TypeVar("Kept", FakeOrder, FakePlan, FakeStop, FakeTrail)

_IMMEDIATE = {
    OrderType.IOC: (18, "IOC_CANCEL"),
    OrderType.FOK: (19, "FOK_CANCEL"),
    OrderType.MARKET: (21, "MARKET_CANCEL"),
}


class FakeVenue:
    def __init__(
        self,
        *,
        instruments: Iterable[Instrument],
        position_mode: PositionMode,
        price: Decimal,
        now_ms: Callable[[], int],
    ) -> None:
        self.instruments = {instrument.symbol: instrument for instrument in instruments}
        self.prices = {
            symbol: Prices(last=price, mark=price, index=price) for symbol in self.instruments
        }
        self.position_mode = position_mode
        self.orders: dict[str, FakeOrder] = {}
        self.plans: dict[str, FakePlan] = {}
        self.stops: dict[str, FakeStop] = {}
        self.trails: dict[str, FakeTrail] = {}
        self.held: dict[tuple[VenueSymbol, PositionSide], Holding] = {}
        self.cash = Decimal(10_000)
        self.now_ms = now_ms
        self._made = 0

    def next_id(self) -> str:
        """Beyond what a float can carry."""
        self._made += 1
        return str(739_113_577_038_255_615 + self._made)

    def move(self, symbol: VenueSymbol, prices: Prices) -> None:
        self.prices[symbol] = prices
        self.fire(symbol)

    def fire(self, symbol: VenueSymbol) -> None:
        """Whatever the prices have reached: what rests first, then stops, trails, stop orders."""
        prices = self.prices[symbol]
        for order in self.open_orders(symbol):
            if order.is_open and order.leg.price is not None and _crosses(order.leg, prices.last):
                self.fill(order, contracts=order.left, price=order.leg.price, fee=MAKER_FEE_RATE)
        for stop in of_symbol(self.stops, symbol):
            if stop.id in self.stops and stop.is_reached(prices):
                del self.stops[stop.id]
                self._close(stop)
        for trail in of_symbol(self.trails, symbol):
            if trail.id in self.trails and trail.follow(prices):
                del self.trails[trail.id]
                self._close(trail)
        for plan in self.waiting_plans(symbol):
            if plan.found.state is OrderState.OPEN and _triggers(plan.leg, prices):
                self._fire_plan(plan)

    def open_orders(self, symbol: VenueSymbol) -> list[FakeOrder]:
        return [each for each in of_symbol(self.orders, symbol) if each.is_open]

    def waiting_plans(self, symbol: VenueSymbol) -> list[FakePlan]:
        return [
            each for each in of_symbol(self.plans, symbol) if each.found.state is OrderState.OPEN
        ]

    def by_client_id(self, symbol: VenueSymbol, client_order_id: str) -> FakeOrder | None:
        ours = of_symbol(self.orders, symbol)
        return next((each for each in ours if each.client_order_id == client_order_id), None)

    def holdings(self, symbol: VenueSymbol) -> tuple[Holding, ...]:
        return tuple(
            replaced(holding, free_contracts=holding.contracts - self._frozen(of, side))
            for (of, side), holding in self.held.items()
            if of == symbol
        )

    def position(self, position_id: str) -> tuple[VenueSymbol, Holding] | None:
        found = ((of, held) for (of, _), held in self.held.items())
        return next((each for each in found if each[1].position_id == position_id), None)

    def equity(self) -> Decimal:
        return self.cash + sum(
            (
                self._profit(of, holding, contracts=holding.contracts, price=self.prices[of].mark)
                for (of, _), holding in self.held.items()
            ),
            ZERO,
        )

    def plan_of_id(self, symbol: VenueSymbol, exchange_id: str) -> FakePlan | None:
        plans = of_symbol(self.plans, symbol)
        return next((plan for plan in plans if exchange_id in plan.ids), None)

    def plan_that_says(
        self, symbol: VenueSymbol, leg: Leg, *, since_ms: int, apart_from: frozenset[str]
    ) -> FakePlan | None:
        """The newest that says what the leg says."""
        for plan in reversed(of_symbol(self.plans, symbol)):
            ours = plan.created_ms >= since_ms and apart_from.isdisjoint(plan.ids)
            if ours and _same(plan.leg, leg):
                return plan
        return None

    def cancel_plan(self, id_: str) -> bool:
        """Whether there was one that waits."""
        plan = self.plans.get(id_)
        if plan is None or plan.found.state is not OrderState.OPEN:
            return False
        plan.found = replace(plan.found, state=OrderState.CANCELED)
        return True

    def settle(self) -> None:
        """Fill the orders that are open."""
        for order in [order for order in self.orders.values() if order.is_open]:
            price = order.leg.price or self.prices[order.symbol].last
            self.fill(order, contracts=order.left, price=price, fee=TAKER_FEE_RATE)

    def check(self, symbol: VenueSymbol, leg: Leg) -> Refusal | None:
        """Why it would be refused."""
        instrument = self.instruments.get(symbol)
        if instrument is None:
            return Refusal(code=1001, message="Contract does not exist", kind=Cause.SYMBOL)
        if leg.position_mode is not self.position_mode:
            return Refusal(code=7002, message="Position mode mismatch", kind=Cause.POSITION_MODE)
        if not instrument.minimum_contracts <= leg.contracts <= instrument.maximum_contracts:
            return Refusal(code=2011, message="Order quantity error", kind=Cause.QUANTITY)
        if leg.price is not None and leg.price % instrument.tick_price:
            return Refusal(code=2015, message="Precision error", kind=Cause.QUANTITY)
        if leg.effect is Effect.CLOSE and leg.order_type is not OrderType.STOP:
            held = self.held.get((symbol, leg.position_side))
            if held is None:
                return Refusal(code=2009, message="Position is closed", kind=Cause.POSITION)
            if held.contracts - self._frozen(symbol, leg.position_side) < leg.contracts:
                return Refusal(code=2008, message="Not enough to close", kind=Cause.POSITION)
        return None

    def enter(
        self, symbol: VenueSymbol, leg: Leg, *, call: ExchangeCall, client_order_id: str = ""
    ) -> FakeOrder:
        """Take the order; `match` decides over it."""
        order = FakeOrder(
            symbol=symbol,
            leg=leg,
            client_order_id=client_order_id or leg.client_order_id,
            found=self._untouched(symbol, call=call),
        )
        self.orders[order.found.exchange_order_id] = order
        return order

    def match(self, order: FakeOrder, *, half: bool = False) -> None:
        leg, last = order.leg, self.prices[order.symbol].last
        crosses = leg.price is None or _crosses(leg, last)
        if leg.order_type is OrderType.POST_ONLY and crosses:
            self.end(order, OrderState.CANCELED, error=(20, "POST_ONLY_CANCEL"))
        elif leg.order_type in _IMMEDIATE and not crosses:
            self.end(order, OrderState.CANCELED, error=_IMMEDIATE[leg.order_type])
        elif crosses:
            contracts = leg.contracts // 2 if half else leg.contracts
            self.fill(order, contracts=contracts, price=last, fee=TAKER_FEE_RATE)
            if half and leg.order_type in _IMMEDIATE:
                self.end(order, OrderState.CANCELED, error=_IMMEDIATE[leg.order_type])
        if not half:
            # What the order itself has brought may have been reached already.
            self.fire(order.symbol)

    def plan(self, symbol: VenueSymbol, leg: Leg, *, call: ExchangeCall) -> FakePlan:
        found = self._untouched(symbol, call=call)
        plan = FakePlan(
            id=found.exchange_order_id,
            symbol=symbol,
            leg=leg,
            created_ms=self.now_ms(),
            found=found,
        )
        self.plans[plan.id] = plan
        self.fire(symbol)
        return plan

    def end(
        self, order: FakeOrder, state: OrderState, *, error: tuple[int, str] = (0, "NORMAL")
    ) -> None:
        order.found = died(order.found, state, error=error)
        leg, filled = order.leg, order.found.filled_contracts
        held = self.held.get((order.symbol, leg.position_side))
        attached = leg.stop_price is not None or leg.target_price is not None
        if leg.effect is Effect.OPEN and attached and filled and held is not None:
            self.protect(
                FakeStop(
                    id="",
                    symbol=order.symbol,
                    position_id=held.position_id,
                    side=held.side,
                    contracts=filled,
                    stop_price=leg.stop_price,
                    target_price=leg.target_price,
                    trigger=leg.trigger,
                    whole=False,
                )
            )

    def protect(self, stop: FakeStop) -> str:
        """The id of the new stop, or of the one that has the same prices."""
        stop.id = (
            next(
                (
                    other.id
                    for other in self.stops.values()
                    if other.position_id == stop.position_id
                    and (other.stop_price, other.target_price)
                    == (stop.stop_price, stop.target_price)
                ),
                "",
            )
            or self.next_id()
        )
        self.stops[stop.id] = stop
        return stop.id

    def fill(self, order: FakeOrder, *, contracts: Decimal, price: Decimal, fee: Decimal) -> None:
        base = contracts * self.instruments[order.symbol].contract_size
        held = self.held.get((order.symbol, order.leg.position_side))
        profit = ZERO
        if order.leg.effect is Effect.CLOSE and held is not None:
            profit = self._profit(order.symbol, held, contracts=contracts, price=price)
        before = order.found
        filled = before.filled_contracts + contracts
        worth = before.filled_contracts * (before.average_price or ZERO) + contracts * price
        order.found = replace(
            before,
            filled_contracts=filled,
            average_price=worth / filled if filled else None,
            fee=(before.fee or ZERO) + base * price * fee,
            profit=(before.profit or ZERO) + profit,
        )
        self.cash += profit - base * price * fee
        self._hold(order, held=held, contracts=contracts, price=price)
        if not order.left:
            self.end(order, OrderState.FILLED)

    def _hold(
        self, order: FakeOrder, *, held: Holding | None, contracts: Decimal, price: Decimal
    ) -> None:
        leg, key = order.leg, (order.symbol, order.leg.position_side)
        before = held.contracts if held else ZERO
        after = before + (contracts if leg.effect is Effect.OPEN else -contracts)
        if not after:
            gone = self.held.pop(key, None)
            if gone is not None:
                self._drop_stops(gone.position_id)
            return
        average = held.average_price if held else price
        if leg.effect is Effect.OPEN:
            average = (before * average + contracts * price) / after
        self._made += held is None
        self.held[key] = Holding(
            side=leg.position_side,
            contracts=after,
            free_contracts=after,
            average_price=average,
            margin_mode=leg.margin_mode if held is None else held.margin_mode,
            leverage=leg.leverage if held is None else held.leverage,
            position_id=held.position_id if held else str(1_109_973_830 + self._made),
        )

    def _drop_stops(self, position_id: str) -> None:
        self.stops = {
            id_: stop for id_, stop in self.stops.items() if stop.position_id != position_id
        }

    def _fire_plan(self, plan: FakePlan) -> None:
        leg = replaced(plan.leg, order_type=OrderType.MARKET, price=None)
        refusal = self.check(plan.symbol, leg)
        if refusal is not None:
            error = (refusal.code, refusal.kind.name)
            plan.found = died(plan.found, OrderState.INVALID, error=error, cause=refusal.kind)
            return
        plan.found = replace(plan.found, state=OrderState.FILLED)
        plan.made = self.enter(
            plan.symbol, leg, call=plan.found.call, client_order_id=f"planorder_{plan.id}_10"
        )
        self.match(plan.made)

    def _close(self, trigger: FakeStop | FakeTrail) -> None:
        held = self.held.get((trigger.symbol, trigger.side))
        if held is None:
            return
        whole = isinstance(trigger, FakeStop) and trigger.whole
        contracts = held.contracts if whole else min(trigger.contracts, held.contracts)
        leg = Leg(
            client_order_id=ClientOrderId(f"fired_{trigger.id}"),
            effect=Effect.CLOSE,
            position_side=trigger.side,
            contracts=contracts,
            margin_mode=held.margin_mode,
            leverage=held.leverage,
            position_mode=self.position_mode,
        )
        call = ExchangeCall(method="POST", path="/fired", sent_at=from_ms(self.now_ms()))
        self.match(self.enter(trigger.symbol, leg, call=call))

    def _frozen(self, symbol: VenueSymbol, side: PositionSide) -> Decimal:
        closing = (
            order.left
            for order in self.open_orders(symbol)
            if order.leg.effect is Effect.CLOSE and order.leg.position_side is side
        )
        return sum(closing, ZERO)

    def _profit(
        self, symbol: VenueSymbol, held: Holding, *, contracts: Decimal, price: Decimal
    ) -> Decimal:
        gain = price - held.average_price
        base = contracts * self.instruments[symbol].contract_size
        return base * (gain if held.side is PositionSide.LONG else -gain)

    def _untouched(self, symbol: VenueSymbol, *, call: ExchangeCall) -> Found:
        return Found(
            state=OrderState.OPEN,
            exchange_order_id=self.next_id(),
            filled_contracts=ZERO,
            average_price=None,
            fee=ZERO,
            fee_currency=self.instruments[symbol].quote,
            profit=ZERO,
            error_code=0,
            error_name="NORMAL",
            call=call,
        )


def _crosses(leg: Leg, last: Decimal) -> bool:
    """Whether a limit order is filled at the last price."""
    price = leg.price or ZERO
    return last <= price if _buys(leg) else last >= price


def _triggers(leg: Leg, prices: Prices) -> bool:
    """Whether a stop order's price has come."""
    price = leg.price or ZERO
    now = prices.of(leg.trigger)
    return now >= price if _buys(leg) else now <= price


def _buys(leg: Leg) -> bool:
    return (leg.effect is Effect.OPEN) is (leg.position_side is PositionSide.LONG)


def of_symbol(things: dict[str, Kept], symbol: VenueSymbol) -> list[Kept]:
    return [thing for thing in things.values() if thing.symbol == symbol]


def _same(one: Leg, other: Leg) -> bool:
    return (one.effect, one.position_side, one.contracts, one.price) == (
        *(other.effect, other.position_side, other.contracts, other.price),
    )


def from_ms(unix_ms: int) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1_000, tz=UTC)
