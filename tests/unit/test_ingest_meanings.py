"""Action, wanted position, or both: what a body means, and both readings where it could mean two
things. Each row is a body, a route's trade mode, and what comes of it.
"""

import json
from decimal import Decimal

import pytest

from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, MarketPosition, TradeMode
from services.ingest.parsing import Parsed, Unparsed, parse_alert
from tests.factories import make_route

LONG, SHORT, FLAT = MarketPosition.LONG, MarketPosition.SHORT, MarketPosition.FLAT
FLIP = {
    "order_action": "sell",
    "order_contracts": "2",
    "market_position": "short",
    "market_position_size": "1",
    "prev_market_position": "long",
    "prev_market_position_size": "1",
}
PARTIAL = {
    "order_action": "sell",
    "order_contracts": "1",
    "market_position": "long",
    "market_position_size": "1",
    "prev_market_position": "long",
    "prev_market_position_size": "2",
}


def found_of(body, *, mode="netting"):
    data = json.dumps({"ticker": "BTCUSDT.P", **body}).encode()
    return parse_alert(data, route=make_route(trade_mode=TradeMode(mode)))


def order_of(body, *, mode="netting"):
    found = found_of(body, mode=mode)
    assert isinstance(found, Parsed), found
    return found.order


def refusal_of(body, *, mode="netting"):
    found = found_of(body, mode=mode)
    assert isinstance(found, Unparsed), found
    assert found.refusal.status == 422
    assert found.refusal.field in found.refusal.message
    return found.refusal


@pytest.mark.parametrize("mode", list(TradeMode))
@pytest.mark.parametrize(
    ("body", "wanted", "quantity"),
    [
        ({"market_position": "long", "market_position_size": "0.5"}, LONG, "0.5"),
        ({"market_position": "SHORT", "market_position_size": 2}, SHORT, 2),
        ({"Market_Position": "flat", "market_position_size": "0"}, FLAT, 0),
        ({"market_position": "flat"}, FLAT, None),
        ({"market_position": "flat", "market_position_size": ""}, FLAT, None),
        ({"market_position_size": 0}, FLAT, 0),
        ({"position_size": "-1.5"}, SHORT, "1.5"),
        ({"position_size": 3}, LONG, 3),
        ({"position_size": "-0"}, FLAT, 0),
        ({"position_size": -1, "market_position": "short"}, SHORT, 1),
        ({"position_size": -1, "market_position": "short", "market_position_size": 1}, SHORT, 1),
        ({"market_position": "long", "market_position_size": 1, "trade_type": "target"}, LONG, 1),
        ({"position_size": 2, "order_contracts": "1"}, LONG, 2),
    ],
)
def test_a_position_alone_is_a_target_on_every_route(body, wanted, quantity, mode):
    order = order_of(body, mode=mode)
    assert (order.action, order.wanted) == (Action.TARGET, wanted)
    assert order.quantity == (None if quantity is None else Decimal(quantity))
    assert order.quantity_percent is None


@pytest.mark.parametrize("body", [FLIP, PARTIAL])
@pytest.mark.parametrize(
    ("mode", "trade_type", "action"),
    [
        ("target", None, Action.TARGET),
        ("target", "inverse", Action.TARGET),
        ("netting", "target", Action.TARGET),
        ("target", "netting", Action.SELL),
        ("netting", "opposite", Action.SELL),
        ("hedge", "hedge", Action.SELL),
    ],
)
def test_the_alerts_trade_type_decides_then_the_routes_mode(body, mode, trade_type, action):
    order = order_of({**body, "trade_type": trade_type}, mode=mode)
    assert order.action is action
    assert order.previous is LONG
    if action is Action.TARGET:
        assert order.wanted is MarketPosition(body["market_position"])
        assert order.quantity == 1
    else:
        assert order.wanted is None
        assert order.quantity == Decimal(body["order_contracts"])


@pytest.mark.parametrize("mode", ["netting", "opposite", "reverse", "hedge"])
@pytest.mark.parametrize("trade_type", [None, "inverse"])
def test_where_nothing_decides_both_readings_are_named(mode, trade_type):
    refusal = refusal_of({**FLIP, "trade_type": trade_type}, mode=mode)
    assert (refusal.reason, refusal.field) == (Reason.FIELD_INVALID, "order_action")
    assert '"sell 2" or "move to short 1"' in refusal.message
    assert "trade_type" in refusal.message
    assert refusal.value == "sell / short 1"


@pytest.mark.parametrize("word", ["flat", "close", "closeall"])
def test_an_exit_and_a_flat_position_mean_the_same(word):
    body = {"order_action": word, "order_contracts": 2, "market_position": "flat"}
    action = Action.CLOSE_ALL if word == "closeall" else Action.FLAT
    assert order_of(body).action is action
    assert order_of(body, mode="target").wanted is FLAT


SAME = {"prev_market_position": "long", "market_position": "long"}
TWO_MEANINGS = [
    ({"market_position": "flat", "market_position_size": 2}, "market_position", "be flat", "hold"),
    ({"market_position": "long", "market_position_size": 0}, "market_position", "be long", "hold"),
    ({"position_size": -1, "market_position": "long"}, "position_size", "short 1", "to long"),
    ({"position_size": 0, "market_position": "long"}, "position_size", "to flat", "to long"),
    (
        {"position_size": 2, "market_position": "long", "market_position_size": 3},
        *("position_size", "long 2", "long 3"),
    ),
    (
        {"position_size": 1, "prev_market_position": "flat", "prev_market_position_size": 2},
        *("prev_market_position", "be flat", "hold 2"),
    ),
    (
        {"position_size": 1, "prev_market_position": "long", "prev_market_position_size": 0},
        *("prev_market_position", "be long", "hold nothing"),
    ),
    ({"order_action": "close", "position_size": 1}, "order_action", "close", "move to long 1"),
    ({"order_action": "closelong", "position_size": 0}, "order_action", "closelong", "to flat"),
    (
        {"order_action": "close", "order_contracts": "50%", "market_position": "flat"},
        *("order_action", "close 50 %", "to flat"),
    ),
    ({"order_action": "reverse", "position_size": 1}, "order_action", "reverse", "to long 1"),
    ({"order_action": "closeall", "close_side": "long"}, "close_side", "both sides", "close long"),
    ({"order_action": "closelong", "close_side": "sell"}, "close_side", "close long", "short"),
    ({"market_position": "long", "order_contracts": 2}, "order_contracts", "to long 2", "trade 2"),
]


@pytest.mark.parametrize(("body", "field", "first", "second"), TWO_MEANINGS)
def test_two_meanings(body, field, first, second):
    refusal = refusal_of(body)
    assert (refusal.reason, refusal.field) == (Reason.FIELD_INVALID, field)
    named = refusal.message.partition("so it could mean ")[2]
    readings, _, cure = named.partition(": ")
    one, _, other = readings.partition('" or "')
    assert first in one
    assert second in other
    assert cure
    assert refusal.value


@pytest.mark.parametrize("word", ["modify", "breakeven", "cancel"])
@pytest.mark.parametrize("mode", ["netting", "target"])
def test_a_change_and_a_position_are_two_things(word, mode):
    body = {"order_action": word, "position_size": 1, "sl_price": 5}
    assert f'"{word}" or "move to long 1"' in refusal_of(body, mode=mode).message
    refusal_of({**body, "trade_type": "target"}, mode=mode)
    assert order_of({**body, "trade_type": "netting"}, mode=mode).action is Action(word)


@pytest.mark.parametrize(
    ("previous", "wanted", "right"),
    [
        (("flat", 0), ("long", 1), "buy"),
        (("flat", 0), ("short", 1), "sell"),
        (("long", 1), ("short", 1), "sell"),
        (("short", 1), ("long", 1), "buy"),
        (("long", 2), ("long", 1), "sell"),
        (("long", 1), ("long", 2), "buy"),
        (("short", 2), ("short", 1), "buy"),
        (("short", 1), ("short", 2), "sell"),
        (("long", 1), ("flat", 0), "sell"),
        (("short", 1), ("flat", 0), "buy"),
        (("long", None), ("long", 1), None),
        (("long", 1), ("long", 1), None),
    ],
)
@pytest.mark.parametrize("trade_type", ["target", "netting"])
def test_an_action_must_lead_from_the_one_position_to_the_other(
    previous, wanted, right, trade_type
):
    body = {
        "order_contracts": 1,
        "prev_market_position": previous[0],
        "prev_market_position_size": previous[1],
        "market_position": wanted[0],
        "market_position_size": wanted[1],
        "trade_type": trade_type,
    }
    for word in ("buy", "sell"):
        if right in {None, word}:
            order_of({**body, "order_action": word})
        else:
            refusal = refusal_of({**body, "order_action": word})
            assert refusal.field == "order_action"
            assert "does not lead from" in refusal.message


def test_the_trap_of_partial_exits_is_seen():
    """`order_action` filled with the position's word buys on a partial exit; as a target it does
    not matter.
    """
    trap = {**PARTIAL, "order_action": "long"}
    refusal = refusal_of({**trap, "trade_type": "netting"})
    assert "order_action long does not lead from long 2 to long 1" in refusal.message
    order = order_of(trap, mode="target")
    assert (order.action, order.wanted, order.quantity) == (Action.TARGET, LONG, 1)


@pytest.mark.parametrize("word", ["buy", "sell", "long"])
@pytest.mark.parametrize(
    ("mode", "trade_type"), [("target", None), ("netting", "target"), ("target", "inverse")]
)
def test_a_signal_without_a_position_is_told_the_target_template(word, mode, trade_type):
    body = {"order_action": word, "order_contracts": 1, "trade_type": trade_type}
    refusal = refusal_of(body, mode=mode)
    assert (refusal.reason, refusal.field) == (Reason.TARGET_MISSING, "market_position")
    assert "{{strategy.market_position_size}}" in refusal.message
    assert refusal.value == word


@pytest.mark.parametrize("word", ["flat", "closeall", "closelong", "reverse", "cancel"])
def test_other_actions_need_no_position_on_a_target_route(word):
    assert order_of({"order_action": word}, mode="target").wanted is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "order_action"),
        ({"prev_market_position": "long"}, "order_action"),
        ({"market_position_size": 2}, "market_position"),
        ({"order_action": "buy", "order_contracts": 1, "market_position_size": 2}, None),
        ({"market_position": "long"}, "market_position_size"),
        ({"order_action": "buy", "order_contracts": 1, "market_position": "long"}, None),
    ],
)
def test_what_a_position_lacks(body, field):
    refusal = refusal_of(body)
    if field is not None:
        assert (refusal.reason, refusal.field) == (Reason.FIELD_MISSING, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"market_position": "up"}, "market_position"),
        ({"market_position": "short", "market_position_size": -1}, "market_position_size"),
        ({"position_size": "much"}, "position_size"),
        ({"position_size": 1, "prev_market_position": "none"}, "prev_market_position"),
        ({"position_size": 1, "prev_market_position_size": -1}, "prev_market_position_size"),
        ({"position_size": 1, "order_contracts": -1}, "order_contracts"),
        ({"position_size": 1, "trade_type": "netting"}, "trade_type"),
    ],
)
def test_what_a_position_may_not_say(body, field):
    refusal = refusal_of(body)
    assert (refusal.reason, refusal.field) == (Reason.FIELD_INVALID, field)


def test_what_was_held_before_is_only_a_check():
    body = {"position_size": 1, "prev_market_position": "short", "prev_market_position_size": ""}
    assert order_of(body).previous is SHORT
    assert order_of({"position_size": 1, "prev_market_position_size": 4}).previous is None
    net = {"order_action": "buy", "order_contracts": 1, "prev_market_position": "flat"}
    assert order_of(net).previous is FLAT
