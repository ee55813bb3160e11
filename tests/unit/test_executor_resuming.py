"""The executor across crashes, redeliveries and a failing log: what was begun is resumed, once."""

from datetime import timedelta

import pytest

from libs.common.bus import LogUnavailable
from libs.common.contracts.order import Plan
from libs.common.contracts.words import Action, Effect
from libs.common.domain.identity import plan_event_id
from libs.common.outcome import Retry
from tests.factories import NOW, D, make_intent
from tests.fakes import Mishap
from tests.unit.executor_desk import HAPPY, Desk


@pytest.fixture
def desk():
    return Desk()


async def test_a_finished_intent_that_comes_again_does_nothing(desk):
    await desk.handle(make_intent())
    desk.bus.forget_event_ids()
    await desk.handle(make_intent(), fresh=False)
    assert desk.submitted == ["open long 10"]
    assert desk.bus.stages == HAPPY


async def test_a_denied_intent_that_comes_again_stays_denied(desk):
    intent = make_intent(received_at=NOW - timedelta(seconds=60))
    await desk.handle(intent)
    desk.bus.forget_event_ids()
    await desk.handle(make_intent(), fresh=False)
    assert desk.bus.stages == ["intent.denied"]
    assert desk.submitted == []


async def test_a_crash_between_plan_and_order_sends_it_once_after_the_fence(desk):
    """A dead process may have signed a request up to now: it is waited out first."""
    await desk.bus.publish(
        subject="order.planned.paper.BTC_USDT",
        message=await _plan(make_intent(max_age_s=60)),
        event_id=plan_event_id(make_intent().intent_id),
    )
    start = desk.clock.now()
    await desk.handle(make_intent(max_age_s=60), fresh=False)
    assert desk.submitted == ["open long 10"]
    (sent,) = desk.bus.messages("execution.sent")
    assert sent.at - start > timedelta(seconds=12)


async def _plan(intent) -> Plan:
    other = Desk()
    await other.handle(intent)
    return other.bus.messages("order.planned")[0]


async def test_a_crash_after_the_order_finds_it_and_sends_nothing(desk):
    await desk.handle(make_intent())
    desk.bus.cut_after(1)
    await desk.handle(make_intent(), fresh=False)
    assert desk.submitted == ["open long 10"]
    assert desk.bus.stages == ["order.planned", "execution.filled"]


async def test_a_crash_between_close_and_open_goes_on_with_the_stored_plan(desk):
    """The position has moved since, so a plan made anew would be another one."""
    await desk.hold("long", 10)
    intent = make_intent(action=Action.SELL, contracts=D(25), max_age_s=60)
    submit = desk.exchange.submit

    async def dying(leg, **how):
        if leg.effect is Effect.OPEN:
            raise ProcessLookupError("as if killed")
        return await submit(leg, **how)

    desk.exchange.submit = dying
    with pytest.raises(ProcessLookupError):
        await desk.handle(intent)
    desk.exchange.submit = submit
    assert await desk.holdings() == {}
    await desk.handle(intent, fresh=False)
    assert desk.submitted == ["close long 10", "open short 15"]
    assert await desk.holdings() == {"short": 15}


def lose_acknowledgement_of(desk, stage):
    """The log stores the next event of that stage, and its answer is lost: as a crash there."""
    publish, lost = desk.bus.publish, []

    async def losing(*, subject, message, event_id):
        stored = await publish(subject=subject, message=message, event_id=event_id)
        if subject.startswith(stage) and not lost:
            lost.append(subject)
            raise LogUnavailable("the answer was lost")
        return stored

    desk.bus.publish = losing


async def test_a_plan_that_somebody_else_stored_meanwhile_counts(desk):
    """Two executors at once: the log keeps one plan, and it is resumed, not doubled."""
    theirs = await _plan(make_intent(contracts=D(7)))
    await desk.bus.publish(
        subject="order.planned.paper.BTC_USDT",
        message=theirs,
        event_id=plan_event_id(theirs.intent_id),
    )
    start = desk.clock.now()
    await desk.handle(make_intent(max_age_s=60), fresh=True)
    assert len(desk.bus.messages("order.planned")) == 1
    assert desk.submitted == ["open long 7"]
    assert desk.clock.now() - start > timedelta(seconds=12), "theirs may be under way"


async def test_nothing_leaves_before_the_plan_is_stored(desk):
    desk.bus.failing = 1
    with pytest.raises(LogUnavailable):
        await desk.handle(make_intent())
    assert desk.submitted == []


async def test_a_log_that_fails_after_the_order_left_does_not_double_it(desk):
    async def publish(*, subject, message, event_id, store=desk.bus.publish):
        if "execution.accepted" in subject and not failed:
            failed.append(1)
            raise LogUnavailable("away")
        return await store(subject=subject, message=message, event_id=event_id)

    failed = []
    desk.bus.publish = publish
    with pytest.raises(LogUnavailable):
        await desk.handle(make_intent())
    await desk.handle(make_intent(), fresh=False)
    assert desk.submitted == ["open long 10"]
    assert desk.bus.stages[-1] == "execution.filled"


async def test_an_order_that_stays_open_is_said_to_be_unknown_and_asked_on(desk):
    desk.exchange.befall(Mishap.STAY_OPEN)
    with pytest.raises(Retry):
        await desk.handle(make_intent())
    assert desk.bus.stages[-1] == "execution.unknown"
    desk.exchange.settle()
    await desk.handle(make_intent(), fresh=False)
    assert desk.bus.stages[-1] == "execution.filled"
    assert desk.submitted == ["open long 10"]
