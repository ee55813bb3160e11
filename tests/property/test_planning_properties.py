"""Netting, on any position: the result is the position plus the signal; nothing closes too much."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.words import Action, Effect, PositionMode, PositionSide
from libs.common.domain.planning import Planned, plan_orders
from tests.factories import make_holding, make_instrument, make_intent

contracts = st.integers(min_value=1, max_value=10_000).map(Decimal)
one_side = st.one_of(
    st.just(()),
    st.builds(
        lambda side, held: (make_holding(side, int(held)),),
        st.sampled_from(["long", "short"]),
        contracts,
    ),
)


def net(holdings):
    return sum(
        held.contracts if held.side is PositionSide.LONG else -held.contracts for held in holdings
    )


@given(
    holdings=one_side,
    action=st.sampled_from([Action.BUY, Action.SELL]),
    size=contracts,
    largest=st.integers(min_value=100, max_value=5_000),
)
def test_netting_adds_the_signal_to_the_position(holdings, action, size, largest):
    instrument = make_instrument(maximum_contracts=Decimal(largest))
    intent = make_intent(action=action, contracts=size, instrument=instrument)
    planned = plan_orders(intent, holdings=holdings, position_mode=PositionMode.HEDGE)
    assert isinstance(planned, Planned)
    held = {side: Decimal(0) for side in PositionSide}
    for holding in holdings:
        held[holding.side] += holding.contracts
    closed_all = True
    for leg in planned.legs:
        assert 0 < leg.contracts <= largest
        assert leg.contracts % instrument.step_contracts == 0
        if leg.effect is Effect.CLOSE:
            held[leg.position_side] -= leg.contracts
            assert held[leg.position_side] >= 0
            closed_all = held[leg.position_side] == 0
        else:
            assert closed_all, "an opening leg before the close is done"
            held[leg.position_side] += leg.contracts
    signal = size if action is Action.BUY else -size
    assert held[PositionSide.LONG] - held[PositionSide.SHORT] == net(holdings) + signal
    assert min(held.values()) == 0
    assert len({leg.client_order_id for leg in planned.legs}) == len(planned.legs)
