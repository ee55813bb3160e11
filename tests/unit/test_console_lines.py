"""What a list says of an alert, and which alerts match what somebody wants to see."""

from datetime import timedelta

import pytest

from libs.common.contracts import codec
from libs.common.contracts.alert import AlertDuplicate, AlertRefused
from libs.common.contracts.flattening import FlatLane
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, AlertStatus, MarketPosition
from libs.common.domain.identity import alert_id
from services.console.lines import Filters, alert_line
from services.console.trail import Row
from tests.factories import ALERT_ID, NOW, D, make_alert, make_intent, make_leg, make_order
from tests.trail_messages import make_denied, make_execution, make_flattening, make_plan

CLOSE = alert_id(unix_ms=9, random_bits=9)


def rows_of(*messages):
    stages = {"Alert": "alert.received", "AlertRefused": "alert.refused"}
    return [
        Row(
            seq=number,
            stage=stages.get(type(message).__name__, type(message).__name__),
            service="",
            at=message.at,
            stored_at=message.at,
            body=codec.encode(message),
            message=message,
        )
        for number, message in enumerate(messages, start=7)
    ]


def line_of(*messages, **more):
    return alert_line(7, ALERT_ID, rows_of(*messages), **more)


def sent(order, ms, account="paper"):
    call = ExchangeCall(method="POST", path="/create", sent_at=NOW + timedelta(milliseconds=ms))
    return make_execution("sent", order, account=account, calls=(call,))


def filled(order, contracts, price, account="paper", alert=ALERT_ID):
    fill = {"filled_contracts": D(contracts), "average_price": D(price)}
    return make_execution("filled", order, account=account, alert=alert, **fill)


def test_of_two_accounts_the_sum_is_told_and_the_price_weighed():
    line = line_of(
        make_alert(order=make_order(quantity=D("0.5"))),
        make_intent(),
        make_intent(account="second"),
        make_plan(make_leg(client_order_id="o1", contracts=D(30))),
        make_plan(make_leg(client_order_id="o2", contracts=D(10)), account="second"),
        sent("o1", 12.5),
        sent("o2", 9, account="second"),
        filled("o1", 30, "100.0"),
        filled("o2", 10, "104.0", account="second"),
    )
    assert (line["status"], line["words"]) == ("executed", None)
    assert (line["quantity"], line["contracts"], line["filled_contracts"]) == ("0.5", "40", "40")
    assert line["average_price"] == "101.0"
    assert line["accounts"] == ["paper", "second"]
    assert line["order_ms"] == 9.0
    assert line["last_seq"] == 15


def test_before_there_is_a_plan_it_tells_what_is_wanted():
    line = line_of(make_alert(), make_intent(contracts=D(12)))
    assert (line["contracts"], line["filled_contracts"], line["order_ms"]) == ("12", None, None)


def test_a_target_tells_its_side_and_a_resend_that_it_came():
    order = make_order(action=Action.TARGET, wanted=MarketPosition.SHORT, price=D("99.5"))
    again = AlertDuplicate(alert_id=ALERT_ID, route="demo", at=NOW)
    line = line_of(make_alert(order=order), again)
    assert (line["action"], line["wanted"], line["resends"]) == ("target", "short", 1)
    assert (line["price"], line["average_price"]) == ("99.5", None)


REFUSED = AlertRefused(
    alert_id=ALERT_ID,
    route="demo",
    at=NOW,
    status=422,
    reason=Reason.FIELD_INVALID,
    message="order_contracts must be a number",
)
WITHHELD = Denial(reason=Reason.HALTED, message="the account is halted")


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([REFUSED], "order_contracts must be a number"),
        ([make_alert(), make_denied(Reason.STALE)], "no"),
        ([make_alert(), make_intent(), make_plan(withheld=WITHHELD)], "the account is halted"),
        (
            [
                make_alert(),
                make_plan(make_leg(client_order_id="o1")),
                make_execution("rejected", "o1", code=2005, message="Balance insufficient"),
            ],
            "2005 Balance insufficient",
        ),
        (
            [
                make_alert(),
                make_plan(make_leg(client_order_id="o1")),
                make_execution("canceled", "o1", reason=Reason.STALE, message="waited too long"),
            ],
            "waited too long",
        ),
    ],
    ids=["refused", "denied", "withheld", "rejected", "held back"],
)
def test_why_not_is_told_in_words(messages, words):
    assert line_of(*messages)["words"] == words


def test_a_halt_tells_what_it_has_closed():
    lane = FlatLane(symbol="BTC_USDT", close=CLOSE)
    closing = [
        make_intent(alert_id=CLOSE),
        make_plan(make_leg("close", client_order_id="o1", contracts=D(5)), alert=CLOSE),
        filled("o1", 5, "100", alert=CLOSE),
    ]
    line = line_of(make_flattening(lane), closed={CLOSE: rows_of(*closing)})
    assert (line["action"], line["status"]) == ("flatten", "executed")
    assert (line["symbols"], line["accounts"]) == (["BTC_USDT"], ["paper"])
    assert (line["contracts"], line["average_price"]) == ("5", "100")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, True),
        ({"route": "demo"}, True),
        ({"route": "other"}, False),
        ({"account": "paper"}, True),
        ({"account": "pap"}, False),
        ({"symbol": "BTC_USDT"}, True),
        ({"symbol": "BTCUSDT.P"}, True),
        ({"symbol": "ETH_USDT"}, False),
        ({"status": AlertStatus.PENDING}, True),
        ({"status": AlertStatus.DENIED}, False),
        ({"text": "BREAKOUT"}, True),
        ({"text": "usdt.p"}, True),
        ({"text": ALERT_ID[:13]}, True),
        ({"text": "nowhere"}, False),
        ({"text": "breakout", "route": "other"}, False),
    ],
    ids=lambda value: "-".join(value) or "none" if isinstance(value, dict) else None,
)
def test_filters(filters, expected):
    rows = rows_of(make_alert(order=make_order(comment="a Breakout")), make_intent())
    assert Filters(**filters).matches(alert_line(7, ALERT_ID, rows), rows) is expected


def test_what_only_differs_in_status_is_of_concern():
    rows = rows_of(make_alert(), make_intent())
    line = alert_line(7, ALERT_ID, rows)
    assert Filters(status=AlertStatus.DENIED).concerns(line, rows)
    assert not Filters(status=AlertStatus.DENIED, route="other").concerns(line, rows)
