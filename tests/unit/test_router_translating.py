"""Prices of a chart in the exchange's terms, and how a coin's multiple rescales them."""

import pytest

from libs.common.contracts.intent import Offset, Protection
from libs.common.contracts.words import (
    Action,
    DistanceUnit,
    OrderType,
    SizingMode,
)
from tests.factories import D, make_settings
from tests.unit.router_desk import intent_of, sized

PROTECTIONS = [
    ({}, Protection()),
    (
        {"stop_price": D(49_000), "target_price": D(52_000)},
        Protection(stop=Offset(price=D(49_000)), target=Offset(price=D(52_000))),
    ),
    (
        {"stop_price": D(49_000), "stop_distance": D(100), "target_distance": D(200)},
        Protection(
            stop=Offset(price=D(49_000)),
            target=Offset(distance=D(200), unit=DistanceUnit.TICKS),
        ),
    ),
    (
        {"stop_distance": D(1), "distance_unit": DistanceUnit.PERCENT},
        Protection(stop=Offset(distance=D(1), unit=DistanceUnit.PERCENT)),
    ),
    ({"trailing_ticks": D(50)}, Protection(trailing_ticks=D(50))),
]


@pytest.mark.parametrize("action", [Action.BUY, Action.MODIFY, Action.REVERSE])
@pytest.mark.parametrize(("prices", "protection"), PROTECTIONS)
def test_protective_prices(action, prices, protection):
    """An absolute price wins over a distance; the unit is the alert's, else the route's."""
    route = make_settings(sltp_unit=DistanceUnit.TICKS)
    assert intent_of(action=action, route=route, **prices).protection == protection


def test_a_chart_of_a_thousand_coins():
    """1 of 1000PEPEUSDT.P at 0.012 is 1000 PEPE at 0.000012; ticks and percent stay."""
    intent = intent_of(
        ticker="BINANCE:1000PEPEUSDT.P",
        quantity=D(25_000),
        order_type=OrderType.LIMIT,
        price=D("0.012"),
        stop_distance=D("0.001"),
        distance_unit=DistanceUnit.PRICE,
        target_price=D("0.015"),
        trailing_ticks=D(50),
    )
    assert (intent.symbol, intent.contracts, intent.price) == ("PEPE_USDT", 2, D("0.000012"))
    assert intent.protection == Protection(
        stop=Offset(distance=D("0.000001")),
        target=Offset(price=D("0.000015")),
        trailing_ticks=D(50),
    )
    assert intent.steps == (
        (
            "ticker BINANCE:1000PEPEUSDT.P is PEPE_USDT by its coin: "
            "1 of the chart's unit is 1000 PEPE"
        ),
        "price 0.012 / 1000 per unit is 0.000012",
        "stop distance 0.001 / 1000 per unit is 0.000001",
        "target price 0.015 / 1000 per unit is 0.000015",
        (
            "25000 PEPE x 1000 per unit / 10000000 PEPE per contract is 2.5, "
            "down to the step 2 contracts"
        ),
        "guards passed: 0.0 s old of 30",
    )


@pytest.mark.parametrize("unit", [DistanceUnit.TICKS, DistanceUnit.PERCENT])
def test_ticks_and_percent_are_those_of_the_exchange(unit):
    intent = intent_of(
        ticker="BONKUSDT", quantity=D(10_000_000), stop_distance=D(5), distance_unit=unit
    )
    assert intent.contracts == 1
    assert intent.protection.stop == Offset(distance=D(5), unit=unit)


def test_a_chart_of_single_coins():
    intent = intent_of(ticker="BONKUSDT", quantity=D(10_000_000), price=D("0.00002"))
    assert (intent.symbol, intent.contracts, intent.price) == ("1000BONK_USDT", 1, D("0.02"))


def test_a_value_is_bought_at_the_exchanges_price():
    intent = intent_of(
        ticker="1000PEPEUSDT.P",
        price=D("0.012"),
        quantity=D(500),
        route=sized(SizingMode.QUOTE),
    )
    assert intent.contracts == 4, "500 / (0.000012 x 10,000,000)"
