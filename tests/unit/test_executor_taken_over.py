"""A process that was stopped in the middle of a plan and wakes after another has taken it over: it
sends nothing that the other has sent, also where the exchange would take it twice.
"""

import contextlib

import pytest

from libs.common.contracts.words import Action, OrderType
from libs.common.outcome import Retry
from tests.factories import D, make_intent
from tests.unit.executor_desk import HAPPY, Desk
from tests.unit.test_executor_changes import LATER, TRAILING, modify

AWAY_S = 60
LONG_AWAY_S = 600
"""Longer than the log knows event ids for."""


@pytest.fixture
def desk():
    desk = Desk()
    desk.exchange.takes_ids_twice = True
    return desk


class Turns:
    """A budget in which the process is stopped before one of its requests; `meanwhile` happens."""

    def __init__(self, desk, meanwhile, *, before=1):
        self._desk = desk
        self._meanwhile = meanwhile
        self._left = before

    async def take(self, _urgency, *, since):
        self._left -= 1
        if self._left == 0:
            self._desk.clock.advance(AWAY_S)
            await self._meanwhile()


async def resumed(desk, *intents):
    """What another process does: the first intent is one that may have been begun."""
    other = desk.successor()
    for number, intent in enumerate(intents):
        await other.handle(intent, fresh=number > 0)


async def carried_out(desk, intent):
    """By the one that was stopped, and again where it does not know."""
    try:
        await desk.handle(intent)
    except Retry:
        desk.count_budget(Turns(desk, None, before=0))
        await desk.handle(intent, fresh=False)


ORDERS = [
    {},
    {"order_type": OrderType.LIMIT, "price": D(49_000)},
    {"order_type": OrderType.STOP, "price": D(51_000)},
]


@pytest.mark.parametrize("order", ORDERS)
async def test_an_order_that_another_has_sent_is_not_sent(desk, order):
    intent = make_intent(**order, max_age_s=3_600)
    desk.count_budget(Turns(desk, lambda: resumed(desk, intent)))
    await carried_out(desk, intent)
    assert desk.submitted == ["open long 10"]


async def test_a_flip_that_another_has_finished_opens_nothing_more(desk):
    await desk.hold("long", 10)
    intent = make_intent(action=Action.SELL, contracts=D(25), max_age_s=3_600)
    desk.count_budget(Turns(desk, lambda: resumed(desk, intent), before=2))
    await carried_out(desk, intent)
    assert desk.submitted == ["close long 10", "open short 15"]
    assert await desk.holdings() == {"short": 15}


async def test_a_trailing_stop_that_another_has_placed_is_not_placed(desk):
    intent = make_intent(**{**TRAILING, "max_age_s": 3_600})
    desk.count_budget(Turns(desk, lambda: resumed(desk, intent), before=2))
    await carried_out(desk, intent)
    assert desk.changed == ["trail"]


async def test_an_old_change_does_not_overwrite_a_later_one(desk):
    await desk.hold("long", 10)
    await desk.handle(modify(stop=48_000, alert_id=LATER))
    desk.forget()
    intent, later = modify(stop=49_000), modify(stop=49_500, alert_id=LATER)
    desk.count_budget(Turns(desk, lambda: resumed(desk, intent, later)))
    await carried_out(desk, intent)
    assert [stop.stop_price for stop in desk.exchange.venue.stops.values()] == [49_500]


async def test_who_is_stopped_while_signing_sends_nothing(desk):
    intent = make_intent(order_type=OrderType.STOP, price=D(51_000), max_age_s=3_600)
    wait = desk.exchange.gate.wait

    async def stopped():
        desk.exchange.gate.wait = wait
        desk.clock.advance(AWAY_S)
        await resumed(desk, intent)

    desk.exchange.gate.wait = stopped
    await carried_out(desk, intent)
    assert desk.submitted == ["open long 10"]


async def test_who_only_waited_its_turn_goes_on_at_once(desk):
    """Nobody has begun it meanwhile, so nothing has to be waited out."""

    async def nothing():
        pass

    desk.count_budget(Turns(desk, nothing))
    await desk.handle(make_intent(max_age_s=3_600))
    assert desk.bus.stages == HAPPY


async def test_a_message_that_lay_here_while_another_handled_it_is_not_new(desk):
    intent = make_intent(max_age_s=3_600)
    desk.clock.advance(LONG_AWAY_S)
    await resumed(desk, intent)
    desk.bus.forget_event_ids()
    await desk.handle(intent, fresh=True)
    assert len(desk.bus.messages("order.planned")) == 1
    assert desk.submitted == ["open long 10"]


async def test_a_picture_that_was_slept_over_makes_no_plan(desk):
    intent = make_intent(max_age_s=3_600)
    holdings = desk.exchange.holdings

    async def slept(symbol):
        desk.exchange.holdings = holdings
        told = await holdings(symbol)
        desk.clock.advance(LONG_AWAY_S)
        await resumed(desk, intent)
        desk.bus.forget_event_ids()
        return told

    desk.exchange.holdings = slept
    with contextlib.suppress(Retry):
        await desk.handle(intent, fresh=True)
    assert len(desk.bus.messages("order.planned")) == 1
    assert desk.submitted == ["open long 10"]
