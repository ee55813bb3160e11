"""What closes is never held back, and what was begun is never called off: by another leg's end, by
an account that cannot be used any more, or by an exchange that does not take it now.
"""

from datetime import timedelta

import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, TradeMode
from libs.common.outcome import Retry
from libs.common.outcome import Unknown as UnknownOutcome
from tests.factories import D, make_intent
from tests.fakes import Mishap, Refusal
from tests.unit.executor_desk import OTHER_ALERT, Desk


@pytest.fixture
def desk():
    return Desk()


async def _hold_both_sides(desk):
    for action, contracts in ((Action.BUY, 10), (Action.SELL, 4)):
        signal = {"action": action, "contracts": D(contracts), "trade_mode": TradeMode.HEDGE}
        await desk.handle(make_intent(alert_id=OTHER_ALERT, **signal))
        desk.forget()


@pytest.mark.parametrize(
    "mishap",
    [
        Refusal(code=2008, message="Not enough", kind=Cause.POSITION),
        Mishap.PARTIAL_FILL,
        Mishap.DIE_LATER,
    ],
)
async def test_one_side_that_cannot_be_closed_keeps_the_other_from_nothing(desk, mishap):
    await _hold_both_sides(desk)
    desk.exchange.befall(mishap)
    await desk.handle(make_intent(action=Action.CLOSE_ALL, contracts=None))
    assert len(desk.submitted) == 2
    assert len(await desk.holdings()) == 1


async def test_a_key_that_is_gone_does_not_deny_what_was_begun(desk):
    """The order is at the exchange: to say `denied` would be a lie, and nobody would ask on."""
    desk.exchange.befall(Mishap.STAY_OPEN)
    with pytest.raises(Retry):
        await desk.handle(make_intent())
    denial = Denial(reason=Reason.KEY_UNREADABLE, message="it was never entered")
    find, desk.executor._accounts = desk.executor._accounts, _Unusable(denial)
    with pytest.raises(Retry, match="it was never entered"):
        await desk.handle(make_intent(), fresh=False)
    assert "intent.denied" not in desk.bus.stages
    desk.executor._accounts = find
    desk.exchange.settle()
    await desk.handle(make_intent(), fresh=False)
    assert desk.bus.stages[-1] == "execution.filled"
    assert desk.submitted == ["open long 10"]


class _Unusable:
    def __init__(self, denial):
        self._denial = denial

    def find(self, _account_id):
        return self._denial


@pytest.mark.parametrize("mishap", [Mishap.NOT_SENT, Mishap.RATE_LIMIT])
@pytest.mark.parametrize("action", [Action.FLAT, Action.BREAKEVEN])
async def test_what_is_not_taken_for_long_goes_on_with_the_account_as_it_is_by_then(
    desk, action, mishap
):
    """Its address or key may have been mended meanwhile; an exit is never given up for its age."""
    await desk.hold("long", 10)
    desk.exchange.move("50100")
    desk.exchange.befall(*[mishap] * 10_000)
    start = desk.clock.now()
    intent = make_intent(action=action, contracts=None)
    with pytest.raises(Retry):
        await desk.handle(intent)
    assert desk.clock.now() - start < timedelta(minutes=2)
    desk.exchange._mishaps.clear()
    await desk.handle(intent, fresh=False)
    assert desk.bus.stages[-1] in {"execution.filled", "execution.changed"}


@pytest.mark.parametrize("action", [Action.FLAT, Action.BREAKEVEN])
async def test_who_does_not_answer_for_long_is_asked_anew_with_the_account_as_it_is_by_then(
    desk, action
):
    await desk.hold("long", 10)
    desk.exchange.move("50100")
    desk.exchange.befall(Mishap.LOSE_REPLY)
    intent = make_intent(action=action, contracts=None)
    send = desk.exchange._send

    async def then_nothing(*sent):
        desk.exchange.fail_queries(count=10_000)
        return await send(*sent)

    desk.exchange._send = then_nothing
    with pytest.raises(UnknownOutcome):
        await desk.handle(intent)
    desk.exchange._failing.clear()
    await desk.handle(intent, fresh=False)
    assert desk.bus.stages[-1] in {"execution.filled", "execution.changed"}
    assert len(desk.exchange.submitted) + len(desk.exchange.changed) == 1


LATE = Refusal(code=513, message="Invalid request", kind=Cause.TIMESTAMP)


@pytest.mark.parametrize("action", [Action.FLAT, Action.BREAKEVEN])
async def test_what_came_too_late_is_sent_once_more_with_the_clock_measured_anew(desk, action):
    """The clock was set, or the process slept: that is no reason to keep a position."""
    await desk.hold("long", 10)
    desk.exchange.move("50100")
    desk.exchange.befall(LATE)
    await desk.handle(make_intent(action=action, contracts=None))
    assert "server_time_ms" in desk.exchange.asked
    assert desk.bus.stages[-1] in {"execution.filled", "execution.changed"}
    assert "execution.rejected" not in desk.bus.stages


@pytest.mark.parametrize("action", [Action.FLAT, Action.BREAKEVEN])
async def test_what_is_called_late_again_is_rejected(desk, action):
    await desk.hold("long", 10)
    desk.exchange.move("50100")
    desk.exchange.befall(LATE, LATE)
    await desk.handle(make_intent(action=action, contracts=None))
    assert desk.bus.stages[-1] == "execution.rejected"


async def test_a_question_that_came_too_late_has_the_clock_measured_anew(desk):
    desk.exchange.fail_queries(LATE)
    with pytest.raises(Retry):
        await desk.handle(make_intent())
    assert desk.exchange.asked[-1] == "server_time_ms"
    desk.exchange.asked.clear()
    desk.exchange.befall(Mishap.LOSE_REPLY)
    submit = desk.exchange.submit

    async def then_late(*what, **how):
        submitted = await submit(*what, **how)
        desk.exchange.fail_queries(LATE)
        return submitted

    desk.exchange.submit = then_late
    await desk.handle(make_intent(), fresh=False)
    assert desk.exchange.asked[-3:] == ["order", "server_time_ms", "order"]
