"""MEXC's rows in the house's words, as pure functions.

They raise `ValueError` where MEXC's numbers mean nothing that we know; the client turns that into
an answer that could not be read.
"""

from decimal import Decimal

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.order import ExchangeCall, Holding
from libs.common.contracts.words import PositionMode, VenueSymbol
from libs.common.domain.leverages import SideLeverage
from libs.common.domain.picture import Prices
from services.executor.exchange import Found
from services.executor.mexc import errors, wire
from services.executor.mexc.numbers import (
    MARGIN_MODES,
    ORDER_STATES,
    POSITION_MODES,
    POSITION_TYPES,
    word_of,
)

_MODES_OF_POSITION = {number: mode for mode, number in POSITION_MODES.items()}
_POSITION_HELD = {1, 2}  # held by the user, held by the system; 3 is closed
_CONTRACT_ENABLED = 0


def to_found(order: wire.Order, *, call: ExchangeCall) -> Found:
    error_code = order.error_code or 0
    return Found(
        state=word_of(ORDER_STATES, order.state, "order state"),
        exchange_order_id=str(order.order_id),
        filled_contracts=order.deal_vol,
        average_price=order.deal_avg_price if order.deal_vol > 0 else None,
        fee=_sum(order.taker_fee, order.maker_fee),
        fee_currency=order.fee_currency or None,
        profit=order.profit,
        error_code=error_code,
        error_name=errors.order_error_name(error_code),
        error_cause=errors.order_error_cause(error_code),
        call=call,
    )


def to_holding(position: wire.Position) -> Holding | None:
    """None where nothing is held any more."""
    if position.state not in _POSITION_HELD or position.hold_vol <= 0:
        return None
    return Holding(
        side=word_of(POSITION_TYPES, position.position_type, "position type"),
        contracts=position.hold_vol,
        free_contracts=max(position.hold_vol - position.frozen_vol, Decimal(0)),
        average_price=position.hold_avg_price,
        margin_mode=word_of(MARGIN_MODES, position.open_type, "open type"),
        leverage=position.leverage,
        position_id=str(position.position_id),
    )


def to_side_leverage(row: wire.Leverage) -> SideLeverage:
    told = row.open_type
    return SideLeverage(
        side=word_of(POSITION_TYPES, row.position_type, "position type"),
        leverage=row.leverage,
        margin_mode=None if told is None else word_of(MARGIN_MODES, told, "open type"),
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


def to_prices(ticker: wire.Ticker) -> Prices:
    return Prices(last=ticker.last_price, mark=ticker.fair_price, index=ticker.index_price)


def to_position_mode(number: int) -> PositionMode:
    return word_of(_MODES_OF_POSITION, number, "position mode")


def _sum(*parts: Decimal | None) -> Decimal | None:
    told = [part for part in parts if part is not None]
    return sum(told, Decimal(0)) if told else None
