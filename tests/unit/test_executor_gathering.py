"""What the executor asks before it plans, and what an entry's age leaves of a plan."""

import asyncio
from datetime import timedelta

import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.intent import Denial, Limits, Offset, Protection, Size
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    Action,
    MarketPosition,
    OrderType,
    SizingMode,
    TradeMode,
)
from libs.common.domain.identity import alert_id
from libs.common.outcome import Retry
from services.executor.exchange import QueryFailed
from services.executor.gathering import gather_picture
from tests.factories import ALERT_ID, NOW, D, make_intent
from tests.fakes import Refusal
from tests.unit.executor_desk import HAPPY, OTHER_ALERT, Desk

LATER = alert_id(unix_ms=1_763_900_000_001, random_bits=1)
OLD = {"received_at": NOW - timedelta(seconds=31)}
STOP = Protection(stop=Offset(price=D(49_000)))
RISK = Size(mode=SizingMode.RISK_PERCENT, value=D(1))
TO_SHORT = {"action": Action.TARGET, "wanted": MarketPosition.SHORT}


@pytest.fixture
def desk():
    return Desk()


async def gathered(desk, intent, *, live=True):
    connected = desk.executor._accounts.find(intent.account)
    return await gather_picture(intent, connected=connected, resting=desk.resting, live=live)


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, []),
        ({"action": Action.FLAT, "contracts": None}, []),
        ({"protection": STOP}, ["prices"]),
        ({"protection": STOP, "price": D(50_000)}, []),
        ({"limits": Limits(max_position_notional=D(1000))}, ["prices"]),
        ({"contracts": None, "size": RISK, "protection": STOP}, ["equity", "prices"]),
        ({"action": Action.CANCEL, "contracts": None}, ["pending"]),
        ({"action": Action.BREAKEVEN, "contracts": None}, ["prices", "protectives"]),
        (
            {
                "action": Action.MODIFY,
                "contracts": None,
                "order_id": "mine",
                "protection": Protection(trailing_ticks=D(5)),
            },
            ["pending", "prices", "protectives", "trails"],
        ),
    ],
)
async def test_only_what_the_intent_needs_is_asked(desk, changes, asked):
    found = await gathered(desk, make_intent(**changes))
    assert sorted(desk.exchange.asked) == sorted(["holdings", *asked])
    assert found.calls[0].path == "/holdings"
    assert len(found.calls) == 1 + len(asked), "every question stands in the trail"
    picture = found.picture
    assert (picture.prices is not None) == ("prices" in asked)
    assert (picture.equity is not None) == ("equity" in asked)


async def test_the_plan_tells_how_its_picture_came_about(desk):
    await desk.handle(make_intent(protection=STOP))
    (plan,) = desk.bus.messages("order.planned")
    assert {call.path for call in plan.calls} == {"/holdings", "/prices"}
    assert plan.steps
    assert plan.summary


async def test_questions_are_asked_side_by_side(desk):
    """Each waits for all others to have been asked."""
    waiting = []
    everybody = asyncio.Event()

    def together(ask):
        async def asking(what):
            waiting.append(what)
            if len(waiting) == 3:
                everybody.set()
            await everybody.wait()
            return await ask(what)

        return asking

    for name in ("holdings", "prices", "equity"):
        setattr(desk.exchange, name, together(getattr(desk.exchange, name)))
    async with asyncio.timeout(1):
        await gathered(desk, make_intent(contracts=None, size=RISK, protection=STOP))
    assert sorted(waiting) == ["BTC_USDT", "BTC_USDT", "USDT"]


async def test_pending_orders_carry_the_labels_of_their_alerts(desk):
    limit = {"order_type": OrderType.LIMIT, "price": D(49_000)}
    stop = {"order_type": OrderType.STOP, "price": D(51_000)}
    await desk.handle(make_intent(**limit, order_id="a", comment="first"))
    await desk.handle(make_intent(**stop, order_id="b", alert_id=LATER))
    desk.start()
    cancel = make_intent(action=Action.CANCEL, contracts=None, alert_id=OTHER_ALERT)
    asking = asyncio.create_task(gathered(desk, cancel))
    await asyncio.sleep(0.01)
    assert not asking.done(), "the log is read first"
    await desk.follower.restore()
    pending = (await asking).picture.pending
    assert [(one.order_id, one.comment) for one in pending] == [("a", "first"), ("b", None)]


async def test_one_question_that_fails_for_good_decides(desk):
    desk.exchange.fail_queries(count=1)
    desk.exchange.fail_queries(Refusal(code=402, message="Key expired", kind=Cause.KEY))
    with pytest.raises(QueryFailed) as failed:
        await gathered(desk, make_intent(protection=STOP))
    assert failed.value.code == 402


async def test_a_price_that_could_not_be_asked_for_is_asked_for_again(desk):
    desk.exchange.fail_queries(count=2)
    with pytest.raises(Retry):
        await desk.handle(make_intent(protection=STOP))
    await asyncio.sleep(0)
    (called,) = desk.bus.messages("account.called")
    assert {call.path for call in called.calls} <= {"/holdings", "/prices"}
    assert (called.alert_id, called.what) == (ALERT_ID, "not answered: GET /holdings: no reply")
    assert desk.bus.stages == []
    await desk.handle(make_intent(protection=STOP), fresh=False)
    assert desk.bus.stages == HAPPY


async def test_a_failure_comes_with_what_was_answered_beside_it(desk):
    """Prices are answered, what is held is not."""
    asked = asyncio.Event()
    prices, holdings = desk.exchange.prices, desk.exchange.holdings

    async def answered(symbol):
        told = await prices(symbol)
        asked.set()
        return told

    async def refused(symbol):
        await asked.wait()
        desk.exchange.fail_queries(Refusal(code=402, message="Key expired", kind=Cause.KEY))
        return await holdings(symbol)

    desk.exchange.prices, desk.exchange.holdings = answered, refused
    await desk.handle(make_intent(protection=STOP))
    (denied,) = desk.bus.messages("intent.denied")
    assert denied.denial.reason is Reason.EXCHANGE_REFUSED_QUERY
    assert [call.path for call in denied.calls] == ["/prices", "/holdings"]


async def test_a_denial_tells_how_its_picture_came_about(desk):
    await desk.hold("long", 10)
    limits = Limits(max_position_notional=D("0.01"))
    await desk.handle(make_intent(limits=limits))
    (denied,) = desk.bus.messages("intent.denied")
    assert [call.path for call in denied.calls] == ["/holdings", "/prices"]


async def test_a_stale_flip_closes_and_opens_nothing(desk):
    await desk.hold("long", 10)
    await desk.handle(make_intent(action=Action.SELL, contracts=D(25), **OLD))
    assert desk.submitted == ["close long 10"]
    (plan,) = desk.bus.messages("order.planned")
    assert plan.withheld.reason is Reason.STALE
    assert await desk.holdings() == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"action": Action.SELL, "trade_mode": TradeMode.OPPOSITE},
        {"action": Action.REVERSE, "contracts": None},
        TO_SHORT,
        {"action": Action.TARGET, "contracts": None, "wanted": MarketPosition.FLAT},
    ],
)
async def test_whatever_is_stale_and_closes_does_only_that(desk, changes):
    await desk.hold("long", 10)
    await desk.handle(make_intent(**changes, **OLD))
    assert desk.submitted == ["close long 10"]


@pytest.mark.parametrize(
    "changes", [{}, TO_SHORT, {"trade_mode": TradeMode.HEDGE}, {"trade_mode": TradeMode.REVERSE}]
)
async def test_a_stale_entry_with_nothing_to_close_is_denied(desk, changes):
    await desk.handle(make_intent(**changes, **OLD))
    (denied,) = desk.bus.messages("intent.denied")
    assert denied.denial.reason is Reason.STALE
    assert denied.denial.context == {"age_s": "31.0", "max_age_s": "30"}


async def test_a_stale_hedge_entry_asks_for_nothing(desk):
    await desk.hold("short", 10)
    await desk.handle(make_intent(trade_mode=TradeMode.HEDGE, **OLD))
    assert desk.exchange.asked == []
    assert desk.bus.stages == ["intent.denied"]


async def test_the_routers_reason_comes_before_the_age(desk):
    await desk.hold("long", 10)
    paused = Denial(reason=Reason.ROUTE_PAUSED, message="paused")
    sell = {"action": Action.SELL, "contracts": D(25)}
    await desk.handle(make_intent(**sell, opening_denied=paused, **OLD))
    (plan,) = desk.bus.messages("order.planned")
    assert plan.withheld.reason is Reason.ROUTE_PAUSED


@pytest.mark.parametrize("action", [Action.FLAT, Action.CLOSE_ALL, Action.CANCEL, Action.BREAKEVEN])
async def test_what_opens_nothing_is_never_stale(desk, action):
    await desk.hold("long", 10)
    desk.exchange.move("51000")
    await desk.handle(make_intent(action=action, contracts=None, **OLD))
    assert "intent.denied" not in desk.bus.stages
