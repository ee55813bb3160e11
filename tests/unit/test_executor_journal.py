"""What the log says about an intent: all of it, and of nobody else."""

import pytest

from libs.common.contracts import subjects
from libs.common.contracts.intent import Denial, IntentDenied
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import ExecutionKind
from libs.common.domain.identity import alert_id
from services.executor.journal import ENDINGS, NOTHING, History, read_history
from tests.factories import NOW, make_intent, make_leg
from tests.fake_bus import FakeBus
from tests.trail_messages import make_execution, make_plan

INTENT = make_intent()
OTHER_ALERT = alert_id(unix_ms=2, random_bits=2)
LEG = make_leg()


class Log:
    """A log with the intent in it; `add` stores what came later."""

    def __init__(self):
        self.bus = FakeBus()

    async def add(self, message, subject):
        number = len(self.bus.entries)
        await self.bus.publish(subject=subject, message=message, event_id=str(number))
        return message

    async def plan(self, plan):
        subject = subjects.order_planned(account=plan.account, symbol=plan.symbol)
        return await self.add(plan, subject)

    async def execution(self, found):
        subject = subjects.execution(kind=found.kind, account=found.account, symbol=found.symbol)
        return await self.add(found, subject)

    async def denial(self, intent, *, intent_id=None):
        denied = IntentDenied(
            alert_id=intent.alert_id,
            route=intent.route,
            at=NOW,
            denial=Denial(reason=Reason.STALE, message="too old"),
            account=intent.account,
            intent_id=intent_id,
        )
        return await self.add(denied, subjects.intent_denied(intent.route))

    async def read(self, *, after=1):
        return await read_history(self.bus, INTENT, after=after)


@pytest.fixture
async def log():
    made = Log()
    subject = subjects.intent_accepted(shard=0, account=INTENT.account, symbol=INTENT.symbol)
    await made.add(INTENT, subject)
    return made


async def test_nothing_was_done(log):
    assert await log.read() == NOTHING == History()


async def test_a_plan_with_what_was_executed_of_it_in_order(log):
    plan = await log.plan(make_plan(LEG))
    order = LEG.client_order_id
    executions = [
        await log.execution(make_execution(kind, order=order))
        for kind in ("sent", "unknown", "accepted", "filled")
    ]
    assert await log.read() == History(plan=plan, executions=tuple(executions))


async def test_a_plan_of_which_nothing_was_sent(log):
    plan = await log.plan(make_plan(LEG))
    assert await log.read() == History(plan=plan)


async def test_a_denial(log):
    await log.denial(INTENT, intent_id=INTENT.intent_id)
    assert await log.read() == History(denied=True)


async def test_what_was_done_about_others_is_not_read(log):
    """Other alerts of the same lane, other accounts and symbols, and the router's denials."""
    await log.plan(make_plan(LEG, alert=OTHER_ALERT))
    await log.execution(make_execution("filled", alert=OTHER_ALERT))
    await log.plan(make_plan(LEG, account="other"))
    await log.execution(make_execution("sent", account="other"))
    await log.denial(make_intent(alert_id=OTHER_ALERT), intent_id=f"{OTHER_ALERT}.paper")
    await log.denial(INTENT)
    assert await log.read() == NOTHING
    plan = await log.plan(make_plan(LEG))
    await log.execution(make_execution("filled", alert=OTHER_ALERT))
    own = await log.execution(make_execution("sent"))
    assert await log.read() == History(plan=plan, executions=(own,))


async def test_only_what_came_after_the_intent_is_read(log):
    await log.plan(make_plan(LEG))
    assert await log.read(after=len(log.bus.entries)) == NOTHING


def test_how_a_leg_ended():
    other = make_leg(client_order_id="other")

    def ending(*kinds):
        executions = (
            make_execution("filled", order="other"),
            *(make_execution(kind, order=LEG.client_order_id) for kind in kinds),
        )
        found = History(executions=executions).ending(LEG.client_order_id)
        return found.kind if found else None

    assert ending() is None
    assert ending("sent", "accepted", "unknown", "resting") is None
    for end in ENDINGS:
        assert ending("sent", end) is end
    assert History().ending(other.client_order_id) is None
    assert set(ExecutionKind) - ENDINGS == {
        ExecutionKind.SENT,
        ExecutionKind.ACCEPTED,
        ExecutionKind.UNKNOWN,
        ExecutionKind.RESTING,
    }


def test_what_the_exchange_calls_an_order_and_whether_it_rests():
    order = LEG.client_order_id
    sent = make_execution("sent", order=order)
    accepted = make_execution("accepted", order=order, exchange_order_id="7")
    resting = make_execution("resting", order=order, leg=LEG)
    other = make_execution("resting", order="other", exchange_order_id="8")
    assert History(executions=(other, sent)).exchange_id(order) is None
    assert History(executions=(other, sent, accepted)).exchange_id(order) == "7"
    assert History(executions=(other, sent, accepted)).resting(order) is None
    assert History(executions=(other, accepted, resting)).resting(order) == resting
