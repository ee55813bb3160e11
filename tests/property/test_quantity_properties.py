"""For any size: never more than was asked for, never a step less than could be had."""

from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.words import SizingMode
from libs.common.domain.quantity import Sized, split, to_contracts
from tests.factories import make_instrument

sizes = st.decimals(
    min_value=Decimal("1e-12"), max_value=Decimal("1e12"), allow_nan=False, allow_infinity=False
)
contract_sizes = st.sampled_from(
    [Decimal(text) for text in ("0.0001", "0.01", "0.1", "1", "3", "10", "7000", "10000000")]
)
steps = st.sampled_from([Decimal(text) for text in ("0.001", "0.1", "1", "5", "12")])


@given(quantity=sizes, contract_size=contract_sizes, step=steps, multiplier=sizes)
def test_rounding_is_down_and_by_less_than_a_step(quantity, contract_size, step, multiplier):
    instrument = make_instrument(
        contract_size=contract_size, step_contracts=step, minimum_contracts=step
    )
    sized = to_contracts(
        quantity,
        mode=SizingMode.BASE,
        per_unit=Decimal(1),
        multiplier=multiplier,
        instrument=instrument,
    )
    with localcontext() as context:
        context.prec = 200
        asked_base = quantity * multiplier
        if not isinstance(sized, Sized):
            assert asked_base < step * contract_size
            return
        assert sized.contracts % step == 0
        given_base = sized.contracts * contract_size
        assert given_base <= asked_base < given_base + step * contract_size


@given(
    contracts=st.integers(min_value=1, max_value=10**6).map(Decimal),
    maximum=st.integers(min_value=1000, max_value=10**6).map(Decimal),
)
def test_a_split_loses_nothing_and_keeps_the_maximum(contracts, maximum):
    sizes = split(contracts, maximum=maximum, step=Decimal(1))
    assert sum(sizes) == contracts
    assert all(0 < size <= maximum for size in sizes)
    assert all(size == sizes[0] for size in sizes[:-1]), "full orders first"
