"""A test alert's message: as TradingView would send it, with an id of its own."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.route import Route
from services.console import messages
from services.console.messages import check_age, encoded, identified, new_id
from services.console.problems import Problem
from services.ingest.parsing import Parsed, parse_alert
from tests.factories import make_settings


def test_the_forms_fields_make_the_documented_message():
    fields = {
        "symbol": "BTCUSDT.P",
        "side": "sell",
        "quantity": Decimal("0.0010"),
        "close_side": "long",
        "stop_loss": Decimal(500),
        "take_profit": "",
        "price": None,
        "comment": "  ",
    }
    assert encoded(messages.test_body(fields)) == (
        '{"platform_name":"mexc","ticker":"BTCUSDT.P","order_action":"sell",'
        '"order_contracts":0.0010,"stop_loss":500,"close_side":"long"}'
    )


def test_every_field_of_the_form_is_understood():
    """In words that ingest takes: a name that it did not know would be ignored in silence."""
    fields = {
        "symbol": "BTCUSDT.P",
        "side": "buy",
        "quantity": 1,
        "order_type": "limit",
        "price": 2,
        "stop_loss": 3,
        "take_profit": 4,
        "sl_price": 5,
        "tp_price": 6,
        "sltp_type": "ticks",
        "trailing": 7,
        "trigger": "mark",
        "trade_type": "hedge",
        "close_side": "long",
        "leverage": 8,
        "margin_mode": "isolated",
        "order_id": "a",
        "comment": "b",
    }
    assert fields.keys() | {"market_position", "market_position_size"} == messages.FIELDS.keys()
    order = understood(fields).order
    values = (getattr(order, name) for name in order.__struct_fields__)
    given = [value for value in values if value not in {None, False}]
    assert len(given) == len(fields)
    target = understood({"symbol": "X", "market_position": "long", "market_position_size": 2})
    assert (target.order.wanted, target.order.quantity) == ("long", 2)


def understood(fields):
    body = encoded(messages.test_body(fields)).encode()
    found = parse_alert(body, route=Route(settings=make_settings(), tokens=()))
    assert isinstance(found, Parsed), found
    return found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{}", '{"alert_id":"n1"}'),
        (' { "a" : 1.50 } \n', ' { "a" : 1.50,"alert_id":"n1"}'),
        ('{"a":1,"a":2}', '{"a":1,"a":2,"alert_id":"n1"}'),
        ('{"a":"}"}', '{"a":"}","alert_id":"n1"}'),
        ("Buy!", "Buy!"),
        ("[1]", "[1]"),
        ('{"a":', '{"a":'),
    ],
    ids=["empty", "spaced", "repeated", "brace", "text", "list", "cut"],
)
def test_an_id_is_put_behind_and_nothing_else_changes(text, wanted):
    assert identified(text, alert_id="n1") == (wanted, "n1")


@pytest.mark.parametrize(
    ("text", "own"),
    [('{"alert_id":"mine"}', "mine"), ('{"Alert_ID": 17}', "17")],
    ids=["text", "number"],
)
def test_its_own_id_stays(text, own):
    assert identified(text, alert_id="n1") == (text, own)


@pytest.mark.parametrize("value", ['""', '" "', "null"], ids=["empty", "blank", "null"])
def test_an_id_that_is_none_is_refused(value):
    with pytest.raises(Problem, match="tells a resend from a second alert") as caught:
        identified(f'{{"alert_id":{value}}}', alert_id="n1")
    assert (caught.value.status, caught.value.field) == (422, "alert_id")


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_any_object_gets_the_id_that_ingest_reads(members):
    members = {name: value for name, value in members.items() if name.lower() != "alert_id"}
    text, _ = identified(json.dumps(members), alert_id="n1")
    assert json.loads(text) == {**members, "alert_id": "n1"}


def test_an_id_of_ours_is_sent_for_four_minutes():
    made = new_id(unix_ms=1_763_900_000_000, random_bits=0xABC)
    assert made == "test-1763900000000-00000abc"
    check_age(made, unix_ms=1_763_900_240_000)
    with pytest.raises(Problem, match="241 s ago"):
        check_age(made, unix_ms=1_763_900_241_000)
    check_age("mine", unix_ms=1_763_900_241_000)
