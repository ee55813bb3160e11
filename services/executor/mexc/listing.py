"""MEXC's lists of what waits, and what became of one trigger order."""

from dataclasses import replace
from datetime import datetime

import msgspec

from libs.common.contracts.order import ExchangeCall, Leg, Pending, Protective, Trail
from libs.common.contracts.words import VenueSymbol
from services.executor.exchange import NotFound, OrderQuery, OrderState, Told
from services.executor.mexc import replies, signing, waiting, wire
from services.executor.mexc.asking import Asker, asked_before, readable
from services.executor.mexc.numbers import TRAILING, WAITING
from services.executor.mexc.transport import Transport

OPEN_ORDERS = "/api/v1/private/order/list/open_orders"
ORDER_GET = "/api/v1/private/order/get"
PLANS = "/api/v1/private/planorder/list/orders"
OPEN_STOPS = "/api/v1/private/stoporder/open_orders"
TRACKS = "/api/v1/private/trackorder/list/orders"

PLANS_SPAN_MS = 30 * 86_400_000
"""How far back plans are listed: they live for seven days, and 90 are the most that is answered."""
CLOCK_SLACK_MS = 1_000
"""How far apart the two clocks are trusted to be at most, once that was measured."""
AHEAD_MS = 60_000
"""The end of what is asked for lies ahead, so that nothing just made is left out."""


class Lister:
    def __init__(self, asker: Asker, transport: Transport) -> None:
        self._asker = asker
        self._transport = transport

    async def pending(self, symbol: VenueSymbol) -> Told[tuple[Pending, ...]]:
        # Documented as a list of the whole account, which takes no symbol (facts §4).
        orders, order_calls = await self._asker.listed(
            OPEN_ORDERS, query={}, read=lambda row: _order(row, symbol)
        )
        with asked_before(order_calls):
            plans, plan_calls = await self._plans(symbol, states=str(WAITING))
        found = [order for order in orders if order is not None]
        found += [
            (plan.create_time, waiting.to_pending_plan(plan))
            for plan in plans
            if plan.state == WAITING
        ]
        found.sort(key=lambda each: (each[0], each[1].exchange_order_id))
        return Told(value=tuple(pending for _, pending in found), calls=(*order_calls, *plan_calls))

    async def pending_symbols(self) -> Told[frozenset[VenueSymbol]]:
        orders, order_calls = await self._asker.listed(
            OPEN_ORDERS, query={}, read=lambda row: wire.row(row, wire.OpenOrder).symbol
        )
        with asked_before(order_calls):
            plans, plan_calls = await self._asker.listed(
                PLANS,
                query={**self.span(), "states": str(WAITING)},
                read=lambda row: wire.row(row, wire.Plan),
            )
        waiting_plans = (plan.symbol for plan in plans if plan.state == WAITING)
        return Told(
            value=frozenset(VenueSymbol(symbol) for symbol in (*orders, *waiting_plans)),
            calls=(*order_calls, *plan_calls),
        )

    async def protectives(self, symbol: VenueSymbol) -> Told[tuple[Protective, ...]]:
        transfer = await self._asker.ask(OPEN_STOPS, query={"symbol": symbol})

        def read(data: msgspec.Raw) -> tuple[Protective, ...]:
            stops = (wire.row(row, wire.Stop) for row in wire.rows(data))
            found = [waiting.to_protective(stop) for stop in stops if stop.symbol == symbol]
            return tuple(each for each in found if each is not None)

        return Told(value=readable(transfer, read), calls=(transfer.call,))

    async def trails(self, symbol: VenueSymbol) -> Told[tuple[Trail, ...]]:
        tracks, calls = await self._asker.listed(
            TRACKS,
            query={"symbol": symbol, "states": ",".join(map(str, TRAILING))},
            read=lambda row: _trail(row, symbol),
            names=("pageIndex", "pageSize"),
        )
        return Told(value=tuple(trail for trail in tracks if trail is not None), calls=calls)

    async def stop_order(
        self,
        leg: Leg,
        *,
        symbol: VenueSymbol,
        sent_after: datetime,
        exchange_id: str | None,
        apart_from: frozenset[str],
    ) -> OrderQuery:
        """Raises `QueryFailed`."""
        since_ms = self._theirs(sent_after) - CLOCK_SLACK_MS
        # Times in published plans are of whole seconds.
        since_ms -= since_ms % 1_000
        # By its id a plan is looked for however old it is.
        asked_ms = since_ms if exchange_id is None else None
        plans, calls = await self._plans(symbol, since_ms=asked_ms)
        if exchange_id is not None:
            plan = waiting.plan_of_id(plans, exchange_id)
        else:
            plan = waiting.plan_that_says(plans, leg, since_ms=since_ms, apart_from=apart_from)
        if plan is None:
            return NotFound(call=calls[-1], earlier=calls[:-1])
        return await self._end_of(plan, calls=calls)

    async def _end_of(self, plan: wire.Plan, *, calls: tuple[ExchangeCall, ...]) -> OrderQuery:
        found = replace(waiting.to_found(plan, call=calls[-1]), earlier=calls[:-1])
        order_id = waiting.made_by(plan)
        if found.state is not OrderState.PENDING or order_id is None:
            return found
        transfer = await self._asker.ask(
            f"{ORDER_GET}/{signing.encoded(order_id)}", template=f"{ORDER_GET}/{{orderId}}"
        )
        query = replies.judge_order(transfer, client_order_id=None)
        # Its plan says that it was made: not to be seen yet is not to be absent.
        if isinstance(query, NotFound):
            return replace(found, call=query.call, earlier=calls)
        return replace(query, earlier=calls)

    async def _plans(
        self, symbol: VenueSymbol, *, states: str | None = None, since_ms: int | None = None
    ) -> tuple[list[wire.Plan], tuple[ExchangeCall, ...]]:
        plans, calls = await self._asker.listed(
            PLANS,
            query={"symbol": symbol, "states": states, **self.span(since_ms)},
            read=lambda row: _plan(row, symbol),
        )
        return [plan for plan in plans if plan is not None], calls

    def span(self, since_ms: int | None = None) -> dict[str, int]:
        """Of plans the exchange asks for a time from which and one up to which they were made."""
        now_ms = self._transport.clock_ms + self._transport.clock_offset_ms
        earliest_ms = now_ms - PLANS_SPAN_MS
        return {"start_time": max(since_ms or 0, earliest_ms), "end_time": now_ms + AHEAD_MS}

    def _theirs(self, at: datetime) -> int:
        return int(at.timestamp() * 1_000) + self._transport.clock_offset_ms


# Each reads one row, and tells nothing of another symbol's: what is odd there is not in our way.


def _order(row: msgspec.Raw, symbol: VenueSymbol) -> tuple[int, Pending] | None:
    order = wire.row(row, wire.OpenOrder)
    if order.symbol != symbol:
        return None
    return order.create_time, waiting.to_pending_order(order)


def _plan(row: msgspec.Raw, symbol: VenueSymbol) -> wire.Plan | None:
    plan = wire.row(row, wire.Plan)
    if plan.symbol != symbol:
        return None
    waiting.check(plan)
    return plan


def _trail(row: msgspec.Raw, symbol: VenueSymbol) -> Trail | None:
    track = wire.row(row, wire.Track)
    return waiting.to_trail(track) if track.symbol == symbol else None
