"""Leverage is set before anything is traded, where nothing is held, open or under way, and no order
waits for it.
"""

import asyncio
from datetime import timedelta

import pytest

from libs.common.contracts.route import RouteAccount, Symbols
from libs.common.contracts.words import Action, MarginMode, OrderType, RouteState
from tests.factories import NOW, D, make_account, make_instrument, make_intent
from tests.unit.executor_desk import Desk
from tests.unit.leverage_desk import ALLOWED, BTC, SETTLED, TIMING, Levered, closed
from tests.unit.test_executor_changes import LATER
from tests.unit.test_executor_live import LiveDesk


@pytest.fixture
def levered():
    return Levered(Desk())


@pytest.fixture
def live():
    return Levered(LiveDesk(), symbols=Symbols())


async def test_both_sides_of_a_named_contract_are_set_once_and_told(levered):
    [line] = await levered.look()
    assert levered.set == SETTLED
    assert line["event"] == "leverage.set"
    assert (line["account"], line["symbol"], line["wanted"]) == ("paper", BTC, "cross 10x")
    assert line["before"] == "long isolated 20x, short isolated 20x"
    assert line["now"] == "long cross 10x, short cross 10x"
    assert await levered.look(times=5) == []
    assert levered.set == SETTLED


async def test_one_that_is_right_already_is_left(levered):
    await levered.look()
    levered.start()
    levered.exchange.leverages_set.clear()
    assert await levered.look(times=3) == []
    assert levered.set == []


async def test_what_was_changed_by_hand_is_set_again_within_the_hour(levered):
    await levered.look()
    levered.exchange.leverages_.clear()
    levered.wait(TIMING.leverage_check_s + 1)
    await levered.look()
    assert levered.set == SETTLED * 2


async def test_an_edited_route_is_followed(levered):
    await levered.look()
    levered.route(symbols=ALLOWED, leverage=3, margin_mode=MarginMode.ISOLATED)
    await levered.look()
    assert levered.set[2:] == ["long isolated 3", "short isolated 3"]


async def test_a_paused_route_wants_nothing(levered):
    levered.route(symbols=ALLOWED, state=RouteState.PAUSED)
    await levered.look()
    assert levered.exchange.asked == []


async def test_a_changed_account_is_looked_at_anew(levered):
    await levered.look()
    levered.exchange.leverages_.clear()
    levered.accounts.settings["paper"] = make_account(access_key="another")
    await levered.look()
    assert levered.set == SETTLED * 2


async def test_another_shards_accounts_are_left_alone(levered):
    levered.accounts.settings["far"] = make_account(id="far")
    levered.route(symbols=ALLOWED, accounts=(RouteAccount(account="far"),))
    assert levered.setter.due() == []


class TestWhatIsTraded:
    async def test_nothing_is_known_before_the_first_alert(self, live):
        await live.look()
        assert live.set == []

    async def test_after_it_both_sides_are_set_once_nothing_is_held(self, live):
        await live.desk.handle(make_intent())
        await live.look(times=20)
        assert live.set == [], "while it is held"
        await live.desk.handle(make_intent(action=Action.FLAT, contracts=None, alert_id=LATER))
        await live.look(times=20)
        assert live.set == ["short cross 10"], "the order has set the other side"

    async def test_what_a_resting_order_has_closed_counts_as_closed(self, levered):
        await levered.desk.handle(make_intent())
        levered.exchange.venue.held.clear()
        levered.wait(60)
        await levered.look()
        assert levered.set == ["short cross 10"]

    async def test_an_exit_tells_nothing(self, live):
        flat = make_intent(action=Action.FLAT, contracts=None, leverage=1)
        await live.desk.handle(flat)
        assert live.terms.wishes() == {}

    async def test_alerts_with_a_leverage_of_their_own_decide_alone(self, live):
        await closed(live, leverage=7)
        [line] = await live.look(times=20)
        assert line["event"] == "leverage.disputed"
        assert live.set == []

    async def test_an_edit_behind_an_alert_is_no_leverage_of_its_own(self, live):
        await live.desk.handle(make_intent())
        live.route(leverage=4)
        live.terms.note(make_intent())
        assert [str(wish.terms) for wish in live.terms.wishes().values()] == ["cross 4x"]

    async def test_and_the_routes_again_once_they_name_none(self, live):
        await closed(live, leverage=7)
        await live.look()
        live.terms.note(make_intent())
        await live.look(times=20)
        assert live.set == SETTLED

    async def test_what_is_held_at_the_start_is_known_from_the_log(self, live):
        await live.desk.handle(make_intent())
        live.terms._traded.clear()
        live.start()
        await live.look()
        assert list(live.terms.wishes()) == [("paper", BTC)]

    async def test_what_was_opened_by_hand_is_nobodys(self, live):
        await live.desk.handle(make_intent())
        live.bus.entries.clear()
        live.terms._traded.clear()
        live.start()
        await live.look(times=3)
        assert live.terms.wishes() == {}


class TestDisputed:
    async def test_the_lowest_is_set_once_and_said_once(self, levered):
        levered.route("other", symbols=ALLOWED, leverage=4)
        lines = await levered.look(times=3)
        assert [line["event"] for line in lines] == ["leverage.disputed", "leverage.set"]
        assert levered.set == ["long cross 4", "short cross 4"]

    async def test_it_is_not_set_back_when_an_order_has_moved_it(self, levered):
        levered.route("other", symbols=ALLOWED, leverage=4)
        await levered.look()
        await closed(levered)
        for _ in range(5):
            levered.wait(TIMING.leverage_check_s)
            await levered.look()
        assert levered.set == ["long cross 4", "short cross 4"]


class TestNotNow:
    """Only where nothing is held, open or under way."""

    async def test_while_something_is_held(self, levered):
        await levered.desk.handle(make_intent())
        levered.wait(60)
        await levered.look(times=20)
        assert levered.set == []

    async def test_while_the_other_side_is_held(self, live):
        live.route(symbols=ALLOWED)
        await live.desk.handle(make_intent())
        await live.look(times=20)
        assert live.set == []
        assert live.exchange.asked == [], "the picture tells"

    async def test_while_an_order_of_ours_waits(self, levered):
        await levered.desk.handle(make_intent(order_type=OrderType.LIMIT, price=D(49_000)))
        await levered.look(times=20)
        assert levered.set == []

    async def test_while_an_order_waits_that_was_placed_by_hand(self, levered):
        await levered.desk.handle(make_intent(order_type=OrderType.LIMIT, price=D(49_000)))
        levered.desk.resting._orders.clear()
        await levered.look(times=20)
        assert levered.set == []

    async def test_while_an_alert_is_at_work(self, levered):
        with levered.desk.moved.busy(("paper", BTC)):
            await levered.look(times=20)
            assert "leverages" not in levered.exchange.asked
        await levered.look(times=5)
        assert levered.set == SETTLED

    @pytest.mark.parametrize("question", ["leverages", "holdings", "pending"])
    async def test_an_alert_that_comes_meanwhile_goes_first(self, question, levered):
        """Also one that is done before the answer comes."""
        ask = getattr(levered.exchange, question)

        async def interrupted(symbol):
            setattr(levered.exchange, question, ask)
            answer = await ask(symbol)
            await closed(levered)
            return answer

        setattr(levered.exchange, question, interrupted)
        assert await levered.look() == []
        assert levered.set == []

    async def test_an_alert_between_the_two_sides_keeps_the_second(self, levered):
        set_leverage = levered.exchange.set_leverage

        async def interrupted(wanted, **how):
            done = await set_leverage(wanted, **how)
            levered.exchange.set_leverage = set_leverage
            await closed(levered)
            return done

        levered.exchange.set_leverage = interrupted
        await levered.look()
        assert levered.set == SETTLED[:1]
        await levered.look(times=20)
        assert levered.set == SETTLED

    async def test_a_fill_that_is_not_shown_yet(self, levered):
        """The exchange shows a position a moment after its order is filled."""
        await levered.desk.handle(make_intent())
        levered.exchange.venue.held.clear()
        await levered.look()
        assert levered.set == []

    async def test_who_may_not_be_the_owner_any_more_sets_nothing(self, levered):
        levered.desk.owning.confirmed_s_ago = TIMING.claim_s + 0.1
        assert await levered.look(times=10) == []
        assert levered.set == []
        levered.desk.owning.confirmed_s_ago = 0.0
        await levered.look(times=5)
        assert levered.set == SETTLED


async def test_never_more_than_the_exchange_grants(levered):
    """Ten calls in ten seconds."""
    symbols = tuple(f"C{number}_USDT" for number in range(30))
    levered.list(*(make_instrument(symbol=symbol) for symbol in symbols))
    levered.route(symbols=Symbols(allow=symbols))
    at = []
    send = levered.exchange.set_leverage

    async def timed(wanted, **how):
        at.append(levered.desk.clock.now())
        return await send(wanted, **how)

    levered.exchange.set_leverage = timed
    await levered.look(times=40)
    assert len(at) == 60
    window = timedelta(seconds=10)
    assert max(sum(one <= other < one + window for other in at) for one in at) <= 10


async def test_it_looks_by_itself_until_it_is_cancelled(levered):
    task = asyncio.ensure_future(levered.setter.follow())
    async with asyncio.timeout(5):
        while levered.set != SETTLED:
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert levered.desk.clock.now() >= NOW
