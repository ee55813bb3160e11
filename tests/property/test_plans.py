"""Plans on any position: what they lead to is what the mode means, and the exchange's bounds hold.

The modes are defined here once more, as arithmetic on how much is long and how much is short.
"""

from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.intent import Denial, Intent, Limits
from libs.common.contracts.order import Holding
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    Action,
    Effect,
    MarketPosition,
    PositionMode,
    PositionSide,
    TradeMode,
)
from libs.common.domain.planning import Planned, plan_orders
from tests.factories import make_holding, make_instrument, make_intent
from tests.unit.domain.notation import picture

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
Sides = tuple[int, int]
"""Contracts held long and short."""

STALE = Denial(reason=Reason.STALE, message="too old")
contracts = st.integers(min_value=1, max_value=5_000)
sides = st.tuples(st.just(0) | contracts, st.just(0) | contracts)
signals = st.sampled_from([Action.BUY, Action.SELL])
signal_modes = st.sampled_from([mode for mode in TradeMode if mode is not TradeMode.TARGET])
instruments = st.builds(
    lambda step, largest: make_instrument(
        step_contracts=Decimal(step),
        minimum_contracts=Decimal(step),
        maximum_contracts=Decimal(step * largest),
    ),
    st.sampled_from([1, 5, 10]),
    st.integers(min_value=50, max_value=5_000),
)


def meant(mode: TradeMode, *, held: Sides, buys: bool, size: int) -> Sides:
    """What a signal leads to: `same` is the signal's own side, `other` the opposite one."""
    same, other = held if buys else held[::-1]
    if mode is TradeMode.NETTING:
        same, other = same + max(size - other, 0), max(other - size, 0)
    elif mode is TradeMode.OPPOSITE:
        same, other = same + size, 0
    elif mode is TradeMode.REVERSE:
        same, other = (same if other else same + size), 0
    else:
        same += size
    return (same, other) if buys else (other, same)


def holdings_of(held: Sides, *, free: Sides | None = None) -> tuple[Holding, ...]:
    return tuple(
        make_holding(side.value, count, free_contracts=Decimal(loose))
        for side, count, loose in zip(PositionSide, held, free or held, strict=True)
        if count
    )


def after(planned: Planned, *, held: Sides) -> Sides:
    found = dict(zip(PositionSide, held, strict=True))
    for leg in planned.legs:
        change = int(leg.contracts)
        found[leg.position_side] += change if leg.effect is Effect.OPEN else -change
    return found[LONG], found[SHORT]


def check_bounds(planned: Planned, *, holdings: tuple[Holding, ...], of: Instrument) -> None:
    """What every plan keeps to."""
    free = {held.side: held.free_contracts for held in holdings}
    opened = False
    for leg in planned.legs:
        assert 0 < leg.contracts <= of.maximum_contracts
        assert leg.contracts >= of.minimum_contracts
        assert leg.contracts % of.step_contracts == 0
        if leg.effect is Effect.CLOSE:
            assert not opened, "a close after an open"
            free[leg.position_side] -= leg.contracts
            assert free[leg.position_side] >= 0, "more is closed than is free"
        opened = opened or leg.effect is Effect.OPEN
    ids = {leg.client_order_id for leg in planned.legs}
    assert len(ids) == len(planned.legs)
    assert not (planned.withheld and opened)


def planned_for(intent: Intent, holdings: tuple[Holding, ...]) -> Planned:
    planned = plan_orders(intent, picture(holdings))
    assert isinstance(planned, Planned), planned
    check_bounds(planned, holdings=holdings, of=intent.instrument)
    return planned


def in_steps(instrument: Instrument, *counts: int) -> tuple[int, ...]:
    return tuple(count * int(instrument.step_contracts) for count in counts)


def a_target(wanted: MarketPosition, *, size: int, instrument: Instrument) -> Intent:
    return make_intent(
        action=Action.TARGET,
        trade_mode=TradeMode.TARGET,
        wanted=wanted,
        contracts=None if wanted is MarketPosition.FLAT else Decimal(size),
        instrument=instrument,
    )


@given(mode=signal_modes, held=sides, action=signals, size=contracts, instrument=instruments)
def test_a_signal_leads_to_what_its_mode_means(mode, held, action, size, instrument):
    long, short, size = in_steps(instrument, *held, size)
    intent = make_intent(
        action=action, contracts=Decimal(size), trade_mode=mode, instrument=instrument
    )
    planned = planned_for(intent, holdings_of((long, short)))
    assert planned.withheld is None
    expected = meant(mode, held=(long, short), buys=action is Action.BUY, size=size)
    assert after(planned, held=(long, short)) == expected


@given(
    held=sides,
    wanted=st.sampled_from(MarketPosition),
    size=contracts,
    instrument=instruments,
)
def test_a_target_is_reached_and_then_left_alone(held, wanted, size, instrument):
    long, short, size = in_steps(instrument, *held, size)
    intent = a_target(wanted, size=size, instrument=instrument)
    reached = after(planned_for(intent, holdings_of((long, short))), held=(long, short))
    assert reached == (
        size if wanted is MarketPosition.LONG else 0,
        size if wanted is MarketPosition.SHORT else 0,
    )
    again = planned_for(intent, holdings_of(reached))
    assert again.legs == ()
    assert again.withheld is None


@given(held=sides, instrument=instruments)
def test_a_reversal_turns_the_position_round(held, instrument):
    assume(bool(held[0]) != bool(held[1]))
    long, short = in_steps(instrument, *held)
    intent = make_intent(action=Action.REVERSE, contracts=None, instrument=instrument)
    planned = planned_for(intent, holdings_of((long, short)))
    assert after(planned, held=(long, short)) == (short, long)


@given(
    held=sides,
    percent=st.integers(min_value=1, max_value=100),
    side=st.none() | st.sampled_from(PositionSide),
    instrument=instruments,
)
def test_an_exit_in_part_leaves_the_other_part(held, percent, side, instrument):
    step = int(instrument.step_contracts)
    long, short = in_steps(instrument, *held)
    intent = make_intent(
        action=Action.FLAT,
        contracts=None,
        close_percent=Decimal(percent),
        close_side=side,
        instrument=instrument,
    )
    answered = plan_orders(intent, picture(holdings_of((long, short))))
    parts = [
        count * percent // 100 // step * step if side in {None, own} else 0
        for own, count in zip(PositionSide, (long, short), strict=True)
    ]
    if isinstance(answered, Denial):
        assert answered.reason is Reason.BELOW_MINIMUM
        assert parts == [0, 0]
        return
    check_bounds(answered, holdings=holdings_of((long, short)), of=instrument)
    assert after(answered, held=(long, short)) == (long - parts[0], short - parts[1])


every_action = st.sampled_from(
    [Action.BUY, Action.SELL, Action.REVERSE, Action.FLAT, Action.CLOSE_ALL, Action.TARGET]
)


@given(
    mode=st.sampled_from(TradeMode),
    action=every_action,
    wanted=st.sampled_from(MarketPosition),
    held=sides,
    frozen=sides,
    size=contracts,
    side=st.none() | st.sampled_from(PositionSide),
    position_mode=st.sampled_from(PositionMode),
    denied=st.booleans(),
    pyramiding=st.booleans(),
    instrument=instruments,
)
def test_no_plan_breaks_the_exchanges_bounds(  # noqa: PLR0917 - hypothesis names them all
    mode, action, wanted, held, frozen, size, side, position_mode, denied, pyramiding, instrument
):
    """Whatever is frozen, withheld or denied."""
    assume(position_mode is PositionMode.HEDGE or 0 in held)
    loose = tuple(max(have - stuck, 0) for have, stuck in zip(held, frozen, strict=True))
    long, short, free_long, free_short, size = in_steps(instrument, *held, *loose, size)
    holdings = holdings_of((long, short), free=(free_long, free_short))
    intent = make_intent(
        action=action,
        contracts=Decimal(size),
        trade_mode=mode,
        wanted=wanted if action is Action.TARGET else None,
        close_side=side,
        opening_denied=STALE if denied else None,
        limits=Limits(pyramiding=pyramiding),
        instrument=instrument,
    )
    answered = plan_orders(intent, picture(holdings, position_mode=position_mode))
    if isinstance(answered, Denial):
        return
    check_bounds(answered, holdings=holdings, of=instrument)
    opens = {leg.position_side for leg in answered.legs if leg.effect is Effect.OPEN}
    assert len(opens) <= 1
    assert not (denied and opens)
    if not pyramiding:
        assert not opens & {own.side for own in holdings}


@given(mode=signal_modes, held=sides, action=signals, size=contracts)
def test_what_is_denied_to_open_closes_as_much_as_ever(mode, held, action, size):
    """A reason not to open never changes what is closed."""
    holdings = holdings_of(held)
    intent = make_intent(action=action, contracts=Decimal(size), trade_mode=mode)
    free = planned_for(intent, holdings)
    closed = [leg for leg in free.legs if leg.effect is Effect.CLOSE]
    hindered = make_intent(
        action=action, contracts=Decimal(size), trade_mode=mode, opening_denied=STALE
    )
    answered = plan_orders(hindered, picture(holdings))
    if closed:
        assert isinstance(answered, Planned)
        assert list(answered.legs) == closed
        assert (answered.withheld is not None) == (len(free.legs) > len(closed))
    else:
        assert answered == STALE
