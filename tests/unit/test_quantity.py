"""Sizes by hand, against MEXC's own contract sizes."""

import pytest

from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import SizingMode
from libs.common.domain.quantity import (
    Sized,
    floor_to_step,
    of_quote,
    plain,
    split,
    to_contracts,
)
from tests.factories import D, make_instrument

BTC = make_instrument()
PEPE = make_instrument(
    symbol="PEPE_USDT", base="PEPE", contract_size=D(10_000_000), maximum_contracts=D(24_000)
)
BONK = make_instrument(symbol="1000BONK_USDT", base="1000BONK", contract_size=D(10_000))


def size(quantity, *, mode=SizingMode.BASE, per_unit=1, multiplier="1", instrument=BTC):
    return to_contracts(
        D(quantity),
        mode=mode,
        per_unit=D(per_unit),
        multiplier=D(multiplier),
        instrument=instrument,
    )


@pytest.mark.parametrize(
    ("quantity", "kwargs", "contracts"),
    [
        ("0.001", {}, 10),  # the guide's test alert
        ("0.0001", {}, 1),
        ("0.00019999", {}, 1),  # down, never up
        ("1", {}, 10_000),
        ("12.34567", {}, 123_456),
        ("0.001", {"multiplier": "2.5"}, 25),
        ("0.001", {"multiplier": "0.19"}, 1),
        ("25000000", {"instrument": PEPE}, 2),
        ("25000", {"instrument": PEPE, "per_unit": 1000}, 2),  # the chart counts 1000PEPE
        ("30000", {"instrument": BONK}, 3),
        ("7", {"mode": SizingMode.CONTRACTS}, 7),
        ("7.9", {"mode": SizingMode.CONTRACTS}, 7),
        ("7", {"mode": SizingMode.CONTRACTS, "multiplier": "0.5"}, 3),
    ],
)
def test_sizes(quantity, kwargs, contracts):
    sized = size(quantity, **kwargs)
    assert isinstance(sized, Sized), sized
    assert sized.contracts == contracts


def test_sizes_travel_without_an_exponent():
    sized = size("0.001")
    assert isinstance(sized, Sized)
    assert str(sized.contracts) == "10"


def test_a_step_wider_than_one():
    sized = size("0.0027", instrument=make_instrument(step_contracts=D(5)))
    assert isinstance(sized, Sized)
    assert sized.contracts == 25


def test_under_the_minimum_names_minimum_and_size():
    denial = size("0.00009")
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.BELOW_MINIMUM
    assert denial.message == (
        "0.00009 BTC / 0.0001 BTC per contract is 0.9 contracts; "
        "the minimum of BTC_USDT is 1, each of 0.0001 BTC"
    )
    assert denial.context["minimum_base"] == "0.0001"


def test_a_minimum_above_the_step():
    denial = size("0.0004", instrument=make_instrument(minimum_contracts=D(5)))
    assert isinstance(denial, Denial)


@pytest.mark.parametrize(
    ("contracts", "maximum", "step", "sizes"),
    [
        ("10", "10", "1", ["10"]),
        ("25", "10", "1", ["10", "10", "5"]),
        ("20", "10", "1", ["10", "10"]),
        ("25", "12", "5", ["10", "10", "5"]),  # the maximum itself is off step
        ("0", "10", "1", []),
    ],
)
def test_split(contracts, maximum, step, sizes):
    found = split(D(contracts), maximum=D(maximum), step=D(step))
    assert [plain(size) for size in found] == sizes


@pytest.mark.parametrize(
    ("contracts", "maximum", "minimum", "step", "sizes"),
    [
        ("21", "10", "3", "1", ["10", "8", "3"]),
        ("22", "10", "3", "1", ["10", "9", "3"]),
        ("23", "10", "3", "1", ["10", "10", "3"]),
        ("20", "10", "3", "1", ["10", "10"]),
        ("21", "10", "6", "1", ["9", "6", "6"]),  # one order alone cannot spare as much
        ("2.2", "1", "0.5", "0.1", ["1", "0.7", "0.5"]),
        ("2.2", "1", "0.55", "0.1", ["1", "0.6", "0.6"]),  # the minimum itself is off step
        ("11", "10", "6", "1", ["10", "1"]),  # no two orders of 6 to 10 make 11
        ("2", "10", "3", "1", ["2"]),
    ],
)
def test_a_split_leaves_no_rest_that_is_too_small(contracts, maximum, minimum, step, sizes):
    found = split(D(contracts), maximum=D(maximum), minimum=D(minimum), step=D(step))
    assert [plain(size) for size in found] == sizes
    assert sum(found) == D(contracts)


def test_a_value_in_the_quote_currency():
    found = of_quote(D(100), price=D(50_000), multiplier=D("1.5"), instrument=BTC)
    assert isinstance(found, Sized)
    assert found.contracts == 30
    assert found.step == (
        "100 USDT x 1.5 / price 50000 / 0.0001 BTC per contract is 30, "
        "down to the step 30 contracts"
    )
    floored = of_quote(D("9.99"), price=D(50_000), multiplier=D(1), instrument=BTC)
    assert isinstance(floored, Sized)
    assert floored.contracts == 1
    small = of_quote(D("4.99"), price=D(50_000), multiplier=D(1), instrument=BTC)
    assert isinstance(small, Denial)
    assert small.reason is Reason.BELOW_MINIMUM


def test_more_than_an_alerts_orders_hold_is_denied():
    instrument = make_instrument(maximum_contracts=D(10))
    largest = size("12960", mode=SizingMode.CONTRACTS, instrument=instrument)
    assert isinstance(largest, Sized)
    denial = size("12961", mode=SizingMode.CONTRACTS, instrument=instrument)
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.ABOVE_MAXIMUM
    assert "at most 10 in an order" in denial.message
    assert isinstance(size("1e20", instrument=make_instrument(maximum_contracts=D(0))), Denial)
    assert isinstance(size("1e15", instrument=make_instrument(maximum_contracts=D(0))), Sized)


def test_floor_to_step_on_a_fractional_step():
    assert floor_to_step(D("1.2999"), step=D("0.1")) == D("1.2")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("10", "10"),
        ("1E+2", "100"),
        ("100.00", "100"),
        ("0.500", "0.5"),
        ("1E-10", "0.0000000001"),
        ("0E+3", "0"),
    ],
)
def test_plain_numbers_have_no_exponent(value, text):
    assert plain(D(value)) == text
