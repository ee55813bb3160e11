"""What is asked of MEXC to show an account to people. Its rows name more than trading looks at, and
are therefore structs of their own: a number that is odd here must not be in an order's way.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from libs.common.contracts.account_picture import WaitingKind, WaitingOrder
from libs.common.contracts.words import ClientOrderId, Effect, OrderType, VenueSymbol
from services.executor.exchange import Told
from services.executor.mexc import mapping, signing, wire
from services.executor.mexc.asking import Asker, readable
from services.executor.mexc.listing import OPEN_ORDERS, OPEN_STOPS, PLANS, TRACKS, Lister
from services.executor.mexc.numbers import (
    BACK_BY_DISTANCE,
    MOVES,
    ORDER_TYPES,
    POSITION_TYPES,
    TRAILING,
    WAITING,
    WHOLE_POSITION,
    word_of,
)
from services.executor.viewable import HeldPosition

OPEN_POSITIONS = "/api/v1/private/position/open_positions"
FAIR_PRICE = "/api/v1/contract/fair_price"

_MARKET_TO_LIMIT = 6
_TYPES: Mapping[int, OrderType] = {
    **{number: word for word, number in ORDER_TYPES.items()},
    _MARKET_TO_LIMIT: OrderType.MARKET,
}
_EVER = datetime.min.replace(tzinfo=UTC)


class _Position(wire.Position, frozen=True, kw_only=True, rename="camel"):
    liquidate_price: Decimal | None = None
    """0 of cross margin."""
    realised: Decimal | None = None


class _Order(wire.OpenOrder, frozen=True, kw_only=True, rename="camel"):
    order_type: int | None = None


class _Plan(wire.Plan, frozen=True, kw_only=True, rename="camel"):
    price: Decimal | None = None
    """The limit of the order that it makes; 0 or absent where that is a market order."""


class _Stop(wire.Stop, frozen=True, kw_only=True, rename="camel"):
    create_time: int | None = None


class Views:
    """One account's `Viewable`."""

    def __init__(self, asker: Asker, lister: Lister) -> None:
        self._asker = asker
        self._lister = lister

    async def positions(self) -> Told[tuple[HeldPosition, ...]]:
        transfer = await self._asker.ask(OPEN_POSITIONS)

        def read(data: msgspec.Raw) -> tuple[HeldPosition, ...]:
            found = (to_held(wire.row(row, _Position)) for row in wire.rows(data))
            return tuple(one for one in found if one is not None)

        return Told(value=readable(transfer, read), calls=(transfer.call,))

    async def orders(self) -> Told[tuple[WaitingOrder, ...]]:
        return await self._listed(
            OPEN_ORDERS, query={}, read=lambda row: to_order(wire.row(row, _Order))
        )

    async def triggers(self) -> Told[tuple[WaitingOrder, ...]]:
        return await self._listed(
            PLANS,
            query={"states": str(WAITING), **self._lister.span()},
            read=lambda row: to_trigger(wire.row(row, _Plan)),
        )

    async def protections(self) -> Told[tuple[WaitingOrder, ...]]:
        transfer = await self._asker.ask(OPEN_STOPS)

        def read(data: msgspec.Raw) -> tuple[WaitingOrder, ...]:
            found = (to_protection(wire.row(row, _Stop)) for row in wire.rows(data))
            return _oldest_first(one for one in found if one is not None)

        return Told(value=readable(transfer, read), calls=(transfer.call,))

    async def trails(self) -> Told[tuple[WaitingOrder, ...]]:
        return await self._listed(
            TRACKS,
            query={"states": ",".join(map(str, TRAILING))},
            read=lambda row: to_trail(wire.row(row, wire.Track)),
            names=("pageIndex", "pageSize"),
        )

    async def mark_price(self, symbol: VenueSymbol) -> Told[Decimal]:
        transfer = await self._asker.ask(
            f"{FAIR_PRICE}/{signing.encoded(symbol)}",
            template=f"{FAIR_PRICE}/{{symbol}}",
            private=False,
        )

        def read(data: msgspec.Raw) -> Decimal:
            told = wire.row(data, wire.FairPrice)
            if told.symbol != symbol or told.fair_price <= 0:
                raise ValueError(f"{told.fair_price} as the fair price of {told.symbol}")
            return told.fair_price

        return Told(value=readable(transfer, read), calls=(transfer.call,))

    async def _listed(
        self,
        path: str,
        *,
        query: Mapping[str, str | int | None],
        read: Callable[[msgspec.Raw], WaitingOrder | None],
        names: tuple[str, str] = ("page_num", "page_size"),
    ) -> Told[tuple[WaitingOrder, ...]]:
        found, calls = await self._asker.listed(path, query=query, read=read, names=names)
        return Told(value=_oldest_first(one for one in found if one is not None), calls=calls)


def to_held(position: _Position) -> HeldPosition | None:
    """None where nothing is held any more."""
    holding = mapping.to_holding(position)
    if holding is None:
        return None
    return HeldPosition(
        symbol=VenueSymbol(position.symbol),
        holding=holding,
        liquidation_price=position.liquidate_price or None,
        realised_profit=position.realised,
    )


def to_order(order: _Order) -> WaitingOrder:
    effect, side = word_of(MOVES, order.side, "side")
    oid = order.external_oid
    return WaitingOrder(
        kind=WaitingKind.ORDER,
        symbol=VenueSymbol(order.symbol),
        exchange_id=str(order.order_id),
        effect=effect,
        position_side=side,
        order_type=_type(order.order_type),
        contracts=order.vol - order.deal_vol,
        filled_contracts=order.deal_vol,
        price=order.price or None,
        stop_price=order.stop_loss_price or None,
        target_price=order.take_profit_price or None,
        since=_moment(order.create_time),
        client_order_id=ClientOrderId(oid) if oid else None,
    )


def to_trigger(plan: _Plan) -> WaitingOrder | None:
    """None where it does not wait any more."""
    if plan.state != WAITING:
        return None
    effect, side = word_of(MOVES, plan.side, "side")
    return WaitingOrder(
        kind=WaitingKind.TRIGGER,
        symbol=VenueSymbol(plan.symbol),
        exchange_id=str(plan.id),
        effect=effect,
        position_side=side,
        order_type=_type(plan.order_type),
        contracts=plan.vol,
        price=plan.price or None,
        trigger_price=plan.trigger_price,
        stop_price=plan.stop_loss_price or None,
        target_price=plan.take_profit_price or None,
        since=_moment(plan.create_time),
    )


def to_protection(stop: _Stop) -> WaitingOrder | None:
    """None where it does not wait any more: the published list shows finished ones too."""
    if stop.state != WAITING:
        return None
    return WaitingOrder(
        kind=WaitingKind.PROTECTION,
        symbol=VenueSymbol(stop.symbol),
        exchange_id=str(stop.id),
        effect=Effect.CLOSE,
        position_side=word_of(POSITION_TYPES, stop.position_type, "position type"),
        contracts=None if stop.vol_type == WHOLE_POSITION else stop.vol,
        stop_price=stop.stop_loss_price or None,
        target_price=stop.take_profit_price or None,
        since=_moment(stop.create_time),
        position_id=str(stop.position_id),
    )


def to_trail(track: wire.Track) -> WaitingOrder | None:
    """None where it has ended."""
    if track.state not in TRAILING:
        return None
    effect, side = word_of(MOVES, track.side, "side")
    distance: Decimal | None = track.back_value
    if track.back_type != BACK_BY_DISTANCE:
        # A share of the extreme, or of the price that it will begin at; of nothing else.
        reached = track.mark_price or track.active_price
        distance = track.back_value * reached if reached else None
    return WaitingOrder(
        kind=WaitingKind.TRAILING,
        symbol=VenueSymbol(track.symbol),
        exchange_id=str(track.id),
        effect=effect,
        position_side=side,
        order_type=OrderType.MARKET,
        contracts=track.vol,
        trigger_price=track.active_price or None,
        trail_distance=distance,
        since=_moment(track.create_time),
    )


def _type(number: int | None) -> OrderType | None:
    """None also for a number that is not documented: the order is shown all the same."""
    return None if number is None else _TYPES.get(number)


def _moment(at_ms: int | None) -> datetime | None:
    return datetime.fromtimestamp(at_ms / 1_000, tz=UTC) if at_ms else None


def _oldest_first(orders: Iterable[WaitingOrder]) -> tuple[WaitingOrder, ...]:
    return tuple(sorted(orders, key=lambda one: (one.since or _EVER, one.exchange_id)))
