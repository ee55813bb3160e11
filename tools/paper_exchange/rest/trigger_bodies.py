"""Bodies of private calls about triggers. What the engine has a code of its own for may be missing
here, and is refused there.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import ZERO
from tools.paper_exchange.engine.triggers.state import StopLeg
from tools.paper_exchange.engine.triggers.words import Trend
from tools.paper_exchange.numbers import sane
from tools.paper_exchange.rest.bodies import MOST_AT_ONCE, CarryingBody, decoded

YES = 1
WHOLE = 2
LIMIT = 1
_YES_NO = Literal[0, 1, 2]
_MARKET_LIMIT = Literal[0, 1]


class PlanBody(CarryingBody, kw_only=True, rename="camel"):
    symbol: str
    vol: Decimal
    side: int
    open_type: int
    order_type: int
    trigger_price: Decimal = ZERO
    trigger_type: int = 0
    execute_cycle: int = 0
    trend: int = 0
    price: Decimal | None = None
    leverage: int | None = None
    position_mode: int | None = None
    reduce_only: bool | None = None


class PlanChangeBody(msgspec.Struct, kw_only=True, rename="camel"):
    symbol: str
    order_id: int
    order_type: int
    trigger_price: Decimal = ZERO
    trigger_type: int = 0
    trend: int = 0
    price: Decimal | None = None


class PlanAttachedBody(CarryingBody, kw_only=True, rename="camel"):
    symbol: str
    order_id: int


class OrderAttachedBody(CarryingBody, kw_only=True, rename="camel"):
    order_id: int


class StopBody(msgspec.Struct, kw_only=True, rename="camel"):
    position_id: int
    vol: Decimal
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    loss_trend: int | None = None
    profit_trend: int | None = None
    price_protect: Literal[0, 1] | None = None
    profit_loss_vol_type: Literal["SAME", "SEPARATE", ""] | None = None
    take_profit_vol: Decimal | None = None
    stop_loss_vol: Decimal | None = None
    vol_type: Literal[0, 1, 2] | None = None
    take_profit_reverse: _YES_NO | None = None
    stop_loss_reverse: _YES_NO | None = None
    take_profit_type: _MARKET_LIMIT | None = None
    take_profit_order_price: Decimal | None = None
    stop_loss_type: _MARKET_LIMIT | None = None
    stop_loss_order_price: Decimal | None = None

    @property
    def is_separate(self) -> bool:
        return self.profit_loss_vol_type == "SEPARATE"

    def profit(self) -> StopLeg | None:
        return _leg(
            self.take_profit_price,
            vol=self._vol(self.take_profit_vol),
            trend=self.profit_trend,
            order_price=_limit(self.take_profit_type, self.take_profit_order_price),
            reverse=self.take_profit_reverse == YES,
        )

    def loss(self) -> StopLeg | None:
        return _leg(
            self.stop_loss_price,
            vol=self._vol(self.stop_loss_vol),
            trend=self.loss_trend,
            order_price=_limit(self.stop_loss_type, self.stop_loss_order_price),
            reverse=self.stop_loss_reverse == YES,
        )

    def _vol(self, separate: Decimal | None) -> Decimal:
        return separate if self.is_separate and separate is not None else self.vol


class StopChangeBody(msgspec.Struct, kw_only=True, rename="camel"):
    stop_plan_order_id: int
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    loss_trend: int | None = None
    profit_trend: int | None = None
    take_profit_reverse: _YES_NO | None = None
    stop_loss_reverse: _YES_NO | None = None

    def profit(self, now: StopLeg | None) -> StopLeg | None:
        return _changed(
            self.take_profit_price, self.profit_trend, self.take_profit_reverse, now=now
        )

    def loss(self, now: StopLeg | None) -> StopLeg | None:
        return _changed(self.stop_loss_price, self.loss_trend, self.stop_loss_reverse, now=now)


class StopCancelAllBody(msgspec.Struct, kw_only=True, rename="camel"):
    position_id: int | None = None
    symbol: str | None = None


class TrackBody(msgspec.Struct, kw_only=True, rename="camel"):
    symbol: str
    leverage: int
    side: int
    vol: Decimal
    open_type: int
    trend: int
    back_type: int
    back_value: Decimal
    active_price: Decimal | None = None
    position_mode: int | None = None
    reduce_only: bool | None = None


class TrackChangeBody(msgspec.Struct, kw_only=True, rename="camel"):
    symbol: str
    track_order_id: int
    vol: Decimal
    trend: int
    back_type: int
    back_value: Decimal
    active_price: Decimal | None = None


class TrackCancelBody(msgspec.Struct, kw_only=True, rename="camel"):
    symbol: str | None = None
    track_order_id: int | None = None


class _PlanId(msgspec.Struct, rename="camel"):
    symbol: str
    order_id: int


class _StopId(msgspec.Struct, rename="camel"):
    stop_plan_order_id: int


def plan_ids(body: bytes) -> list[tuple[str, int]]:
    """Symbols and ids: plans are named by both."""
    items = decoded(body, list[_PlanId])
    _check_number(len(items))
    return [(item.symbol, item.order_id) for item in items]


def stop_ids(body: bytes) -> list[int]:
    items = decoded(body, list[_StopId])
    _check_number(len(items))
    return [item.stop_plan_order_id for item in items]


def _check_number(items: int) -> None:
    if items > MOST_AT_ONCE:
        raise Refused(2013, count=MOST_AT_ONCE)


def _leg(
    price: Decimal | None, *, vol: Decimal, trend: int | None, order_price: Decimal, reverse: bool
) -> StopLeg | None:
    # Zero is how some clients say none.
    if price is None or not sane(price):
        return None
    return StopLeg(
        price=price,
        vol=sane(vol),
        trend=trend or Trend.LAST,
        order_price=order_price,
        reverse=reverse,
    )


def _limit(kind: int | None, price: Decimal | None) -> Decimal:
    if kind != LIMIT:
        return ZERO
    if price is None or sane(price) <= 0:
        raise Refused(5003)
    return price


def _changed(
    price: Decimal | None, trend: int | None, reverse: int | None, *, now: StopLeg | None
) -> StopLeg | None:
    # What is not said stays.
    if price is None:
        if now is None or (trend is None and reverse is None):
            return None
        price = now.price
    return StopLeg(
        price=sane(price),
        vol=ZERO,
        trend=trend or (now.trend if now is not None else Trend.LAST),
        reverse=reverse == YES if reverse else now is not None and now.reverse,
    )
