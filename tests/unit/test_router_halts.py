"""What is halted opens nothing: the router denies it, and lets what closes pass."""

import pytest

from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, TradeMode
from libs.common.domain.identity import alert_id
from tests.factories import make_alert, make_order
from tests.fake_halts import make_control
from tests.unit.router_desk import Desk


async def test_a_halt_denies_entries_and_lets_exits_pass():
    desk = Desk(trade_mode=TradeMode.HEDGE)
    desk.halts.halt(make_control("account", "first", reason="enough"))
    await desk.handle()
    assert set(desk.intents) == {"second"}
    denial = desk.denials["first"]
    assert denial.reason is Reason.HALTED
    assert "enough" in denial.message
    exit_ = make_alert(
        alert_id=alert_id(unix_ms=2, random_bits=2),
        order=make_order(action=Action.FLAT, quantity=None),
    )
    await desk.handle(exit_)
    assert {intent.action for intent in desk.intents.values()} == {Action.FLAT}
    assert set(desk.intents) == {"first", "second"}


async def test_after_a_resume_entries_pass_again():
    desk = Desk(trade_mode=TradeMode.HEDGE)
    desk.halts.halt(make_control("route", "demo"))
    await desk.handle()
    assert desk.intents == {}
    desk.halts.resume("route", "demo")
    await desk.handle(make_alert(alert_id=alert_id(unix_ms=2, random_bits=2)))
    assert set(desk.intents) == {"first", "second"}


async def test_another_routes_halt_is_none_of_its_business():
    desk = Desk()
    desk.halts.halt(make_control("route", "other"))
    await desk.handle()
    assert {intent.opening_denied for intent in desk.intents.values()} == {None}


@pytest.mark.parametrize("action", [Action.BREAKEVEN, Action.CANCEL, Action.CLOSE_LONG])
async def test_what_opens_nothing_passes(action):
    desk = Desk()
    desk.halts.halt(make_control())
    await desk.handle(make_alert(order=make_order(action=action, quantity=None)))
    assert {intent.opening_denied for intent in desk.intents.values()} == {None}
    assert len(desk.intents) == 2


async def test_what_may_close_too_goes_on_without_its_opening():
    """A sell under netting closes a long first; the position is the executor's to know."""
    desk = Desk()
    desk.halts.halt(make_control(reason="enough"))
    await desk.handle(make_alert(order=make_order(action=Action.SELL)))
    reasons = {intent.opening_denied.reason for intent in desk.intents.values()}
    assert reasons == {Reason.HALTED}
    assert "guards: everything was halted" in desk.intents["first"].steps[-1]
