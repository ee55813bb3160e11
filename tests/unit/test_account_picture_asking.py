"""What a picture lacks is asked for once for all who look, seldom, and holding up nobody."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest

from libs.common.bus import LogUnavailable
from libs.common.contracts import subjects
from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import AccountChecked, CheckupReason
from libs.common.contracts.drift import Held, PositionDrifted
from libs.common.contracts.words import PositionSide
from services.executor.viewing.asking import AGAIN_S, REFUSED_AGAIN_S, Inquirer
from services.executor.viewing.marks import MARKS_MAX, MarkPrices
from tests.factories import ALERT_ID, NOW, D, make_instrument, make_leg
from tests.fake_bus import FakeBus
from tests.fake_clock import FakeClock
from tests.fakes import FakeExchange, Refusal
from tests.unit.executor_desk import OneAccount

PRIVATE = {
    *("views.positions", "funds", "position_mode"),
    *("views.orders", "views.triggers", "views.protections", "views.trails"),
}


class Desk:
    def __init__(self, **venue):
        self.exchange = FakeExchange(**venue)
        self.clock = FakeClock()
        self.bus = FakeBus()
        self.accounts = OneAccount(self.exchange)
        self.marks = MarkPrices(again_s=AGAIN_S, clock=self.clock.elapsed_s, between_s=0)
        self.inquirer = Inquirer(bus=self.bus, marks=self.marks, clock=self.clock.elapsed_s)

    @property
    def connected(self):
        return self.accounts.find("paper")

    async def look(self, within_s=5.0):
        async with asyncio.TaskGroup() as group:
            return await self.inquirer.look(self.connected, group, within_s=within_s)

    def asked(self):
        asked, self.exchange.asked[:] = list(self.exchange.asked), []
        return asked


@pytest.fixture
def desk():
    return Desk()


async def test_a_first_look_asks_for_everything_once(desk):
    await desk.exchange.submit(make_leg(), symbol="BTC_USDT")
    found = await desk.look()
    asked = desk.asked()
    assert sorted(asked) == sorted(PRIVATE | {"views.mark_price"})
    assert [one.holding.contracts for one in found.positions.value] == [10]
    assert found.balances.value["USDT"].equity > 0
    assert desk.marks.of(desk.connected.account.base_url)["BTC_USDT"].value == 50_000


async def test_nothing_that_it_asks_is_an_order(desk):
    await desk.look()
    assert (desk.exchange.submitted, desk.exchange.changed) == ([], [])


async def test_however_many_look_it_asks_once_in_a_while(desk):
    for _ in range(5):
        await asyncio.gather(*(desk.look() for _ in range(20)))
        desk.clock.advance(AGAIN_S / 5 - 0.01)
    assert sorted(desk.asked()) == sorted(PRIVATE)
    desk.clock.advance(AGAIN_S)
    await desk.look()
    assert sorted(desk.asked()) == sorted(PRIVATE)


async def test_with_a_live_mode_that_is_not_asked_for(desk):
    desk.connected.book.position_mode = "hedge"
    await desk.look()
    assert "position_mode" not in desk.asked()


async def test_a_slow_exchange_is_not_waited_for(desk):
    """What is answered later is there at the next look."""
    released = asyncio.Event()
    orders = desk.exchange.views.orders

    async def slow():
        await released.wait()
        return await orders()

    desk.exchange.views.orders = slow
    async with asyncio.TaskGroup() as group:
        async with asyncio.timeout(1):
            found = await desk.inquirer.look(desk.connected, group, within_s=0.01)
        assert found.orders.value is None
        assert found.positions.value == (), "the others were answered"
        again = await desk.inquirer.look(desk.connected, group, within_s=0.01)
        assert again is found
        desk.clock.advance(2)
        async with asyncio.timeout(1):
            await desk.inquirer.look(desk.connected, group, within_s=2)
        released.set()
        await desk.inquirer.look(desk.connected, group, within_s=5)
        assert found.orders.value == ()
    assert desk.asked().count("views.positions") == 1


async def test_a_question_that_fails_fails_alone(desk):
    async def lost():
        desk.exchange.fail_queries()
        desk.exchange._ask("views.orders")

    desk.exchange.views.orders = lost
    found = await desk.look()
    assert (found.orders.value, "no reply" in found.orders.why) == (None, True)
    assert (found.triggers.value, found.triggers.why) == ((), "")
    assert found.balances.value is not None


@pytest.mark.parametrize("kind", [Cause.IP, Cause.KEY, Cause.SIGNATURE], ids=str)
async def test_where_the_key_is_refused_it_soon_stops_asking(desk, kind):
    desk.exchange.fail_queries(Refusal(code=406, message="no", kind=kind), count=100)
    found = await desk.look()
    assert len(desk.asked()) <= 2, "one of each row of questions"
    assert "refuses" in found.trails.why
    desk.clock.advance(AGAIN_S + 1)
    await desk.look()
    assert desk.asked() == []
    desk.clock.advance(REFUSED_AGAIN_S)
    await desk.look()
    assert desk.asked() != []


async def test_a_new_key_is_asked_with_at_once(desk):
    desk.exchange.fail_queries(Refusal(code=402, message="expired", kind=Cause.KEY))
    await desk.look()
    desk.asked()
    desk.accounts._connected = replace(desk.connected)
    found = await desk.look()
    assert found.trails.value == ()


async def test_what_is_odd_beyond_words_ends_nothing(desk):
    async def bug():
        raise KeyError("nobody thought of this")

    desk.exchange.views.orders = bug
    found = await desk.look()
    assert found.orders.value is None
    desk.clock.advance(AGAIN_S)
    with contextlib.suppress(TimeoutError):
        assert (await desk.look()) is found


async def test_prices_are_asked_for_once_for_all_accounts_of_an_exchange(desk):
    await desk.exchange.submit(make_leg(), symbol="BTC_USDT")
    other = OneAccount(desk.exchange, id="second").find("second")
    await desk.look()
    async with asyncio.TaskGroup() as group:
        await desk.inquirer.look(other, group, within_s=5)
    assert desk.asked().count("views.mark_price") == 1


async def test_of_many_contracts_each_has_its_turn():
    names = [f"C{number:02}_USDT" for number in range(MARKS_MAX + 5)]
    desk = Desk(instruments=[make_instrument(symbol=name) for name in names])
    for name in names:
        await desk.exchange.submit(make_leg(), symbol=name)
    await desk.look()
    pieces = desk.marks.of(desk.connected.account.base_url)
    assert desk.asked().count("views.mark_price") == MARKS_MAX
    left = {name for name in names if pieces[name].value is None}
    assert len(left) == 5
    assert all("more contracts" in pieces[name].why for name in left)
    desk.clock.advance(AGAIN_S)
    await desk.look()
    assert all(pieces[name].value is not None for name in names)


async def drifted(desk, symbol, *, at):
    await desk.bus.publish(
        subject=subjects.position_drifted(account="paper", symbol=symbol),
        message=PositionDrifted(
            alert_id=ALERT_ID,
            intent_id="intent",
            route="demo",
            account="paper",
            symbol=symbol,
            at=at,
            expected=(Held(side=PositionSide.LONG, contracts=D(10)),),
            held=(),
        ),
        event_id=f"{symbol}{at}",
    )


async def test_the_last_drift_and_checkup_are_read_from_the_log(desk):
    await drifted(desk, "BTC_USDT", at=NOW)
    await drifted(desk, "ETH_USDT", at=NOW - timedelta(hours=1))
    checked = AccountChecked(
        account="paper", at=NOW, reason=CheckupReason.TIMER, findings=(), key_days_left=61
    )
    await desk.bus.publish(
        subject=subjects.account_checked("paper"), message=checked, event_id="checked"
    )
    found = await desk.look()
    assert (found.drift.value.symbol, found.drift.value.at) == ("BTC_USDT", NOW)
    assert found.checkup.value.key_days_left == 61


async def test_without_the_log_the_rest_is_told(desk):
    async def away(_subject):
        raise LogUnavailable("away")

    desk.bus.last = away
    found = await desk.look()
    assert "the log does not answer" in found.drift.why
    assert found.positions.value == ()
