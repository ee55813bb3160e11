"""A body beside what it was understood as."""

import json

import pytest

from libs.common.contracts.alert import Order
from libs.common.contracts.route import RouteSettings
from services.console.web.alert.understanding import NAMES, body_of, pretty_json
from services.console.web.visible import shortened, visible, with_code
from services.ingest import vocabulary
from services.ingest.parsing import Parsed, parse_alert
from tests.factories import make_alert, make_intent, make_route
from tests.traced import answered


def understood(body, *, intent=None):
    """As ingest understands the body, by the label of each field."""
    found = parse_alert(body.encode(), route=make_route())
    assert isinstance(found, Parsed), found
    alert = make_alert(order=found.order, body=found.body)
    document = answered(alert, *([intent] if intent else []))
    shown = body_of(document["events"])
    assert shown is not None
    return shown, {field.label: field for field in shown.fields}


def test_every_field_of_an_order_has_a_place():
    assert set(NAMES) == set(Order.__struct_fields__) - {"quantity_percent"}


def test_the_names_are_those_that_ingest_reads():
    for field, names in {
        "ticker": vocabulary.TICKER,
        "action": vocabulary.ACTION,
        "quantity": vocabulary.QUANTITY,
        "close_side": vocabulary.CLOSE_SIDE,
        "trade_mode": vocabulary.TRADE_TYPE,
    }.items():
        assert set(names) <= set(NAMES[field])
    sizes = {*vocabulary.POSITION_SIZE, *vocabulary.SIGNED_SIZE}
    assert sizes <= set(NAMES["quantity"])


def test_the_alerts_word_stands_beside_our_meaning():
    shown, fields = understood(
        '{"Symbol": "BTCUSDT.P", "side": "LONG", "qty": 0.0010, "sltp_type": "pips",'
        ' "stop_loss": "5", "foo": 1, "trade_type": "inverse"}'
    )
    assert (fields["action"].said, fields["action"].meaning) == ('side: "LONG"', "buy")
    # Digits stay as they were written.
    assert (fields["size"].said, fields["size"].meaning) == ("qty: 0.0010", "0.0010")
    assert (fields["distances in"].said, fields["distances in"].meaning) == (
        'sltp_type: "pips"',
        "ticks",
    )
    assert fields["inverse"].meaning == "buy and sell are swapped"
    assert shown.ignored == ("foo",)


def test_what_holds_without_a_word_is_marked():
    intent = make_intent()
    _, fields = understood(
        '{"ticker": "BTCUSDT.P", "order_action": "buy", "order_contracts": "1", "trigger": ""}',
        intent=intent,
    )
    assert {label: field.default for label, field in fields.items() if field.default} == {
        "order type": "default",
        "trigger": "default",
        "trade mode": "the route",
        "leverage": "the route",
        "margin mode": "the route",
    }
    assert fields["leverage"].meaning == "10"


def test_a_default_that_was_said_is_no_default():
    _, fields = understood(
        '{"ticker": "X", "action": "buy", "qty": 1, "order_type": "Market", "trigger": "last"}'
    )
    assert (fields["order type"].said, fields["order type"].default) == (
        'order_type: "Market"',
        None,
    )


def test_a_percentage_is_told_with_its_sign():
    settings = RouteSettings(id="demo", accounts=make_route().settings.accounts)
    assert settings.sizing.mode == "base"
    _, fields = understood('{"ticker": "X", "action": "close", "qty": "50%"}')
    assert fields["size"].meaning == "50 %"


def test_what_was_refused_is_understood_as_nothing():
    shown = body_of([{"stage": "alert.refused", "data": {"body": "{", "message": "no"}}])
    assert shown is not None
    assert (shown.text, shown.pretty, shown.fields) == ("{", None, ())


def test_a_halt_has_no_body():
    assert body_of([{"stage": "intent.flattened", "data": {}}]) is None


@pytest.mark.parametrize(
    ("text", "pretty"),
    [
        ('{"a":1.500,"b":[1]}', '{\n  "a": 1.500,\n  "b": [\n    1\n  ]\n}'),
        ("no json", None),
        ("", None),
        ("[" * 5000, None),
        ('{"a": "\\ud800"}', None),
    ],
    ids=["numbers stay", "text", "empty", "deep", "half a character"],
)
def test_json_is_indented_and_nothing_else(text, pretty):
    assert pretty_json(text) == pretty


def test_many_strange_fields_are_counted():
    body = {"ticker": "X", "action": "buy", "qty": 1, **{f"f{n}" * 50: n for n in range(100)}}
    shown, _ = understood(json.dumps(body))
    assert len(shown.ignored) == 21
    assert shown.ignored[-1] == "and 80 more"


def test_what_nobody_could_see_is_named():
    assert visible("a\u202eb\x00\x00\x00\n\tc") == "a⟨U+202E⟩b⟨U+0000 x 3⟩\n\tc"
    assert visible("ünïcödé 日本 🚀") == "ünïcödé 日本 🚀"
    assert shortened("a\n b\x00" + "c" * 500, 20) == "a b⟨U+0000⟩cccccccc…"


def test_commands_in_sentences_are_code():
    assert with_code("do `alertwire <x>` & wait") == (
        "do <code>alertwire &lt;x&gt;</code> &amp; wait"
    )
    assert with_code("one ` alone") == "one ` alone"
