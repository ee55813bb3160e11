"""Rows of what waits become the house's words, and a plan is known by its id or by what it says."""

from decimal import Decimal

import msgspec
import pytest

from libs.common.contracts.causes import Cause
from libs.common.contracts.words import Effect, OrderType, PendingKind, PositionSide
from services.executor.exchange import OrderState
from services.executor.mexc import waiting, wire
from tests.factories import D, make_leg
from tests.unit.mexc_calls import make_call

LEG = make_leg(order_type=OrderType.STOP, price=D(51_000))
MADE_MS = 1_761_889_115_000


def row(kind, fields, changes):
    return wire.row(msgspec.Raw(msgspec.json.encode({**fields, **changes})), kind)


def an_order(**changes):
    """The published sample of an open order."""
    fields = {
        "orderId": "750330663772702720",
        "symbol": "BTC_USDT",
        "price": 80000,
        "vol": 10,
        "side": 1,
        "dealVol": 0,
        "state": 2,
        "externalOid": "_m_4675f4cdfa8a4c608c02da3c2d5dd98f",
        "createTime": 1764563170653,
    }
    return row(wire.OpenOrder, fields, changes)


def a_plan(**changes):
    fields = {
        "id": "739114860879304259",
        "symbol": "BTC_USDT",
        "side": 1,
        "triggerPrice": 51000,
        "price": 0,
        "vol": 10,
        "triggerType": 1,
        "state": 1,
        "orderType": 5,
        "createTime": MADE_MS,
    }
    return row(wire.Plan, fields, changes)


def a_stop(**changes):
    """The published sample of a take profit and stop loss."""
    fields = {
        "id": 357859177,
        "symbol": "BTC_USDT",
        "positionId": "1027177055",
        "stopLossPrice": 111325,
        "takeProfitPrice": 113573.9,
        "state": 1,
        "positionType": 1,
        "vol": 2,
    }
    return row(wire.Stop, fields, changes)


def a_track(**changes):
    fields = {
        "id": "739628779353703936",
        "symbol": "DOGE_USDT",
        "side": 4,
        "vol": 100,
        "activePrice": 0,
        "markPrice": 0.2,
        "backType": 1,
        "backValue": 0.02,
        "state": 1,
        "createTime": 1762011642623,
    }
    return row(wire.Track, fields, changes)


def test_order_in_the_book():
    pending = waiting.to_pending_order(an_order(dealVol=4, stopLossPrice=0))
    assert pending.kind is PendingKind.ORDER
    assert pending.exchange_order_id == "750330663772702720"
    assert pending.client_order_id == "_m_4675f4cdfa8a4c608c02da3c2d5dd98f"
    assert (pending.effect, pending.position_side) == (Effect.OPEN, PositionSide.LONG)
    assert (pending.contracts, pending.price) == (6, 80_000)
    assert (pending.stop_price, pending.target_price) == (None, None)


def test_plan():
    pending = waiting.to_pending_plan(a_plan(id=9007199254740993, side=2, takeProfitPrice="1e-7"))
    assert pending.kind is PendingKind.TRIGGER
    assert pending.exchange_order_id == "9007199254740993"
    assert (pending.effect, pending.position_side) == (Effect.CLOSE, PositionSide.SHORT)
    assert (pending.contracts, pending.price) == (10, 51_000)
    assert pending.target_price == Decimal("0.0000001")


def test_stop_of_a_position():
    protective = waiting.to_protective(a_stop(takeProfitPrice=0))
    assert protective is not None
    assert (protective.exchange_id, protective.position_id) == ("357859177", "1027177055")
    assert (protective.position_side, protective.contracts) == (PositionSide.LONG, 2)
    assert (protective.stop_price, protective.target_price) == (111_325, None)


@pytest.mark.parametrize("state", [2, 3, 4, 5])
def test_stop_that_does_not_wait_is_none(state):
    assert waiting.to_protective(a_stop(state=state)) is None


def test_trailing_stop_by_distance():
    trail = waiting.to_trail(a_track(backType=2, side=2))
    assert trail is not None
    assert trail.exchange_id == "739628779353703936"
    assert (trail.position_side, trail.contracts) == (PositionSide.SHORT, 100)
    assert (trail.distance, trail.created_ms) == (Decimal("0.02"), 1762011642623)


@pytest.mark.parametrize(
    ("changes", "distance"),
    [({}, "0.004"), ({"markPrice": 0, "activePrice": 0.1}, "0.002"), ({"markPrice": None}, "0")],
)
def test_trailing_stop_by_share_is_told_in_units_of_price(changes, distance):
    trail = waiting.to_trail(a_track(**changes))
    assert trail is not None
    assert trail.distance == Decimal(distance)


@pytest.mark.parametrize("changes", [{"side": 1}, {"side": 3}, {"state": 2}, {"state": 4}])
def test_trailing_order_that_opens_or_has_ended_is_none(changes):
    assert waiting.to_trail(a_track(**changes)) is None


@pytest.mark.parametrize(
    ("read", "made"),
    [
        (waiting.to_pending_order, an_order(side=5)),
        (waiting.to_pending_plan, a_plan(side=0)),
        (waiting.to_protective, a_stop(positionType=3)),
        (waiting.to_trail, a_track(side=9)),
        (waiting.check, a_plan(side=9)),
        (waiting.check, a_plan(state=9)),
    ],
)
def test_undocumented_numbers_are_errors(read, made):
    with pytest.raises(ValueError, match="not documented"):
        read(made)


def saying(*plans, apart_from=()):
    return waiting.plan_that_says(plans, LEG, since_ms=MADE_MS, apart_from=frozenset(apart_from))


def test_plan_is_known_by_its_id_whatever_it_says_and_however_old_it_is():
    ours = a_plan(id=9007199254740993, vol=3, createTime=1)
    assert waiting.plan_of_id([a_plan(), ours], "9007199254740993") is ours
    assert waiting.plan_of_id([a_plan()], "9007199254740993") is None


def test_plan_is_known_by_the_order_that_it_made():
    ours = a_plan(state=3, orderId=9007199254740993)
    assert waiting.plan_of_id([ours], "9007199254740993") is ours


@pytest.mark.parametrize("nothing", ["", "0", 0, None])
def test_plan_that_made_nothing_yet(nothing):
    assert waiting.made_by(a_plan(orderId=nothing)) is None


def test_plan_is_known_by_what_it_says():
    ours = a_plan()
    assert saying(ours) is ours


@pytest.mark.parametrize(
    "changes",
    [
        {"side": 3},
        {"vol": 9},
        {"triggerPrice": 51000.1},
        {"triggerType": 2},
        {"orderType": 1},
        {"createTime": MADE_MS - 1},
    ],
)
def test_plan_that_says_something_else_is_another(changes):
    assert saying(a_plan(**changes)) is None


def test_of_several_plans_alike_the_newest_counts():
    newest = a_plan(id="3", createTime=MADE_MS + 2)
    assert saying(a_plan(id="1"), newest, a_plan(id="2", createTime=MADE_MS + 1)) is newest


@pytest.mark.parametrize("known", ["1", "9"])
def test_plan_that_is_known_to_be_another_by_its_own_or_its_order_s_id_is_passed_over(known):
    other, ours = a_plan(id="1", state=3, orderId="9", createTime=MADE_MS + 1), a_plan(id="2")
    assert saying(other, ours, apart_from={known}) is ours
    assert saying(other, apart_from={known}) is None


@pytest.mark.parametrize(
    ("number", "state", "name"),
    [
        (1, OrderState.OPEN, "NORMAL"),
        (2, OrderState.CANCELED, "NORMAL"),
        (3, OrderState.PENDING, "NORMAL"),
        (4, OrderState.CANCELED, "EXPIRED"),
        (5, OrderState.INVALID, "NORMAL"),
    ],
)
def test_every_state_of_a_plan(number, state, name):
    found = waiting.to_found(a_plan(state=number), call=make_call())
    assert (found.state, found.error_name) == (state, name)
    assert found.exchange_order_id == "739114860879304259"
    assert (found.filled_contracts, found.average_price) == (0, None)


@pytest.mark.parametrize(
    ("code", "name", "cause"),
    [
        (2005, "MARGIN", Cause.MARGIN),
        (2, "INSUFFICIENT_BALANCE", Cause.MARGIN),
        (77, "OTHER", Cause.OTHER),
        (0, "NORMAL", None),
    ],
)
def test_why_a_plan_failed_may_be_of_either_list_of_codes(code, name, cause):
    found = waiting.to_found(a_plan(state=5, errorCode=code), call=make_call())
    assert (found.error_code, found.error_name) == (code, name)
    assert found.error_cause is cause
