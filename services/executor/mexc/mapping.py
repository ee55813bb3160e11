"""Between the house's words and MEXC's numbers, in both directions, as pure functions.

They raise `ValueError` where MEXC's numbers mean nothing that we know; the client turns that into
an answer that could not be read.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

import msgspec

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.order import ExchangeCall, Holding, Leg
from libs.common.contracts.words import (
    Effect,
    MarginMode,
    PositionMode,
    PositionSide,
    VenueSymbol,
)
from libs.common.domain.quantity import plain
from services.executor.exchange import Found, OrderState
from services.executor.mexc import errors, wire

Word = TypeVar("Word")

SIDES: Mapping[tuple[Effect, PositionSide], int] = MappingProxyType(
    {
        (Effect.OPEN, PositionSide.LONG): 1,
        (Effect.CLOSE, PositionSide.SHORT): 2,
        (Effect.OPEN, PositionSide.SHORT): 3,
        (Effect.CLOSE, PositionSide.LONG): 4,
    }
)
"""MEXC's `side`: what is done to which position, not whether something is bought or sold."""

OPEN_TYPES: Mapping[MarginMode, int] = MappingProxyType(
    {MarginMode.ISOLATED: 1, MarginMode.CROSS: 2}
)
POSITION_MODES: Mapping[PositionMode, int] = MappingProxyType(
    {PositionMode.HEDGE: 1, PositionMode.ONE_WAY: 2}
)
POSITION_TYPES: Mapping[int, PositionSide] = MappingProxyType(
    {1: PositionSide.LONG, 2: PositionSide.SHORT}
)
ORDER_STATES: Mapping[int, OrderState] = MappingProxyType(
    {
        1: OrderState.PENDING,
        2: OrderState.OPEN,
        3: OrderState.FILLED,
        4: OrderState.CANCELED,
        5: OrderState.INVALID,
    }
)

_MARGIN_MODES = {number: mode for mode, number in OPEN_TYPES.items()}
_MODES_OF_POSITION = {number: mode for mode, number in POSITION_MODES.items()}
_MARKET_ORDER = 5
_POSITION_HELD = {1, 2}  # held by the user, held by the system; 3 is closed
_CONTRACT_ENABLED = 0


def order_body(leg: Leg, *, symbol: VenueSymbol) -> str:
    """The body of order/create, byte for byte as it is signed and sent."""
    fields: dict[str, object] = {
        "symbol": symbol,
        # The field table demands a price; market orders are known to pass with 0.
        "price": 0,
        # Plain digits: whether MEXC reads 1e-7 is unknown.
        "vol": msgspec.Raw(plain(leg.contracts).encode()),
        "side": SIDES[leg.effect, leg.position_side],
        "type": _MARKET_ORDER,
        "openType": OPEN_TYPES[leg.margin_mode],
        # Always sent: its default is the account's setting in one document, hedge in another.
        "positionMode": POSITION_MODES[leg.position_mode],
        "externalOid": leg.client_order_id,
    }
    if leg.effect is Effect.OPEN:
        fields["leverage"] = leg.leverage
    else:
        if leg.position_id is not None:
            fields["positionId"] = _number_or_text(leg.position_id)
        if leg.position_mode is PositionMode.ONE_WAY:
            # Only this mode has the field; in hedge mode sides 2 and 4 can do nothing but close.
            fields["reduceOnly"] = True
    return msgspec.json.encode(fields).decode()


def to_found(order: wire.Order, *, call: ExchangeCall) -> Found:
    error_code = order.error_code or 0
    return Found(
        state=_word(ORDER_STATES, order.state, "order state"),
        exchange_order_id=str(order.order_id),
        filled_contracts=order.deal_vol,
        average_price=order.deal_avg_price if order.deal_vol > 0 else None,
        fee=_sum(order.taker_fee, order.maker_fee),
        fee_currency=order.fee_currency or None,
        profit=order.profit,
        error_code=error_code,
        error_name=errors.order_error_name(error_code),
        call=call,
    )


def to_holding(position: wire.Position) -> Holding | None:
    """None where nothing is held any more."""
    if position.state not in _POSITION_HELD or position.hold_vol <= 0:
        return None
    return Holding(
        side=_word(POSITION_TYPES, position.position_type, "position type"),
        contracts=position.hold_vol,
        free_contracts=max(position.hold_vol - position.frozen_vol, Decimal(0)),
        average_price=position.hold_avg_price,
        margin_mode=_word(_MARGIN_MODES, position.open_type, "open type"),
        leverage=position.leverage,
        position_id=str(position.position_id),
    )


def to_instrument(contract: wire.ContractDetail) -> Instrument:
    country_cap = contract.country_config_contract_max_leverage
    return Instrument(
        symbol=VenueSymbol(contract.symbol),
        base=contract.base_coin,
        quote=contract.quote_coin,
        contract_size=contract.contract_size,
        step_contracts=contract.vol_unit,
        minimum_contracts=contract.min_vol,
        maximum_contracts=contract.max_vol,
        tick_price=contract.price_unit,
        leverage_maximum=min(contract.max_leverage, country_cap or contract.max_leverage),
        tradable=contract.state == _CONTRACT_ENABLED and contract.api_allowed,
    )


def to_position_mode(number: int) -> PositionMode:
    return _word(_MODES_OF_POSITION, number, "position mode")


def _word(words: Mapping[int, Word], number: int, what: str) -> Word:
    if number not in words:
        raise ValueError(f"MEXC sent {what} {number}, which is not documented")
    return words[number]


def _sum(*parts: Decimal | None) -> Decimal | None:
    told = [part for part in parts if part is not None]
    return sum(told, Decimal(0)) if told else None


def _number_or_text(value: str) -> msgspec.Raw | str:
    # MEXC documents a number, and ids exceed what a float could carry.
    return msgspec.Raw(value.encode()) if value.isascii() and value.isdecimal() else value
