"""The plan's table, cell by cell, with legs computed by hand."""

import pytest

from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, MarginMode, PositionMode, PositionSide, TradeMode
from libs.common.domain.planning import Planned, plan_orders
from tests.factories import D, make_holding, make_instrument, make_intent


def legs(intent, *holdings, mode=PositionMode.HEDGE):
    planned = plan_orders(intent, holdings=holdings, position_mode=mode)
    assert isinstance(planned, Planned), planned
    return [f"{leg.effect.value} {leg.position_side.value} {leg.contracts}" for leg in planned.legs]


LONG = make_holding("long", 10)
SHORT = make_holding("short", 10)

NETTING = [
    # held, action, contracts, legs
    ((), "buy", 10, ["open long 10"]),
    ((), "sell", 10, ["open short 10"]),
    ((LONG,), "buy", 5, ["open long 5"]),
    ((LONG,), "sell", 4, ["close long 4"]),
    ((LONG,), "sell", 10, ["close long 10"]),
    ((LONG,), "sell", 25, ["close long 10", "open short 15"]),
    ((SHORT,), "sell", 5, ["open short 5"]),
    ((SHORT,), "buy", 4, ["close short 4"]),
    ((SHORT,), "buy", 10, ["close short 10"]),
    ((SHORT,), "buy", 25, ["close short 10", "open long 15"]),
    ((LONG, SHORT), "sell", 4, ["close long 4"]),
    ((LONG, SHORT), "buy", 12, ["close short 10", "open long 2"]),
    ((), "flat", None, []),
    ((), "closeall", None, []),
    ((LONG,), "flat", None, ["close long 10"]),
    ((SHORT,), "flat", None, ["close short 10"]),
    ((LONG, SHORT), "flat", None, ["close long 10", "close short 10"]),
    ((LONG, SHORT), "closeall", None, ["close long 10", "close short 10"]),
]


@pytest.mark.parametrize("mode", list(PositionMode))
@pytest.mark.parametrize(("held", "action", "contracts", "expected"), NETTING)
def test_netting(held, action, contracts, expected, mode):
    intent = make_intent(
        action=Action(action), contracts=None if contracts is None else D(contracts)
    )
    assert legs(intent, *held, mode=mode) == expected


@pytest.mark.parametrize(
    ("side", "expected"), [("long", ["close long 10"]), ("short", ["close short 10"])]
)
def test_close_side_narrows_flat(side, expected):
    intent = make_intent(action=Action.FLAT, contracts=None, close_side=PositionSide(side))
    assert legs(intent, LONG, SHORT) == expected


def test_closeall_ignores_close_side():
    intent = make_intent(action=Action.CLOSE_ALL, contracts=None, close_side=PositionSide.LONG)
    assert legs(intent, LONG, SHORT) == ["close long 10", "close short 10"]


def test_frozen_contracts_are_neither_closed_nor_hedged():
    """Six of ten long are frozen by a resting order: selling 12 closes 4 and opens 2, not 8."""
    held = make_holding("long", 10, free_contracts=D(4))
    assert legs(make_intent(action=Action.SELL, contracts=D(12)), held) == [
        "close long 4",
        "open short 2",
    ]


def test_all_frozen_is_nothing_to_do():
    held = make_holding("long", 10, free_contracts=D(0))
    assert legs(make_intent(action=Action.FLAT, contracts=None), held) == []


def test_orders_above_the_maximum_are_split_with_an_id_each():
    intent = make_intent(contracts=D(25), instrument=make_instrument(maximum_contracts=D(10)))
    planned = plan_orders(intent, holdings=(), position_mode=PositionMode.HEDGE)
    assert isinstance(planned, Planned)
    assert [leg.contracts for leg in planned.legs] == [10, 10, 5]
    assert len({leg.client_order_id for leg in planned.legs}) == 3


def test_a_close_names_the_position_and_its_margin_mode():
    held = make_holding("long", 10, margin_mode=MarginMode.ISOLATED, leverage=7)
    intent = make_intent(action=Action.SELL, contracts=D(15))
    planned = plan_orders(intent, holdings=(held,), position_mode=PositionMode.HEDGE)
    assert isinstance(planned, Planned)
    close, opening = planned.legs
    assert (close.position_id, close.margin_mode, close.leverage) == (
        "position-long",
        MarginMode.ISOLATED,
        7,
    )
    assert (opening.position_id, opening.margin_mode, opening.leverage) == (
        None,
        MarginMode.CROSS,
        10,
    )


def test_the_same_intent_makes_the_same_ids():
    intent = make_intent()
    once = plan_orders(intent, holdings=(), position_mode=PositionMode.HEDGE)
    again = plan_orders(intent, holdings=(), position_mode=PositionMode.HEDGE)
    assert once == again


@pytest.mark.parametrize(
    "changes",
    [{"trade_mode": TradeMode.REVERSE}, {"action": Action.MODIFY}, {"action": Action.BREAKEVEN}],
)
def test_what_is_not_there_yet_is_denied_by_name(changes):
    denial = plan_orders(make_intent(**changes), holdings=(LONG,), position_mode=PositionMode.HEDGE)
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.NOT_SUPPORTED


def test_a_split_into_absurdly_many_orders_is_denied():
    intent = make_intent(contracts=D(2000), instrument=make_instrument(maximum_contracts=D(1)))
    denial = plan_orders(intent, holdings=(), position_mode=PositionMode.HEDGE)
    assert isinstance(denial, Denial)
    assert denial.reason is Reason.ABOVE_MAXIMUM


def test_the_summary_tells_held_and_moves():
    planned = plan_orders(
        make_intent(action=Action.SELL, contracts=D(25)),
        holdings=(LONG,),
        position_mode=PositionMode.HEDGE,
    )
    assert isinstance(planned, Planned)
    assert planned.summary == "holding long 10: close long 10, then open short 15"
