"""Bodies of private calls, decoded once. Numbers and numeric strings are both taken, as the venue's
own demos send both; unknown fields are passed over.
"""

from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.engine.state import ZERO
from tools.paper_exchange.numbers import sane

T = TypeVar("T")

MOST_AT_ONCE = 50
_YES_OR_NO = frozenset({None, 0, 1})
_TRENDS = frozenset({None, 0, 1, 2, 3})


class CarryingBody(msgspec.Struct, kw_only=True, rename="camel"):
    """Whatever may carry take profit and stop loss."""

    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    loss_trend: int | None = None
    profit_trend: int | None = None
    price_protect: int | None = None

    def check_words(self, *, wrong_trend: int) -> None:
        """Also where there is no price that they could be about."""
        if self.price_protect not in _YES_OR_NO:
            raise Refused(600)
        if not {self.loss_trend, self.profit_trend} <= _TRENDS:
            raise Refused(wrong_trend)

    def attached(self) -> dict[str, Decimal | int]:
        """Stop loss and take profit as they travel with the order."""
        self.check_words(wrong_trend=3001)
        attached: dict[str, Decimal | int] = {}
        for name in ("stop_loss_price", "take_profit_price"):
            price = getattr(self, name)
            # Zero is how some clients say none.
            if price is not None and sane(price):
                attached[_CAMEL[name]] = _positive(price)
        if attached:
            attached["lossTrend"] = self.loss_trend or 1
            attached["profitTrend"] = self.profit_trend or 1
            attached["priceProtect"] = self.price_protect or 0
        return attached


class OrderBody(CarryingBody, kw_only=True, rename="camel"):
    symbol: str
    vol: Decimal
    side: int
    type: int
    open_type: int
    price: Decimal | None = None
    leverage: int | None = None
    external_oid: str | None = None
    position_mode: int | None = None
    reduce_only: bool | None = None
    position_id: int | None = None
    bbo_type_num: int | None = None
    stp_mode: int | None = None
    # Taken and without effect: the order's type and volume say what happens.
    flash_close: bool | None = None
    market_ceiling: bool | None = None


class ChangeBody(msgspec.Struct, kw_only=True, rename="camel"):
    order_id: int
    price: Decimal
    vol: Decimal


class ChaseBody(msgspec.Struct, rename="camel"):
    order_id: int


class LeverageBody(msgspec.Struct, kw_only=True, rename="camel"):
    leverage: int
    position_id: int | None = None
    symbol: str | None = None
    open_type: int | None = None
    position_type: int | None = None


class MarginBody(msgspec.Struct, kw_only=True, rename="camel"):
    position_id: int
    amount: Decimal
    # ADD or SUB.
    type: str


class AutoAddBody(msgspec.Struct, kw_only=True, rename="camel"):
    position_id: int
    is_enabled: bool


class ReverseBody(msgspec.Struct, kw_only=True, rename="camel"):
    symbol: str
    position_id: int
    vol: Decimal | None = None


class ModeBody(msgspec.Struct, rename="camel"):
    position_mode: int


class SymbolBody(msgspec.Struct):
    symbol: str | None = None


class ExternalBody(msgspec.Struct, rename="camel"):
    symbol: str
    external_oid: str


class _OrderIds(msgspec.Struct, rename="camel"):
    order_ids: list[int]


_CAMEL = {"stop_loss_price": "stopLossPrice", "take_profit_price": "takeProfitPrice"}


def decoded(body: bytes, kind: type[T]) -> T:
    """The body as `kind`, or `Refused`: 601 for what is no JSON, 600 for a wrong field."""
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except msgspec.ValidationError:
        raise Refused(600) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(601) from None


def order_body(body: bytes) -> OrderBody:
    order = decoded(body, OrderBody)
    sane(order.vol)
    order.price = sane(order.price) if order.price is not None else ZERO
    order.check_words(wrong_trend=600)
    return order


def order_bodies(body: bytes) -> list[bytes]:
    """The orders of a batch, each still as it came: one that is wrong does not spoil the rest."""
    items = decoded(body, list[msgspec.Raw])
    if len(items) > MOST_AT_ONCE:
        raise Refused(2014, count=MOST_AT_ONCE)
    return [bytes(item) for item in items]


def change_body(body: bytes) -> ChangeBody:
    change = decoded(body, ChangeBody)
    sane(change.price)
    sane(change.vol)
    return change


def order_ids(body: bytes) -> list[int]:
    """Both forms that the venue documents: a bare list, and `{"orderIds": [...]}`."""
    if body.lstrip().startswith(b"{"):
        return _bounded(decoded(body, _OrderIds).order_ids, code=2013)
    return _bounded(decoded(body, list[int]), code=2013)


def external_ids(body: bytes, *, code: int = 2013) -> list[ExternalBody]:
    """A list, or the single object of the older documents; too many are refused with the code."""
    if body.lstrip().startswith(b"{"):
        return [decoded(body, ExternalBody)]
    return _bounded(decoded(body, list[ExternalBody]), code=code)


def _bounded(items: list[Any], *, code: int) -> list[Any]:
    if len(items) > MOST_AT_ONCE:
        raise Refused(code, count=MOST_AT_ONCE)
    return items


def _positive(price: Decimal) -> Decimal:
    if price < 0:
        raise Refused(2007)
    return price
