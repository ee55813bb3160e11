"""MEXC's replies as they arrive, with MEXC's names and numbers. Only fields that are used are
named; whatever else comes is ignored, so that a new field breaks nothing.

Decimals are decoded from the text of the number, exactly. Ids come as strings or as numbers above
2^53 and become strings. Numbers may come as strings.
"""

from decimal import Decimal
from typing import TypeVar

import msgspec

from libs.common.contracts.messages import guard

Row = TypeVar("Row", bound=msgspec.Struct)

NOTHING = msgspec.Raw(b"null")
_EMPTY = {b"null", b"", b'""', b"{}", b"[]"}


class Envelope(msgspec.Struct, frozen=True):
    success: bool
    code: int
    data: msgspec.Raw = NOTHING
    message: str | None = None

    @property
    def has_data(self) -> bool:
        return bytes(self.data) not in _EMPTY


class _Row(msgspec.Struct, frozen=True, rename="camel"):
    def __post_init__(self) -> None:
        # Text such as "NaN" or "1e400" decodes into a Decimal, and breaks whoever compares it.
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal):
                guard(name, value)


class Created(msgspec.Struct, frozen=True, rename="camel"):
    order_id: str | int


class Order(_Row, frozen=True, rename="camel"):
    order_id: str | int
    state: int
    deal_vol: Decimal
    external_oid: str | None = None
    deal_avg_price: Decimal | None = None
    taker_fee: Decimal | None = None
    maker_fee: Decimal | None = None
    fee_currency: str | None = None
    profit: Decimal | None = None
    error_code: int | None = None


class PushedOrder(Order, frozen=True, kw_only=True, rename="camel"):
    symbol: str


class Position(_Row, frozen=True, rename="camel"):
    position_id: str | int
    symbol: str
    position_type: int
    open_type: int
    state: int
    hold_vol: Decimal
    hold_avg_price: Decimal
    leverage: int
    frozen_vol: Decimal = Decimal(0)
    version: int | None = None


class OpenOrder(_Row, frozen=True, rename="camel"):
    """An order in the book."""

    order_id: str | int
    symbol: str
    side: int
    vol: Decimal
    price: Decimal
    create_time: int
    deal_vol: Decimal = Decimal(0)
    external_oid: str | None = None
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None


class Plan(_Row, frozen=True, rename="camel"):
    """A trigger order, while it waits and afterwards."""

    id: str | int
    symbol: str
    side: int
    vol: Decimal
    trigger_price: Decimal
    trigger_type: int
    order_type: int
    state: int
    create_time: int
    order_id: str | int | None = None
    """Of the order that it made; empty, 0 or absent while there is none."""
    error_code: int | None = None
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None


class Stop(_Row, frozen=True, rename="camel"):
    """Take profit and stop loss of a position."""

    id: str | int
    symbol: str
    position_id: str | int
    position_type: int
    vol: Decimal
    state: int
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    vol_type: int | None = None


class Track(_Row, frozen=True, rename="camel"):
    """A trailing order."""

    id: str | int
    symbol: str
    side: int
    vol: Decimal
    back_type: int
    back_value: Decimal
    state: int
    create_time: int
    active_price: Decimal | None = None
    mark_price: Decimal | None = None
    """The extreme since it runs."""


class CanceledItem(msgspec.Struct, frozen=True, rename="camel"):
    """What became of one id of order/cancel."""

    order_id: str | int
    error_code: int
    error_msg: str | None = None


class Ticker(_Row, frozen=True, rename="camel"):
    symbol: str
    last_price: Decimal
    fair_price: Decimal
    index_price: Decimal


class FairPrice(_Row, frozen=True, rename="camel"):
    symbol: str
    fair_price: Decimal


class Leverage(_Row, frozen=True, rename="camel"):
    """What one side of a contract is set to."""

    position_type: int
    leverage: int
    open_type: int | None = None
    """Missing in one published sample."""


class Asset(_Row, frozen=True, rename="camel"):
    currency: str
    equity: Decimal
    """What it is worth, with the profit that is not realised."""
    available_balance: Decimal = Decimal(0)


class ContractDetail(_Row, frozen=True, rename="camel"):
    symbol: str
    base_coin: str
    quote_coin: str
    contract_size: Decimal
    vol_unit: Decimal
    min_vol: Decimal
    max_vol: Decimal
    price_unit: Decimal
    max_leverage: int
    state: int
    country_config_contract_max_leverage: int = 0
    """The cap of the caller's country; 0 is none."""
    api_allowed: bool = False


class KeyInfo(msgspec.Struct, frozen=True, rename="camel"):
    """Of the spot side; there is no envelope around it."""

    permissions: str | list[str]
    remaining_validity: int | None = None
    ip_white_list: str | list[str] | None = None
    status: str | None = None


class SpotRefusal(msgspec.Struct, frozen=True):
    code: int
    msg: str = ""


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    result_list: list[msgspec.Raw]


class _Made(msgspec.Struct, frozen=True):
    id: str | int


class _PositionMode(msgspec.Struct, frozen=True, rename="camel"):
    position_mode: int


_envelope = msgspec.json.Decoder(Envelope)
_created = msgspec.json.Decoder(str | int | Created, strict=False)
_made = msgspec.json.Decoder(str | int | _Made, strict=False)
_order = msgspec.json.Decoder(Order, strict=False)
_time = msgspec.json.Decoder(int, strict=False)
_mode = msgspec.json.Decoder(int | _PositionMode, strict=False)
_key_info = msgspec.json.Decoder(KeyInfo, strict=False)
_spot_refusal = msgspec.json.Decoder(SpotRefusal, strict=False)
_list = msgspec.json.Decoder(list[msgspec.Raw] | _Page | None)


def envelope(body: bytes) -> Envelope:
    """Raises `msgspec.DecodeError` for what is not an answer of the API, an HTML page for one."""
    return _envelope.decode(body)


def created_order_id(data: msgspec.Raw) -> str:
    """From `{"orderId": …}`, or from the bare id of order/submit. Raises `ValueError`, also
    for an id that is empty or 0: nothing could ever be found by it.
    """
    created = _created.decode(data)
    order_id = str(created.order_id if isinstance(created, Created) else created)
    if not order_id.strip("0"):
        raise msgspec.ValidationError(f"the order id is {order_id!r}")
    return order_id


def made_id(data: msgspec.Raw) -> str | None:
    """Of a stop or a trailing order, bare as documented. None where the answer has none: published
    answers are copies of other endpoints', and what was asked is done all the same.
    """
    try:
        made = _made.decode(data)
    except ValueError:
        return None
    return str(made.id if isinstance(made, _Made) else made) or None


def order(data: msgspec.Raw) -> Order:
    return _order.decode(data)


def time_ms(data: msgspec.Raw) -> int:
    return _time.decode(data)


def position_mode(data: msgspec.Raw) -> int:
    """From a bare number, or from `{"positionMode": n}`."""
    mode = _mode.decode(data)
    return mode if isinstance(mode, int) else mode.position_mode


def key_info(body: bytes) -> KeyInfo:
    """Raises `msgspec.DecodeError` for what tells nothing about a key."""
    return _key_info.decode(body)


def spot_refusal(body: bytes) -> SpotRefusal:
    return _spot_refusal.decode(body)


def rows(data: msgspec.Raw) -> list[msgspec.Raw]:
    """The rows of a list, of a page `{"resultList": …}`, or none at all."""
    found = _list.decode(data)
    if found is None:
        return []
    return found.result_list if isinstance(found, _Page) else found


def row(data: msgspec.Raw, kind: type[Row]) -> Row:
    return msgspec.json.decode(data, type=kind, strict=False)
