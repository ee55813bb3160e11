"""Trigger orders: when they fire, what they place, how they end, and what is refused."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.paper_desk import BTC, CONTRACTS, NOW, seen
from tests.paper_triggers import TriggerDesk, attached
from tools.paper_exchange.engine.commands import CancelOrder, Reset, SetPositionMode
from tools.paper_exchange.engine.events import PlanChanged
from tools.paper_exchange.engine.triggers.commands import CancelPlans, ExpireTriggers
from tools.paper_exchange.engine.triggers.state import FINISHED_KEPT

DAY = 86_400_000


@pytest.mark.parametrize("trend", [1, 2, 3])
@pytest.mark.parametrize(
    ("condition", "waits_at", "fires_at"),
    [(1, "50999.9", "51000"), (1, "50999.9", "51000.1"), (2, "49000.1", "49000")],
)
def test_it_looks_at_its_own_price(trend, condition, waits_at, fires_at):
    desk = TriggerDesk()
    far = "51500" if condition == 1 else "48500"
    trigger = "51000" if condition == 1 else "49000"
    plan = desk.plan(condition=condition, trend=trend, trigger_price=trigger)

    # The two prices that it does not look at are far beyond.
    desk.prices(*(waits_at if each == trend else far for each in (1, 2, 3)))
    assert (plan.state, desk.holds()) == (1, {})

    desk.prices(*(fires_at if each == trend else "50000" for each in (1, 2, 3)))
    assert (plan.state, desk.holds()) == (3, {1: 10})


@pytest.mark.parametrize(
    ("mode", "held", "side", "after"),
    [
        (1, None, 1, {1: 10}),
        (1, None, 3, {2: 10}),
        (1, 1, 4, {1: 20}),
        (1, 3, 2, {2: 20}),
        (2, None, 1, {1: 10}),
        (2, 1, 3, {1: 20}),
        (2, 1, 4, {1: 20}),
        (2, 3, 2, {2: 20}),
    ],
)
def test_it_places_its_side(mode, held, side, after):
    desk = TriggerDesk(mode=mode)
    if held:
        desk.place(held, 30)
    plan = desk.plan(side=side)
    desk.price("51000")
    assert desk.holds() == after
    order = desk.account.order(plan.order_id)
    assert seen(order, "state external_oid side vol") == [
        *(3, f"planorder_{plan.id}_10", side),
        Decimal(10),
    ]
    assert len(order.external_oid) <= 32


@pytest.mark.parametrize(
    ("kind", "price", "state", "order_state"),
    [
        (5, "0", 3, 3),
        (1, "51000", 3, 3),
        (1, "50900", 3, 2),
        (2, "50900", 3, 2),
        (2, "51000", 3, 4),
        (3, "50900", 3, 4),
        (4, "51000", 3, 3),
    ],
)
def test_it_places_its_type(kind, price, state, order_state):
    desk = TriggerDesk()
    plan = desk.plan(type=kind, price=price)
    desk.price("51000")
    assert plan.state == state
    assert desk.account.order(plan.order_id).state == order_state


def test_a_price_that_is_there_already_fires_at_once():
    desk = TriggerDesk()
    plan = desk.plan(trigger_price="50000")
    assert (plan.state, desk.holds()) == (3, {1: 10})


def test_it_fires_once():
    desk = TriggerDesk()
    desk.plan()
    desk.price("51000")
    desk.price("51500")
    assert desk.holds() == {1: 10}
    assert desk.state.waiting[BTC].plans == {}


def test_other_symbols_do_not_matter():
    desk = TriggerDesk()
    plan = desk.plan()
    desk.price("99999", symbol="ETH_USDT")
    assert plan.state == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"vol": "40000"}, 2005),
        ({"side": 4}, 2009),
        ({"type": 1, "price": "60000"}, 2003),
        ({"leverage": 20}, 2021),
    ],
)
def test_what_is_refused_when_it_fires_fails(changes, error):
    desk = TriggerDesk()
    if error == 2021:
        desk.place(1, 1)
    before = desk.holds()
    plan = desk.plan(**changes)
    desk.price("51000")
    assert seen(plan, "state error order_id") == [5, error, 0]
    assert desk.holds() == before
    assert desk.account.triggers.plans.open == {}


def test_one_that_only_reduces_opens_nothing():
    desk = TriggerDesk(mode=2)
    plan = desk.plan(side=3, reduce_only=True)
    desk.price("51000")
    assert (seen(plan, "state error"), desk.holds()) == ([5, 2009], {})


def test_a_client_who_took_its_name_does_not_stop_it():
    desk = TriggerDesk()
    plan = desk.plan()
    desk.limit(1, 1, "45000", external_oid=f"planorder_{plan.id}_10")
    desk.price("51000")
    assert (plan.state, desk.holds()) == (3, {1: 10})


def test_as_many_finished_ones_are_kept():
    desk = TriggerDesk()
    plans = [desk.plan(trigger_price="50000", type=1, price="45001") for _ in range(50)]
    for order_id in list(desk.account.open_orders):
        desk.made(CancelOrder(at_ms=NOW, account_id=1, order_id=order_id))
    for _ in range(FINISHED_KEPT - 49):
        plan = desk.plan()
        desk.made(CancelPlans(at_ms=NOW, account_id=1, plan_ids=[plan.id]))
    kept = desk.account.triggers.plans.finished
    assert len(kept) == FINISHED_KEPT
    assert (plans[0].id in kept, plans[1].id in kept) == (False, True)


def test_a_reset_forgets_it():
    desk = TriggerDesk()
    desk.plan()
    desk.made(Reset(at_ms=NOW))
    desk.price("51000")
    assert (desk.holds(), desk.account.triggers.any_open) == ({}, False)


def test_nothing_is_frozen_while_it_waits():
    desk = TriggerDesk()
    free = desk.free
    desk.plan(vol="1000")
    assert desk.free == free


@pytest.mark.parametrize(("cycle", "days"), [(1, 1), (2, 7)])
def test_it_expires(cycle, days):
    desk = TriggerDesk()
    plan = desk.plan(cycle=cycle)
    desk.made(ExpireTriggers(at_ms=NOW + days * DAY - 1))
    assert plan.state == 1
    desk.made(ExpireTriggers(at_ms=NOW + days * DAY))
    assert seen(plan, "state updated_ms") == [4, NOW + days * DAY]


def test_it_does_not_fire_after_its_time():
    desk = TriggerDesk()
    plan = desk.plan()
    desk.at_ms = NOW + DAY
    desk.prices("51000")
    assert (plan.state, desk.holds()) == (4, {})


def test_what_it_carries_protects_what_it_opens():
    desk = TriggerDesk()
    plan = desk.plan(attached=attached(profit="52000", loss="50500"))
    desk.price("51000")
    (stop,) = desk.stops
    assert seen(stop, "order_id vol position_type") == [plan.order_id, 10, 1]
    assert (stop.profit.price, stop.loss.price) == (52000, 50500)
    desk.price("50500")
    assert desk.holds() == {}


def test_a_leap_over_all_of_it_ends_flat():
    desk = TriggerDesk()
    plan = desk.plan(attached=attached(profit="52000"))
    desk.price("53000")
    assert (plan.state, desk.holds(), desk.stops) == (3, {}, [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"trend": 0}, 3001),
        ({"trend": 4}, 3001),
        ({"condition": 0}, 3002),
        ({"condition": 3}, 3002),
        ({"cycle": 0}, 3003),
        ({"cycle": 87600}, 3003),
        ({"trigger_price": "0"}, 3004),
        ({"trigger_price": "-1"}, 3004),
        ({"trigger_price": "51000.05"}, 3004),
        ({"side": 5}, 2001),
        ({"type": 6}, 2029),
        ({"open_type": 3}, 600),
        ({"open_type": 1, "leverage": None}, 600),
        ({"symbol": "NO_USDT"}, 1001),
        ({"symbol": "EMBER_USDT"}, 1002),
        ({"position_mode": 2}, 7002),
        ({"leverage": 501}, 2006),
        ({"vol": "0"}, 2011),
        ({"vol": "0.5"}, 2057),
        ({"vol": "1.5"}, 2015),
        ({"vol": "400001"}, 2028),
        ({"type": 1}, 2007),
        ({"type": 1, "price": "50000.05"}, 2015),
    ],
)
def test_refusals(changes, code):
    desk = TriggerDesk()
    assert desk.code(desk.plan_command(**changes)) == code


@pytest.mark.parametrize(
    ("side", "kind", "good", "bad_profit", "bad_loss", "codes"),
    [
        (1, 5, ("51000.1", "50999.9"), "51000", "51000", (3007, 3009)),
        (1, 1, ("50500.1", "50499.9"), "50500", "50500", (3008, 3010)),
        (3, 5, ("50999.9", "51000.1"), "51000", "51000", (3011, 3013)),
        (3, 1, ("50499.9", "50500.1"), "50500", "50500", (3012, 3014)),
    ],
)
def test_attached_prices_must_lie_on_their_sides(side, kind, good, bad_profit, bad_loss, codes):
    desk = TriggerDesk()
    basis = {"side": side, "type": kind, "price": "50500" if kind == 1 else "0"}
    profit = desk.plan_command(**basis, attached=attached(profit=bad_profit))
    loss = desk.plan_command(**basis, attached=attached(loss=bad_loss))
    assert (desk.code(profit), desk.code(loss)) == codes
    assert desk.plan(**basis, attached=attached(*good)).state == 1


def test_what_closes_carries_nothing():
    desk = TriggerDesk()
    assert desk.plan(side=4, attached=attached(profit="1", loss="99999")).attached == {}


def test_only_fair_prices_where_the_contract_says_so():
    desk = TriggerDesk()
    desk.contracts = {**CONTRACTS, BTC: replace(CONTRACTS[BTC], stop_only_fair=True)}
    assert desk.code(desk.plan_command(attached=attached(loss="50500"))) == 9069
    assert desk.plan(attached=attached(loss="50500", trend=2)).state == 1


def test_as_many_as_the_contract_allows():
    desk = TriggerDesk(mode=2)
    desk.price("9000", symbol="ETH_USDT")
    plans = [desk.plan() for _ in range(50)]
    assert desk.code(desk.plan_command()) == 2016
    assert desk.plan(symbol="ETH_USDT", trigger_price="9500").state == 1
    desk.made(CancelPlans(at_ms=NOW, account_id=1, plan_ids=[plans[7].id]))
    assert desk.plan().state == 1


def test_changing_it():
    desk = TriggerDesk()
    plan = desk.plan(type=1, price="51000")
    events = desk.do(desk.change_plan(plan, trigger_price="49000", condition=2, type=5, trend=2))
    plan = desk.account.triggers.plans.open[plan.id]
    assert [type(event) for event in events] == [PlanChanged]
    assert events[0].plan is plan
    assert seen(plan, "type price condition trend") == [5, 0, 2, 2]
    desk.prices("50000", fair="49000")
    assert desk.holds() == {1: 10}


def test_a_change_may_fire_it():
    desk = TriggerDesk()
    plan = desk.plan()
    desk.made(desk.change_plan(plan, trigger_price="50000"))
    assert desk.holds() == {1: 10}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"trend": 9}, 3001),
        ({"condition": 9}, 3002),
        ({"trigger_price": "0"}, 3004),
        ({"type": 9}, 2029),
        ({"type": 1, "price": "0"}, 2007),
        ({"symbol": "ETH_USDT"}, 2040),
        ({"plan_id": 7}, 2040),
        ({"trigger_price": "52500"}, 3007),
        ({"trigger_price": "50400"}, 3009),
    ],
)
def test_refused_changes(changes, code):
    desk = TriggerDesk()
    plan = desk.plan(attached=attached(profit="52000", loss="50500"))
    assert desk.code(desk.change_plan(plan, **changes)) == code


def test_what_has_fired_cannot_be_changed():
    desk = TriggerDesk()
    plan = desk.plan(trigger_price="50000")
    assert desk.code(desk.change_plan(plan)) == 3006
    assert desk.code(desk.change_plan_attached(plan, stopLossPrice="1")) == 3015


def test_changing_what_it_carries():
    desk = TriggerDesk()
    plan = desk.plan(attached=attached(profit="52000", loss="50500"))
    desk.made(desk.change_plan_attached(plan, stopLossPrice="50600"))
    assert plan.attached == {"stopLossPrice": Decimal(50600)}
    assert desk.code(desk.change_plan_attached(plan, stopLossPrice="51000")) == 3009
    desk.made(desk.change_plan_attached(plan))
    assert plan.attached == {}


def test_canceling():
    desk = TriggerDesk()
    first, second = desk.plan(), desk.plan()
    cancel = CancelPlans(at_ms=NOW, account_id=1, plan_ids=[first.id, 1])
    assert desk.made(cancel) == 1
    assert (first.state, second.state) == (2, 1)
    assert desk.code(cancel) == 2041
    assert desk.code(CancelPlans(at_ms=NOW, account_id=1, plan_ids=[1])) == 2040
    desk.price("51000")
    assert desk.holds() == {1: 10}


def test_the_position_mode_cannot_change_under_it():
    desk = TriggerDesk()
    desk.plan()
    assert desk.code(SetPositionMode(at_ms=NOW, account_id=1, position_mode=2)) == 7001
