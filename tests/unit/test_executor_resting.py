"""The executor and orders that wait at the exchange: told as resting, never doubled, followed."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from structlog.testing import capture_logs

from libs.common.bus import LogUnavailable
from libs.common.contracts.causes import Cause
from libs.common.contracts.words import Action, OrderType
from libs.common.domain.identity import alert_id, plan_event_id
from libs.common.outcome import Unknown
from libs.common.topology import RETENTION_S
from tests.factories import D, make_instrument, make_intent
from tests.fakes import Mishap, Refusal
from tests.unit.executor_desk import HAPPY, Desk

RESTING = [*HAPPY[:3], "execution.resting"]
LIMIT = {"order_type": OrderType.LIMIT, "price": D(49_000)}
STOP = {"order_type": OrderType.STOP, "price": D(51_000)}
LATER = alert_id(unix_ms=1_763_900_000_001, random_bits=1)


@pytest.fixture
def desk():
    return Desk()


@pytest.mark.parametrize("order", [LIMIT, {**LIMIT, "order_type": OrderType.POST_ONLY}, STOP])
async def test_an_order_that_waits_is_told_with_its_leg_and_labels(desk, order):
    await desk.handle(make_intent(**order, order_id="entry", comment="first"))
    assert desk.bus.stages == RESTING
    (resting,) = desk.bus.messages("execution.resting")
    (plan,) = desk.bus.messages("order.planned")
    assert resting.leg == plan.legs[0]
    assert (resting.order_id, resting.comment) == ("entry", "first")
    assert (plan.order_id, plan.comment) == ("entry", "first")
    assert resting.exchange_order_id is not None
    assert resting.calls, "the question that told so stands in the trail"


async def test_an_order_that_waits_does_not_hold_up_the_next_alert(desk):
    await desk.handle(make_intent(**LIMIT))
    await desk.handle(make_intent(alert_id=LATER))
    assert desk.bus.stages == [*RESTING, *HAPPY]


async def test_every_chunk_is_sent_though_the_first_waits(desk):
    instrument = make_instrument(maximum_contracts=D(4))
    desk.exchange.instruments_ = {instrument.symbol: instrument}
    await desk.handle(make_intent(**LIMIT, contracts=D(10), instrument=instrument))
    assert sum(leg.contracts for _, leg in desk.exchange.submitted) == 10
    assert desk.bus.stages.count("execution.resting") == len(desk.exchange.submitted) == 3


async def test_a_limit_order_that_is_filled_at_once_never_rests(desk):
    await desk.handle(make_intent(order_type=OrderType.LIMIT, price=D(50_500)))
    assert desk.bus.stages == HAPPY


@pytest.mark.parametrize(
    ("order_type", "price", "end"),
    [
        (OrderType.POST_ONLY, 50_500, "canceled"),
        (OrderType.IOC, 49_000, "canceled"),
        (OrderType.FOK, 49_000, "canceled"),
        (OrderType.IOC, 50_500, "filled"),
        (OrderType.FOK, 50_500, "filled"),
    ],
)
async def test_an_order_that_cannot_wait_ends_at_once(desk, order_type, price, end):
    await desk.handle(make_intent(order_type=order_type, price=D(price)))
    assert desk.bus.stages == [*HAPPY[:3], f"execution.{end}"]


async def test_an_ioc_close_that_ends_short_opens_nothing(desk):
    await desk.hold("long", 10)
    desk.exchange.befall(Mishap.PARTIAL_FILL)
    ioc = {"order_type": OrderType.IOC, "price": D(50_000)}
    await desk.handle(make_intent(action=Action.SELL, contracts=D(25), **ioc))
    assert desk.submitted == ["close long 10"]
    assert await desk.holdings() == {"long": 5}


async def test_a_lost_reply_of_a_stop_order_is_asked_for_and_never_sent_again(desk):
    """It has no id of ours at the exchange, so it is known by what it says."""
    desk.exchange.befall(Mishap.LOSE_REPLY)
    await desk.handle(make_intent(**STOP))
    assert desk.bus.stages == [*HAPPY[:2], "execution.unknown", "execution.resting"]
    assert len(desk.exchange.venue.plans) == 1


async def test_a_stop_order_that_never_arrived_is_sent_again_once_it_must_be_dead(desk):
    desk.exchange.befall(Mishap.DROP)
    await desk.handle(make_intent(**STOP, max_age_s=60))
    first, again = desk.bus.messages("execution.sent")
    assert again.at - first.at > timedelta(seconds=12)
    assert desk.bus.stages[-1] == "execution.resting"
    assert len(desk.exchange.venue.plans) == 1


async def test_a_lost_stop_order_is_not_mistaken_for_one_that_says_the_same(desk):
    """Neither for one of an earlier alert nor for another chunk of its own plan."""
    instrument = make_instrument(maximum_contracts=D(5))
    desk.exchange.instruments_ = {instrument.symbol: instrument}
    chunked = {**STOP, "instrument": instrument, "max_age_s": 60}
    await desk.handle(make_intent(**chunked, contracts=D(5)))
    for mishap in (Mishap.DROP, Mishap.LOSE_REPLY):
        desk.exchange.befall(mishap)
    await desk.handle(make_intent(**chunked, contracts=D(10), alert_id=LATER))
    ids = [resting.exchange_order_id for resting in desk.bus.messages("execution.resting")]
    assert len(ids) == len(set(ids)) == len(desk.exchange.venue.plans) == 3


async def test_a_resting_leg_that_comes_again_is_left_alone(desk):
    await desk.handle(make_intent(**LIMIT))
    desk.bus.forget_event_ids()
    await desk.handle(make_intent(**LIMIT), fresh=False)
    assert desk.bus.stages == RESTING
    assert len(desk.exchange.submitted) == 1


@pytest.mark.parametrize("order", [LIMIT, STOP])
async def test_a_crash_before_resting_was_stored_tells_it_after_all(desk, order):
    await desk.handle(make_intent(**order))
    desk.bus.cut_after(3)
    desk.start()
    await desk.follower.restore()
    await desk.handle(make_intent(**order), fresh=False)
    assert desk.bus.stages == RESTING
    assert len(desk.exchange.submitted) == 1


async def test_a_crash_right_after_a_stop_order_finds_it_by_what_it_says(desk):
    await desk.handle(make_intent(**STOP))
    desk.bus.cut_after(1)
    desk.start()
    await desk.follower.restore()
    await desk.handle(make_intent(**STOP), fresh=False)
    assert desk.bus.stages == ["order.planned", "execution.resting"]
    assert len(desk.exchange.venue.plans) == 1


async def test_an_order_whose_resting_was_stored_without_a_word_is_followed(desk):
    publish = desk.bus.publish

    async def losing(*, subject, **event):
        stored = await publish(subject=subject, **event)
        if subject.startswith("execution.resting"):
            raise LogUnavailable("the answer was lost")
        return stored

    desk.bus.publish = losing
    with pytest.raises(LogUnavailable):
        await desk.handle(make_intent(**LIMIT))
    desk.bus.publish = publish
    desk.start()
    desk.resting.complete.set()
    await desk.handle(make_intent(**LIMIT), fresh=False)
    assert desk.bus.stages == RESTING
    assert desk.resting.accounts() == {"paper"}


async def test_after_a_crash_a_filled_chunk_is_not_mistaken_for_the_next_one(desk):
    """The second stop order never arrived; the first says the same and was filled at once."""
    instrument = make_instrument(maximum_contracts=D(5))
    desk.exchange.instruments_ = {instrument.symbol: instrument}
    at_once = {"order_type": OrderType.STOP, "price": D(49_000), "max_age_s": 60}
    intent = make_intent(**at_once, contracts=D(10), instrument=instrument)
    await desk.handle(intent)
    assert desk.bus.stages == [*HAPPY, *HAPPY[1:]]
    desk.bus.cut_after(4)
    desk.exchange.venue.plans.popitem()
    desk.start()
    await desk.follower.restore()
    await desk.handle(intent, fresh=False)
    assert len(desk.exchange.submitted) == 3
    assert desk.bus.stages == [*HAPPY, *HAPPY[1:]]


async def test_nothing_is_opened_while_the_closing_order_waits(desk):
    """No plan of ours asks for it; close, confirmed, then open holds all the same."""
    await desk.hold("long", 10)
    await desk.handle(make_intent(action=Action.SELL, contracts=D(25)))
    (plan,) = desk.bus.messages("order.planned")
    close, open_ = plan.legs
    waiting = msgspec.structs.replace(close, order_type=OrderType.LIMIT, price=D(55_000))
    desk = Desk()
    await desk.hold("long", 10)
    await desk.bus.publish(
        subject="order.planned.paper.BTC_USDT",
        message=msgspec.structs.replace(plan, legs=(waiting, open_)),
        event_id=plan_event_id(plan.intent_id),
    )
    await desk.handle(make_intent(action=Action.SELL, contracts=D(25)), fresh=False)
    assert desk.submitted == ["close long 10"]
    assert desk.bus.stages == RESTING


async def test_an_order_that_was_taken_and_is_not_shown_is_never_sent_again(desk):
    """The log says that it was accepted: no answer of the exchange makes that undone."""
    await desk.handle(make_intent(**LIMIT, max_age_s=600))
    desk.bus.cut_after(3)
    desk.exchange.hide(desk.exchange.submitted[0][1].client_order_id, asks=1000)
    with pytest.raises(Unknown):
        await desk.handle(make_intent(**LIMIT, max_age_s=600), fresh=False)
    assert len(desk.exchange.submitted) == 1


async def test_a_follower_tells_a_fill(desk):
    await desk.handle(make_intent(**LIMIT))
    await desk.follow()
    assert desk.bus.stages == RESTING, "nothing new"
    desk.exchange.move("48000")
    await desk.follow()
    await desk.follow()
    assert desk.bus.stages == [*RESTING, "execution.filled"]
    (filled,) = desk.bus.messages("execution.filled")
    (resting,) = desk.bus.messages("execution.resting")
    assert (filled.filled_contracts, filled.average_price) == (10, 49_000)
    assert filled.calls
    same = ("alert_id", "intent_id", "route", "account", "symbol", "client_order_id")
    assert [getattr(filled, name) for name in same] == [getattr(resting, name) for name in same]


async def test_a_follower_tells_what_became_of_a_triggered_stop_order(desk):
    await desk.handle(make_intent(**STOP))
    desk.exchange.move("51500")
    await desk.follow()
    (filled,) = desk.bus.messages("execution.filled")
    assert (filled.filled_contracts, filled.average_price) == (10, 51_500)


async def test_a_stop_order_that_is_refused_once_its_price_came_is_rejected(desk):
    await desk.hold("long", 10)
    close = {"order_type": OrderType.STOP, "price": D(49_000), "action": Action.SELL}
    await desk.handle(make_intent(**close))
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    desk.exchange.move("48000")
    await desk.follow()
    (rejected,) = desk.bus.messages("execution.rejected")
    assert (rejected.cause, bool(rejected.message)) == (Cause.POSITION, True)


@pytest.mark.parametrize("order", [LIMIT, STOP])
async def test_a_later_cancel_ends_it(desk, order):
    await desk.handle(make_intent(**order))
    await desk.handle(make_intent(action=Action.CANCEL, contracts=None, alert_id=LATER))
    await desk.follow()
    assert desk.bus.stages[len(RESTING) :] == [
        "order.planned",
        "execution.sent",
        "execution.changed",
        "execution.canceled",
    ]
    (canceled,) = desk.bus.messages("execution.canceled")
    assert canceled.alert_id == make_intent().alert_id, "it is the first alert's order that ended"


async def test_a_cancel_finds_the_order_by_its_label(desk):
    await desk.handle(make_intent(**LIMIT, order_id="keep"))
    await desk.handle(make_intent(**STOP, order_id="drop", alert_id=LATER))
    third = alert_id(unix_ms=1_763_900_000_002, random_bits=2)
    cancel = {"action": Action.CANCEL, "contracts": None, "alert_id": third}
    await desk.handle(make_intent(**cancel, order_id="drop"))
    await desk.follow()
    (canceled,) = desk.bus.messages("execution.canceled")
    assert canceled.alert_id == LATER
    assert desk.resting.of("paper")[0].order_id == "keep"


async def test_a_follower_after_a_restart_reads_the_log_and_goes_on(desk):
    await desk.handle(make_intent(**LIMIT))
    await desk.handle(make_intent(**STOP, order_id="mine", alert_id=LATER))
    desk.exchange.move("48000")
    await desk.follow()
    desk.start()
    await desk.follower.restore()
    desk.bus.forget_event_ids()
    await desk.follow()
    assert desk.bus.stages.count("execution.filled") == 1, "told before the restart"
    desk.exchange.move("51500")
    await desk.follow()
    assert [filled.alert_id for filled in desk.bus.messages("execution.filled")][1:] == [LATER]
    desk.start()
    assert desk.resting.missing()
    await desk.follower.restore()
    assert desk.resting.missing() is None
    assert desk.resting.accounts() == set()


async def test_an_order_that_outlasts_the_logs_memory_is_still_followed_after_a_restart(desk):
    await desk.handle(make_intent(**LIMIT, order_id="old"))
    for _ in range(4):
        desk.clock.advance(RETENTION_S / 4)
        desk.bus.forget_event_ids()
        await desk.follow()
        await desk.follow()
    assert desk.bus.stages.count("execution.resting") == 3, "now and then, not every time"
    _forget_older(desk, timedelta(seconds=RETENTION_S))
    desk.start()
    await desk.follower.restore()
    assert [resting.order_id for resting in desk.resting.of("paper")] == ["old"]


def _forget_older(desk, age):
    kept = [entry for entry in desk.bus.entries if desk.clock.now() - entry.message.at < age]
    desk.bus.entries[:] = kept


async def test_orders_of_another_executor_are_not_followed(desk):
    await desk.handle(make_intent(**LIMIT))
    (resting,) = desk.bus.messages("execution.resting")
    await desk.bus.publish(
        subject="execution.resting.main.BTC_USDT",
        message=msgspec.structs.replace(resting, account="main", client_order_id="other"),
        event_id="other",
    )
    desk.start()
    await desk.follower.restore()
    assert desk.resting.accounts() == {"paper"}


async def test_an_end_that_could_not_be_stored_is_told_later_and_once(desk):
    """Its acknowledgement may be what was lost, and the log forgets event ids after minutes."""
    await desk.handle(make_intent(**LIMIT))
    desk.exchange.move("48000")
    desk.bus.failing = 1
    await desk.follow()
    assert desk.bus.stages == RESTING
    publish = desk.bus.publish

    async def losing(**event):
        await publish(**event)
        raise LogUnavailable("the answer was lost")

    desk.bus.publish = losing
    await desk.follow()
    desk.bus.publish = publish
    desk.bus.forget_event_ids()
    await desk.follow()
    await desk.follow()
    assert desk.bus.stages == [*RESTING, "execution.filled"]
    assert desk.resting.accounts() == set()


async def test_an_exchange_that_does_not_answer_ends_nothing(desk):
    await desk.handle(make_intent(**LIMIT))
    desk.exchange.fail_queries(count=2)
    await desk.follow()
    await desk.follow()
    desk.exchange.hide(desk.exchange.submitted[0][1].client_order_id, asks=2)
    await desk.follow()
    await desk.follow()
    assert desk.bus.stages == RESTING
    assert desk.resting.accounts() == {"paper"}


async def test_an_order_that_the_exchange_will_not_tell_of_is_logged_once(desk):
    await desk.handle(make_intent(**LIMIT))
    desk.exchange.fail_queries(Refusal(code=402, message="Key expired", kind=Cause.KEY), count=2)
    with capture_logs() as logs:
        await desk.follow()
        await desk.follow()
    assert [(line["event"], line["why"]) for line in logs] == [("resting.missed", "Key expired")]
    assert desk.resting.accounts() == {"paper"}


async def test_a_follower_runs_until_it_is_cancelled(desk):
    await desk.handle(make_intent(**LIMIT))
    desk.start()
    following = asyncio.create_task(desk.follower.follow())
    desk.exchange.move("48000")
    async with asyncio.timeout(5):
        while "execution.filled" not in desk.bus.stages:
            await asyncio.sleep(0)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert desk.exchange.asked.count("order") < 10


async def test_a_log_that_is_away_at_start_is_read_later(desk):
    await desk.handle(make_intent(**LIMIT))
    desk.start()
    entries_after, tried = desk.bus.entries_after, []

    async def failing(**where):
        tried.append(where)
        if len(tried) == 1:
            raise LogUnavailable("away")
        async for entry in entries_after(**where):
            yield entry

    desk.bus.entries_after = failing
    await desk.follower.restore()
    assert desk.resting.accounts() == {"paper"}
