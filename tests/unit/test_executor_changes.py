"""The executor and changes that make no order of their own: each done once, after the legs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from libs.common.bus import LogUnavailable
from libs.common.contracts.causes import Cause
from libs.common.contracts.intent import Offset, Protection
from libs.common.contracts.words import Action, OrderType
from libs.common.domain.identity import alert_id, plan_event_id
from libs.common.outcome import Retry, Unknown
from tests.factories import D, make_instrument, make_intent
from tests.fakes import Mishap, Refusal
from tests.unit.executor_desk import HAPPY, Desk

CHANGED = ["order.planned", "execution.sent", "execution.changed"]
LATER = alert_id(unix_ms=1_763_900_000_001, random_bits=1)
THIRD = alert_id(unix_ms=1_763_900_000_002, random_bits=2)
WINDOW = timedelta(seconds=12)
TRAILING = {"protection": Protection(trailing_ticks=D(100)), "max_age_s": 60}
REFUSED = Refusal(code=5003, message="The price is off", kind=Cause.PRICE)


def modify(*, stop=None, target=None, trailing=None, **changes):
    prices = {
        name: Offset(price=D(price))
        for name, price in (("stop", stop), ("target", target))
        if price is not None
    }
    protection = Protection(trailing_ticks=None if trailing is None else D(trailing), **prices)
    values = {"action": Action.MODIFY, "contracts": None, "protection": protection}
    return make_intent(**values, **changes)


@pytest.fixture
async def desk():
    desk = Desk()
    await desk.hold("long", 10)
    return desk


def befall_change(desk, mishap):
    """What happens to the next change, however many orders go before it."""
    change = desk.exchange.change

    async def befallen(*what, **how):
        desk.exchange.change = change
        desk.exchange.befall(mishap)
        return await change(*what, **how)

    desk.exchange.change = befallen


def stops(desk):
    return [(stop.stop_price, stop.target_price) for stop in desk.exchange.venue.stops.values()]


async def test_a_position_is_protected(desk):
    await desk.handle(modify(stop=49_000, target=52_000))
    assert desk.bus.stages == CHANGED
    assert stops(desk) == [(49_000, 52_000)]
    (plan,) = desk.bus.messages("order.planned")
    sent, changed = desk.bus.messages("execution.sent") + desk.bus.messages("execution.changed")
    assert sent.client_order_id == changed.client_order_id == plan.changes[0].change_id
    assert sent.calls[0].request_body, "the request stands in the trail"
    assert changed.exchange_order_id in desk.exchange.venue.stops
    assert changed.calls


async def test_protection_that_is_there_is_moved(desk):
    await desk.handle(modify(stop=49_000, target=52_000))
    await desk.handle(modify(stop=49_500, alert_id=LATER))
    assert desk.changed == ["protect", "move_protection"]
    assert stops(desk) == [(49_500, 52_000)]


async def test_a_refused_change_is_rejected_with_the_exchanges_words(desk):
    desk.exchange.befall(REFUSED)
    await desk.handle(modify(stop=49_000))
    assert desk.bus.stages == [*CHANGED[:2], "execution.rejected"]
    (rejected,) = desk.bus.messages("execution.rejected")
    assert (rejected.code, rejected.message) == (5003, "The price is off")
    assert rejected.cause is Cause.PRICE


@pytest.mark.parametrize("mishap", [Mishap.RATE_LIMIT, Mishap.NOT_SENT])
async def test_what_certainly_was_not_done_is_sent_again(desk, mishap):
    desk.exchange.befall(mishap, mishap)
    await desk.handle(modify(stop=49_000))
    assert desk.bus.stages[-1] == "execution.changed"
    assert stops(desk) == [(49_000, None)]


async def test_a_lost_reply_of_what_was_made_is_asked_for_and_never_sent_again(desk):
    desk.exchange.befall(Mishap.LOSE_REPLY)
    await desk.handle(modify(stop=49_000))
    assert desk.changed == ["protect"]
    assert desk.bus.stages == [*CHANGED[:2], "execution.unknown", "execution.changed"]


async def test_what_never_arrived_is_made_once_the_first_request_must_be_dead(desk):
    desk.exchange.befall(Mishap.DROP)
    await desk.handle(modify(stop=49_000))
    first, again = desk.bus.messages("execution.sent")
    assert again.at - first.at > WINDOW
    assert stops(desk) == [(49_000, None)]


@pytest.mark.parametrize("mishap", [Mishap.LOSE_REPLY, Mishap.DROP])
async def test_lost_prices_are_set_again_at_once_and_no_copy_outlives_the_change(desk, mishap):
    """A request that is still under way would undo what the next alert sets."""
    await desk.handle(modify(stop=49_000))
    desk.forget()
    desk.exchange.befall(mishap)
    await desk.handle(modify(stop=49_500, alert_id=LATER))
    first, again = desk.bus.messages("execution.sent")
    (changed,) = desk.bus.messages("execution.changed")
    assert again.at - first.at < timedelta(seconds=1)
    assert changed.at - first.at >= WINDOW
    assert stops(desk) == [(49_500, None)]


async def test_a_lost_cancel_is_repeated_and_waits_for_nothing(desk):
    await desk.handle(make_intent(order_type=OrderType.LIMIT, price=D(49_000)))
    desk.forget()
    desk.exchange.befall(Mishap.LOSE_REPLY)
    start = desk.clock.now()
    await desk.handle(make_intent(action=Action.CANCEL, contracts=None, alert_id=LATER))
    assert desk.changed == ["cancel_orders", "cancel_orders"]
    (changed,) = desk.bus.messages("execution.changed")
    assert "not exist" in changed.message, "the exchange's words on what was gone already"
    assert desk.clock.now() - start < timedelta(seconds=1)


async def test_a_change_that_stays_unknown_is_said_to_be_so_and_tried_on(desk):
    await desk.handle(make_intent(order_type=OrderType.LIMIT, price=D(49_000)))
    desk.exchange.befall(*[Mishap.DROP] * 100)
    with pytest.raises(Unknown):
        await desk.handle(make_intent(action=Action.CANCEL, contracts=None, alert_id=LATER))
    assert desk.bus.stages[-1] == "execution.unknown"
    desk.exchange._mishaps.clear()
    await desk.handle(
        make_intent(action=Action.CANCEL, contracts=None, alert_id=LATER), fresh=False
    )
    assert desk.bus.stages[-1] == "execution.changed"


async def test_nothing_is_changed_before_the_plan_is_stored(desk):
    desk.bus.failing = 1
    with pytest.raises(LogUnavailable):
        await desk.handle(modify(stop=49_000))
    assert desk.changed == []


async def test_a_crash_between_plan_and_change_does_it_once_after_the_fence(desk):
    """A dead process may have signed the request up to now: what it makes is waited for."""
    await desk.handle(modify(stop=49_000))
    (plan,) = desk.bus.messages("order.planned")
    fresh = Desk()
    await fresh.hold("long", 10)
    await fresh.bus.publish(
        subject="order.planned.paper.BTC_USDT",
        message=plan,
        event_id=plan_event_id(plan.intent_id),
    )
    start = fresh.clock.now()
    await fresh.handle(modify(stop=49_000), fresh=False)
    assert fresh.bus.stages == CHANGED
    (sent,) = fresh.bus.messages("execution.sent")
    assert sent.at - start > WINDOW


async def test_a_crash_after_a_change_finds_what_it_made(desk):
    await desk.handle(modify(stop=49_000))
    desk.bus.cut_after(1)
    await desk.handle(modify(stop=49_000), fresh=False)
    assert desk.changed == ["protect"]
    assert desk.bus.stages == ["order.planned", "execution.changed"]


async def test_protection_of_another_position_is_not_taken_for_the_lost_one(desk):
    """A position was closed and another opened; what the first one had may be shown for a while."""
    await desk.handle(modify(stop=49_000))
    (stop,) = desk.exchange.venue.stops.values()
    stop.position_id = "gone"
    desk.bus.cut_after(1)
    await desk.handle(modify(stop=49_000), fresh=False)
    assert desk.changed == ["protect", "protect"]


async def test_a_stop_for_a_part_is_not_taken_for_the_lost_one(desk):
    """One that was there was moved to the same price, and the one for the rest never arrived."""
    await desk.handle(modify(stop=49_000))
    (stop,) = desk.exchange.venue.stops.values()
    stop.whole, stop.contracts = False, D(1)
    desk.bus.cut_after(1)
    await desk.handle(modify(stop=49_000), fresh=False)
    assert desk.changed == ["protect", "protect"]


async def test_a_finished_change_that_comes_again_does_nothing(desk):
    await desk.handle(modify(stop=49_000))
    desk.bus.forget_event_ids()
    await desk.handle(modify(stop=49_000), fresh=False)
    assert desk.changed == ["protect"]
    assert desk.bus.stages == CHANGED


async def test_a_trailing_stop_follows_the_fill(desk):
    await desk.handle(make_intent(contracts=D(5), **TRAILING))
    assert desk.bus.stages == [*HAPPY, "execution.sent", "execution.changed"]
    (trail,) = desk.exchange.venue.trails.values()
    assert (trail.side.value, trail.contracts, trail.distance) == ("long", 5, 10)


async def test_a_trailing_stop_is_as_large_as_what_was_filled(desk):
    desk.exchange.befall(Mishap.PARTIAL_FILL)
    await desk.handle(make_intent(contracts=D(8), **TRAILING))
    assert desk.bus.stages[-3:] == ["execution.canceled", "execution.sent", "execution.changed"]
    (trail,) = desk.exchange.venue.trails.values()
    assert trail.contracts == 4


async def test_where_nothing_was_opened_nothing_trails(desk):
    desk.exchange.befall(Refusal(code=2005, message="Balance insufficient", kind=Cause.MARGIN))
    await desk.handle(make_intent(**TRAILING))
    assert desk.changed == []
    assert desk.bus.stages[-2:] == ["execution.rejected", "execution.canceled"]
    (canceled,) = desk.bus.messages("execution.canceled")
    assert "nothing was opened" in canceled.message


async def test_where_the_position_is_gone_again_nothing_trails(desk):
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    desk.forget()
    submit = desk.exchange.submit

    async def stopped_out(leg, **how):
        accepted = await submit(leg, **how)
        desk.exchange.venue.held.clear()
        return accepted

    desk.exchange.submit = stopped_out
    await desk.handle(make_intent(**TRAILING))
    assert desk.changed == []
    assert "gone" in desk.bus.messages("execution.canceled")[0].message


async def test_a_position_that_shows_late_gets_its_trailing_stop(desk):
    asked = desk.exchange.holdings

    async def lagging(symbol):
        told = await asked(symbol)
        late = desk.submitted and desk.exchange.asked.count("holdings") < 3
        return replace(told, holdings=()) if late else told

    desk.exchange.holdings = lagging
    await desk.handle(make_intent(**TRAILING))
    assert desk.changed == ["trail"]


async def test_a_trailing_stop_is_set_however_old_the_alert_is(desk):
    """The position is there; to leave it without its stop would be the greater harm."""
    submit = desk.exchange.submit

    async def slow(leg, **how):
        submitted = await submit(leg, **how)
        desk.clock.advance(100)
        return submitted

    desk.exchange.submit = slow
    await desk.handle(make_intent(**TRAILING))
    assert desk.changed == ["trail"]


async def test_a_lost_reply_of_a_trailing_stop_is_found_by_what_it_says(desk):
    """One with the same distance stood there before; it is not taken for the new one."""
    await desk.handle(make_intent(contracts=D(2), **TRAILING))
    befall_change(desk, Mishap.LOSE_REPLY)
    await desk.handle(make_intent(contracts=D(3), alert_id=LATER, **TRAILING))
    assert "execution.unknown" in desk.bus.stages
    assert len(desk.exchange.venue.trails) == 2
    ids = [changed.exchange_order_id for changed in desk.bus.messages("execution.changed")]
    assert sorted(ids) == sorted(desk.exchange.venue.trails)


async def test_a_lost_trailing_stop_is_found_though_the_clocks_differ(desk):
    """Its time is the exchange's, which may be minutes off ours."""
    ours = desk.clock.now
    ahead = timedelta(minutes=5)
    desk.exchange._now = lambda: ours() - ahead
    desk.exchange.venue.now_ms = lambda: int((ours() - ahead).timestamp() * 1000)
    await desk.handle(make_intent(contracts=D(2), **TRAILING))
    desk.bus.cut_after(4)
    desk.start()
    await desk.follower.restore()
    await desk.handle(make_intent(contracts=D(2), **TRAILING), fresh=False)
    assert desk.changed == ["trail"]
    assert desk.bus.stages == [*HAPPY, "execution.changed"]


async def test_an_old_trailing_stop_is_not_taken_for_the_lost_one(desk):
    """It says the same, and nobody here has placed it."""
    await desk.handle(make_intent(contracts=D(2), **TRAILING))
    desk.start()
    desk.resting.complete.set()
    desk.clock.advance(60)
    again = make_intent(contracts=D(2), alert_id=LATER, received_at=desk.clock.now(), **TRAILING)
    befall_change(desk, Mishap.DROP)
    await desk.handle(again)
    assert len(desk.exchange.venue.trails) == 2


async def test_a_lost_trailing_stop_that_never_arrived_is_placed_once(desk):
    befall_change(desk, Mishap.DROP)
    await desk.handle(make_intent(contracts=D(2), **TRAILING))
    first, again = [
        sent for sent in desk.bus.messages("execution.sent") if "xx" in sent.client_order_id
    ]
    assert again.at - first.at > WINDOW
    assert len(desk.exchange.venue.trails) == 1


async def test_the_old_trailing_stop_goes_only_once_the_new_one_stands(desk):
    await desk.handle(modify(trailing=100))
    desk.exchange.befall(REFUSED)
    await desk.handle(modify(trailing=200, alert_id=LATER))
    assert [trail.distance for trail in desk.exchange.venue.trails.values()] == [10]
    assert desk.bus.stages[-2:] == ["execution.rejected", "execution.canceled"]
    await desk.handle(modify(trailing=300, alert_id=THIRD))
    assert [trail.distance for trail in desk.exchange.venue.trails.values()] == [30]


async def test_one_refused_change_does_not_keep_the_others_back(desk):
    await desk.handle(make_intent(order_type=OrderType.LIMIT, price=D(49_000)))
    stop = {"order_type": OrderType.STOP, "price": D(51_000)}
    await desk.handle(make_intent(**stop, alert_id=LATER))
    desk.forget()
    desk.exchange.befall(REFUSED)
    await desk.handle(make_intent(action=Action.CANCEL, contracts=None, alert_id=THIRD))
    assert desk.changed == ["cancel_orders", "cancel_triggers"]
    assert desk.bus.stages[-3:] == ["execution.rejected", "execution.sent", "execution.changed"]


async def test_a_position_that_cannot_be_asked_for_after_the_fill_is_asked_for_again(desk):
    asked = desk.exchange.holdings

    async def failing(symbol):
        if "order" in desk.exchange.asked:
            desk.exchange.fail_queries()
        return await asked(symbol)

    desk.exchange.holdings = failing
    with pytest.raises(Retry):
        await desk.handle(make_intent(**TRAILING))
    desk.exchange.holdings = asked
    desk.exchange._failing.clear()
    await desk.handle(make_intent(**TRAILING), fresh=False)
    assert desk.changed == ["trail"]
    assert len(desk.submitted) == 1


async def test_every_change_takes_its_turn_in_the_budget(desk):
    turns = []

    class Counting:
        async def take(self, _urgency, *, since):
            turns.append(len(desk.exchange.changed))

    desk.count_budget(Counting())
    await desk.handle(modify(stop=49_000))
    assert turns == [0]


async def test_a_chunked_entry_gets_one_trailing_stop_for_all_of_it(desk):
    instrument = make_instrument(maximum_contracts=D(5))
    desk.exchange.instruments_ = {instrument.symbol: instrument}
    await desk.handle(make_intent(contracts=D(10), instrument=instrument, **TRAILING))
    (trail,) = desk.exchange.venue.trails.values()
    assert trail.contracts == 10
