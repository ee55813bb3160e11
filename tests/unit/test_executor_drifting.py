"""A position that something else has moved is told once, in the journey of the last alert there."""

import pytest
from msgspec.structs import replace

from libs.common.contracts.causes import Cause
from libs.common.contracts.drift import Held, PositionDrifted
from libs.common.contracts.words import Action, OrderType, PositionSide
from services.executor.exchange import Holdings, QueryFailed
from tests.factories import ALERT_ID, D, make_intent
from tests.unit.mexc_calls import make_call
from tests.unit.test_executor_changes import LATER
from tests.unit.test_executor_live import LiveDesk

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


@pytest.fixture
async def desk():
    """One alert has opened ten contracts."""
    made = LiveDesk()
    await made.handle(make_intent())
    return made


async def looked(desk, *, times=2):
    for _ in range(times):
        desk.clock.advance(3)
        await desk.drifts.look()
    return desk.bus.messages("position.drifted")


def become(desk, *holdings):
    """The exchange tells something else, when it is asked too."""
    show(desk, *holdings)

    async def answer(_symbol):
        return Holdings(holdings=holdings, calls=(make_call(path="/holdings"),))

    desk.exchange.holdings = answer


def show(desk, *holdings):
    """The picture shows something else."""
    desk.book.holdings = lambda _symbol: holdings


async def held(desk, contracts):
    told = await desk.exchange.holdings("BTC_USDT")
    return [replace(one, contracts=D(contracts)) for one in told.holdings]


async def test_what_our_orders_made_is_no_drift(desk):
    assert await looked(desk) == []


async def test_a_position_that_was_closed_by_something_else_is_told_once(desk):
    become(desk)
    [drifted] = await looked(desk, times=6)
    assert isinstance(drifted, PositionDrifted)
    assert [call.path for call in drifted.calls] == ["/holdings"], "the exchange's own words"
    assert drifted.alert_id == ALERT_ID
    assert drifted.expected == (Held(side=LONG, contracts=D(10)),)
    assert drifted.held == ()


async def test_a_position_that_was_changed_is_told_each_time(desk):
    become(desk, *await held(desk, 4))
    assert len(await looked(desk)) == 1
    become(desk, *await held(desk, 3))
    _, second = await looked(desk)
    assert second.expected == (Held(side=LONG, contracts=D(4)),)
    assert second.held == (Held(side=LONG, contracts=D(3)),)


async def test_a_picture_that_lost_a_push_is_no_drift(desk):
    """The exchange holds what our orders made."""
    show(desk)
    wanted = []
    desk.book.want_correction = wanted.append
    assert await looked(desk, times=6) == []
    assert desk.exchange.asked, "it was asked"
    assert wanted, "and the picture is to be corrected"
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    assert desk.submitted[-1] == "close long 10"


async def test_an_exchange_that_does_not_answer_is_asked_later(desk):
    become(desk)
    answer = desk.exchange.holdings

    async def failing(symbol):
        desk.exchange.holdings = answer
        raise QueryFailed(kind=Cause.SYSTEM, code=None, message="away", call=make_call())

    desk.exchange.holdings = failing
    assert await looked(desk) == []
    assert len(await looked(desk)) == 1


async def test_what_is_seen_once_may_be_on_its_way(desk):
    become(desk)
    assert await looked(desk, times=1) == []
    del desk.book.holdings
    assert await looked(desk) == []


async def test_a_fill_is_given_time_to_show(desk):
    become(desk)
    desk.clock.advance(1)
    await desk.drifts.look()
    await desk.drifts.look()
    assert desk.bus.messages("position.drifted") == []


async def test_a_picture_that_is_not_trusted_says_nothing(desk):
    desk.book.lost()
    assert await looked(desk) == []


async def test_a_lane_at_work_says_nothing(desk):
    become(desk)
    with desk.moved.busy(("paper", "BTC_USDT")):
        assert await looked(desk, times=4) == []
    assert len(await looked(desk)) == 1


async def test_a_lane_with_a_resting_order_says_nothing(desk):
    """It may be filled in part without a word."""
    await desk.handle(make_intent(order_type=OrderType.LIMIT, price=D(49_000), alert_id=LATER))
    become(desk, *await held(desk, 14))
    assert await looked(desk, times=4) == []


async def test_the_next_plan_begins_anew(desk):
    become(desk)
    await looked(desk)
    del desk.book.holdings
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    assert len(await looked(desk)) == 1


async def test_a_log_that_is_away_is_told_later(desk):
    become(desk)
    desk.clock.advance(3)
    await desk.drifts.look()
    desk.bus.failing = 1
    assert await looked(desk, times=1) == []
    assert len(await looked(desk, times=1)) == 1
