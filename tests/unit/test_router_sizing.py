"""How much an alert asks for, by the route's sizing mode: settled, or left to the executor."""

import pytest

from libs.common.contracts.intent import Size
from libs.common.contracts.route import RouteAccount, Sizing
from libs.common.contracts.words import (
    SizingMode,
)
from tests.factories import D, make_settings
from tests.unit.router_desk import intent_of, sized

SIZES = [
    # mode, route's value, the alert's quantity, its percent, its price -> contracts or size
    (SizingMode.BASE, None, "0.001", None, None, 10),
    (SizingMode.CONTRACTS, None, "7", None, None, 7),
    (SizingMode.FIXED, "0.002", "5", None, None, 20),
    (SizingMode.FIXED, "0.002", None, None, None, 20),
    (SizingMode.FIXED, None, "0.001", None, None, 10),
    (SizingMode.QUOTE, None, "100", None, "50000", 20),
    (SizingMode.QUOTE, "100", None, None, "50000", 20),
    (SizingMode.QUOTE, "100", "50", None, "50000", 10),
    (SizingMode.QUOTE, None, "100", None, None, Size(mode=SizingMode.QUOTE, value=D(100))),
    *(
        (mode, value, quantity, percent, price, Size(mode=mode, value=D(settled)))
        for mode in (
            SizingMode.PERCENT_EQUITY,
            SizingMode.PERCENT_POSITION,
            SizingMode.RISK_PERCENT,
        )
        for value, quantity, percent, price, settled in (
            (None, "5", None, None, 5),
            (None, None, "6", "50000", 6),
            ("7", None, None, None, 7),
            ("7", "5", None, None, 5),
            ("7", None, "6", None, 6),
        )
    ),
]


@pytest.mark.parametrize(("mode", "value", "quantity", "percent", "price", "settled"), SIZES)
def test_sizes(mode, value, quantity, percent, price, settled):
    intent = intent_of(
        route=sized(mode, value),
        quantity=None if quantity is None else D(quantity),
        quantity_percent=None if percent is None else D(percent),
        price=None if price is None else D(price),
    )
    assert settled == (intent.size if intent.contracts is None else intent.contracts)
    assert (intent.contracts is None) != (intent.size is None)


@pytest.mark.parametrize(
    ("mode", "multiplier"),
    [
        (SizingMode.PERCENT_EQUITY, 6),
        (SizingMode.RISK_PERCENT, 6),
        (SizingMode.QUOTE, 6),
        (SizingMode.PERCENT_POSITION, 1),
    ],
)
def test_multipliers_of_sizes_that_are_settled_later(mode, multiplier):
    """A part of what is held is that part, whatever the account's multiplier."""
    intent = intent_of(
        route=make_settings(sizing=Sizing(mode=mode, value=D(10), multiplier=D(2))),
        account=RouteAccount(account="paper", multiplier=D(3)),
        quantity=None,
    )
    assert intent.size == Size(mode=mode, value=D(10), multiplier=D(multiplier))
    assert intent.steps[1] == (
        f"size {mode.value} 10{' x 6' if multiplier == 6 else ''}, settled against the account"
    )
