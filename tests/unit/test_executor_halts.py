"""What is halted opens nothing, also what is queued; what closes passes."""

import pytest

from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, ExecutionKind, TradeMode
from tests.factories import D, make_intent
from tests.fake_halts import make_control
from tests.unit.executor_desk import HAPPY, Desk


@pytest.fixture
def desk():
    return Desk()


@pytest.mark.parametrize(
    "control",
    [make_control(), make_control("account", "paper"), make_control("route", "demo")],
    ids=lambda control: control.scope.value,
)
async def test_an_entry_that_the_router_let_pass_is_denied(desk, control):
    desk.halts.halt(control)
    await desk.handle(make_intent(trade_mode=TradeMode.HEDGE))
    [denied] = desk.bus.messages("intent.denied")
    assert denied.denial.reason is Reason.HALTED
    assert desk.submitted == []


async def test_halts_of_others_hold_nothing_back(desk):
    desk.halts.halt(make_control("account", "second"))
    desk.halts.halt(make_control("route", "other"))
    await desk.handle(make_intent())
    assert desk.submitted == ["open long 10"]


async def test_an_exit_passes(desk):
    await desk.hold("long", 10)
    desk.halts.halt(make_control())
    await desk.handle(make_intent(action=Action.FLAT, contracts=None))
    assert desk.submitted == ["close long 10"]
    assert desk.bus.stages == HAPPY


async def test_of_a_flip_the_close_alone_is_sent(desk):
    await desk.hold("long", 10)
    desk.halts.halt(make_control())
    await desk.handle(make_intent(action=Action.SELL, contracts=D(25)))
    assert desk.submitted == ["close long 10"]
    [plan] = desk.bus.messages("order.planned")
    assert plan.withheld.reason is Reason.HALTED


class HaltingBudget:
    """Everything is halted while the leg of that number waits for its turn."""

    def __init__(self, desk, *, leg):
        self._desk = desk
        self._left = leg

    async def take(self, _urgency, *, since):
        self._left -= 1
        if self._left == 0:
            self._desk.halts.halt(make_control(reason="enough"))


@pytest.mark.parametrize(
    ("held", "leg", "sent"), [(None, 1, []), ("long", 1, ["close long 10"])], ids=["entry", "flip"]
)
async def test_an_opening_order_that_is_queued_is_not_sent(desk, held, leg, sent):
    if held:
        await desk.hold(held, 10)
    desk.count_budget(HaltingBudget(desk, leg=leg))
    await desk.handle(make_intent(action=Action.SELL, contracts=D(25)))
    assert desk.submitted == sent
    [canceled] = desk.bus.messages("execution.canceled")
    assert canceled.kind is ExecutionKind.CANCELED
    assert canceled.reason is Reason.HALTED
    assert "everything was halted" in canceled.message
    assert "enough" in canceled.message


async def test_after_the_resume_entries_pass_again(desk):
    desk.halts.halt(make_control())
    desk.halts.resume()
    await desk.handle(make_intent())
    assert desk.submitted == ["open long 10"]
