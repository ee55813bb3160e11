"""The times that `alertwire trace` draws: pure, and on the terminal for every way an alert ends."""

from datetime import timedelta

import msgspec
import pytest

from libs.common.contracts.alert import AlertDuplicate, AlertRefused
from libs.common.contracts.flattening import FlatLane
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import ExchangeCall
from libs.common.contracts.reasons import Reason
from libs.common.domain.telling.waterfall import axis_end_ms, call_words, durations, steps_of
from tests.factories import ALERT_ID, NOW, D, make_alert, make_intent, make_leg
from tests.traced import answered
from tests.trail_messages import (
    SYMBOL,
    make_dead,
    make_denied,
    make_execution,
    make_flattening,
    make_plan,
)
from tests.unit.cli_stand import run
from tools.cli.bars import bar

CREATE = "/api/v1/private/order/create"
SAID = '{"success":false,"code":2005,"message":"Balance insufficient \\u2026"}'
LEG = make_leg(client_order_id="o1")


def call(begin_ms, elapsed_ms, **changes):
    values = {
        "method": "POST",
        "path": CREATE,
        "sent_at": NOW + timedelta(milliseconds=begin_ms),
        "elapsed_ms": elapsed_ms,
        "http_status": 200,
        "response_body": '{"success":true,"code":0}',
    }
    return ExchangeCall(**{**values, **changes})


def executed():
    """An event every two milliseconds."""
    sent = call(6, None, http_status=None, response_body="")
    return answered(
        make_alert(),
        make_intent(),
        make_plan(LEG, calls=(call(2.5, 1, method="GET", path="/positions"),)),
        make_execution("sent", "o1", calls=(sent,)),
        make_execution("accepted", "o1", calls=(call(6, 1.5),), exchange_order_id="77"),
        make_execution("filled", "o1", filled_contracts=D(10), average_price=D(50000), fee=D(1)),
    )


def event(stage, elapsed_ms, *, service="executor", **data):
    return {
        "stage": stage,
        "service": service,
        "at": NOW.isoformat(),
        "elapsed_ms": elapsed_ms,
        "data": data,
    }


def test_a_round_trip_stands_before_the_event_that_it_led_to():
    steps = steps_of(executed()["events"])
    told = [(step.event["stage"] if step.event else "call", step.begin_ms) for step in steps]
    assert told == [
        ("alert.received", 0),
        ("intent.accepted", 0),
        ("call", 2.5),
        ("order.planned", 2),
        # A request that has only left is no round trip yet.
        ("execution.sent", 4),
        ("call", 6),
        ("execution.accepted", 6),
        ("execution.filled", 8),
    ]
    assert steps[5].end_ms == 7.5


def test_accounts_do_not_wait_for_each_other():
    steps = steps_of(
        [
            event("alert.received", 0.0),
            event("intent.accepted", 2.0, account="a"),
            event("intent.accepted", 3.0, account="b"),
            event("order.planned", 9.0, account="a"),
            event("order.planned", 5.0, account="b"),
        ]
    )
    assert [(step.begin_ms, step.end_ms) for step in steps] == [
        (0, 0),
        (0, 2),
        (0, 3),
        (2, 9),
        (3, 5),
    ]


def test_the_exchanges_words_are_left_alone():
    (trip, _) = steps_of(
        [event("execution.rejected", 5.0, calls=[builtins(call(1, 2, response_body=SAID))])]
    )
    assert call_words(trip) == f"POST {CREATE}: 200, code 2005: Balance insufficient …"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"response_body": "<html>403"}, "403 <html>403"),
        ({"response_body": ""}, "403"),
        ({"http_status": None, "error": "TimeoutError"}, "no reply, TimeoutError"),
    ],
)
def test_whatever_came_back_is_told(changes, words):
    broken = builtins(call(1, 2, **{"http_status": 403, **changes}))
    (trip, _) = steps_of([event("execution.unknown", 5.0, calls=[broken])])
    assert call_words(trip) == f"POST {CREATE}: {words}"


def builtins(value):
    return msgspec.to_builtins(value)


def test_the_same_answer_again_and_again_is_one_line():
    asked = [builtins(call(begin, 1, method="GET")) for begin in (10, 20, 30)]
    trip, _ = steps_of([event("execution.filled", 40.0, calls=asked)])
    assert (trip.count, trip.begin_ms, trip.end_ms, trip.waited_ms) == (3, 10, 31, 3)
    assert call_words(trip).startswith("3 x GET")


def test_bars_lie_one_behind_the_other():
    steps = steps_of(executed()["events"])
    bars = [bar(step, axis_ms=10.0, chars=21) for step in steps if step.event]
    assert bars[0] == "░"
    assert bars[1] == "▒" * 4
    assert [len(each) for each in bars[2:]] == [8, 12, 16, 20]
    trip = bar(steps[5], axis_ms=10.0, chars=21)
    assert trip == " " * 12 + "━" * 3


def test_a_long_wait_leaves_what_came_before_it_to_be_seen():
    """An order rested for an hour."""
    steps = steps_of([*executed()["events"], event("execution.filled", 3_600_000.0)])
    assert axis_end_ms(steps) == 10.0
    assert bar(steps[-1], axis_ms=10.0, chars=5) == "    »"


def test_one_event_alone_has_a_bar():
    (step,) = steps_of([event("alert.refused", 0.0, service="ingest")])
    assert axis_end_ms([step]) == 0.0
    assert bar(step, axis_ms=0.0, chars=5) == "░"
    assert durations([step]) == ""


def test_events_of_another_release_have_a_place_too():
    steps = steps_of(
        [
            {"stage": "new.thing", "service": "new", "data": "text"},
            {"stage": "new.thing", "service": "new", "data": {"calls": [7, {"sent_at": "soon"}]}},
        ]
    )
    assert len(steps) == 2


def test_how_long_it_took_in_one_line():
    steps = steps_of([*executed()["events"], event("alert.duplicate", 5000.0, service="ingest")])
    assert durations(steps) == (
        "alert to order 6.0 ms, order to fill 4.0 ms, in all 10.0 ms, 2.5 ms in 2 round trips"
    )


STALE = Denial(reason=Reason.STALE, message="the entry is 40.0 s old", context={"age_s": "40.0"})
REFUSED = AlertRefused(
    alert_id=ALERT_ID,
    route="demo",
    at=NOW,
    status=422,
    reason=Reason.FIELD_MISSING,
    message="order_contracts must say how much to buy, like 0.001.",
)
RESENT = AlertDuplicate(alert_id=ALERT_ID, route="demo", at=NOW, source_address="203.0.113.9")
ENDS = {
    "refused": [REFUSED],
    "denied by the router": [make_alert(), make_denied(account="paper", denial=STALE)],
    "denied by the executor": [make_alert(), make_intent(), make_denied(account="paper")],
    "duplicate": [make_alert(), make_intent(), RESENT],
    "dead": [make_alert(), make_dead("router", "alert.received.demo")],
    "rejected": [
        make_alert(),
        make_intent(),
        make_plan(LEG),
        make_execution("rejected", "o1", code=2005, calls=(call(6, 2, response_body=SAID),)),
    ],
    "partial": [make_alert(), make_intent(), make_plan(LEG, withheld=STALE)],
    "flattened": [make_flattening(FlatLane(symbol=SYMBOL, close=ALERT_ID))],
}


@pytest.mark.parametrize("columns", [80, 100, 160])
@pytest.mark.parametrize("end", ENDS)
def test_every_end_fits_the_terminal(end, columns, stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, answered(*ENDS[end]))]
    answer = run("trace", ALERT_ID, "--wait", "0", stack=stack)
    assert answer.exit_code == 0, answer.output
    lines = answer.output.splitlines()
    assert max(map(len, lines)) <= columns
    for message in ENDS[end]:
        stage = str(type(message).__struct_config__.tag)
        assert any(stage in line for line in lines), stage


def test_who_it_was_is_said_also_where_there_is_little_room(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    document = answered(*ENDS["denied by the executor"])
    document["events"][2]["service"] = "executor"
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, document)]
    lines = run("trace", ALERT_ID, stack=stack).output.splitlines()
    assert [line.strip() for line in lines if line.strip().startswith("by ")] == ["by executor"]


def test_a_round_trip_is_drawn_with_status_code_and_words(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, answered(*ENDS["rejected"]))]
    output = run("trace", ALERT_ID, stack=stack).output
    (line,) = (line for line in output.splitlines() if "round trip  " in line)
    assert "━" in line
    assert f"POST {CREATE}: 200, code 2005: Balance insufficient …" in line
    assert "in all 6.0 ms, 2.0 ms in 1 round trip" in output
