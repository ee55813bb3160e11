"""An intent that was given up on and is put into the log again: its plan and its orders lie before
its new place, and still count.
"""

import pytest

from tests.factories import make_intent
from tests.fakes import Mishap
from tests.unit.executor_desk import HAPPY, Desk


@pytest.fixture
def desk():
    return Desk()


async def replayed(desk, intent, *, origin_seq=0):
    """At the end of the log, long after."""
    desk.bus.forget_event_ids()
    await desk.handle(intent, fresh=False, seq=len(desk.bus.entries) + 1, origin_seq=origin_seq)


async def test_what_was_done_is_not_done_again(desk):
    await desk.handle(make_intent())
    await replayed(desk, make_intent())
    assert desk.submitted == ["open long 10"]
    assert desk.bus.stages == HAPPY


async def test_what_was_sent_before_it_was_given_up_on_is_asked_for(desk):
    desk.exchange.befall(Mishap.LOSE_REPLY)
    order = desk.exchange.order

    async def failing(*_what):
        raise ValueError("a bug of ours")

    desk.exchange.order = failing
    with pytest.raises(ValueError, match="bug"):
        await desk.handle(make_intent(max_age_s=3_600))
    desk.exchange.order = order
    await replayed(desk, make_intent(max_age_s=3_600))
    assert desk.submitted == ["open long 10"]
    assert len(desk.bus.messages("order.planned")) == 1
    assert await desk.holdings() == {"long": 10}


async def test_what_was_never_begun_is_begun(desk):
    await replayed(desk, make_intent())
    assert desk.bus.stages == HAPPY


async def test_an_entry_is_stale_by_then(desk):
    desk.clock.advance(3_600)
    await replayed(desk, make_intent())
    assert desk.bus.stages == ["intent.denied"]
    assert desk.submitted == []
