"""Sizes that the live picture settles, counted by hand.

A contract is 0.0001 BTC. At 50000 USDT it is worth 5 USDT, so 1000 USDT are 200 contracts.
"""

import pytest

from libs.common.contracts.intent import Limits, Offset, Protection, Size
from libs.common.contracts.words import SizingMode, TradeMode
from tests.factories import D, make_instrument
from tests.unit.domain.notation import answer, denial, picture, plan, signal

STOP = Protection(stop=Offset(price=D(49_500)))


def sized(mode: str, value: str, multiplier: str = "1") -> Size:
    return Size(mode=SizingMode(mode), value=D(value), multiplier=D(multiplier))


def rich(holdings="none", **changes):
    return picture(holdings, **{"equity": D(10_000), **changes})


VALUES = [
    # 10000 x 10 % = 1000 USDT / 5 = 200
    (sized("percent_equity", "10"), "open long 200"),
    (sized("percent_equity", "10", "2.5"), "open long 500"),
    # No leverage in it: 100 % is 10000 USDT / 5, whatever the leverage of 10.
    (sized("percent_equity", "100"), "open long 2000"),
    # 10000 x 0.08 % = 8 USDT / 5 = 1.6, down
    (sized("percent_equity", "0.08"), "open long 1"),
    (sized("percent_equity", "0.04"), "denied below_minimum"),
    (sized("quote", "1000"), "open long 200"),
    (sized("quote", "1004.99"), "open long 200"),
    (sized("quote", "1000", "0.5"), "open long 100"),
    (sized("quote", "4.99"), "denied below_minimum"),
]


@pytest.mark.parametrize(("size", "expected"), VALUES)
def test_values_at_the_exchanges_price(size, expected):
    assert answer(signal("buy", size=size), rich()) == expected


def test_a_value_counts_at_the_alerts_price_where_it_has_one():
    """1000 USDT at 40000 are 250 contracts of 4 USDT."""
    assert answer(signal("buy", size=sized("quote", "1000"), price=D(40_000)), rich()) == (
        "open long 250"
    )


RISKS = [
    # 10000 x 1 % = 100 USDT; the stop is 500 away, so a contract risks 0.05 USDT: 2000
    ("buy", sized("risk_percent", "1"), STOP, "open long 2000"),
    ("buy", sized("risk_percent", "1", "0.5"), STOP, "open long 1000"),
    ("buy", sized("risk_percent", "0.333"), STOP, "open long 666"),
    # A short is stopped above: 51000 is 1000 away, 0.1 USDT a contract.
    (
        *("sell", sized("risk_percent", "1")),
        *(Protection(stop=Offset(price=D(51_000))), "open short 1000"),
    ),
    # A distance of 500 does the same as its price.
    (
        *("buy", sized("risk_percent", "1")),
        *(Protection(stop=Offset(distance=D(500))), "open long 2000"),
    ),
    ("buy", sized("risk_percent", "1"), Protection(), "denied stop_missing"),
    (
        *("buy", sized("risk_percent", "1")),
        *(Protection(target=Offset(price=D(51_000))), "denied stop_missing"),
    ),
    (
        *("buy", sized("risk_percent", "1")),
        *(Protection(stop=Offset(price=D(50_500))), "denied protection_wrong_side"),
    ),
]


@pytest.mark.parametrize(("said", "size", "protection", "expected"), RISKS)
def test_risk_counts_from_the_stop(said, size, protection, expected):
    assert answer(signal(said, size=size, protection=protection), rich()) == expected


def test_risk_counts_from_the_stop_as_it_will_be_placed():
    """A stop of 49499.93 goes up to 49500: 500 away, not 500.07."""
    protection = Protection(stop=Offset(price=D("49499.93")))
    intent = signal("buy", size=sized("risk_percent", "1"), protection=protection)
    assert answer(intent, rich()) == "open long 2000"


OF_POSITION = [
    # mode, held, signal, percent, legs
    ("netting", "long 10", "sell", "50", "close long 5"),
    ("netting", "long 10", "sell", "100", "close long 10"),
    ("netting", "long 10", "sell", "150", "close long 10, open short 5"),
    ("netting", "long 10", "buy", "50", "open long 5"),
    ("netting", "long 10, short 4", "buy", "50", "close short 2"),
    ("netting", "long 7", "sell", "50", "close long 3"),
    ("netting", "long 1", "sell", "50", "denied below_minimum"),
    ("netting", "none", "buy", "50", "denied nothing_held"),
    ("opposite", "long 10", "sell", "50", "close long 10, open short 5"),
    ("reverse", "long 10", "sell", "50", "close long 10"),
    ("reverse", "long 10", "buy", "50", "open long 5"),
    ("hedge", "long 10", "sell", "50", "open short 5"),
    ("netting", "long 10", "reverse", "50", "close long 10, open short 5"),
    ("netting", "long 10", "reverse", "100", "close long 10, open short 10"),
]


@pytest.mark.parametrize(("mode", "holdings", "said", "percent", "expected"), OF_POSITION)
def test_percent_of_what_is_held(mode, holdings, said, percent, expected):
    size = sized("percent_position", percent)
    assert answer(signal(said, size=size, trade_mode=TradeMode(mode)), rich(holdings)) == expected


def test_a_part_of_a_position_is_not_multiplied():
    """Half is half, whatever the route's and the account's multipliers are."""
    size = sized("percent_position", "50", "3")
    assert answer(signal("sell", size=size), rich("long 10")) == "close long 5"


WITHOUT_SIZE = [
    # What closes needs no size under these modes; what opens does.
    ("netting", "long 3", "sell", "denied stop_missing"),
    ("opposite", "long 3", "sell", "close long 3, withheld stop_missing"),
    ("reverse", "long 3", "sell", "close long 3"),
    ("reverse", "long 3", "buy", "denied stop_missing"),
    ("hedge", "long 3", "sell", "denied stop_missing"),
    ("target", "long 3", "target short", "close long 3, withheld stop_missing"),
    ("target", "long 3", "target long", "denied stop_missing"),
    ("target", "long 3", "target flat", "close long 3"),
    ("netting", "long 3", "reverse", "close long 3, withheld stop_missing"),
]


@pytest.mark.parametrize(("mode", "holdings", "said", "expected"), WITHOUT_SIZE)
def test_a_size_that_cannot_be_settled(mode, holdings, said, expected):
    intent = signal(said, size=sized("risk_percent", "1"), trade_mode=TradeMode(mode))
    assert answer(intent, rich(holdings)) == expected


def test_a_target_may_be_sized_by_the_route():
    """1000 USDT are 200 contracts: long 150 grows by 50, short 30 is closed first."""
    intent = signal("target long", size=sized("quote", "1000"))
    assert answer(intent, rich("long 150")) == "open long 50"
    assert answer(intent, rich("long 250")) == "close long 50"
    assert answer(intent, rich("short 30")) == "close short 30, open long 200"


def test_a_settled_size_keeps_to_the_routes_limits():
    intent = signal(
        "buy",
        size=sized("percent_equity", "10"),
        limits=Limits(max_order_notional=D("999.99")),
    )
    assert answer(intent, rich()) == "denied order_notional"


def test_a_step_larger_than_one_is_kept_to():
    """200 contracts by steps of 30 are 180."""
    intent = signal(
        "buy",
        size=sized("quote", "1000"),
        instrument=make_instrument(step_contracts=D(30), minimum_contracts=D(30)),
    )
    assert answer(intent, rich()) == "open long 180"


def test_the_plan_shows_how_it_counted():
    said = " ".join(plan(signal("buy", size=sized("percent_equity", "10", "2")), rich()).steps)
    for number in ("10 %", "10000", "x 2", "50000", "0.0001", "400"):
        assert number in said
    assert "4.99" in denial(signal("buy", size=sized("quote", "4.99")), rich()).message


def test_no_size_at_all_is_denied():
    assert answer(signal("buy"), rich()) == "denied size_missing"
