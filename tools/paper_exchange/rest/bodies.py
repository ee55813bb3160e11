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

MOST_CANCELED_AT_ONCE = 50


class OrderBody(msgspec.Struct, kw_only=True, rename="camel"):
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
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    loss_trend: int | None = None
    profit_trend: int | None = None
    price_protect: int | None = None

    def attached(self) -> dict[str, Decimal | int]:
        """Stop loss and take profit as they travel with the order."""
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


class LeverageBody(msgspec.Struct, kw_only=True, rename="camel"):
    leverage: int
    position_id: int | None = None
    symbol: str | None = None
    open_type: int | None = None
    position_type: int | None = None


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
    return order


def order_ids(body: bytes) -> list[int]:
    """Both forms that the venue documents: a bare list, and `{"orderIds": [...]}`."""
    if body.lstrip().startswith(b"{"):
        return _bounded(decoded(body, _OrderIds).order_ids)
    return _bounded(decoded(body, list[int]))


def external_ids(body: bytes) -> list[ExternalBody]:
    """A list, or the single object of the older documents."""
    if body.lstrip().startswith(b"{"):
        return [decoded(body, ExternalBody)]
    return _bounded(decoded(body, list[ExternalBody]))


def _bounded(items: list[Any]) -> list[Any]:
    if len(items) > MOST_CANCELED_AT_ONCE:
        raise Refused(600)
    return items


def _positive(price: Decimal) -> Decimal:
    if price < 0:
        raise Refused(2007)
    return price
