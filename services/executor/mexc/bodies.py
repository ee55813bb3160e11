"""The bodies that make, change and cancel: the house's words in MEXC's fields, byte for byte as
they are signed and sent.

They raise `ValueError` for a leg or a change that lacks what its kind needs.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

import msgspec

from libs.common.contracts.order import Change, Leg
from libs.common.contracts.words import (
    Effect,
    MarginMode,
    OrderType,
    PositionMode,
    PositionSide,
    VenueSymbol,
)
from libs.common.domain.leverages import SideLeverage
from libs.common.domain.quantity import plain
from services.executor.mexc.numbers import (
    AT_LEAST,
    AT_MOST,
    BACK_BY_DISTANCE,
    OPEN_TYPES,
    ORDER_TYPES,
    POSITION_MODES,
    SIDES,
    TRENDS,
    TYPES_OF_POSITION,
    WHOLE_POSITION,
)

T = TypeVar("T")
Fields = dict[str, object]

_MARKET_ORDER = ORDER_TYPES[OrderType.MARKET]
_SEVEN_DAYS = 2
_NO = 2
_AT_MARKET = 0
_BUYS = frozenset({(Effect.OPEN, PositionSide.LONG), (Effect.CLOSE, PositionSide.SHORT)})
_FLAGS: Mapping[str, object] = MappingProxyType(
    {
        "profitLossVolType": "SAME",
        "volType": WHOLE_POSITION,
        "takeProfitReverse": _NO,
        "stopLossReverse": _NO,
        "takeProfitType": _AT_MARKET,
        "stopLossType": _AT_MARKET,
    }
)


def order_body(leg: Leg, *, symbol: VenueSymbol) -> str:
    """Of order/create."""
    at_market = leg.order_type is OrderType.MARKET
    fields: Fields = {
        "symbol": symbol,
        # The field table demands a price; market orders are known to pass with 0.
        "price": 0 if at_market else _number(_needed(leg.price, "a price")),
        "vol": _number(leg.contracts),
        "side": SIDES[leg.effect, leg.position_side],
        "type": ORDER_TYPES[leg.order_type],
        "openType": OPEN_TYPES[leg.margin_mode],
        # Always sent: its default is the account's setting in one document, hedge in another.
        "positionMode": POSITION_MODES[leg.position_mode],
        "externalOid": leg.client_order_id,
    }
    if leg.effect is Effect.OPEN:
        fields["leverage"] = leg.leverage
        fields |= _attached(leg)
    else:
        if leg.position_id is not None:
            fields["positionId"] = _id(leg.position_id)
        fields |= _reduce_only(leg.position_mode)
    return _encoded(fields)


def probe_body(
    client_order_id: str, *, symbol: VenueSymbol, price: Decimal, position_mode: PositionMode
) -> str:
    """Of order/create, for 0 contracts: MEXC answers 2011 to a key that may place orders."""
    return _encoded(
        {
            "symbol": symbol,
            "price": _number(price),
            "vol": 0,
            "side": SIDES[Effect.OPEN, PositionSide.LONG],
            "type": ORDER_TYPES[OrderType.IOC],
            "openType": OPEN_TYPES[MarginMode.ISOLATED],
            "positionMode": POSITION_MODES[position_mode],
            "externalOid": client_order_id,
            "leverage": 1,
        }
    )


def plan_body(leg: Leg, *, symbol: VenueSymbol) -> str:
    """Of planorder/place: an order at market that waits for its trigger price. It takes no client
    id, and no position id either.
    """
    fields: Fields = {
        "symbol": symbol,
        "vol": _number(leg.contracts),
        "leverage": leg.leverage,
        "side": SIDES[leg.effect, leg.position_side],
        "openType": OPEN_TYPES[leg.margin_mode],
        "positionMode": POSITION_MODES[leg.position_mode],
        "triggerPrice": _number(_needed(leg.price, "a trigger price")),
        "triggerType": trigger_type(leg),
        "trend": TRENDS[leg.trigger],
        "executeCycle": _SEVEN_DAYS,
        "orderType": _MARKET_ORDER,
    }
    if leg.effect is Effect.OPEN:
        fields |= _attached(leg)
    else:
        fields |= _reduce_only(leg.position_mode)
    return _encoded(fields)


def trigger_type(leg: Leg) -> int:
    """A stop that buys triggers at or above its price, one that sells at or below."""
    return AT_LEAST if (leg.effect, leg.position_side) in _BUYS else AT_MOST


def protect_body(change: Change, *, position_id: str) -> str:
    """Of stoporder/place."""
    prices: Fields = {}
    if change.stop_price is not None:
        prices |= {"stopLossPrice": _number(change.stop_price), "lossTrend": TRENDS[change.trigger]}
    if change.target_price is not None:
        prices |= {
            "takeProfitPrice": _number(change.target_price),
            "profitTrend": TRENDS[change.trigger],
        }
    if not prices:
        raise ValueError(f"{change.kind.value} needs a stop or a target")
    return _encoded(
        {
            "positionId": _id(position_id),
            "vol": _number(_needed(change.contracts, "contracts")),
            **prices,
            **_FLAGS,
        }
    )


def moved_stop_body(change: Change, *, stop_id: str) -> str:
    """Of stoporder/change_plan_price."""
    return _encoded({"stopPlanOrderId": _id(stop_id), **_both_prices(change)})


def amended_order_body(change: Change, *, order_id: str) -> str:
    """Of stoporder/change_price, which is about the prices attached to an order."""
    return _encoded({"orderId": _id(order_id), **_both_prices(change)})


def amended_plan_body(change: Change, *, symbol: VenueSymbol, plan_id: str) -> str:
    """Of planorder/change_stop_order."""
    return _encoded({"symbol": symbol, "orderId": _id(plan_id), **_both_prices(change)})


def trail_body(change: Change, *, symbol: VenueSymbol) -> str:
    """Of trackorder/place."""
    side = _needed(change.position_side, "a position side")
    mode = _needed(change.position_mode, "a position mode")
    return _encoded(
        {
            "symbol": symbol,
            "leverage": _needed(change.leverage, "a leverage"),
            "side": SIDES[Effect.CLOSE, side],
            "vol": _number(_needed(change.contracts, "contracts")),
            "openType": OPEN_TYPES[_needed(change.margin_mode, "a margin mode")],
            "trend": TRENDS[change.trigger],
            "backType": BACK_BY_DISTANCE,
            "backValue": _number(_needed(change.trail_distance, "a distance")),
            "positionMode": POSITION_MODES[mode],
            **_reduce_only(mode),
        }
    )


def leverage_body(wanted: SideLeverage, *, symbol: VenueSymbol) -> str:
    """Of position/change_leverage, of a contract without a position: one with its id would change
    what is held.
    """
    return _encoded(
        {
            "symbol": symbol,
            "openType": OPEN_TYPES[_needed(wanted.margin_mode, "a margin mode")],
            "positionType": TYPES_OF_POSITION[wanted.side],
            "leverage": wanted.leverage,
        }
    )


def canceled_orders_body(order_ids: Iterable[str]) -> str:
    """Of order/cancel: a bare list, as the documents, MEXC's demo and ccxt have it. One newer page
    shows an object with `orderIds` (facts §4).
    """
    return _encoded([_id(order_id) for order_id in order_ids])


def canceled_stop_body(stop_id: str) -> str:
    """Of stoporder/cancel."""
    return _encoded([{"stopPlanOrderId": _id(stop_id)}])


def canceled_plan_body(plan_id: str, *, symbol: VenueSymbol) -> str:
    """Of planorder/cancel."""
    return _encoded([{"symbol": symbol, "orderId": _id(plan_id)}])


def canceled_trail_body(trail_id: str, *, symbol: VenueSymbol) -> str:
    """Of trackorder/cancel."""
    return _encoded({"symbol": symbol, "trackOrderId": _id(trail_id)})


def _attached(leg: Leg) -> Fields:
    fields: Fields = {}
    if leg.stop_price is not None:
        fields |= {"stopLossPrice": _number(leg.stop_price), "lossTrend": TRENDS[leg.trigger]}
    if leg.target_price is not None:
        fields |= {"takeProfitPrice": _number(leg.target_price), "profitTrend": TRENDS[leg.trigger]}
    return fields


def _both_prices(change: Change) -> Fields:
    # Both, and 0 for none: fields that are left out are taken away by one endpoint and kept by
    # another, while 0 is read as none by all of them (facts §8 has the fields, not their defaults).
    return {
        "stopLossPrice": _number(change.stop_price or Decimal(0)),
        "lossTrend": TRENDS[change.trigger],
        "takeProfitPrice": _number(change.target_price or Decimal(0)),
        "profitTrend": TRENDS[change.trigger],
    }


def _reduce_only(mode: PositionMode) -> Fields:
    # Only one-way mode has the field; in hedge mode sides 2 and 4 can do nothing but close.
    return {"reduceOnly": True} if mode is PositionMode.ONE_WAY else {}


def _needed(value: T | None, what: str) -> T:
    if value is None:
        raise ValueError(f"it needs {what}")
    return value


def _number(value: Decimal) -> msgspec.Raw:
    # Plain digits: whether MEXC reads 1e-7 is unknown.
    return msgspec.Raw(plain(value).encode())


def _id(value: str) -> msgspec.Raw | str:
    # MEXC documents a number, and ids exceed what a float could carry.
    return msgspec.Raw(value.encode()) if value.isascii() and value.isdecimal() else value


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()
