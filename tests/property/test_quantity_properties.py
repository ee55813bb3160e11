"""For any size: never more than was asked for, never a step less than could be had."""

from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.words import SizingMode
from libs.common.domain.quantity import Sized, of_quote, split, to_contracts
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
            too_many = 400_000 * 36**2 * contract_size
            assert asked_base < step * contract_size or asked_base > too_many - step * contract_size
            return
        assert sized.contracts % step == 0
        given_base = sized.contracts * contract_size
        assert given_base <= asked_base < given_base + step * contract_size


@given(
    contracts=st.integers(min_value=1, max_value=10**6),
    maximum=st.integers(min_value=1000, max_value=10**6),
    minimum=st.integers(min_value=0, max_value=500),
    step=steps,
)
def test_a_split_loses_nothing_and_keeps_the_limits(contracts, maximum, minimum, step):
    """Wherever the maximum is at least twice the minimum there is a split within both."""
    sizes = split(contracts * step, maximum=maximum * step, minimum=minimum * step, step=step)
    assert sum(sizes) == contracts * step
    assert all(0 < size <= maximum * step for size in sizes)
    assert all(size % step == 0 for size in sizes)
    if contracts >= minimum:
        assert all(size >= minimum * step for size in sizes)
    assert all(size == maximum * step for size in sizes[:-2]), "full orders first"


@given(quantity=sizes, price=sizes, multiplier=sizes)
def test_a_value_is_never_exceeded(quantity, price, multiplier):
    instrument = make_instrument(maximum_contracts=Decimal(10) ** 18)
    sized = of_quote(quantity, price=price, multiplier=multiplier, instrument=instrument)
    with localcontext() as context:
        context.prec = 200
        notional = quantity * multiplier
        one = instrument.contract_size * price
        if isinstance(sized, Sized):
            assert sized.contracts * one <= notional < (sized.contracts + 1) * one
            assert sized.contracts % 1 == 0
        else:
            assert notional < one or notional > Decimal(10) ** 20 * one
