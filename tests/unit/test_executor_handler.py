"""The executor and money: one order per leg, whatever happens to requests and replies."""

from datetime import timedelta

import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, PositionMode
from libs.common.outcome import Refuse, Retry
from services.executor.exchange import NotFound
from services.executor.settings import Timing
from tests.factories import NOW, D, make_alert, make_intent
from tests.fakes import Mishap, Refusal
from tests.unit.executor_desk import HAPPY, Desk


@pytest.fixture
def desk():
    return Desk()


async def test_a_buy_is_planned_sent_accepted_and_filled(desk):
    await desk.handle(make_intent())
    assert desk.bus.stages == HAPPY
    assert await desk.holdings() == {"long": 10}
    (filled,) = desk.bus.messages("execution.filled")
    assert (filled.filled_contracts, filled.average_price) == (10, 50_000)
    (sent,) = desk.bus.messages("execution.sent")
    assert sent.calls[0].request_body, "the request stands in the trail"
    (plan,) = desk.bus.messages("order.planned")
    assert plan.calls, "how the position was learnt stands in the trail"


async def test_a_flip_is_close_confirmed_then_open(desk):
    await desk.hold("long", 10)
    await desk.handle(make_intent(action=Action.SELL, contracts=D(25)))
    assert desk.submitted == ["close long 10", "open short 15"]
    assert desk.bus.stages == [*HAPPY, *HAPPY[1:]]
    assert await desk.holdings() == {"short": 15}


async def test_where_the_close_fails_nothing_is_opened(desk):
    await desk.hold("long", 10)
    desk.exchange.befall(Refusal(code=2008, message="Not enough", kind=Cause.POSITION))
    await desk.handle(make_intent(action=Action.SELL, contracts=D(25)))
    assert desk.bus.stages == ["order.planned", "execution.sent", "execution.rejected"]
    (rejected,) = desk.bus.messages("execution.rejected")
    assert (rejected.code, rejected.message) == (2008, "Not enough")
    assert rejected.cause is Cause.POSITION
    assert await desk.holdings() == {"long": 10}


@pytest.mark.parametrize("mishap", [Mishap.PARTIAL_FILL, Mishap.DIE_LATER])
async def test_where_the_close_ends_short_nothing_is_opened(desk, mishap):
    await desk.hold("long", 10)
    desk.exchange.befall(mishap)
    await desk.handle(make_intent(action=Action.SELL, contracts=D(25)))
    assert desk.submitted == ["close long 10"]
    assert "execution.filled" not in desk.bus.stages


async def test_a_partial_fill_is_told_with_what_was_filled(desk):
    desk.exchange.befall(Mishap.PARTIAL_FILL)
    await desk.handle(make_intent())
    (canceled,) = desk.bus.messages("execution.canceled")
    assert (canceled.filled_contracts, canceled.message) == (5, "MARKET_CANCEL")


async def test_an_order_that_dies_after_its_acknowledgement_is_rejected_with_its_words(desk):
    desk.exchange.befall(Mishap.DIE_LATER)
    await desk.handle(make_intent())
    assert desk.bus.stages[-1] == "execution.rejected"
    assert desk.bus.messages("execution.rejected")[0].message == "INSUFFICIENT_BALANCE"


async def test_flat_without_a_position_is_a_plan_without_orders(desk):
    await desk.handle(make_intent(action=Action.FLAT, contracts=None))
    assert desk.bus.stages == ["order.planned"]
    assert desk.submitted == []


async def test_a_lost_reply_is_asked_for_and_never_sent_again(desk):
    desk.exchange.befall(Mishap.LOSE_REPLY)
    await desk.handle(make_intent())
    assert desk.bus.stages == [
        "order.planned",
        "execution.sent",
        "execution.unknown",
        "execution.filled",
    ]
    assert desk.submitted == ["open long 10"]


async def test_a_lost_reply_of_an_order_that_shows_late_is_waited_for(desk):
    """Not found means nothing while the request may still be executed."""
    desk.exchange.befall(Mishap.LOSE_REPLY)
    intent = make_intent()
    plan_id = await _client_order_id(intent)
    desk.exchange.hide(plan_id, asks=8)
    await desk.handle(intent)
    assert desk.submitted == ["open long 10"]
    assert await desk.holdings() == {"long": 10}


async def test_an_order_that_shows_just_after_the_window_is_found(desk):
    """Once unknown after the window is not enough: a read can lag behind an execution."""
    desk.exchange.befall(Mishap.LOSE_REPLY)
    end = desk.clock.now() + timedelta(seconds=Timing().in_flight_s)
    order, late = desk.exchange.order, []

    async def lagging(symbol, client_order_id):
        query = await order(symbol, client_order_id)
        if len(late) == 1:
            return query
        if desk.clock.now() > end:
            late.append(1)
        return NotFound(call=query.call)

    desk.exchange.order = lagging
    await desk.handle(make_intent(max_age_s=60))
    assert desk.submitted == ["open long 10"]


async def _client_order_id(intent):
    other = Desk()
    await other.handle(intent)
    return other.bus.messages("order.planned")[0].legs[0].client_order_id


async def test_a_request_that_never_arrived_is_sent_again_once_it_must_be_dead(desk):
    desk.exchange.befall(Mishap.DROP)
    await desk.handle(make_intent(max_age_s=60))
    assert desk.submitted == ["open long 10"]
    first, again = desk.bus.messages("execution.sent")
    assert again.at - first.at > timedelta(seconds=12), "the receive window has passed"
    assert again.client_order_id == first.client_order_id
    assert await desk.holdings() == {"long": 10}


async def test_an_entry_too_old_to_be_sent_again_is_given_up_in_the_trail(desk):
    desk.exchange.befall(Mishap.DROP)
    await desk.handle(make_intent(max_age_s=5))
    assert desk.submitted == []
    assert desk.bus.stages[-1] == "execution.canceled"
    [canceled] = desk.bus.messages("execution.canceled")
    assert canceled.reason is Reason.STALE
    assert "max_age_s" in canceled.message


@pytest.mark.parametrize(("action", "sent"), [(Action.BUY, []), (Action.FLAT, ["close short 10"])])
async def test_an_entry_that_grew_old_waiting_for_the_call_budget_is_not_sent(desk, action, sent):
    """Fresh or not at all; an exit always goes."""
    if action is Action.FLAT:
        await desk.hold("short", 10)

    class SlowBudget:
        async def take(self, _urgency, *, since):
            desk.clock.advance(31)

    desk.count_budget(SlowBudget())
    await desk.handle(make_intent(action=action, contracts=D(10)))
    assert desk.submitted == sent


async def test_an_exit_is_sent_again_however_old(desk):
    await desk.hold("long", 10)
    desk.exchange.befall(Mishap.DROP)
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, max_age_s=5))
    assert await desk.holdings() == {}


@pytest.mark.parametrize("mishap", [Mishap.RATE_LIMIT, Mishap.NOT_SENT])
async def test_what_certainly_was_not_executed_goes_again(desk, mishap):
    desk.exchange.befall(mishap, mishap)
    await desk.handle(make_intent())
    assert desk.bus.stages[-1] == "execution.filled"
    assert await desk.holdings() == {"long": 10}
    (accepted,) = desk.bus.messages("execution.accepted")
    assert len(accepted.calls) == 3, "the refused calls stand in the trail too"


async def test_a_stale_entry_is_denied(desk):
    await desk.handle(make_intent(received_at=NOW - timedelta(seconds=31)))
    (denied,) = desk.bus.messages("intent.denied")
    assert denied.denial.reason is Reason.STALE
    assert desk.submitted == []


async def test_a_position_that_the_exchange_refuses_to_tell_is_a_denial_with_its_words(desk):
    desk.exchange.fail_queries(
        Refusal(code=701, message="Requires account read permission", kind=Cause.PERMISSION)
    )
    await desk.handle(make_intent())
    (denied,) = desk.bus.messages("intent.denied")
    assert denied.denial.reason is Reason.EXCHANGE_REFUSED_QUERY
    assert denied.denial.context["code"] == "701"
    assert "read permission" in denied.denial.message


async def test_a_position_that_could_not_be_asked_for_is_tried_again(desk):
    desk.exchange.fail_queries()
    with pytest.raises(Retry):
        await desk.handle(make_intent())
    assert desk.bus.stages == []
    await desk.handle(make_intent(), fresh=False)
    assert desk.submitted == ["open long 10"]


async def test_a_one_way_account_gets_one_way_orders():
    desk = Desk(position_mode=PositionMode.ONE_WAY)
    await desk.handle(make_intent())
    assert desk.bus.stages == HAPPY


async def test_what_is_no_intent_is_refused(desk):
    with pytest.raises(Refuse):
        await desk.handle(make_alert())


async def test_a_clock_that_is_set_forward_makes_no_request_look_dead(desk):
    """The lost one is still on its way: another would be executed beside it."""
    desk.exchange.befall(Mishap.LOSE_REPLY)
    began_s, order = desk.clock.elapsed_s(), desk.exchange.order

    async def setting(symbol, client_order_id):
        query = await order(symbol, client_order_id)
        if desk.clock.elapsed_s() - began_s > Timing().in_flight_s - 1:
            return query
        desk.clock.set(3.0)
        return NotFound(call=query.call)

    desk.exchange.order = setting
    await desk.handle(make_intent(max_age_s=3600))
    assert desk.submitted == ["open long 10"]
    assert await desk.holdings() == {"long": 10}
