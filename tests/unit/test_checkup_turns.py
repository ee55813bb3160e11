"""When accounts are checked, and what is told of it."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from libs.common.contracts.checkup import (
    AccountChecked,
    CheckState,
    CheckupLine,
    CheckupReason,
    Finding,
)
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from services.executor.checkup import checkups
from services.executor.checkup.checkups import Checkups
from tests.factories import ALERT_ID, make_account
from tests.fake_bus import FakeBus
from tests.fake_clock import FakeClock
from tests.unit.leverage_desk import Values

EVERY_S = 3_600
ACCOUNT = "paper"


class Accounts:
    """`one` is found as the same thing until it is changed."""

    def __init__(self, *names):
        self.settings = Values({name: make_account(id=name) for name in names})
        self.found = {name: object() for name in names}

    def find(self, name):
        return self.found[name]

    def change(self, name):
        self.found[name] = object()

    def add(self, name):
        self.settings[name] = make_account(id=name)
        self.change(name)


class Checker:
    """Answers with what a test has laid down, once its gate is open."""

    def __init__(self, clock):
        self.clock = clock
        self.requests = []
        self.state, self.days = CheckState.OK, None
        self.error = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def check(self, request):
        self.requests.append(request)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return AccountChecked(
            account=request.account,
            at=self.clock.now(),
            reason=request.reason,
            alert_id=request.alert_id,
            findings=(Finding(line=CheckupLine.CLOCK, state=self.state, evidence="so it is"),),
            key_days_left=self.days,
        )


class Desk:
    def __init__(self, *names, every_s=EVERY_S):
        self.clock, self.bus = FakeClock(), FakeBus()
        self.accounts = Accounts(*names)
        self.checker = Checker(self.clock)
        self.checkups = Checkups(
            bus=self.bus,
            accounts=self.accounts,
            checker=self.checker,
            shard_of=lambda account: None if account.startswith("other") else 0,
            every_s=every_s,
            clock=self.clock,
        )

    async def wait(self, seconds):
        """The time passes, in steps as they are looked at; returns the reasons of what was done."""
        before = len(self.checker.requests)
        for _ in range(max(1, round(seconds / checkups._LOOK_S))):
            self.clock.advance(checkups._LOOK_S if seconds else 0)
            for account in self.checkups.due():
                await self.checkups.look(account)
        return [one.reason.value for one in self.checker.requests[before:]]


@pytest.fixture
def desk():
    desk = Desk(ACCOUNT)
    yield desk
    desk.checkups._forget(ACCOUNT)


def gauge(name, **labels):
    return REGISTRY.get_sample_value(f"alertwire_{name}", {"account": ACCOUNT, **labels})


async def test_an_account_that_came_is_checked_soon_and_then_on_the_timer(desk):
    assert await desk.wait(0) == []
    assert await desk.wait(3) == ["changed"]
    assert await desk.wait(EVERY_S * 0.89) == []
    assert await desk.wait(EVERY_S * 0.22) == ["timer"]


async def test_a_changed_account_is_checked_soon(desk):
    await desk.wait(3)
    desk.accounts.change(ACCOUNT)
    assert await desk.wait(3) == ["changed"]


async def test_an_account_that_cannot_trade_is_told_once_and_again_when_it_can(desk):
    desk.accounts.found[ACCOUNT] = Denial(reason=Reason.KEY_UNREADABLE, message="never entered")
    assert await desk.wait(3) == ["changed"]
    desk.accounts.found[ACCOUNT] = Denial(reason=Reason.KEY_UNREADABLE, message="never entered")
    assert await desk.wait(3) == []
    desk.accounts.change(ACCOUNT)
    assert await desk.wait(3) == ["changed"]


async def test_accounts_that_come_together_are_spread_out():
    desk = Desk(*(f"a{number}" for number in range(9)), "other")
    began = [len(await desk.wait(0.5)) for _ in range(20)]
    assert sum(began) == 9, "the other one is another shard's"
    assert max(began) == 1
    for account in desk.accounts.settings:
        desk.checkups._forget(account)


async def test_zero_is_never_but_for_what_changed():
    desk = Desk(ACCOUNT, every_s=0)
    assert await desk.wait(3) == ["changed"]
    assert await desk.wait(EVERY_S) == []
    desk.checkups._forget(ACCOUNT)


async def test_a_refusal_is_looked_into_at_once_and_once_a_minute(desk):
    await desk.wait(3)
    refused = CheckupReason.REFUSED
    desk.checkups.ask(ACCOUNT, refused, alert_id=ALERT_ID)
    desk.checkups.ask(ACCOUNT, refused, alert_id="01890000-0000-7000-8000-0000000000bb")
    assert await desk.wait(0.5) == ["refused"]
    assert desk.checker.requests[-1].alert_id == ALERT_ID, "the first one's"
    desk.checkups.ask(ACCOUNT, refused)
    assert await desk.wait(58) == []
    assert await desk.wait(3) == ["refused"]
    assert desk.checker.requests[-1].alert_id is None


async def test_of_an_account_that_is_not_ours_nothing_is_asked(desk):
    await desk.wait(3)
    desk.checkups.ask("nobody", CheckupReason.REFUSED)
    assert await desk.wait(3) == []


async def test_what_was_found_is_published_told_and_measured(desk):
    desk.checker.state, desk.checker.days = CheckState.WRONG, 12
    with capture_logs() as logged:
        await desk.wait(3)
    (entry,) = desk.bus.entries
    assert entry.subject == "account.checked.paper"
    assert entry.message.findings[0].evidence == "so it is"
    assert gauge("key_days_left") == 12
    assert {state.value: gauge("checkup_state", state=state.value) for state in CheckState} == {
        **dict.fromkeys([state.value for state in CheckState], 0),
        "wrong": 1,
    }
    (line,) = logged
    assert (line["event"], line["log_level"]) == ("account.checked", "warning")
    assert line["wrong"] == ["clock: so it is"]


async def test_days_that_are_not_told_any_more_are_not_measured(desk):
    desk.checker.days = 12
    await desk.wait(3)
    desk.checker.days = None
    await desk.wait(EVERY_S * 1.2)
    assert gauge("key_days_left") is None


async def test_an_account_that_went_leaves_no_measure(desk):
    desk.checker.days = 12
    await desk.wait(3)
    desk.checker.gate.clear()
    desk.checkups.ask(ACCOUNT, CheckupReason.ASKED)
    (account,) = desk.checkups.due()
    looking = asyncio.create_task(desk.checkups.look(account))
    await asyncio.sleep(0)
    del desk.accounts.settings[ACCOUNT]
    assert desk.checkups.due() == []
    desk.checker.gate.set()
    await looking
    assert gauge("key_days_left") is gauge("checkup_state", state="ok") is None


async def test_a_log_that_is_away_keeps_nobody_from_knowing(desk):
    desk.bus.failing = 1
    with capture_logs() as logged:
        await desk.wait(3)
    assert desk.bus.entries == []
    assert gauge("checkup_state", state="ok") == 1
    assert "checkup.unpublished" in [line["event"] for line in logged]


async def test_a_checkup_that_stumbles_ends_nothing_else(desk):
    desk.checker.error = KeyError("surprise")
    with capture_logs() as logged:
        assert await desk.wait(3) == ["changed"]
    assert [line["event"] for line in logged] == ["checkup.failed"]
    desk.checker.error = ExceptionGroup("several", [ValueError("odd")])
    desk.accounts.change(ACCOUNT)
    assert await desk.wait(3) == ["changed"]
    desk.checker.error = None
    assert await desk.wait(EVERY_S * 1.2) == ["timer"]
    assert len(desk.bus.entries) == 1


async def test_one_account_is_checked_once_at_a_time(desk):
    desk.checker.gate.clear()
    desk.clock.advance(0)
    assert desk.checkups.due() == []
    desk.clock.advance(3)
    assert desk.checkups.due() == [ACCOUNT]
    assert desk.checkups.due() == [], "it is queued"
    first = asyncio.create_task(desk.checkups.look(ACCOUNT))
    second = asyncio.create_task(desk.checkups.look_now(ACCOUNT))
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(desk.checker.requests) == 1
    desk.checker.gate.set()
    await asyncio.gather(first, second)
    assert [one.reason.value for one in desk.checker.requests] == ["changed", "asked"]


async def test_what_a_checkup_itself_is_refused_asks_for_no_other(desk):
    await desk.wait(3)
    desk.checker.gate.clear()
    looking = asyncio.create_task(desk.checkups.look_now(ACCOUNT))
    await asyncio.sleep(0)
    desk.checkups.ask(ACCOUNT, CheckupReason.REFUSED)
    desk.checker.gate.set()
    await looking
    assert await desk.wait(3) == []
    looking = asyncio.create_task(desk.checkups.look_now(ACCOUNT))
    await asyncio.sleep(0)
    desk.checkups.ask(ACCOUNT, CheckupReason.REFUSED, alert_id=ALERT_ID)
    await looking
    assert await desk.wait(3) == ["refused"], "an alert's is told with the alert"


async def test_what_is_refused_to_an_account_that_just_came_is_looked_into(desk):
    desk.checkups.ask(ACCOUNT, CheckupReason.REFUSED, alert_id=ALERT_ID)
    assert await desk.wait(0.5) == ["refused"]
