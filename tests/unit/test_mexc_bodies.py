"""Legs and changes become MEXC's bodies byte for byte."""

from decimal import Decimal

import msgspec
import pytest

from libs.common.contracts.order import Change
from libs.common.contracts.words import (
    ChangeKind,
    ClientOrderId,
    Effect,
    MarginMode,
    OrderType,
    PositionMode,
    PositionSide,
    TriggerSource,
    VenueSymbol,
)
from services.executor.mexc import bodies, numbers
from tests.factories import D, make_leg

BTC = VenueSymbol("BTC_USDT")
OID = "0Fx9K2LmNpQrStUvWxYzAbC1xol000"
TAIL = f'"openType":2,"positionMode":1,"externalOid":"{OID}","leverage":10'


def body(**overrides):
    leg = make_leg(client_order_id=ClientOrderId(OID), **overrides)
    return bodies.order_body(leg, symbol=BTC)


def test_open_in_hedge_mode():
    assert body() == (
        '{"symbol":"BTC_USDT","price":0,"vol":10,"side":1,"type":5,"openType":2,'
        f'"positionMode":1,"externalOid":"{OID}","leverage":10}}'
    )


def test_close_in_hedge_mode_names_the_position_and_never_says_reduce_only():
    assert body(
        effect=Effect.CLOSE, position_id="9007199254740993", margin_mode=MarginMode.ISOLATED
    ) == (
        '{"symbol":"BTC_USDT","price":0,"vol":10,"side":4,"type":5,"openType":1,'
        f'"positionMode":1,"externalOid":"{OID}","positionId":9007199254740993}}'
    )


def test_close_in_one_way_mode_is_reduce_only():
    assert body(
        effect=Effect.CLOSE, position_side=PositionSide.SHORT, position_mode=PositionMode.ONE_WAY
    ) == (
        '{"symbol":"BTC_USDT","price":0,"vol":10,"side":2,"type":5,"openType":2,'
        f'"positionMode":2,"externalOid":"{OID}","reduceOnly":true}}'
    )


def test_open_in_one_way_mode_is_not_reduce_only():
    assert "reduceOnly" not in body(position_mode=PositionMode.ONE_WAY)


@pytest.mark.parametrize("mode", PositionMode)
@pytest.mark.parametrize(
    ("effect", "side", "number"),
    [
        (Effect.OPEN, PositionSide.LONG, 1),
        (Effect.CLOSE, PositionSide.SHORT, 2),
        (Effect.OPEN, PositionSide.SHORT, 3),
        (Effect.CLOSE, PositionSide.LONG, 4),
    ],
)
def test_every_cell_of_the_side_table(effect, side, number, mode):
    sent = msgspec.json.decode(body(effect=effect, position_side=side, position_mode=mode))
    assert sent["side"] == number


def test_side_table_is_complete():
    assert set(numbers.SIDES) == {(effect, side) for effect in Effect for side in PositionSide}


def test_fractional_contracts_are_sent_exactly():
    assert '"vol":0.0000001,' in body(contracts=Decimal("1.0E-7"))


@pytest.mark.parametrize(
    ("order_type", "number"),
    [
        (OrderType.LIMIT, 1),
        (OrderType.POST_ONLY, 2),
        (OrderType.IOC, 3),
        (OrderType.FOK, 4),
    ],
)
def test_order_with_a_price(order_type, number):
    assert body(order_type=order_type, price=D("1E-7")) == (
        f'{{"symbol":"BTC_USDT","price":0.0000001,"vol":10,"side":1,"type":{number},{TAIL}}}'
    )


def test_limit_order_without_a_price_is_an_error():
    with pytest.raises(ValueError, match="needs a price"):
        body(order_type=OrderType.LIMIT)


@pytest.mark.parametrize(
    ("source", "number"),
    [(TriggerSource.LAST, 1), (TriggerSource.MARK, 2), (TriggerSource.INDEX, 3)],
)
def test_attached_prices_name_what_triggers_them(source, number):
    sent = body(stop_price=D(48_000), target_price=D(53_000), trigger=source)
    assert sent.endswith(
        f'"stopLossPrice":48000,"lossTrend":{number},"takeProfitPrice":53000,"profitTrend":{number}}}'
    )


def test_attached_price_that_is_not_given_is_not_sent():
    assert body(stop_price=D(48_000)).endswith('"stopLossPrice":48000,"lossTrend":1}')


def test_closing_order_carries_no_prices():
    assert "stopLossPrice" not in body(effect=Effect.CLOSE, stop_price=D(48_000))


def plan(**overrides):
    leg = make_leg(**{"order_type": OrderType.STOP, "price": D(51_000), **overrides})
    return bodies.plan_body(leg, symbol=BTC)


def test_stop_order():
    assert plan(trigger=TriggerSource.MARK, target_price=D(55_000)) == (
        '{"symbol":"BTC_USDT","vol":10,"leverage":10,"side":1,"openType":2,"positionMode":1,'
        '"triggerPrice":51000,"triggerType":1,"trend":2,"executeCycle":2,"orderType":5,'
        '"takeProfitPrice":55000,"profitTrend":2}'
    )


def test_closing_stop_order_in_one_way_mode_is_reduce_only():
    assert plan(
        effect=Effect.CLOSE,
        position_mode=PositionMode.ONE_WAY,
        margin_mode=MarginMode.ISOLATED,
        stop_price=D(1),
    ) == (
        '{"symbol":"BTC_USDT","vol":10,"leverage":10,"side":4,"openType":1,"positionMode":2,'
        '"triggerPrice":51000,"triggerType":2,"trend":1,"executeCycle":2,"orderType":5,'
        '"reduceOnly":true}'
    )


@pytest.mark.parametrize(
    ("effect", "side", "trigger_type"),
    [
        (Effect.OPEN, PositionSide.LONG, 1),
        (Effect.CLOSE, PositionSide.SHORT, 1),
        (Effect.OPEN, PositionSide.SHORT, 2),
        (Effect.CLOSE, PositionSide.LONG, 2),
    ],
)
def test_what_buys_triggers_above_and_what_sells_below(effect, side, trigger_type):
    sent = msgspec.json.decode(plan(effect=effect, position_side=side))
    assert sent["triggerType"] == trigger_type


def test_stop_order_without_a_trigger_price_is_an_error():
    with pytest.raises(ValueError, match="needs a trigger price"):
        plan(price=None)


def change(kind, **fields):
    return Change(change_id=ClientOrderId(OID), kind=ChangeKind(kind), **fields)


FLAGS = (
    '"profitLossVolType":"SAME","volType":2,"takeProfitReverse":2,"stopLossReverse":2,'
    '"takeProfitType":0,"stopLossType":0}'
)


def test_protection_of_a_whole_position():
    asked = change("protect", contracts=D(10), stop_price=D(48_000), target_price=D(53_000))
    assert bodies.protect_body(asked, position_id="9007199254740993") == (
        '{"positionId":9007199254740993,"vol":10,"stopLossPrice":48000,"lossTrend":1,'
        f'"takeProfitPrice":53000,"profitTrend":1,{FLAGS}'
    )


def test_protection_by_a_target_alone():
    asked = change("protect", contracts=D(10), target_price=D(53_000), trigger=TriggerSource.INDEX)
    assert bodies.protect_body(asked, position_id="1") == (
        f'{{"positionId":1,"vol":10,"takeProfitPrice":53000,"profitTrend":3,{FLAGS}'
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"contracts": D(10)}, "a stop or a target"), ({"stop_price": D(1)}, "needs contracts")],
)
def test_protection_that_lacks_something_is_an_error(fields, words):
    with pytest.raises(ValueError, match=words):
        bodies.protect_body(change("protect", **fields), position_id="1")


def test_moved_protection_says_both_prices_and_zero_for_none():
    asked = change("move_protection", stop_price=D("49000.5"), trigger=TriggerSource.MARK)
    assert bodies.moved_stop_body(asked, stop_id="357859177") == (
        '{"stopPlanOrderId":357859177,"stopLossPrice":49000.5,"lossTrend":2,'
        '"takeProfitPrice":0,"profitTrend":2}'
    )


def test_amended_order():
    asked = change("amend_order", target_price=D(53_000))
    assert bodies.amended_order_body(asked, order_id="739113577038255616") == (
        '{"orderId":739113577038255616,"stopLossPrice":0,"lossTrend":1,'
        '"takeProfitPrice":53000,"profitTrend":1}'
    )


def test_amended_plan_names_its_symbol():
    asked = change("amend_trigger", stop_price=D(48_000))
    assert bodies.amended_plan_body(asked, symbol=BTC, plan_id="7") == (
        '{"symbol":"BTC_USDT","orderId":7,"stopLossPrice":48000,"lossTrend":1,'
        '"takeProfitPrice":0,"profitTrend":1}'
    )


TRAIL = {
    "position_side": PositionSide.LONG,
    "contracts": D(10),
    "trail_distance": Decimal("1E-10"),
    "margin_mode": MarginMode.ISOLATED,
    "leverage": 20,
    "position_mode": PositionMode.HEDGE,
}


def test_trailing_stop():
    assert bodies.trail_body(change("trail", **TRAIL), symbol=BTC) == (
        '{"symbol":"BTC_USDT","leverage":20,"side":4,"vol":10,"openType":1,"trend":1,"backType":2,'
        '"backValue":0.0000000001,"positionMode":1}'
    )


def test_trailing_stop_of_a_short_in_one_way_mode():
    asked = change(
        "trail",
        **TRAIL
        | {"position_side": PositionSide.SHORT, "position_mode": PositionMode.ONE_WAY}
        | {"trigger": TriggerSource.INDEX},
    )
    sent = msgspec.json.decode(bodies.trail_body(asked, symbol=BTC))
    assert (sent["side"], sent["trend"], sent["positionMode"]) == (2, 3, 2)
    assert sent["reduceOnly"] is True


@pytest.mark.parametrize("name", TRAIL)
def test_trailing_stop_that_lacks_something_is_an_error(name):
    with pytest.raises(ValueError, match="it needs"):
        bodies.trail_body(change("trail", **{**TRAIL, name: None}), symbol=BTC)


def test_cancels_name_ids_as_numbers_beyond_what_a_float_carries():
    assert bodies.canceled_orders_body(["9007199254740993", "2"]) == "[9007199254740993,2]"
    assert bodies.canceled_stop_body("357859177") == '[{"stopPlanOrderId":357859177}]'
    assert bodies.canceled_plan_body("9007199254740993", symbol=BTC) == (
        '[{"symbol":"BTC_USDT","orderId":9007199254740993}]'
    )
    assert bodies.canceled_trail_body("9007199254740993", symbol=BTC) == (
        '{"symbol":"BTC_USDT","trackOrderId":9007199254740993}'
    )


def test_id_that_is_no_number_is_sent_as_it_is():
    assert bodies.canceled_orders_body(['a"b']) == '["a\\"b"]'
