"""Parsing, by tables: what each field may say, and what the refusal says where it may not."""

import json
from decimal import Decimal

import pytest

from libs.common.contracts.alert import Order
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    Action,
    DistanceUnit,
    MarginMode,
    OrderType,
    PositionSide,
    TradeMode,
    TriggerSource,
)
from services.ingest.parsing import Parsed, Unparsed, parse_alert
from services.ingest.refusals import Refusal
from services.ingest.vocabulary import ACTIONS
from tests.factories import make_route

GUIDE = {
    "platform_name": "mexc",
    "ticker": "BTCUSDT.P",
    "order_contracts": 0.001,
    "order_action": "buy",
}


def parse(*, without=(), **changes):
    body = {name: value for name, value in {**GUIDE, **changes}.items() if name not in without}
    return parse_raw(json.dumps(body))


def parse_raw(text):
    return parse_bytes(text.encode())


def parse_bytes(data):
    found = parse_alert(data, route=make_route())
    return found.order if isinstance(found, Parsed) else found.refusal


def refusal_of(found):
    assert isinstance(found, Refusal), found
    return found


def test_the_guides_alert():
    assert parse() == Order(ticker="BTCUSDT.P", action=Action.BUY, quantity=Decimal("0.001"))


def test_every_field_at_once():
    order = parse(
        order_type="LIMIT",
        price="67000.5",
        stop_loss=100,
        take_profit="2e2",
        sl_price="66000",
        tp_price=68000,
        sltp_type="Pips",
        trailing_pips=15,
        trigger="mark",
        trade_type="hedge",
        close_side="Buy",
        leverage="20",
        margin_mode="ISOLATED",
        comment="TP 1",
        order_id=17,
        unknown={"a": [1]},
    )
    assert order == Order(
        ticker="BTCUSDT.P",
        action=Action.BUY,
        quantity=Decimal("0.001"),
        order_type=OrderType.LIMIT,
        price=Decimal("67000.5"),
        stop_distance=Decimal(100),
        target_distance=Decimal(200),
        stop_price=Decimal(66000),
        target_price=Decimal(68000),
        distance_unit=DistanceUnit.TICKS,
        trailing_ticks=Decimal(15),
        trigger="mark",
        trade_mode=TradeMode.HEDGE,
        close_side=PositionSide.LONG,
        leverage=20,
        margin_mode=MarginMode.ISOLATED,
        comment="TP 1",
        order_id="17",
    )


@pytest.mark.parametrize(("word", "action"), ACTIONS.meanings.items())
def test_actions_in_any_case(word, action):
    assert parse(order_action=word, sl_price=1).action is action
    assert parse(order_action=word.upper(), sl_price=1).action is action


@pytest.mark.parametrize("name", ["quantity", "qty", "volume", "Q", "ORDER_CONTRACTS"])
def test_names_of_the_quantity(name):
    order = parse(without=("order_contracts",), **{name: "0.5"})
    assert order.quantity == Decimal("0.5")


@pytest.mark.parametrize("action", ["side", "action"])
def test_the_second_dialect(action):
    body = {"symbol": "BTC_USDT", action: "Sell", "quantity": 1}
    order = parse_raw(json.dumps(body))
    assert order == Order(ticker="BTC_USDT", action=Action.SELL, quantity=Decimal(1))


@pytest.mark.parametrize(
    ("sent", "mode", "inverse"),
    [
        ("netting", TradeMode.NETTING, False),
        ("reverse", TradeMode.REVERSE, False),
        ("opposite", TradeMode.OPPOSITE, False),
        ("Inverse", None, True),
        ("", None, False),
    ],
)
def test_trade_types(sent, mode, inverse):
    order = parse(trade_type=sent)
    assert (order.trade_mode, order.inverse) == (mode, inverse)


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ("0.001", "0.001"),
        ('"0.001"', "0.001"),
        ('" 12 "', "12"),
        ('"+1"', "1"),
        ('".5"', "0.5"),
        ('"5."', "5"),
        ("1e-3", "0.001"),
        ('"1E3"', "1000"),
        # More digits than a float holds.
        ("0.12345678901234567891", "0.12345678901234567891"),
        ("12345678901234567.1", "12345678901234567.1"),
    ],
)
def test_numbers_are_taken_to_the_last_digit(sent, number):
    order = parse_raw('{"ticker":"T","order_action":"buy","order_contracts":' + sent + "}")
    assert str(order.quantity.normalize()) == str(Decimal(number).normalize())


@pytest.mark.parametrize(
    "sent",
    [
        *("0", "-1", '"-0.5"', "-0", "true", "false", "[]", "{}", "[1]"),
        *('"much"', '"1,000"', '"1 000"', '"1_000"', '"0x10"', '"NaN"', '"Infinity"', '"-inf"'),
        *('"1e400"', "1e400", '"1e21"', "1e-21", '"1e99999999999"', '"١٢"', '"\uff11"', '"1m"'),
        *('"--1"', '"1e"', '"."', '"%"', '"5%%"', "1" * 41, '"' + "0" * 101 + '"', '"1\\u00002"'),
    ],
)
def test_what_is_no_size(sent):
    found = refusal_of(
        parse_raw('{"ticker":"T","order_action":"buy","order_contracts":' + sent + "}")
    )
    assert (found.status, found.reason) == (422, Reason.FIELD_INVALID)
    assert found.field == "order_contracts"


@pytest.mark.parametrize(
    "name",
    ["price", "stop_loss", "take_profit", "sl_price", "tp_price", "trailing_pips"],
)
@pytest.mark.parametrize("sent", [0, "-1", "x", True])
def test_prices_and_distances_are_above_zero(name, sent):
    found = refusal_of(parse(**{name: sent}))
    assert (found.status, found.field) == (422, name)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"platform_name": "bybit"}, "platform_name"),
        ({"ticker": 5}, "ticker"),
        ({"ticker": "T" * 65}, "ticker"),
        ({"ticker": "BTC\nUSDT"}, "ticker"),
        ({"order_action": "hold"}, "order_action"),
        ({"order_action": 1}, "order_action"),
        ({"order_type": "iceberg"}, "order_type"),
        ({"trigger": "bid"}, "trigger"),
        ({"trade_type": "random"}, "trade_type"),
        ({"sltp_type": "furlongs"}, "sltp_type"),
        ({"close_side": "both"}, "close_side"),
        ({"margin_mode": "crossed"}, "margin_mode"),
        ({"leverage": 0}, "leverage"),
        ({"leverage": 501}, "leverage"),
        ({"leverage": 2.5}, "leverage"),
        ({"comment": "x" * 513}, "comment"),
        ({"order_id": ["a"]}, "order_id"),
        ({"leverage": "1e400"}, "leverage"),
        ({"leverage": "50%"}, "leverage"),
        ({"price": "50%"}, "price"),
        ({"comment": "a\0b"}, "comment"),
    ],
)
def test_what_a_field_may_not_say(changes, field):
    found = refusal_of(parse(**changes))
    assert (found.status, found.reason, found.field) == (422, Reason.FIELD_INVALID, field)
    assert found.value is not None
    assert len(found.value) <= 100


def test_an_unknown_word_is_answered_with_the_known_ones():
    message = refusal_of(parse(order_action="hold")).message
    assert all(word in message for word in ACTIONS.meanings)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("ticker", {}),
        ("order_action", {}),
        ("order_contracts", {}),
        *(("price", {"order_type": word}) for word in ("limit", "stop", "post_only", "ioc", "fok")),
        ("price", {"order_action": "flat", "order_type": "limit"}),
    ],
)
@pytest.mark.parametrize("nothing", ["absent", None, "", "  "])
def test_what_must_be_there(field, changes, nothing):
    """Blank and null are as good as absent."""
    sent = {} if nothing == "absent" else {field: nothing}
    found = refusal_of(parse(without=(field,) if nothing == "absent" else (), **changes, **sent))
    assert (found.status, found.reason) == (422, Reason.FIELD_MISSING)
    assert found.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ticker", "{{ticker}}"),
        ("order_action", "{{strategy.order.action}}"),
        ("order_contracts", "{{strategy.order.contracts}}"),
        ("price", "{{close}}"),
        ("comment", "at {{strategy.order.comment}}"),
        ("leverage", '{{plot("leverage")}}'),
    ],
)
def test_a_placeholder_that_stayed_is_named(field, value):
    found = refusal_of(parse(**{field: value}))
    assert (found.status, found.reason) == (422, Reason.PLACEHOLDER_UNREPLACED)
    assert found.field == field
    assert value[value.index("{") :] in found.message


def test_a_placeholder_in_a_field_that_nobody_reads_is_none_of_ours():
    assert isinstance(parse(note="{{interval}}"), Order)


@pytest.mark.parametrize(
    ("first", "second", "changes"),
    [
        ("ticker", "symbol", {"symbol": "ETHUSDT.P"}),
        ("order_action", "side", {"side": "sell"}),
        ("order_contracts", "qty", {"qty": 2}),
    ],
)
def test_two_names_that_contradict_are_both_named(first, second, changes):
    found = refusal_of(parse(**changes))
    assert (found.status, found.field) == (422, first)
    assert first in found.message
    assert second in found.message


def test_two_names_that_agree_are_fine():
    order = parse(symbol="BTCUSDT.P", side="LONG", qty="0.0010")
    assert order.action is Action.BUY


@pytest.mark.parametrize(
    ("sent", "order_type"),
    [
        *((word.value, word) for word in OrderType),
        *((word, OrderType.POST_ONLY) for word in ("post-only", "postonly", "Post Only")),
        *((word, OrderType.IOC) for word in ("IOC", " ioc ")),
        ("stop_market", OrderType.STOP),
    ],
)
def test_order_types(sent, order_type):
    assert parse(order_type=sent, price=1).order_type is order_type


@pytest.mark.parametrize("action", ["cancel", "breakeven", "modify"])
def test_what_makes_no_order_needs_no_price(action):
    order = parse(order_action=action, order_type="limit", sl_price=1)
    assert (order.order_type, order.price) == (OrderType.LIMIT, None)


@pytest.mark.parametrize(
    ("sent", "trigger"),
    [
        ("last", TriggerSource.LAST),
        ("MARK", TriggerSource.MARK),
        ("fair", TriggerSource.MARK),
        ("Index", TriggerSource.INDEX),
    ],
)
def test_triggers(sent, trigger):
    assert parse(trigger=sent).trigger is trigger


@pytest.mark.parametrize(
    ("sent", "side"),
    [
        ("long", PositionSide.LONG),
        ("BUY", PositionSide.LONG),
        ("short", PositionSide.SHORT),
        ("Sell", PositionSide.SHORT),
    ],
)
def test_close_sides(sent, side):
    assert parse(order_action="flat", close_side=sent).close_side is side


def test_a_modify_without_anything_to_modify_is_refused():
    found = refusal_of(parse(order_action="modify", price=1))
    assert (found.reason, found.field) == (Reason.FIELD_MISSING, "sl_price")


@pytest.mark.parametrize(
    "name", ["sl_price", "tp_price", "stop_loss", "take_profit", "trailing_pips"]
)
def test_a_modify_needs_one_thing_to_modify(name):
    assert parse(order_action="modify", **{name: 5}).action is Action.MODIFY


@pytest.mark.parametrize(
    ("sent", "meant"),
    [("7", "7"), ('"7"', "7"), ('" a b "', "a b"), ("null", None), ('""', None), ("1.0", "1.0")],
)
def test_explicit_ids(sent, meant):
    body = json.dumps(GUIDE)[:-1] + f', "alert_id": {sent}}}'
    parsed = parse_alert(body.encode(), route=make_route())
    assert isinstance(parsed, Parsed)
    assert parsed.explicit_id == meant


def test_an_explicit_id_has_a_length():
    body = json.dumps({**GUIDE, "alert_id": "x" * 129}).encode()
    found = parse_alert(body, route=make_route())
    assert isinstance(found, Unparsed)
    assert found.refusal.field == "alert_id"
