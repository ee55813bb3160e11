"""The order's life cycle: every pair of state and word, walked."""

from decimal import Decimal

import pytest

from libs.common.contracts.words import ExecutionKind
from libs.common.domain.lifecycle import (
    BAD_ENDS,
    FINAL,
    GOOD_ENDS,
    ORDER_TRANSITIONS,
    OrderState,
    next_state,
)

FIRST_WORDS = {
    ExecutionKind.SENT: OrderState.SENT,
    ExecutionKind.ACCEPTED: OrderState.ACCEPTED,
    ExecutionKind.FILLED: OrderState.FILLED,
    ExecutionKind.CANCELED: OrderState.CANCELED,
    ExecutionKind.REJECTED: OrderState.REJECTED,
    ExecutionKind.UNKNOWN: OrderState.UNKNOWN,
    ExecutionKind.RESTING: OrderState.RESTING,
    ExecutionKind.CHANGED: OrderState.CHANGED,
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
def test_a_resting_order_rests_until_it_ends(kind):
    """What was said before it rested may come late."""
    late = {ExecutionKind.SENT, ExecutionKind.ACCEPTED}
    expected = OrderState.RESTING if kind in late else FIRST_WORDS[kind]
    assert next_state(OrderState.RESTING, kind, filled_contracts=None) is expected


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


def test_every_state_is_walked():
    open_states = {OrderState.PLANNED, OrderState.SENT, OrderState.UNKNOWN, OrderState.ABANDONED}
    assert set(OrderState) == FINAL | open_states | {OrderState.ACCEPTED, OrderState.RESTING}
    assert FINAL == GOOD_ENDS | BAD_ENDS
    assert not GOOD_ENDS & BAD_ENDS
