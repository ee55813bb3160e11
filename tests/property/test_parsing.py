"""Parsing holds for anything that can be sent: it answers, exactly, and names what is wrong."""

import json
from decimal import Decimal
from hashlib import sha256

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from libs.common.contracts.alert import Order
from libs.common.contracts.route import Sizing
from libs.common.contracts.words import Action, MarketPosition, SizingMode, TradeMode
from services.ingest.parsing import Parsed, Unparsed, parse_alert
from tests.factories import make_route

FIXED = Sizing(mode=SizingMode.FIXED, value=Decimal(1))
ROUTE = make_route(sizing=FIXED)
TARGET = make_route(
    trade_mode=TradeMode.TARGET, sizing=Sizing(mode=SizingMode.PERCENT_EQUITY, value=Decimal(5))
)
SECURED = msgspec.structs.replace(ROUTE, body_secret_sha256=sha256(b"open").hexdigest())
KNOWN = (
    *("platform_name", "ticker", "symbol", "order_action", "action", "side", "order_contracts"),
    *("quantity", "qty", "volume", "Q", "order_type", "price", "stop_loss", "take_profit"),
    *("sl_price", "tp_price", "sltp_type", "trailing_pips", "trigger", "trade_type"),
    *("close_side", "leverage", "margin_mode", "comment", "order_id", "alert_id", "secret"),
    *("market_position", "market_position_size", "position_size"),
    *("prev_market_position", "prev_market_position_size"),
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
    for route in (ROUTE, SECURED, TARGET):
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
    found = parse_alert(json.dumps(body).encode(), route=ROUTE)
    if isinstance(found, Parsed):
        order = found.order
        assert msgspec.json.decode(msgspec.json.encode(order), type=Order) == order


@given(plain_numbers, st.booleans())
def test_a_number_is_the_decimal_that_was_sent(text, in_quotes):
    """Not one digit is lost, in quotes or bare; JSON itself refuses leading zeros when bare."""
    sent = f'"{text}"' if in_quotes else text
    body = f'{{"ticker":"T","order_action":"flat","order_contracts":{sent}}}'
    found = parse_alert(body.encode(), route=ROUTE)
    if isinstance(found, Parsed):
        assert found.order.quantity is not None
        assert found.order.quantity.as_tuple() == Decimal(text).as_tuple()
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


sizes = st.decimals(min_value=0, max_value=1000, places=2, allow_nan=False)
sides = st.sampled_from(("long", "short"))


@given(st.decimals(min_value=-1000, max_value=1000, places=3, allow_nan=False), st.booleans())
def test_the_two_ways_to_tell_a_position_mean_the_same(signed, as_text):
    side = "flat" if signed == 0 else "long" if signed > 0 else "short"
    by_sign = {"ticker": "T", "position_size": str(signed)}
    by_side = {"ticker": "T", "market_position": side, "market_position_size": str(abs(signed))}
    both = {**by_sign, **by_side} if as_text else by_side
    orders = [parsed_order(body) for body in (by_sign, by_side, both)]
    assert orders[0] == orders[1] == orders[2]
    assert orders[0].action is Action.TARGET
    assert orders[0].wanted is MarketPosition(side)
    assert orders[0].quantity == abs(signed)


@given(sides, sizes, sides, sizes)
def test_what_a_strategy_says_of_itself_fits_together(before, held, after, wanted):
    """Whatever a strategy does from one bar to the next, its own fields are no contradiction."""
    signed = {"long": 1, "short": -1}
    traded = wanted * signed[after] - held * signed[before]
    if traded == 0:
        return
    body = {
        "ticker": "T",
        "order_action": "buy" if traded > 0 else "sell",
        "order_contracts": str(abs(traded)),
        "market_position": after if wanted else "flat",
        "market_position_size": str(wanted),
        "prev_market_position": before if held else "flat",
        "prev_market_position_size": str(held),
    }
    order = parsed_order({**body, "trade_type": "target"})
    assert (order.action, order.quantity) == (Action.TARGET, wanted)
    order = parsed_order({**body, "trade_type": "netting"})
    assert (order.action, order.quantity) == (Action(body["order_action"]), abs(traded))


def parsed_order(body):
    found = parse_alert(json.dumps(body).encode(), route=make_route())
    assert isinstance(found, Parsed), found
    return found.order
