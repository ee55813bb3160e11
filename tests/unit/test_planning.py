"""Planning as a whole: ids, splitting, what the summary tells. Its table is in `domain/`."""

from libs.common.contracts.intent import Denial, Size
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import MarketPosition, SizingMode
from libs.common.domain.planning import plan_orders
from libs.common.domain.quantity import plain
from tests.factories import D, make_instrument
from tests.unit.domain.notation import picture, plan, signal


def test_orders_above_the_maximum_are_split_with_an_id_each():
    planned = plan(signal("buy 25", instrument=make_instrument(maximum_contracts=D(10))), picture())
    assert [leg.contracts for leg in planned.legs] == [10, 10, 5]
    assert len({leg.client_order_id for leg in planned.legs}) == 3


def test_the_same_intent_makes_the_same_plan():
    assert plan(signal("sell 5"), picture("long 3")) == plan(signal("sell 5"), picture("long 3"))


def test_accounts_and_alerts_have_ids_of_their_own():
    ids = {
        plan(signal("buy 2", **named), picture()).legs[0].client_order_id
        for named in (
            {},
            {"account": "other"},
            {"alert_id": "0199f000-0000-7000-8000-000000000001"},
        )
    }
    assert len(ids) == 3


def test_a_split_into_absurdly_many_orders_is_denied():
    intent = signal("buy 2000", instrument=make_instrument(maximum_contracts=D(1)))
    denial = plan_orders(intent, picture())
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.ABOVE_MAXIMUM


def test_an_absurd_opening_does_not_hinder_the_close():
    intent = signal("sell 2000", instrument=make_instrument(maximum_contracts=D(1)))
    planned = plan(intent, picture("long 3"))
    assert [leg.effect.value for leg in planned.legs] == ["close"] * 3
    assert planned.withheld is not None
    assert planned.withheld.reason is Reason.ABOVE_MAXIMUM


def test_the_summary_tells_held_and_moves():
    planned = plan(signal("sell 25"), picture("long 10"))
    assert planned.summary == "holding long 10: close long 10, then open short 15"
    assert planned.steps[-1] == planned.summary


def test_a_strategy_that_thinks_it_holds_something_else_is_told():
    """It is a check alone: the target is moved to all the same."""
    planned = plan(signal("target long 2", previous=MarketPosition.SHORT), picture("long 3"))
    assert any("short" in step and "long 3" in step for step in planned.steps)
    assert [leg.contracts for leg in planned.legs] == [1]


def test_a_size_beyond_all_reason_costs_no_memory():
    """The router limits what it settles; what a live price decides may be anything."""
    size = Size(mode=SizingMode.QUOTE, value=D(10) ** 17)
    denial = plan_orders(signal("buy", size=size), picture())
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.ABOVE_MAXIMUM
    # 10^17 USDT / 5 USDT a contract / 40,000 contracts an order
    assert denial.context["orders"] == plain(
        D(10) ** 17 / 5 / D(make_instrument().maximum_contracts)
    )
