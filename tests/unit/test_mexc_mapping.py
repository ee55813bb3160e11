"""MEXC's rows become the house's words."""

from decimal import Decimal

import msgspec
import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import MarginMode, PositionSide
from libs.common.domain.leverages import SideLeverage
from services.executor.exchange import OrderState
from services.executor.mexc import mapping, wire
from tests.recorded import FOLDER, reply
from tests.unit.mexc_calls import make_call


def test_filled_order():
    order = wire.order(wire.envelope(reply("order_filled")).data)
    found = mapping.to_found(order, call=make_call())
    assert found.state is OrderState.FILLED
    assert found.exchange_order_id == "739106551624717312"
    assert found.filled_contracts == 5
    assert found.average_price == Decimal("109777.5")
    assert found.fee == 0
    assert found.fee_currency == "USDT"
    assert (found.error_code, found.error_name) == (0, "NORMAL")


def make_order(**overrides):
    return wire.Order(**{"order_id": 1, "state": 3, "deal_vol": Decimal(5), **overrides})


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (1, OrderState.PENDING),
        (2, OrderState.OPEN),
        (3, OrderState.FILLED),
        (4, OrderState.CANCELED),
        (5, OrderState.INVALID),
    ],
)
def test_every_order_state(number, state):
    assert mapping.to_found(make_order(state=number), call=make_call()).state is state


def test_fee_is_what_taker_and_maker_paid():
    order = make_order(taker_fee=Decimal("0.1125"), maker_fee=Decimal("0.09"))
    assert mapping.to_found(order, call=make_call()).fee == Decimal("0.2025")


def test_fee_that_is_not_told_is_not_zero():
    assert mapping.to_found(make_order(), call=make_call()).fee is None


def test_order_that_filled_nothing_has_no_average_price():
    order = make_order(state=5, deal_vol=Decimal(0), deal_avg_price=Decimal(0), error_code=23)
    found = mapping.to_found(order, call=make_call())
    assert found.average_price is None
    assert (found.error_code, found.error_name) == (23, "CID_DUPLICATE")
    assert found.error_cause is Cause.CLIENT_ID


def test_undocumented_order_state_is_an_error():
    with pytest.raises(ValueError, match="order state 9"):
        mapping.to_found(make_order(state=9), call=make_call())


def make_position(**overrides):
    fields = {
        "position_id": 1109973831,
        "symbol": "BTC_USDT",
        "position_type": 1,
        "open_type": 1,
        "state": 1,
        "hold_vol": Decimal(5),
        "frozen_vol": Decimal(2),
        "hold_avg_price": Decimal("109777.5"),
        "leverage": 2,
    }
    return wire.Position(**{**fields, **overrides})


def test_position_becomes_holding():
    holding = mapping.to_holding(make_position())
    assert holding is not None
    assert holding.side is PositionSide.LONG
    assert (holding.contracts, holding.free_contracts) == (Decimal(5), Decimal(3))
    assert holding.margin_mode is MarginMode.ISOLATED
    assert holding.position_id == "1109973831"


def test_position_type_and_open_type_two_are_short_and_cross():
    holding = mapping.to_holding(make_position(position_type=2, open_type=2))
    assert holding is not None
    assert (holding.side, holding.margin_mode) == (PositionSide.SHORT, MarginMode.CROSS)


@pytest.mark.parametrize("state", [1, 2])
def test_position_held_by_user_or_system_counts(state):
    assert mapping.to_holding(make_position(state=state)) is not None


@pytest.mark.parametrize("overrides", [{"state": 3}, {"hold_vol": Decimal(0)}])
def test_closed_or_empty_position_holds_nothing(overrides):
    assert mapping.to_holding(make_position(**overrides)) is None


@pytest.mark.parametrize("overrides", [{"position_type": 3}, {"open_type": 7}])
def test_undocumented_position_numbers_are_errors(overrides):
    with pytest.raises(ValueError, match="not documented"):
        mapping.to_holding(make_position(**overrides))


def contract(symbol, **changes):
    detail = msgspec.json.decode((FOLDER / "contract_detail.json").read_bytes())
    row = next(row for row in detail["data"] if row["symbol"] == symbol)
    return wire.row(msgspec.Raw(msgspec.json.encode({**row, **changes})), wire.ContractDetail)


def test_contract_becomes_instrument():
    instrument = mapping.to_instrument(contract("1000BONK_USDT"))
    assert instrument.symbol == "1000BONK_USDT"
    assert (instrument.base, instrument.quote) == ("1000BONK", "USDT")
    assert instrument.contract_size == 10_000
    assert instrument.maximum_contracts == 2_200
    assert instrument.tick_price == Decimal("0.000001")
    assert instrument.leverage_maximum == 125
    assert instrument.tradable


def test_cap_of_the_country_lowers_the_leverage():
    capped = contract("BTC_USDT", countryConfigContractMaxLeverage=20)
    assert mapping.to_instrument(capped).leverage_maximum == 20


@pytest.mark.parametrize(
    ("symbol", "changes"),
    [("EMBER_USDT", {}), ("BTC_USDT", {"state": 4}), ("BTC_USDT", {"apiAllowed": False})],
)
def test_closed_to_the_api_or_paused_is_not_tradable(symbol, changes):
    assert not mapping.to_instrument(contract(symbol, **changes)).tradable


def test_ticker_becomes_prices():
    ticker = wire.row(
        msgspec.Raw(
            b'{"symbol":"BTC_USDT","lastPrice":1e-10,"fairPrice":"0.2","indexPrice":0.3,"bid1":1}'
        ),
        wire.Ticker,
    )
    prices = mapping.to_prices(ticker)
    assert (prices.last, prices.mark, prices.index) == (
        Decimal("1e-10"),
        Decimal("0.2"),
        Decimal("0.3"),
    )


@pytest.mark.parametrize(
    ("row", "mode"),
    [
        (b'{"positionType":1,"openType":2,"leverage":20}', MarginMode.CROSS),
        (b'{"positionType":1,"openType":1,"leverage":20}', MarginMode.ISOLATED),
        (b'{"positionType":1,"leverage":20}', None),
    ],
)
def test_what_a_side_is_set_to(row, mode):
    told = mapping.to_side_leverage(wire.row(msgspec.Raw(row), wire.Leverage))
    assert told == SideLeverage(side=PositionSide.LONG, leverage=20, margin_mode=mode)


@pytest.mark.parametrize(
    "row",
    [
        b'{"positionType":3,"openType":2,"leverage":20}',
        b'{"positionType":1,"openType":3,"leverage":20}',
        b'{"positionType":1,"openType":1,"leverage":null}',
    ],
)
def test_a_side_that_cannot_be_read_is_not_guessed(row):
    with pytest.raises(ValueError, match=r"documented|int"):
        mapping.to_side_leverage(wire.row(msgspec.Raw(row), wire.Leverage))
