"""Parsing holds for anything that can be sent: it answers, exactly, and names what is wrong."""

import json
from decimal import Decimal
from hashlib import sha256

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from libs.common.contracts.alert import Order
from libs.common.contracts.route import Sizing
from services.ingest.parsing import Parsed, Unparsed, parse_alert, parse_order
from tests.factories import make_route

ROUTE = make_route(sizing=Sizing(value=Decimal(1)))
SECURED = msgspec.structs.replace(ROUTE, body_secret_sha256=sha256(b"open").hexdigest())
KNOWN = (
    *("platform_name", "ticker", "symbol", "order_action", "action", "side", "order_contracts"),
    *("quantity", "qty", "volume", "Q", "order_type", "price", "stop_loss", "take_profit"),
    *("sl_price", "tp_price", "sltp_type", "trailing_pips", "trigger", "trade_type"),
    *("close_side", "leverage", "margin_mode", "comment", "order_id", "alert_id", "secret"),
)
WORDS = (
    *("mexc", "BTCUSDT.P", "buy", "sell", "flat", "limit", "market", "1", "-1", "1e400", "NaN"),
    *("percent", "hedge", "inverse", "long", "cross", "{{close}}", "50%", "", " "),
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(WORDS)
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
bodies = st.dictionaries(st.sampled_from(KNOWN) | st.text(max_size=8), json_values, max_size=8)
likely_bodies = st.fixed_dictionaries(
    {"ticker": st.just("BTCUSDT.P"), "order_action": st.sampled_from(("buy", "flat", "Short"))},
    optional={name: scalars for name in KNOWN if name not in {"ticker", "order_action"}},
)
plain_numbers = st.from_regex(r"[0-9]{1,11}(\.[0-9]{1,10})?([eE]-?[0-9])?", fullmatch=True)


def check(data):
    for route in (ROUTE, SECURED):
        found = parse_alert(data, route=route)
        if isinstance(found, Unparsed):
            refusal = found.refusal
            assert refusal.status in {401, 415, 422}
            assert refusal.message
            if refusal.status == 422:
                assert refusal.field
                assert refusal.field in refusal.message
            assert refusal.value is None or len(refusal.value) <= 100
        else:
            assert isinstance(found, Parsed)


@given(st.binary(max_size=200))
@example(b'{"a":' * 2000)
@example(b'{"secret":"\\')
def test_any_bytes_get_an_answer(data):
    check(data)


@given(json_values)
def test_any_json_gets_an_answer(value):
    check(json.dumps(value).encode())


@given(bodies | likely_bodies, st.booleans())
def test_any_object_gets_an_answer_and_a_refusal_names_its_field(body, ascii_only):
    check(json.dumps(body, ensure_ascii=ascii_only).encode(errors="replace"))


@given(likely_bodies)
def test_what_is_understood_survives_the_wire(body):
    order = parse_order(json.dumps(body).encode(), sized_by_route=True)
    if isinstance(order, Order):
        assert msgspec.json.decode(msgspec.json.encode(order), type=Order) == order


@given(plain_numbers, st.booleans())
def test_a_number_is_the_decimal_that_was_sent(text, in_quotes):
    """Not one digit is lost, in quotes or bare; JSON itself refuses leading zeros when bare."""
    sent = f'"{text}"' if in_quotes else text
    body = f'{{"ticker":"T","order_action":"flat","order_contracts":{sent}}}'
    found = parse_order(body.encode(), sized_by_route=False)
    if isinstance(found, Order):
        assert found.quantity is not None
        assert found.quantity.as_tuple() == Decimal(text).as_tuple()
    else:
        assert not in_quotes
        assert text.startswith("0")


@given(st.text(min_size=4, max_size=30), bodies)
def test_a_secret_is_never_kept(secret, body):
    body = {name: value for name, value in body.items() if name.lower() != "secret"}
    text = json.dumps({**body, "secret": f"<{secret}>"})
    found = parse_alert(text.encode(), route=SECURED)
    # Python writes Infinity, which is no JSON: such a body may be dropped whole.
    assert not found.body or json.loads(found.body)["secret"] == "***"
    assert f"<{secret}>" not in str(found) or f"<{secret}>" in str(body)
