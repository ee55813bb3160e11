"""The one line per event that `alertwire trace` shows."""

import json

import pytest

from libs.common.contracts import codec
from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.flattening import FlatLane
from libs.common.contracts.intent import Denial, Size
from libs.common.contracts.order import Change, ExchangeCall
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    Action,
    ChangeKind,
    ClientOrderId,
    DistanceUnit,
    MarginMode,
    MarketPosition,
    OrderType,
    PositionSide,
    SizingMode,
    TradeMode,
)
from libs.common.domain.telling.summaries import asked_of, details, summary
from tests.factories import NOW, D, make_alert, make_intent, make_leg, make_order
from tests.trail_messages import (
    common,
    make_dead,
    make_denied,
    make_execution,
    make_flattening,
    make_plan,
)
from tools.cli.showing import clean, flattened

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
            "alert.received",
            make_alert(
                order=make_order(
                    action=Action.TARGET,
                    wanted=MarketPosition.SHORT,
                    quantity=D("0.002"),
                    stop_distance=D(1),
                    distance_unit=DistanceUnit.PERCENT,
                    target_distance=D(3),
                    target_price=D(40000),
                    comment="x",
                )
            ),
            "target short 0.002 BTCUSDT.P, target 40000, stop 1 percent away, comment x",
        ),
        (
            "alert.received",
            make_alert(
                order=make_order(
                    action=Action.FLAT,
                    close_side=PositionSide.LONG,
                    quantity=None,
                    quantity_percent=D(50),
                )
            ),
            "flat long 50% BTCUSDT.P",
        ),
        (
            "alert.received",
            make_alert(
                order=make_order(
                    order_type=OrderType.LIMIT, price=D(60000), trailing_ticks=D(5), order_id="7"
                )
            ),
            "buy 0.001 BTCUSDT.P limit at 60000, trailing 5 ticks, order_id 7",
        ),
        (
            "alert.refused",
            AlertRefused(**common(), status=415, reason=Reason.NOT_A_JSON_OBJECT, message="no"),
            "415 not_a_json_object: no",
        ),
        (
            "alert.refused",
            AlertRefused(
                **common(),
                status=422,
                reason=Reason.FIELD_INVALID,
                message="price must be above 0.",
                field="price",
                value="-5",
            ),
            "422 field_invalid: price must be above 0. It was: -5",
        ),
        (
            "alert.received",
            make_alert(
                order=make_order(
                    leverage=3,
                    margin_mode=MarginMode.ISOLATED,
                    trade_mode=TradeMode.HEDGE,
                    inverse=True,
                )
            ),
            "buy 0.001 BTCUSDT.P, leverage 3, margin isolated, mode hedge, inverse",
        ),
        (
            "intent.accepted",
            make_intent(contracts=None, size=Size(mode=SizingMode.RISK_PERCENT, value=D("0.5"))),
            "buy risk_percent 0.5 BTC_USDT on paper (netting, cross 10x)",
        ),
        (
            "intent.accepted",
            make_intent(),
            "buy 10 contracts BTC_USDT on paper (netting, cross 10x)",
        ),
        (
            "intent.accepted",
            make_intent(order_type=OrderType.STOP, price=D(60000)),
            "buy 10 contracts BTC_USDT on paper (netting, cross 10x), stop at 60000",
        ),
        (
            "intent.accepted",
            make_intent(action=Action.CLOSE_LONG, contracts=None, close_percent=D(50)),
            "closelong 50 % of BTC_USDT on paper (netting, cross 10x)",
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
        (
            "order.planned",
            make_plan(
                make_leg(order_type=OrderType.LIMIT, price=D(60000), stop_price=D(58500)),
                changes=(
                    Change(
                        change_id=ClientOrderId("c1"),
                        kind=ChangeKind.MOVE_PROTECTION,
                        exchange_ids=("81",),
                        position_side=PositionSide.LONG,
                        contracts=D(10),
                        stop_price=D(61000),
                    ),
                    Change(
                        change_id=ClientOrderId("c2"),
                        kind=ChangeKind.TRAIL,
                        exchange_ids=("9",),
                        position_side=PositionSide.LONG,
                        trail_distance=D(5),
                    ),
                    Change(
                        change_id=ClientOrderId("c3"),
                        kind=ChangeKind.CANCEL_ORDERS,
                        exchange_ids=("1", "2"),
                    ),
                ),
            ),
            (
                "open long 10 limit at 60000 (stop 58500),"
                " then move protection long 10 81 (stop 61000), then trail long (distance 5),"
                " then cancel orders 1 2 on paper"
            ),
        ),
        ("order.planned", make_plan(), "nothing to do on paper"),
        ("execution.sent", make_execution("sent", calls=(CALL,)), "POST /create"),
        ("execution.sent", make_execution("sent", order="o9"), "o9"),
        (
            "execution.resting",
            make_execution("resting", exchange_order_id="77", filled_contracts=D(0), fee=D(0)),
            "waits at the exchange, nothing filled, order 77",
        ),
        (
            "execution.resting",
            make_execution(
                "resting",
                filled_contracts=D("0.00"),
                leg=make_leg(order_type=OrderType.STOP, price=D(60000)),
                order_id="7",
                comment="breakout",
            ),
            (
                "open long 10 stop at 60000: waits at the exchange, nothing filled,"
                " order_id 7, comment breakout"
            ),
        ),
        ("execution.changed", make_execution("changed", message="7: gone"), "done, 7: gone"),
        (
            "execution.filled",
            make_execution(
                "filled",
                filled_contracts=D(10),
                average_price=D("50000.5"),
                fee=D("0.04"),
                fee_currency="USDT",
                profit=D("-1.5"),
                exchange_order_id="77",
            ),
            "10 contracts at 50000.5, fee 0.04 USDT, profit -1.5, order 77",
        ),
        (
            "execution.filled",
            make_execution("filled", filled_contracts=D(10), profit=D(0)),
            "10 contracts",
        ),
        (
            "execution.rejected",
            make_execution("rejected", code=2005, message="Balance insufficient"),
            "2005 Balance insufficient",
        ),
        (
            "intent.flattened",
            make_flattening(
                FlatLane(symbol="BTC_USDT", close="a", cancel="b"),
                FlatLane(symbol="ETH_USDT", close="c"),
                unlisted=("ODD_USDT",),
            ),
            (
                "close BTC_USDT, its orders first; ETH_USDT on paper; left alone, since its"
                " contract is not known: ODD_USDT"
            ),
        ),
        ("intent.flattened", make_flattening(), "close nothing on paper"),
        ("dead", make_dead("router", "alert.received.demo"), "router gave up after 5 tries: a bug"),
    ],
)
def test_a_message_of_ours(stage, message, expected):
    assert summary(stage, json.loads(codec.encode(message))) == expected


@pytest.mark.parametrize(
    ("stage", "message", "expected"),
    [
        (
            "intent.accepted",
            make_intent(steps=("a is b", "guards passed")),
            ["a is b", "guards passed"],
        ),
        (
            "order.planned",
            make_plan(make_leg("close"), steps=("holding long 10",), withheld=BELOW),
            ["holding long 10", "withheld, below_minimum: too small (minimum 1)"],
        ),
        ("alert.received", make_alert(), []),
    ],
)
def test_how_it_came_about(stage, message, expected):
    assert details(stage, json.loads(codec.encode(message))) == expected


def plans(*messages):
    return asked_of(json.loads(codec.encode(message)) for message in messages)


def test_an_execution_names_what_was_asked_for():
    leg = make_leg("close", client_order_id=ClientOrderId("o1"), stop_price=D(5))
    change = Change(
        change_id=ClientOrderId("c1"),
        kind=ChangeKind.MOVE_PROTECTION,
        exchange_ids=("81",),
        position_side=PositionSide.LONG,
        contracts=D(10),
        stop_price=D(61000),
    )
    asked = plans(make_plan(leg, changes=(change,)))
    assert asked == {"o1": "close long 10", "c1": "move protection long 10 81"}
    for kind, order, expected in (
        ("accepted", "o1", "close long 10"),
        ("changed", "c1", "move protection long 10 81: done"),
        ("rejected", "o2", "o2"),
    ):
        data = json.loads(codec.encode(make_execution(kind, order)))
        assert summary(f"execution.{kind}", data, asked=asked) == expected


def test_the_account_is_named_where_there_are_several():
    first = make_plan(make_leg(client_order_id=ClientOrderId("o1")))
    second = make_plan(make_leg(client_order_id=ClientOrderId("o2")), account="second")
    assert plans(first, second) == {"o1": "open long 10 on paper", "o2": "open long 10 on second"}
    assert plans(first) == {"o1": "open long 10"}


@pytest.mark.parametrize("stage", ["alert.received", "intent.denied", "order.planned", "new.word"])
@pytest.mark.parametrize("data", [{}, "text", None, [1]])
def test_a_message_of_another_release_breaks_nothing(stage, data):
    assert isinstance(summary(stage, data), str)
    assert details(stage, data) == []


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
