"""Sizes by hand, against MEXC's own contract sizes."""

import pytest

from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import SizingMode
from libs.common.domain.quantity import Sized, floor_to_step, plain, split, to_contracts
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
        "the minimum of BTC_USDT is 1 contracts of 0.0001 BTC"
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
