"""What a checkup asks of an exchange, in which order, and what it leaves alone."""

import asyncio

import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.checkup import CheckupReason
from libs.common.contracts.words import PositionMode
from services.executor.budget import Budget, Urgency
from services.executor.checkup.gathering import Inquiry, Pacer, gather
from services.executor.checkup.observed import LaneSeen, Observed, Refused, Unlisted
from services.executor.checkup.probing import PROBE_ID, Prober, judge_probe
from services.executor.exchange import Accepted, NotSent, RateLimited, Rejected, Unknown
from tests.factories import NOW, D, make_instrument
from tests.fake_clock import FakeClock
from tests.fakes import FakeExchange, Refusal
from tests.unit.checkup_desk import TERMS
from tests.unit.executor_desk import OneAccount
from tests.unit.mexc_calls import make_call

KEY_ASKED = ["ping", "positions", "key_info", "position_mode", "funds"]
OF_CONTRACT = ["listing", "leverages", "prices"]


class Desk:
    def __init__(self):
        self.clock = FakeClock()
        self.exchange = FakeExchange(now=self.clock.now)
        self.accounts = OneAccount(self.exchange)
        self.prober = Prober(clock=self.clock)

    async def gather(self, *symbols, reason="asked", pings=1):
        connected = self.accounts.find("paper")
        seen = Observed(account=connected.account)
        seen.lanes = [LaneSeen(route="demo", symbol=one, terms=TERMS) for one in symbols]
        inquiry = Inquiry(
            connected=connected,
            seen=seen,
            reason=CheckupReason(reason),
            pings=pings,
            prober=self.prober,
            pacer=Pacer(clock=self.clock),
            clock=self.clock,
        )
        await gather(inquiry)
        return seen

    @property
    def probes(self):
        return len(self.exchange.checks.probes)


@pytest.fixture
def desk():
    return Desk()


async def test_the_questions_are_few_and_each_call_is_kept(desk):
    seen = await desk.gather("BTC_USDT")
    assert desk.exchange.asked == KEY_ASKED + OF_CONTRACT
    assert [call.path.removeprefix("/") for call in seen.calls] == desk.exchange.asked
    assert seen.lanes[0].price == 50_000
    assert desk.probes == 0, "the exchange tells what the key may do"


async def test_a_contract_of_two_routes_is_asked_for_once(desk):
    seen = await desk.gather("BTC_USDT", "BTC_USDT")
    assert desk.exchange.asked == KEY_ASKED + OF_CONTRACT
    assert seen.lanes[0] == seen.lanes[1]


async def test_a_contract_that_is_not_listed_is_asked_nothing_else(desk):
    seen = await desk.gather("NONE_USDT")
    assert seen.lanes[0].listing == Unlisted()
    assert desk.exchange.asked == [*KEY_ASKED, "listing"]


async def test_pings_go_on_beside_the_questions(desk):
    seen = await desk.gather("BTC_USDT", pings=20)
    assert len(seen.pings) == 20
    assert sum(call.path == "/ping" for call in seen.calls) == 1


async def test_an_exchange_that_is_silent_is_asked_twice_and_no_more(desk):
    desk.exchange.fail_queries(count=2)
    seen = await desk.gather("BTC_USDT")
    assert (desk.exchange.asked, seen.silence.kind) == (["ping", "ping"], Cause.SYSTEM)
    assert seen.signed == []


async def test_one_lost_ping_is_no_silence(desk):
    desk.exchange.fail_queries(count=1)
    seen = await desk.gather()
    assert (seen.silence, len(seen.pings)) == (None, 1)


async def test_behind_a_refused_address_only_what_needs_no_signature_is_asked(desk):
    desk.exchange.fail_queries(None, count=0)
    desk.exchange.checks.refuse_signed(Refusal(code=406, message="not linked", kind=Cause.IP))
    seen = await desk.gather("BTC_USDT")
    assert desk.exchange.asked == ["ping", "positions", "key_info", "listing", "prices"]
    assert seen.barred == Refused(kind=Cause.IP, code=406, message="not linked")


async def test_where_the_time_is_refused_it_is_measured_and_asked_again(desk):
    late = Refusal(code=513, message="Invalid request", kind=Cause.TIMESTAMP)
    desk.exchange.checks.refuse_signed(late, count=1)
    seen = await desk.gather()
    assert desk.exchange.asked[1:4] == ["positions", "server_time_ms", "positions"]
    assert seen.positions == ()


async def test_a_key_that_tells_nothing_is_probed_by_an_order_that_cannot_be_filled(desk):
    desk.exchange.checks.key = None
    seen = await desk.gather("BTC_USDT")
    tick = make_instrument().tick_price
    assert desk.exchange.checks.probes == [(PROBE_ID, "BTC_USDT", tick, PositionMode.HEDGE)]
    assert seen.probe.may_place
    assert "code 2011" in seen.probe.said
    assert seen.calls[-1].path == "/probe_order"
    assert desk.exchange.submitted == []


async def test_without_a_route_another_contract_is_probed(desk):
    desk.exchange.checks.key = None
    await desk.gather()
    assert desk.exchange.checks.probes[0][1] == "BTC_USDT"


async def test_a_timer_asks_it_once_of_a_key_and_a_person_once_a_minute(desk):
    desk.exchange.checks.key = None
    for reason, pause_s, probes in (
        ("changed", 0, 1),
        ("timer", 3_600, 1),
        ("asked", 0, 2),
        ("asked", 30, 2),
        ("refused", 3_600, 2),
        ("asked", 0, 3),
    ):
        desk.clock.advance(pause_s)
        seen = await desk.gather(reason=reason)
        assert (desk.probes, seen.probe.may_place) == (probes, True), reason


async def test_another_key_is_probed_anew(desk):
    desk.exchange.checks.key = None
    await desk.gather(reason="changed")
    desk.accounts = OneAccount(desk.exchange)
    await desk.gather(reason="timer")
    assert desk.probes == 2


async def test_an_answer_that_tells_nothing_is_not_kept(desk):
    desk.exchange.checks.key = None
    desk.exchange.checks.loses_probe = True
    assert (await desk.gather(reason="timer")).probe.may_place is None
    assert (await desk.gather(reason="timer")).probe.may_place is True


async def test_every_order_goes_before_the_probe(desk):
    """Its call is of the account's budget, and whatever trades comes first, however late."""
    granted = []
    now = 1_000.0
    budget = Budget(1, clock=lambda: now)
    desk.exchange.checks.key = None
    desk.accounts.budget(budget)
    await budget.take(Urgency.OPEN, since=NOW)

    async def trade(urgency):
        await budget.take(urgency, since=NOW)
        granted.append((urgency.name, desk.probes))

    async with asyncio.TaskGroup() as group:
        gathering = group.create_task(desk.gather())
        while budget.waiting == 0:
            await asyncio.sleep(0)
        group.create_task(trade(Urgency.OPEN))
        group.create_task(trade(Urgency.CLOSE))
        await asyncio.sleep(0)
        while budget.waiting or not gathering.done():
            now += 2.0
            budget._serve()
            await asyncio.sleep(0.001)
    assert granted == [("CLOSE", 0), ("OPEN", 0)]
    assert desk.probes == 1


async def test_where_no_call_is_free_it_is_left_out(desk, monkeypatch):
    monkeypatch.setattr("services.executor.checkup.probing._WAITED_S", 0.01)
    budget = Budget(1, clock=lambda: 1_000.0)
    desk.exchange.checks.key = None
    desk.accounts.budget(budget)
    await budget.take(Urgency.OPEN, since=NOW)
    assert (await desk.gather()).probe is None
    assert (desk.probes, budget.waiting) == (0, 0)


@pytest.mark.parametrize(
    ("submitted", "may_place", "says"),
    [
        (
            Rejected(code=2011, message="quantity", kind=Cause.QUANTITY, call=make_call()),
            True,
            "2011",
        ),
        (Rejected(code=2005, message="balance", kind=Cause.MARGIN, call=make_call()), True, "2005"),
        (
            Rejected(code=704, message="write", kind=Cause.PERMISSION, call=make_call()),
            False,
            "704",
        ),
        (Rejected(code=200005, message="KYC", kind=Cause.REGION, call=make_call()), False, "KYC"),
        (
            Rejected(code=6001, message="forbidden", kind=Cause.OTHER, call=make_call()),
            None,
            "6001",
        ),
        (Rejected(code=406, message="address", kind=Cause.IP, call=make_call()), None, "406"),
        (
            Rejected(code=801, message="works", kind=Cause.MAINTENANCE, call=make_call()),
            None,
            "801",
        ),
        (RateLimited(code=510, message="often", call=make_call()), None, "510"),
        (Unknown(why="lost", call=make_call()), None, "lost"),
        (NotSent(why="refused", call=make_call()), None, "refused"),
    ],
)
def test_a_refusal_by_a_rule_of_business_has_passed_the_question(submitted, may_place, says):
    probed = judge_probe(submitted)
    assert (probed.may_place, says in probed.said, probed.was_taken) == (may_place, True, False)


def test_an_order_of_nothing_that_is_taken_is_told():
    probed = judge_probe(Accepted(exchange_order_id="77", call=make_call()))
    assert (probed.was_taken, probed.said) == (True, "order 77")


async def test_prices_that_cannot_be_read_leave_the_rest(desk):
    desk.exchange.instruments_ = {
        **desk.exchange.instruments_,
        "ODD_USDT": make_instrument(symbol="ODD_USDT", tick_price=D("0.1")),
    }
    seen = await desk.gather("ODD_USDT")
    assert seen.lanes[0].price == Refused(kind=Cause.SYMBOL, code=1001, message="no such contract")
