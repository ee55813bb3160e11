"""What a position has won at a price, by hand."""

import pytest

from libs.common.contracts.words import PositionSide
from libs.common.domain.profit import base_quantity, is_linear, unrealised_profit
from tests.factories import D, make_instrument

SIZES = [
    # side, contracts, contract size, average, mark, won
    ("long", "10", "0.0001", "50000", "51000", "1"),
    ("long", "10", "0.0001", "50000", "49000", "-1"),
    ("short", "10", "0.0001", "50000", "51000", "-1"),
    ("short", "10", "0.0001", "50000", "49000", "1"),
    ("long", "10", "0.0001", "50000", "50000", "0"),
    ("long", "3", "0.01", "3000.5", "3000.6", "0.003"),
    ("short", "24000", "10000000", "0.0000085431", "0.0000085430", "24"),
    ("long", "1", "10000", "0.000021", "0.000022", "0.01"),
    ("long", "0.5", "1", "10", "12", "1"),
    ("long", "3", "0.0001", "0.3333333333333333333", "0.3333333333333333334", "0"),
    ("short", "3", "0.0001", "50000.3333333333333333", "50000", "0.000100000000"),
]


@pytest.mark.parametrize(
    ("side", "contracts", "size", "average", "mark", "won"), SIZES, ids=range(len(SIZES))
)
def test_it_is_the_base_quantity_by_the_difference(side, contracts, size, average, mark, won):
    found = unrealised_profit(
        PositionSide(side),
        D(contracts),
        average_price=D(average),
        mark_price=D(mark),
        instrument=make_instrument(contract_size=D(size)),
    )
    assert found == D(won), "to the last digit"


def test_contracts_are_so_many_base_units():
    assert base_quantity(D(24), instrument=make_instrument(contract_size=D("0.0001"))) == D(
        "0.0024"
    )


@pytest.mark.parametrize(
    ("quote", "linear"), [("USDT", True), ("USDC", True), ("USD", False)], ids=str
)
def test_contracts_of_dollars_are_settled_in_their_base(quote, linear):
    assert is_linear(make_instrument(quote=quote)) is linear
