"""What the fake exchange tells to whoever only wants to show the account."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from libs.common.contracts.account_picture import WaitingKind, WaitingOrder
from libs.common.contracts.causes import Cause
from libs.common.contracts.words import ClientOrderId, Effect, OrderType, VenueSymbol
from services.executor.exchange import QueryFailed, Told
from services.executor.viewable import HeldPosition

if TYPE_CHECKING:
    from tests.fakes import FakeExchange


class FakeViews:
    def __init__(self, exchange: "FakeExchange") -> None:
        self._exchange = exchange
        self.liquidation_price: Decimal | None = None
        """Of whatever is held."""

    async def positions(self) -> Told[tuple[HeldPosition, ...]]:
        call = self._exchange._ask("views.positions")
        venue = self._exchange.venue
        found = tuple(
            HeldPosition(
                symbol=symbol,
                holding=held,
                liquidation_price=self.liquidation_price,
                realised_profit=Decimal(0),
            )
            for symbol in venue.instruments
            for held in venue.holdings(symbol)
        )
        return Told(value=found, calls=(call,))

    async def orders(self) -> Told[tuple[WaitingOrder, ...]]:
        call = self._exchange._ask("views.orders")
        found = tuple(
            WaitingOrder(
                kind=WaitingKind.ORDER,
                symbol=order.symbol,
                exchange_id=order.found.exchange_order_id,
                effect=order.leg.effect,
                position_side=order.leg.position_side,
                order_type=order.leg.order_type,
                contracts=order.left,
                filled_contracts=order.found.filled_contracts,
                price=order.leg.price,
                stop_price=order.leg.stop_price,
                target_price=order.leg.target_price,
                since=_moment(self._exchange.venue.now_ms()),
                client_order_id=ClientOrderId(order.client_order_id),
            )
            for symbol in self._exchange.instruments_
            for order in self._exchange.venue.open_orders(symbol)
        )
        return Told(value=found, calls=(call,))

    async def triggers(self) -> Told[tuple[WaitingOrder, ...]]:
        call = self._exchange._ask("views.triggers")
        found = tuple(
            WaitingOrder(
                kind=WaitingKind.TRIGGER,
                symbol=symbol,
                exchange_id=plan.id,
                effect=plan.leg.effect,
                position_side=plan.leg.position_side,
                order_type=OrderType.MARKET,
                contracts=plan.leg.contracts,
                trigger_price=plan.leg.price,
                stop_price=plan.leg.stop_price,
                target_price=plan.leg.target_price,
                since=_moment(plan.created_ms),
            )
            for symbol in self._exchange.instruments_
            for plan in self._exchange.venue.waiting_plans(symbol)
        )
        return Told(value=found, calls=(call,))

    async def protections(self) -> Told[tuple[WaitingOrder, ...]]:
        call = self._exchange._ask("views.protections")
        found = tuple(
            WaitingOrder(
                kind=WaitingKind.PROTECTION,
                symbol=stop.symbol,
                exchange_id=stop.id,
                effect=Effect.CLOSE,
                position_side=stop.side,
                contracts=None if stop.whole else stop.contracts,
                stop_price=stop.stop_price,
                target_price=stop.target_price,
                since=_moment(self._exchange.venue.now_ms()),
                position_id=stop.position_id,
            )
            for stop in self._exchange.venue.stops.values()
        )
        return Told(value=found, calls=(call,))

    async def trails(self) -> Told[tuple[WaitingOrder, ...]]:
        call = self._exchange._ask("views.trails")
        found = tuple(
            WaitingOrder(
                kind=WaitingKind.TRAILING,
                symbol=trail.symbol,
                exchange_id=trail.id,
                effect=Effect.CLOSE,
                position_side=trail.side,
                order_type=OrderType.MARKET,
                contracts=trail.contracts,
                trail_distance=trail.distance,
                since=_moment(trail.created_ms),
            )
            for trail in self._exchange.venue.trails.values()
        )
        return Told(value=found, calls=(call,))

    async def mark_price(self, symbol: VenueSymbol) -> Told[Decimal]:
        call = self._exchange._ask("views.mark_price")
        prices = self._exchange.venue.prices.get(symbol)
        if prices is None:
            raise QueryFailed(kind=Cause.SYMBOL, code=1001, message="no such contract", call=call)
        return Told(value=prices.mark, calls=(call,))


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1_000, tz=UTC)
