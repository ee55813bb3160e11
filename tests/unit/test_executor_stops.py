"""An account whose key the exchange refuses from our address stops alone, and goes on by itself."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from libs.common.contracts.causes import Cause
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, ExecutionKind, TradeMode
from libs.common.outcome import Retry
from services.executor import metrics
from services.executor.accounts import Connected
from services.executor.exchange import QueryFailed, Verdict
from services.executor.settings import Timing
from services.executor.stops import Stops, acting_for
from tests.factories import D, make_account, make_intent
from tests.fakes import Refusal
from tests.unit.executor_desk import OTHER_ALERT, Desk

OURS = "203.0.113.9"
SAID = "Accessing IP is not in the whitelist"
NOT_LINKED = Refusal(code=406, message=SAID, kind=Cause.IP)


def refused(begun_at, *, cause=Cause.IP, code=406):
    return Verdict(refused=cause, code=code, message=SAID, begun_at=begun_at)


def accepted(begun_at):
    return Verdict(refused=None, code=0, message="", begun_at=begun_at)


class Room:
    """Stops with one account that listens."""

    def __init__(self):
        self.told = []
        self.doubted = 0
        self.stops = Stops(
            addresses=lambda: (OURS,),
            on_refused=self._doubt,
            on_stop=lambda account, alert: self.told.append((account, alert)),
            probe_s=3_600,
        )
        self.hear = self.stops.listening("paper")

    def _doubt(self):
        self.doubted += 1

    @property
    def is_stopped(self):
        denial = self.stops.denial(make_account())
        assert (denial is not None) == (self.stops.of("paper") is not None)
        assert metrics.account_stopped.labels("paper")._value.get() == (denial is not None)
        return denial is not None


@pytest.fixture
def room():
    return Room()


def test_a_stop_is_told_once_with_what_is_known(room):
    with capture_logs() as logged, acting_for(OTHER_ALERT):
        room.hear(refused(1))
        room.hear(refused(2))
    denial = room.stops.denial(make_account())
    assert denial.reason is Reason.ADDRESS_NOT_LINKED
    assert denial.context["addresses"] == OURS
    assert denial.context["code"] == "406"
    assert denial.context["response"] == SAID
    since = datetime.fromisoformat(denial.context["since"])
    assert abs(datetime.now(UTC) - since) < timedelta(minutes=1)
    assert all(word in denial.message for word in (OURS, SAID, "paper"))
    assert room.told == [("paper", OTHER_ALERT)]
    assert room.doubted == 2, "each time our address may be another than it was"
    [line] = logged
    assert (line["event"], line["account"]) == ("account.stopped", "paper")


def test_the_next_call_that_is_accepted_lifts_it(room):
    room.hear(refused(1))
    assert room.told == [("paper", None)]
    with capture_logs() as logged:
        room.hear(accepted(2))
        room.hear(accepted(3))
    assert not room.is_stopped
    assert [line["event"] for line in logged] == ["account.resumed"]


def test_of_answers_that_overtake_each_other_the_later_call_counts(room):
    room.hear(refused(5))
    room.hear(accepted(4))
    assert room.is_stopped, "accepted before it was refused"
    room.hear(accepted(6))
    room.hear(refused(5.5))
    assert not room.is_stopped, "refused before it was accepted"
    assert len(room.told) == 1


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.IP])
def test_nothing_else_stops_or_resumes(room, cause):
    room.hear(refused(1, cause=cause, code=1))
    assert not room.is_stopped
    room.hear(refused(2))
    room.hear(refused(3, cause=cause, code=1))
    assert room.is_stopped


@pytest.mark.parametrize("cause", list(Cause))
def test_our_address_is_doubted_whenever_the_exchange_does_not_know_us(room, cause):
    """Each time, also where the account is not stopped: the watch asks no oftener than it may."""
    room.hear(refused(1, cause=cause, code=1))
    room.hear(refused(2, cause=cause, code=1))
    assert room.doubted == (2 if cause in {Cause.IP, Cause.KEY, Cause.SIGNATURE} else 0)


def test_others_go_on(room):
    room.stops.listening("second")(accepted(1))
    room.hear(refused(1))
    assert room.stops.denial(make_account(id="second")) is None


def test_a_client_that_was_replaced_is_heard_no_more(room):
    """Its key may be the one that was wrong, and its last answers may still be on their way."""
    room.hear(refused(1))
    new = room.stops.listening("paper")
    assert room.is_stopped, "until the new one has proved itself"
    room.hear(accepted(9))
    assert room.is_stopped
    new(accepted(2))
    room.hear(refused(10))
    assert not room.is_stopped


class Probed:
    """Accounts whose exchange is asked by the stops alone."""

    def __init__(self, room):
        self.settings = {"paper": make_account()}
        self.asked = asyncio.Queue()
        self.answer = refused
        self._room = room
        self._at = 100

    def find(self, account):
        return Connected(
            account=self.settings[account], exchange=self, feed=None, book=None, budget=None
        )

    async def position_mode(self):
        self._at += 1
        verdict = self.answer(self._at)
        self._room.hear(verdict)
        self.asked.put_nowait(verdict)
        if verdict.refused is not None:
            raise QueryFailed(kind=Cause.IP, code=406, message=SAID, call=_CALL)


class _Call:
    method = path = "x"


_CALL = _Call()


async def test_a_stopped_account_is_asked_for_and_goes_on_by_itself(room):
    accounts = Probed(room)
    watching = asyncio.create_task(room.stops.watch(accounts))
    async with asyncio.timeout(5):
        await asyncio.sleep(0.01)
        assert accounts.asked.empty(), "none is stopped"
        room.hear(refused(1))
        room.stops.probe_soon()
        await accounts.asked.get()
        assert room.is_stopped
        accounts.answer = accepted
        room.stops.listening("other")
        await accounts.asked.get()
    assert not room.is_stopped
    watching.cancel()


async def test_an_account_that_is_gone_is_forgotten(room):
    room.hear(refused(1))
    accounts = Probed(room)
    accounts.settings.clear()
    await room.stops.probe(accounts)
    assert room.stops.of("paper") is None
    assert accounts.asked.empty()


def test_an_account_may_expect_our_address_by_itself(room):
    assert room.stops.denial(make_account(expected_addresses=("203.0.113.0/24",))) is None
    denial = room.stops.denial(make_account(expected_addresses=("198.51.100.7",)))
    assert denial.reason is Reason.ADDRESS_UNEXPECTED
    assert denial.context == {"account": "paper", "addresses": OURS, "expected": "198.51.100.7"}
    unknown = Stops()
    assert unknown.denial(make_account(expected_addresses=("198.51.100.7",))) is None


# What it does to alerts.


@pytest.fixture
def desk(room):
    made = Desk()
    made.executor.proposer._refused_from_here = room.stops.denial
    return made


def the_only(messages):
    [message] = messages
    return message


async def test_an_entry_on_a_stopped_account_is_denied_and_nothing_is_asked(desk, room):
    room.hear(refused(1))
    await desk.handle(make_intent(trade_mode=TradeMode.HEDGE))
    denied = the_only(desk.bus.messages("intent.denied"))
    assert denied.denial.reason is Reason.ADDRESS_NOT_LINKED
    assert desk.exchange.asked == desk.submitted == []
    room.hear(accepted(2))
    await desk.handle(make_intent(trade_mode=TradeMode.HEDGE, alert_id=OTHER_ALERT))
    assert desk.submitted == ["open long 10"]


async def test_what_closes_is_tried_on_a_stopped_account(desk, room):
    await desk.hold("long", 10)
    room.hear(refused(1))
    await desk.handle(make_intent(action=Action.SELL, contracts=D(25)))
    assert desk.submitted == ["close long 10"]
    plan = the_only(desk.bus.messages("order.planned"))
    assert plan.withheld.reason is Reason.ADDRESS_NOT_LINKED


async def test_an_opening_order_that_is_queued_when_its_account_stops_is_not_sent(desk, room):
    class StoppingBudget:
        async def take(self, _urgency, *, since):
            room.hear(refused(1))

    desk.count_budget(StoppingBudget())
    await desk.handle(make_intent())
    assert desk.submitted == []
    canceled = the_only(desk.bus.messages("execution.canceled"))
    assert canceled.kind is ExecutionKind.CANCELED
    assert canceled.reason is Reason.ADDRESS_NOT_LINKED
    assert SAID in canceled.message


async def test_a_stop_names_the_alert_whose_order_was_refused(desk, room):
    submit = desk.exchange.submit

    async def submitted(*what, **how):
        answer = await submit(*what, **how)
        room.hear(refused(1))
        return answer

    desk.exchange.submit = submitted
    desk.exchange.befall(NOT_LINKED)
    await desk.handle(make_intent(alert_id=OTHER_ALERT))
    assert room.told == [("paper", OTHER_ALERT)]


async def test_an_entry_whose_question_is_refused_is_denied_for_its_address(desk, room):
    room.hear(refused(1))
    desk.exchange.fail_queries(NOT_LINKED)
    await desk.handle(make_intent())
    denial = the_only(desk.bus.messages("intent.denied")).denial
    assert denial.reason is Reason.ADDRESS_NOT_LINKED
    assert (denial.context["cause"], denial.context["addresses"]) == ("ip", OURS)


async def test_an_exit_whose_question_is_refused_is_tried_for_a_while(desk):
    """Another process may take over in a moment, under the right address."""
    await desk.hold("long", 10)
    exit_ = make_intent(action=Action.FLAT, contracts=None)
    desk.exchange.fail_queries(NOT_LINKED)
    with pytest.raises(Retry):
        await desk.handle(exit_)
    await desk.handle(exit_, fresh=False)
    assert desk.submitted == ["close long 10"]


async def test_an_exit_whose_question_is_refused_for_long_is_denied(desk):
    desk.clock.advance(Timing().give_up_s)
    desk.exchange.fail_queries(NOT_LINKED)
    await desk.handle(make_intent(action=Action.FLAT, contracts=None))
    denial = the_only(desk.bus.messages("intent.denied")).denial
    assert denial.reason is Reason.ADDRESS_NOT_LINKED


async def test_a_closing_order_that_is_refused_goes_out_when_the_address_is_right(desk):
    await desk.hold("long", 10)
    desk.exchange.befall(*[NOT_LINKED] * 3)
    await desk.handle(make_intent(action=Action.FLAT, contracts=None))
    assert desk.submitted == ["close long 10"] * 4
    assert desk.bus.stages[-1] == "execution.filled"
    assert "execution.rejected" not in desk.bus.stages
    assert await desk.holdings() == {}


async def test_a_closing_order_that_is_refused_for_long_is_rejected(desk):
    await desk.hold("long", 10)
    desk.exchange.befall(*[NOT_LINKED] * 1_000)
    start = desk.clock.now()
    await desk.handle(make_intent(action=Action.FLAT, contracts=None))
    assert desk.bus.stages[-1] == "execution.rejected"
    waited = (desk.clock.now() - start).total_seconds()
    assert Timing().give_up_s <= waited < 2 * Timing().give_up_s


async def test_an_opening_order_that_is_refused_is_rejected_at_once(desk):
    desk.exchange.befall(NOT_LINKED)
    await desk.handle(make_intent())
    assert desk.submitted == ["open long 10"]
    rejected = the_only(desk.bus.messages("execution.rejected"))
    assert (rejected.code, rejected.message) == (406, SAID)
