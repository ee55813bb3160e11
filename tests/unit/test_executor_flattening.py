"""A halt with `flatten`: what is held is listed once, and closed by intents like any other."""

import asyncio

import pytest

from libs.common.bus import LogUnavailable
from libs.common.contracts.flattening import Flattening
from libs.common.contracts.subjects import instrument_key
from libs.common.contracts.words import Action, OrderType
from libs.common.domain.identity import flattening_event_id
from libs.common.outcome import Retry
from services.executor.exchange import QueryFailed
from tests.factories import NOW, D, make_intent, make_leg
from tests.fake_halts import HALT_ID, make_control
from tests.trail_messages import make_plan
from tests.unit.flatten_desk import (
    ACCOUNT,
    ETH,
    Following,
    Halted,
    hold_both,
    numbered,
    publish,
    replaced,
    until,
)

SEVEN_DAYS_S = 7 * 86_400


@pytest.fixture
def halted():
    return Halted()


async def test_everything_that_is_held_is_closed_both_sides_of_each_symbol(halted):
    await hold_both(halted)
    control = halted.halt(reason="enough")
    await halted.flatten(control)
    assert halted.intents == [("BTC_USDT", "closeall"), ("ETH_USDT", "closeall")]
    assert [entry.subject for entry in halted.bus.entries[-3:]] == [
        "intent.flattened.paper",
        "intent.accepted.0.paper.BTC_USDT",
        "intent.accepted.0.paper.ETH_USDT",
    ]
    await halted.carry_out_intents()
    assert await halted.held() == {}


async def test_its_intents_have_ids_that_the_list_tells(halted):
    await hold_both(halted)
    await halted.flatten(halted.halt(reason="enough"))
    [listed] = halted.lists
    assert (listed.alert_id, listed.route, listed.reason) == (HALT_ID, "halt", "enough")
    assert [lane.close for lane in listed.lanes] == [
        intent.alert_id for intent in halted.bus.messages("intent.accepted")
    ]
    assert len({HALT_ID, *(lane.close for lane in listed.lanes)}) == 3
    assert [call.path for call in listed.calls] == ["/positions", "/pending_symbols"]
    assert "enough" in halted.bus.messages("intent.accepted")[0].steps[0]


async def test_what_may_open_is_canceled_first(halted):
    """Also where nothing is held, and what was placed by hand."""
    await halted.open(10, "long", number=1)
    limit = {"order_type": OrderType.LIMIT, "price": D(2_000)}
    await halted.open(2, "long", number=2, symbol="ETH_USDT", instrument=ETH, **limit)
    control = halted.halt()
    await halted.flatten(control)
    assert halted.intents == [
        ("BTC_USDT", "closeall"),
        ("ETH_USDT", "cancel"),
        ("ETH_USDT", "closeall"),
    ]
    await halted.carry_out_intents()
    assert await halted.held() == {}
    assert (await halted.exchange.pending_symbols()).value == frozenset()


async def test_an_entry_that_is_under_way_is_closed_behind(halted):
    """The exchange does not show it yet, so its lane alone can tell."""
    entry = make_intent(symbol="ETH_USDT", instrument=ETH)
    await publish(halted, entry)
    await halted.flatten(halted.halt())
    assert halted.intents[1:] == [("ETH_USDT", "cancel"), ("ETH_USDT", "closeall")]


async def test_an_entry_that_waits_in_its_lane_for_long_is_under_way_too(halted):
    await publish(halted, make_intent(symbol="ETH_USDT", instrument=ETH))
    halted.bus.entries[0] = replaced(halted.bus.entries[0], stored_at=NOW)
    halted.desk.clock.advance(60)
    await halted.flatten(halted.halt())
    assert [lane.symbol for lane in halted.lists[0].lanes] == ["ETH_USDT"]


async def test_old_entries_and_exits_are_not_under_way(halted):
    for number, action in enumerate([Action.BUY, Action.FLAT], start=1):
        await publish(halted, make_intent(action=action, alert_id=numbered(number)))
    halted.bus.floor = 1
    halted.bus.entries[0] = replaced(halted.bus.entries[0], stored_at=NOW)
    halted.desk.clock.advance(60)
    await halted.flatten(halted.halt())
    assert halted.lists[0].lanes == ()


async def test_it_is_done_once_however_often_it_is_called_and_whoever_does_it(halted):
    await hold_both(halted)
    control = halted.halt()
    await halted.flatten(control)
    before = list(halted.bus.entries)
    halted.bus.forget_event_ids()
    await halted.flatten(control)
    halted.start()
    await halted.flatten(control)
    assert halted.bus.entries == before


@pytest.mark.parametrize("held", [True, False])
async def test_what_is_opened_by_hand_during_the_halt_stays(held, halted):
    """Whoever restarts the executor a week later closes nothing, also if nothing was held then."""
    if held:
        await hold_both(halted)
    control = halted.halt()
    await halted.flatten(control)
    await halted.carry_out_intents()
    assert await halted.held() == {}
    await halted.exchange.submit(make_leg(), symbol="BTC_USDT")
    halted.desk.clock.advance(SEVEN_DAYS_S)
    halted.bus.forget_event_ids()
    halted.start()
    published = len(halted.bus.entries)
    await halted.flatten(control)
    assert len(halted.bus.entries) == published
    assert len(await halted.held()) == 1


async def test_what_a_dead_process_left_out_is_made_up_for_from_its_list(halted):
    """It lists nothing anew: what has come meanwhile was never meant."""
    await hold_both(halted)
    control = halted.halt()
    await halted.flatten(control)
    halted.bus.cut_after(len(halted.bus.entries) - 1)
    assert halted.intents == [("BTC_USDT", "closeall")]
    halted.bus.forget_event_ids()
    halted.start()
    asked = len(halted.exchange.asked)
    await halted.flatten(control)
    assert halted.intents == [("BTC_USDT", "closeall"), ("ETH_USDT", "closeall")]
    assert len(halted.exchange.asked) == asked
    assert len(halted.lists) == 1


async def test_another_process_lists_at_the_same_time(halted):
    await hold_both(halted)
    control = halted.halt()
    theirs = Flattening(
        alert_id=HALT_ID,
        account="paper",
        route="halt",
        at=NOW,
        halted_at=NOW,
        scope="all",
    )
    stored = halted.flattener._stored

    async def stored_too_late(*_):
        await halted.bus.publish(
            subject="intent.flattened.paper",
            message=theirs,
            event_id=flattening_event_id(halt=HALT_ID, account="paper"),
        )

    halted.flattener._stored = stored_too_late
    with pytest.raises(Retry):
        await halted.flatten(control)
    halted.flattener._stored = stored
    await halted.flatten(control)
    assert halted.lists == [theirs]
    assert halted.intents == []


async def test_an_old_halt_may_have_been_forgotten_and_closes_nothing(halted):
    await hold_both(halted)
    control = halted.halt()
    halted.desk.clock.advance(SEVEN_DAYS_S + 1)
    await halted.flatten(control)
    assert (halted.lists, halted.intents) == ([], [])


async def test_a_route_closes_what_it_has_opened_and_no_other(halted):
    await hold_both(halted)
    halted.bus.entries.clear()
    for number, (symbol, route) in enumerate([("BTC_USDT", "other"), ("ETH_USDT", "demo")]):
        plan = make_plan(make_leg(), alert=numbered(number), symbol=symbol, route=route)
        await halted.bus.publish(
            subject=f"order.planned.paper.{symbol}", message=plan, event_id=f"plan{number}"
        )
    await halted.flatten(halted.halt("route", "demo"))
    assert halted.intents == [("ETH_USDT", "closeall")]
    assert halted.bus.messages("intent.accepted")[0].route == "demo"


async def test_a_route_that_only_closed_something_has_opened_nothing(halted):
    await hold_both(halted)
    halted.bus.entries.clear()
    await halted.bus.publish(
        subject="order.planned.paper.BTC_USDT",
        message=make_plan(make_leg("close")),
        event_id="plan",
    )
    await halted.flatten(halted.halt("route", "demo"))
    assert halted.lists[0].lanes == ()


async def test_of_a_route_the_entries_of_others_are_left_alone(halted):
    await publish(halted, make_intent(route="other"))
    await publish(halted, make_intent(symbol="ETH_USDT", instrument=ETH, alert_id=numbered(9)))
    await halted.flatten(halted.halt("route", "demo"))
    assert [lane.symbol for lane in halted.lists[0].lanes] == ["ETH_USDT"]


async def test_a_contract_that_nobody_knows_is_left_alone_and_told(halted):
    await hold_both(halted)
    del halted.contracts[instrument_key(base_url=ACCOUNT.base_url, symbol="ETH_USDT")]
    await halted.flatten(halted.halt())
    assert halted.lists[0].unlisted == ("ETH_USDT",)
    assert halted.intents == [("BTC_USDT", "closeall")]


async def test_contracts_that_were_not_read_yet_are_waited_for(halted):
    await hold_both(halted)
    halted.contracts.clear()
    with pytest.raises(Retry, match="contracts were not read yet"):
        await halted.flatten(halted.halt())
    assert halted.lists == []


async def test_an_account_that_is_gone_holds_nothing(halted):
    await hold_both(halted)
    halted.accounts.settings.clear()
    await halted.flatten(halted.halt())
    assert halted.lists == []


async def test_a_resume_in_the_middle_leaves_what_is_held(halted):
    await hold_both(halted)
    control = halted.halt()
    positions = halted.exchange.positions

    async def resumed_meanwhile():
        halted.halts.resume()
        return await positions()

    halted.exchange.positions = resumed_meanwhile
    await halted.flatten(control)
    assert halted.lists == []


async def test_it_follows_what_is_halted(halted):
    await hold_both(halted)
    async with Following(halted):
        await asyncio.sleep(0)
        halted.halt()
        await until(lambda: len(halted.intents) == 2)
        halted.halt(halt_id=numbered(5))
        await until(lambda: len(halted.lists) == 2)


async def test_a_halt_without_flatten_or_of_another_shard_closes_nothing(halted):
    await hold_both(halted)
    halted.halts.halt(make_control(accounts=("paper",)))
    halted.halts.halt(make_control("account", "far", flatten=True, accounts=("far",)))
    assert halted.flattener._due() == []


@pytest.mark.parametrize("trouble", ["exchange", "log", "key"])
async def test_it_is_tried_until_it_is_done(trouble, halted):
    await hold_both(halted)
    if trouble == "exchange":
        halted.exchange.fail_queries(count=3)
    elif trouble == "log":
        halted.bus.failing = 3
    else:
        halted.accounts.unreadable = 3
    halted.halt()
    async with Following(halted):
        await until(lambda: len(halted.intents) == 2)
    assert len(halted.lists) == 1
    assert halted.now > NOW


async def test_after_a_resume_it_is_not_tried_any_more(halted):
    await hold_both(halted)
    halted.halt()
    halted.exchange.fail_queries(count=10_000)
    async with Following(halted):
        await until(lambda: halted.now > NOW)
        halted.halts.resume()
        for _ in range(20):
            await asyncio.sleep(0)
        asked = len(halted.exchange.asked)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(halted.exchange.asked) == asked
    assert halted.lists == []


async def test_what_the_caller_may_meet(halted):
    await hold_both(halted)
    control = halted.halt()
    halted.exchange.fail_queries()
    with pytest.raises(QueryFailed):
        await halted.flatten(control)
    halted.bus.failing = 1
    with pytest.raises(LogUnavailable):
        await halted.flatten(control)
    await halted.flatten(control)
    assert len(halted.lists) == 1
