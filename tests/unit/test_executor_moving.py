"""Alerts in quick succession: what the last one has filled may not be shown as a position yet."""

from dataclasses import replace

import pytest

from libs.common.bus import LogUnavailable
from libs.common.contracts.words import Action
from tests.factories import NOW, D, make_intent
from tests.fakes import Mishap
from tests.unit.executor_desk import Desk
from tests.unit.test_executor_changes import LATER, THIRD, TRAILING
from tests.unit.test_executor_resuming import lose_acknowledgement_of


@pytest.fixture
def desk():
    return Desk()


def show_late(desk, *, after):
    """The next fill is shown only once it was asked for so many times."""
    exchange = desk.exchange
    asked, submit = exchange.holdings, exchange.submit
    stale, left = [], [after]

    async def submitting(*what, **how):
        stale[:] = [(await asked("BTC_USDT")).holdings]
        exchange.submit = submit
        return await submit(*what, **how)

    async def lagging(symbol):
        told = await asked(symbol)
        if not stale or not left[0]:
            return told
        left[0] -= 1
        return replace(told, holdings=stale[0])

    exchange.submit, exchange.holdings = submitting, lagging


async def test_an_exit_right_after_an_entry_closes_it(desk):
    show_late(desk, after=3)
    await desk.handle(make_intent())
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    assert desk.submitted == ["open long 10", "close long 10"]


async def test_an_entry_right_after_an_exit_opens_all_of_it(desk):
    """Two alerts for one reversal: close, then open."""
    await desk.hold("short", 10)
    show_late(desk, after=3)
    await desk.handle(make_intent(action=Action.FLAT, contracts=None))
    await desk.handle(make_intent(contracts=D(15), alert_id=LATER))
    assert desk.submitted == ["close short 10", "open long 15"]


async def test_what_is_shown_is_waited_for_no_longer(desk):
    await desk.handle(make_intent())
    await desk.handle(make_intent(action=Action.SELL, contracts=D(4), alert_id=LATER))
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=THIRD))
    assert desk.submitted == ["open long 10", "close long 4", "close long 6"]
    assert desk.clock.now() == NOW
    assert desk.exchange.asked.count("holdings") == 3


async def test_a_part_that_was_filled_counts_as_filled(desk):
    desk.exchange.befall(Mishap.PARTIAL_FILL)
    await desk.handle(make_intent())
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    assert desk.submitted == ["open long 10", "close long 5"]
    assert desk.clock.now() == NOW


async def test_a_fill_that_is_learnt_twice_counts_once(desk):
    lose_acknowledgement_of(desk, "execution.filled")
    with pytest.raises(LogUnavailable):
        await desk.handle(make_intent())
    await desk.handle(make_intent(), fresh=False)
    before = desk.clock.now()
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    assert desk.submitted == ["open long 10", "close long 10"]
    assert desk.clock.now() == before


async def test_a_position_that_something_else_has_moved_is_believed_in_the_end(desk):
    await desk.handle(make_intent())
    desk.exchange.venue.held.clear()
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    assert desk.submitted == ["open long 10"]
    assert desk.bus.stages[-1] == "order.planned"


async def test_a_trailing_stop_is_for_all_that_was_added_though_that_shows_late(desk):
    await desk.hold("long", 3)
    show_late(desk, after=2)
    await desk.handle(make_intent(**TRAILING))
    (trail,) = desk.exchange.venue.trails.values()
    assert trail.contracts == 10
