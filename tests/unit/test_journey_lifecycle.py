"""The order's life cycle: every pair of state and word, walked."""

from decimal import Decimal

import pytest

from libs.common.contracts.words import ExecutionKind
from libs.common.domain.lifecycle import FINAL, ORDER_TRANSITIONS, OrderState, next_state

FIRST_WORDS = {
    ExecutionKind.SENT: OrderState.SENT,
    ExecutionKind.ACCEPTED: OrderState.ACCEPTED,
    ExecutionKind.FILLED: OrderState.FILLED,
    ExecutionKind.CANCELED: OrderState.CANCELED,
    ExecutionKind.REJECTED: OrderState.REJECTED,
    ExecutionKind.UNKNOWN: OrderState.UNKNOWN,
}


def test_the_table_holds_every_pair_and_no_other():
    assert set(ORDER_TRANSITIONS) == {(s, k) for s in OrderState for k in ExecutionKind}


@pytest.mark.parametrize("kind", ExecutionKind)
@pytest.mark.parametrize(
    "state", [OrderState.PLANNED, OrderState.SENT, OrderState.UNKNOWN, OrderState.ABANDONED]
)
def test_an_open_state_takes_the_exchanges_word(state, kind):
    assert next_state(state, kind, filled_contracts=None) is FIRST_WORDS[kind]


@pytest.mark.parametrize("kind", ExecutionKind)
def test_an_accepted_order_is_not_merely_sent_again(kind):
    """A late `sent` tells nothing new; every other word does."""
    expected = OrderState.ACCEPTED if kind is ExecutionKind.SENT else FIRST_WORDS[kind]
    assert next_state(OrderState.ACCEPTED, kind, filled_contracts=None) is expected


@pytest.mark.parametrize("kind", ExecutionKind)
@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_final_state_yields_to_nothing_but_a_fill(state, kind):
    expected = OrderState.FILLED if kind is ExecutionKind.FILLED else state
    assert next_state(state, kind, filled_contracts=None) is expected


def test_a_cancel_with_something_filled_is_partly_filled():
    def after(filled):
        return next_state(OrderState.ACCEPTED, ExecutionKind.CANCELED, filled_contracts=filled)

    assert after(Decimal(3)) is OrderState.PARTLY_FILLED
    assert after(Decimal(0)) is OrderState.CANCELED
    assert after(None) is OrderState.CANCELED
