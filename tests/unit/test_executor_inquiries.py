"""What would be planned: the same as what is planned then, and nothing of the executor changes."""

import msgspec
import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.intent import Limits, Offset, Protection, Size
from libs.common.contracts.questions import PlanAsked
from libs.common.contracts.words import Action, PositionMode, SizingMode, TradeMode
from libs.common.domain.identity import alert_id
from services.executor.inquiries import Inquiries
from tests.factories import D, make_intent
from tests.fake_halts import make_control
from tests.fakes import Refusal
from tests.unit.executor_desk import Desk

SENT = alert_id(unix_ms=5, random_bits=5)
STOPPED = Protection(stop=Offset(distance=D(100)), target=Offset(distance=D(200)))


def inquiries(desk):
    return Inquiries(
        bus=desk.bus,
        accounts=desk._accounts,
        proposer=desk.executor.proposer,
        moved=desk.moved,
        shard_of=lambda _account: 0,
        clock=desk.clock,
    )


async def ask(desk, intent):
    return await inquiries(desk).answer(PlanAsked(intent=intent))


INTENTS = {
    "opens": {},
    "flips": {"action": Action.SELL, "contracts": D(25)},
    "opposite": {"action": Action.SELL, "trade_mode": TradeMode.OPPOSITE},
    "closes": {"action": Action.FLAT, "contracts": None},
    "reverses": {"action": Action.REVERSE, "contracts": D(5)},
    "protected": {"protection": STOPPED},
    "equity": {"contracts": None, "size": Size(mode=SizingMode.PERCENT_EQUITY, value=D(5))},
    "modifies": {
        "action": Action.MODIFY,
        "contracts": None,
        "protection": Protection(stop=Offset(price=D(49_000))),
    },
    "adds_nothing": {"limits": Limits(pyramiding=False)},
    "limited": {"limits": Limits(max_position_notional=D(40))},
    "breakeven": {"action": Action.BREAKEVEN, "contracts": None},
}


@pytest.mark.parametrize("held", ["nothing", "long", "short"])
@pytest.mark.parametrize("changes", INTENTS.values(), ids=INTENTS)
async def test_it_is_what_is_planned_then(changes, held):
    desk = Desk()
    if held != "nothing":
        await desk.hold(held, 10)
    answered = await ask(desk, make_intent(alert_id=SENT, **changes))
    assert answered.problem is None
    await desk.handle(make_intent(alert_id=SENT, **changes))
    plans = desk.bus.messages("order.planned")
    if answered.denial is not None:
        assert plans == []
        assert [one.denial for one in desk.bus.messages("intent.denied")] == [answered.denial]
        return
    proposal = answered.proposal
    assert [(plan.legs, plan.changes, plan.withheld, plan.steps) for plan in plans] == [
        (proposal.legs, proposal.changes, proposal.withheld, proposal.steps)
    ]
    assert plans[0].holdings == answered.picture.holdings
    assert plans[0].summary == proposal.summary


async def test_nothing_is_remembered_or_done():
    """A plan remembers what the exchange has answered, where our orders have led to something else;
    the next plan would else be made from what a mere question has seen.
    """
    desk = Desk()
    await desk.hold("long", 10)
    [(lane, move)] = desk.moved.moves()
    move.filled.clear()
    desk.clock.set(60)
    cancel = {"action": Action.CANCEL, "contracts": None}
    for changes in ({"action": Action.SELL}, cancel):
        assert (await ask(desk, make_intent(alert_id=SENT, **changes))).problem is None
    assert move.believed is None
    assert desk.moved.entered(lane) == 1, "no lane was held"
    assert (desk.bus.entries, desk.submitted, desk.changed) == ([], [], [])
    await desk.handle(make_intent(alert_id=SENT, **cancel))
    assert move.believed == {"long": 10}


@pytest.mark.parametrize(
    ("action", "outcome"), [(Action.BUY, "withheld"), (Action.FLAT, "planned")], ids=str
)
async def test_a_halt_counts_as_for_an_alert(action, outcome):
    desk = Desk()
    await desk.hold("short", 10)
    desk.halts.halt(make_control())
    contracts = None if action is Action.FLAT else D(20)
    answered = await ask(desk, make_intent(alert_id=SENT, action=action, contracts=contracts))
    reason = answered.proposal.withheld and answered.proposal.withheld.reason
    assert reason == ("halted" if outcome == "withheld" else None)
    assert [leg.effect for leg in answered.proposal.legs] == ["close"]


async def test_a_mode_that_differs_counts():
    desk = Desk(position_mode=PositionMode.ONE_WAY)
    desk._accounts.find("paper").book.position_mode = PositionMode.HEDGE
    answered = await ask(desk, make_intent(alert_id=SENT, trade_mode=TradeMode.HEDGE))
    assert answered.denial.reason == "position_mode_differs"
    assert answered.picture is None, "it was not looked at"


@pytest.mark.parametrize(
    ("kind", "denied"),
    [(Cause.SYSTEM, None), (Cause.PERMISSION, "exchange_refused_query")],
    ids=["passing", "final"],
)
async def test_an_exchange_that_does_not_tell(kind, denied):
    desk = Desk()
    desk.exchange.fail_queries(Refusal(code=500, message="no", kind=kind))
    answered = await ask(desk, make_intent(alert_id=SENT))
    if denied is None:
        assert "does not tell what the plan needs" in answered.problem
    else:
        assert answered.denial.reason == denied


async def test_an_order_under_way_is_told():
    desk = Desk()
    with desk.moved.busy(("paper", "BTC_USDT")):
        answered = await ask(desk, make_intent(alert_id=SENT))
    assert answered.picture.busy


async def test_the_questions_own_way_makes_nothing_stale():
    desk = Desk()
    intent = make_intent(alert_id=SENT)
    desk.clock.set(3600)
    assert (await ask(desk, intent)).proposal is not None
    old = msgspec.structs.replace(intent, at=desk.clock.now())
    assert (await ask(desk, old)).denial.reason == "stale"
