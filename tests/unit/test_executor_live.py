"""With the live picture no question stands between an alert and its order, nor between the order
and its end; where a push is late, missing or doubtful, the exchange is asked all the same.
"""

from dataclasses import replace

import msgspec
import pytest

from libs.common.contracts.intent import IntentDenied
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, OrderType, PositionMode, TradeMode
from libs.common.outcome import Retry
from services.executor.exchange import Found
from services.executor.pushes import OrderPushed, PositionModePushed, PositionPushed
from services.executor.settings import Timing
from tests.factories import D, make_intent
from tests.fakes import Mishap
from tests.unit.executor_desk import HAPPY, OTHER_ALERT, Desk
from tests.unit.mexc_calls import make_call
from tests.unit.test_executor_changes import LATER

BTC = "BTC_USDT"
QUICK = replace(Timing(), push_s=0.02, shown_again_s=0.01)


PUSHED = make_call(method="PUSH", path="push.personal.position")


class LiveDesk(Desk):
    """A desk whose exchange pushes: what every order has led to is told right behind it."""

    def __init__(self, **account):
        super().__init__(**account)
        self.book = self._accounts.find("paper").book
        self.book._heard_at = self.book._clock
        self.book._timing = QUICK
        self.executor._timing = self.executor.proposer._timing = QUICK
        self.lost = set()
        submit = self.exchange.submit

        async def pushing(leg, **how):
            submitted = await submit(leg, **how)
            await self.push(leg)
            return submitted

        self.exchange.submit = pushing
        self.book.opened()
        self.book.corrected((), asked_at=self.book._clock() - 10)
        self.book.position_mode = PositionMode.HEDGE

    async def push(self, leg):
        asked = len(self.exchange.asked)
        if "order" not in self.lost:
            found = await self.exchange.order(BTC, leg.client_order_id)
            if isinstance(found, Found):
                self.book.pushed(
                    OrderPushed(symbol=BTC, client_order_id=leg.client_order_id, found=found)
                )
        if "position" not in self.lost:
            held = {one.side: one for one in (await self.exchange.holdings(BTC)).holdings}
            self.book.pushed(
                PositionPushed(
                    symbol=BTC,
                    side=leg.position_side,
                    position_id=f"{leg.position_side}",
                    holding=held.get(leg.position_side),
                    version=None,
                    call=PUSHED,
                )
            )
        del self.exchange.asked[asked:]


@pytest.fixture
def desk():
    return LiveDesk()


async def test_nothing_is_asked_from_the_alert_to_the_fill(desk):
    await desk.handle(make_intent())
    assert desk.exchange.asked == []
    assert desk.bus.stages == HAPPY
    assert await desk.holdings() == {"long": 10}


async def test_a_flip_is_made_of_what_was_pushed(desk):
    await desk.handle(make_intent())
    await desk.handle(make_intent(action=Action.SELL, contracts=D(25), alert_id=LATER))
    assert desk.submitted == ["open long 10", "close long 10", "open short 15"]
    assert desk.exchange.asked == []


async def test_the_trail_holds_what_was_pushed(desk):
    await desk.handle(make_intent())
    (plan,) = desk.bus.messages("order.planned")
    assert plan.calls == ()
    (filled,) = desk.bus.messages("execution.filled")
    assert filled.calls, "the exchange's own words"
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    _, plan = desk.bus.messages("order.planned")
    assert plan.calls == (PUSHED,), "by which it learnt what is held"


async def test_pushes_that_were_overtaken_stand_in_the_trail_too(desk):
    """Two come before anybody looks; and what comes behind the end is not lost either."""
    submit = desk.exchange.submit

    async def pushing(leg, **how):
        submitted = await submit(leg, **how)
        found = await desk.exchange.order(BTC, leg.client_order_id)
        for path in ("first", "second"):
            told = replace(found, call=make_call(method="PUSH", path=path), earlier=())
            push = OrderPushed(symbol=BTC, client_order_id=leg.client_order_id, found=told)
            desk.book.pushed(push)
        return submitted

    desk.exchange.submit = pushing
    await desk.handle(make_intent())
    (filled,) = desk.bus.messages("execution.filled")
    assert [call.path for call in filled.calls if call.method == "PUSH"][-2:] == ["first", "second"]


async def test_a_fill_that_is_not_pushed_is_asked_for(desk):
    desk.lost.add("order")
    await desk.handle(make_intent())
    assert desk.exchange.asked == ["order"]
    assert desk.bus.stages == HAPPY


async def test_a_position_that_is_not_pushed_is_asked_for(desk):
    """The exit right behind the entry closes it, though nobody has told of the position."""
    desk.lost.add("position")
    await desk.handle(make_intent())
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    assert desk.submitted == ["open long 10", "close long 10"]
    assert "holdings" in desk.exchange.asked


async def test_a_push_that_was_lost_is_not_believed_later_either(desk):
    """A picture that was never told of the fill is as wrong an hour later."""
    desk.lost.add("position")
    await desk.handle(make_intent())
    desk.clock.advance(3_600)
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    assert desk.submitted == ["open long 10", "close long 10"]


async def test_what_the_exchange_answers_is_believed_and_then_what_it_pushes(desk):
    """Somebody has closed it by hand, and the picture says so."""
    await desk.handle(make_intent())
    desk.exchange.venue.held.clear()
    desk.book.corrected((), asked_at=desk.book._clock() + 10)
    desk.clock.advance(10)
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    assert desk.exchange.asked == ["holdings"]
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=OTHER_ALERT))
    assert desk.exchange.asked == ["holdings"], "once is enough"
    assert desk.submitted == ["open long 10"]


async def test_a_picture_of_before_the_tenure_is_not_used(desk):
    """What another owner has traded was perhaps not pushed here."""
    desk.owning.monotonic_since = desk.book._clock()
    await desk.handle(make_intent())
    assert desk.exchange.asked == ["holdings"]
    desk.book.corrected(
        [("BTC_USDT", one) for one in (await desk.exchange.holdings(BTC)).holdings],
        asked_at=desk.book._clock(),
    )
    desk.exchange.asked.clear()
    await desk.handle(make_intent(alert_id=LATER))
    assert desk.exchange.asked == []


async def test_the_fill_of_an_order_that_waited_is_asked_about(desk):
    """Its push may be the one that was lost."""
    await desk.handle(make_intent(order_type=OrderType.LIMIT, price=D(49_000)))
    _, leg = desk.exchange.submitted[0]
    desk.exchange.move("49000")
    found = await desk.exchange.order(BTC, leg.client_order_id)
    desk.exchange.asked.clear()
    await desk.follower.hear(
        OrderPushed(symbol=BTC, client_order_id=leg.client_order_id, found=found)
    )
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    assert desk.exchange.asked == ["holdings"]
    assert desk.submitted[-1] == "close long 10"


async def test_an_order_that_waits_makes_a_lost_push_no_better(desk):
    """What the lane's last fill led to is expected all the same."""
    desk.lost.add("position")
    await desk.handle(make_intent())
    await desk.handle(
        make_intent(order_type=OrderType.LIMIT, price=D(49_000), alert_id=OTHER_ALERT)
    )
    desk.clock.advance(10)
    await desk.drifts.look()
    desk.exchange.asked.clear()
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    assert "holdings" in desk.exchange.asked
    assert desk.submitted[-1] == "close long 10"


async def test_what_looks_frozen_is_asked_for(desk):
    """A canceled order may be told a moment before what it had frozen."""
    await desk.handle(make_intent())
    [held] = desk.book.holdings(BTC)
    frozen = msgspec.structs.replace(held, free_contracts=D(0))
    desk.book.holdings = lambda _symbol: (frozen,)
    await desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
    assert desk.exchange.asked == ["holdings"]
    assert desk.submitted == ["open long 10", "close long 10"]


async def test_a_picture_that_is_not_live_is_not_used(desk):
    desk.book.lost()
    await desk.handle(make_intent())
    assert desk.exchange.asked[0] == "holdings"


async def test_who_was_stopped_asks_before_it_believes(desk):
    """What was pushed meanwhile waits unread in the socket."""
    desk.owning.confirmed_s_ago = QUICK.claim_s + 0.1
    with pytest.raises(Retry, match="owner"):
        await desk.handle(make_intent(max_age_s=60))
    assert desk.exchange.asked == ["holdings"]
    assert desk.submitted == [], "and signs nothing before the lease is confirmed"


async def test_a_lease_that_is_confirmed_while_it_is_waited_for_is_good(desk):
    desk.owning.confirmed_s_ago = QUICK.claim_s + 0.1
    sleep = desk.clock.sleep

    async def confirming(seconds):
        desk.owning.confirmed_s_ago = 0.0
        await sleep(seconds)

    desk.clock.sleep = confirming
    await desk.handle(make_intent(max_age_s=60))
    assert desk.bus.stages == HAPPY


async def test_a_lost_reply_is_found_in_a_push(desk):
    desk.exchange.befall(Mishap.LOSE_REPLY)
    await desk.handle(make_intent(max_age_s=60))
    assert desk.submitted == ["open long 10"]
    assert desk.exchange.asked == []
    assert desk.bus.stages[-1] == "execution.filled"


async def test_a_resting_order_is_told_by_a_push(desk):
    await desk.handle(make_intent(order_type=OrderType.LIMIT, price=D(49_000)))
    assert desk.bus.stages[-1] == "execution.resting"
    assert desk.exchange.asked == []


async def test_the_end_of_a_resting_order_is_taken_from_a_push(desk):
    await desk.handle(make_intent(order_type=OrderType.LIMIT, price=D(49_000)))
    _, leg = desk.exchange.submitted[0]
    desk.exchange.move("49000")
    found = await desk.exchange.order(BTC, leg.client_order_id)
    push = OrderPushed(symbol=BTC, client_order_id=leg.client_order_id, found=found)
    desk.exchange.asked.clear()
    await desk.follower.hear(push)
    await desk.follower.hear(push)
    assert desk.bus.stages[-2:] == ["execution.resting", "execution.filled"], "told once"
    assert desk.resting.accounts() == set()
    assert desk.exchange.asked == []


@pytest.mark.parametrize("changes", [{"client_order_id": None}, {"client_order_id": "another"}])
async def test_a_push_about_another_order_ends_nothing(desk, changes):
    await desk.handle(make_intent(order_type=OrderType.LIMIT, price=D(49_000)))
    _, leg = desk.exchange.submitted[0]
    desk.exchange.move("49000")
    found = await desk.exchange.order(BTC, leg.client_order_id)
    await desk.follower.hear(OrderPushed(symbol=BTC, found=found, **changes))
    assert desk.bus.stages[-1] == "execution.resting"


async def test_the_next_look_at_the_exchange_is_asked_for_after_each_order(desk):
    wanted = []
    desk.book.want_correction = wanted.append
    await desk.handle(make_intent())
    assert wanted == [QUICK.correct_after_order_s]


class TestPositionMode:
    """Checked, never changed."""

    async def test_an_entry_of_an_account_in_another_mode_is_denied(self, desk):
        desk.book.pushed(PositionModePushed(mode=PositionMode.ONE_WAY))
        await desk.handle(make_intent(trade_mode=TradeMode.HEDGE))
        (denied,) = desk.bus.messages("intent.denied")
        assert isinstance(denied, IntentDenied)
        assert denied.denial.reason is Reason.POSITION_MODE_DIFFERS
        assert "one_way" in denied.denial.message
        assert "hedge" in denied.denial.message
        assert desk.submitted == []

    async def test_an_exit_closes_in_the_mode_that_the_exchange_tells(self, desk):
        await desk.handle(make_intent(alert_id=OTHER_ALERT))
        desk.book.pushed(PositionModePushed(mode=PositionMode.ONE_WAY))
        await desk.handle(make_intent(action=Action.FLAT, contracts=None))
        _, leg = desk.exchange.submitted[-1]
        assert leg.position_mode is PositionMode.ONE_WAY

    async def test_a_flip_closes_and_opens_nothing(self, desk):
        await desk.handle(make_intent(alert_id=OTHER_ALERT))
        desk.book.pushed(PositionModePushed(mode=PositionMode.ONE_WAY))
        await desk.handle(make_intent(action=Action.SELL, contracts=D(25)))
        assert desk.submitted == ["open long 10", "close long 10"]
