"""The object itself: what is one, what is none and where it breaks, and names that come twice."""

import json
from urllib.parse import quote, quote_plus

import pytest

from libs.common.contracts.alert import Order
from libs.common.contracts.reasons import Reason
from services.ingest.parsing import Parsed, parse_alert
from services.ingest.refusals import Refusal
from tests.factories import make_route

GUIDE = {
    "platform_name": "mexc",
    "ticker": "BTCUSDT.P",
    "order_contracts": 0.001,
    "order_action": "buy",
}


def parse_raw(text):
    return parse_bytes(text.encode())


def parse_bytes(data):
    found = parse_alert(data, route=make_route())
    return found.order if isinstance(found, Parsed) else found.refusal


def refusal_of(found):
    assert isinstance(found, Refusal), found
    return found


def test_a_name_that_comes_twice_must_say_the_same():
    assert (
        refusal_of(
            parse_raw('{"ticker":"T","order_action":"buy","order_contracts":1,"order_contracts":2}')
        ).field
        == "order_contracts"
    )
    assert (
        refusal_of(
            parse_raw('{"ticker":"T","order_action":"buy","Order_Action":"sell","q":1}')
        ).field
        == "Order_Action"
    )
    same = parse_raw('{"ticker":"T","ticker":"T","order_action":"buy","q":1,"n":1,"n":2}')
    assert isinstance(same, Order)


def test_the_values_of_a_name_that_comes_twice_are_told():
    found = refusal_of(
        parse_raw('{"ticker":"T","side":"buy","q":1,"price":[1,{"a":"b"}],"price":null,"q":"2"}')
    )
    assert (found.field, found.value) == ("q", "1 / 2")


@pytest.mark.parametrize(
    "data",
    [
        quote(json.dumps(GUIDE)).encode(),
        quote_plus(json.dumps({**GUIDE, "comment": "a b+c"})).encode() + b"=",
        json.dumps(GUIDE).encode("utf-8-sig"),
        b" \r\n" + json.dumps(GUIDE, indent=2).encode() + b"\n",
    ],
)
def test_wrappings_of_the_object(data):
    """Relays send it as the one field of a form, or with a byte order mark."""
    order = parse_bytes(data)
    assert isinstance(order, Order), order
    assert (order.ticker, order.comment) == ("BTCUSDT.P", "a b+c" if b"=" in data else None)


@pytest.mark.parametrize(
    ("data", "clue"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"buy now", "byte 0"),
        (b'{"ticker":"T"', "truncated"),
        (b'{"ticker":"T",}', "trailing comma"),
        (b'{"ticker":"T"} x', "trailing characters"),
        (b"[]", "JSON array"),
        (b'"text"', "JSON str"),
        (b"1", "JSON int"),
        (b"null", "JSON null"),
        (b'{"q":NaN}', "byte 5"),
        (b'{"q":Infinity}', "byte 5"),
        (b"ticker=BTC&side=buy", "not JSON"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b'{"a":"\\ud800"}', "not JSON"),
        (b'%7B"ticker":', "not JSON"),
        (b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "deeply"),
        (b"[" * 60_000, "JSON array"),
    ],
)
def test_what_is_not_one_json_object(data, clue):
    found = refusal_of(parse_bytes(data))
    assert (found.status, found.reason) == (415, Reason.NOT_A_JSON_OBJECT)
    assert clue in found.message


def test_a_placeholder_outside_quotes_is_pointed_out():
    found = parse_raw('{"order_contracts": {{strategy.order.contracts}}}')
    assert "{{strategy.order.contracts}}" in refusal_of(found).message
