"""The one line per event that `alertwire trace` shows."""

import json

import pytest

from libs.common.contracts import codec
from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.reasons import Reason
from tests.factories import NOW, D, make_alert, make_intent, make_leg, make_order
from tests.trail_messages import common, make_dead, make_denied, make_execution, make_plan
from tools.cli.showing import clean, flattened
from tools.cli.summaries import summary

CALL = ExchangeCall(method="POST", path="/create", sent_at=NOW)
BELOW = Denial(
    reason=Reason.BELOW_MINIMUM, message="too small", context={"minimum": "1", "nearest": ""}
)


@pytest.mark.parametrize(
    ("stage", "message", "expected"),
    [
        (
            "alert.received",
            make_alert(order=make_order(price=D(50000))),
            "buy 0.001 BTCUSDT.P at 50000",
        ),
        (
            "alert.refused",
            AlertRefused(**common(), status=415, reason=Reason.NOT_A_JSON_OBJECT, message="no"),
            "415 not_a_json_object: no",
        ),
        (
            "intent.accepted",
            make_intent(),
            "buy 10 contracts BTC_USDT on paper (netting, cross 10x)",
        ),
        (
            "intent.denied",
            make_denied(denial=BELOW, account="paper"),
            "below_minimum on paper: too small (minimum 1)",
        ),
        (
            "order.planned",
            make_plan(make_leg("close", "short"), make_leg()),
            "close short 10, then open long 10 on paper",
        ),
        (
            "order.planned",
            make_plan(make_leg("close"), make_leg(), make_leg(), make_leg()),
            "close long 10, then 3 x open long 10 on paper",
        ),
        ("order.planned", make_plan(), "nothing to do: the wanted position is held on paper"),
        ("execution.sent", make_execution("sent", calls=(CALL,)), "POST /create"),
        ("execution.sent", make_execution("sent", order="o9"), "o9"),
        (
            "execution.filled",
            make_execution(
                "filled",
                filled_contracts=D(10),
                average_price=D("50000.5"),
                fee=D("0.04"),
                fee_currency="USDT",
                exchange_order_id="77",
            ),
            "10 contracts at 50000.5, fee 0.04 USDT, order 77",
        ),
        (
            "execution.rejected",
            make_execution("rejected", code=2005, message="Balance insufficient"),
            "2005 Balance insufficient",
        ),
        ("dead", make_dead("router", "alert.received.demo"), "router gave up after 5 tries: a bug"),
    ],
)
def test_a_message_of_ours(stage, message, expected):
    assert summary(stage, json.loads(codec.encode(message))) == expected


@pytest.mark.parametrize("stage", ["alert.received", "intent.denied", "order.planned", "new.word"])
@pytest.mark.parametrize("data", [{}, "text", None, [1]])
def test_a_message_of_another_release_breaks_nothing(stage, data):
    assert isinstance(summary(stage, data), str)


def test_what_a_terminal_would_obey_is_not_printed():
    assert "\x1b" not in clean("\x1b[2J\u202eevil\r\n")
    assert clean("Größe 5 €") == "Größe 5 €"


def test_fields_are_flattened():
    document = {"a": {"b": None, "c": {"d": True}}, "e": [], "f": 5, "g": {}}
    assert flattened(document) == [
        ("a.b", "-"),
        ("a.c.d", "yes"),
        ("e", "-"),
        ("f", "5"),
        ("g", "-"),
    ]
