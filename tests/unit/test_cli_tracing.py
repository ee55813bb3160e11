"""`alertwire trace` against a scripted console."""

import json

from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from tests.factories import ALERT_ID, D, make_alert, make_leg
from tests.traced import answered
from tests.trail_messages import make_execution, make_plan
from tests.unit.cli_stand import run


def journey(status="executed", **changes):
    return {
        "alert_id": ALERT_ID,
        "trace_id": "0" * 32,
        "route": "demo",
        "status": status,
        "reason": None,
        "events": [
            {
                "seq": 1,
                "stage": "alert.received",
                "service": "ingest",
                "at": "2026-11-23T12:00:00Z",
                "elapsed_ms": 0.0,
                "data": {"order": {"action": "buy", "quantity": "1", "ticker": "\x1b[31mX"}},
            },
            {
                "seq": 5,
                "stage": "execution.filled",
                "service": "executor",
                "at": "2026-11-23T12:00:00.012Z",
                "elapsed_ms": 12.3,
                "data": {"filled_contracts": "10", "average_price": "50000"},
            },
        ],
        "orders": [
            {
                "client_order_id": "o1",
                "account": "paper",
                "symbol": "BTC_USDT",
                "effect": "open",
                "position_side": "long",
                "contracts": "10",
                "state": "filled",
                "exchange_order_id": "77",
                "request": {},
                "response": {},
                "filled_contracts": "10",
                "average_price": "50000",
            }
        ],
        "diagnosis": [],
        **changes,
    }


def test_trace_draws_the_journey_in_80_columns(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, journey())]
    answer = run("trace", ALERT_ID, stack=stack)
    assert answer.exit_code == 0, answer.output
    lines = answer.output.splitlines()
    assert "executed" in lines[0]
    assert max(len(line) for line in lines) <= 80
    assert any("12.3" in line and "10 contracts at 50000" in line for line in lines)
    assert any("open long 10 BTC_USDT" in line for line in lines)
    assert "\x1b" not in answer.output


def test_trace_shows_bars_where_there_is_room(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, journey())]
    lines = run("trace", ALERT_ID, stack=stack).output.splitlines()
    received, filled = (line for line in lines if " ingest " in line or " executor " in line)
    # Of its own service each, over the same axis.
    assert "\u2591   " in received
    assert "\u2593" * 24 in filled
    assert max(map(len, lines)) <= 140


def test_trace_folds_equal_orders(stack, server):
    """A size far above the exchange's maximum is split into hundreds of equal legs."""
    order = {**journey()["orders"][0], "state": "abandoned", "exchange_order_id": None}
    orders = [*journey()["orders"], *[order] * 200]
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, journey(orders=orders))]
    output = run("trace", ALERT_ID, stack=stack).output
    assert "200 x open long 10" in output
    assert len(output.splitlines()) < 20


def test_trace_tells_how_it_came_about_and_what_was_changed(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    planned = {
        "seq": 3,
        "stage": "order.planned",
        "service": "executor",
        "at": "2026-11-23T12:00:00Z",
        "elapsed_ms": 3.0,
        "data": {
            "account": "paper",
            "legs": [{"effect": "close", "position_side": "long", "contracts": "10"}],
            "steps": ["holding long 10: close long 10"],
            "withheld": {"reason": "route_paused", "message": "route demo is paused"},
        },
    }
    change = {
        "change_id": "c1",
        "account": "paper",
        "kind": "move_protection",
        "exchange_ids": ["81"],
        "position_side": "long",
        "contracts": "10",
        "stop_price": "61000",
        "state": "rejected",
        "words": "plan order not found",
    }
    document = journey("partial", events=[planned], changes=[change], reason="route_paused")
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, document)]
    lines = run("trace", ALERT_ID, stack=stack).output.splitlines()
    texts = [line.strip() for line in lines]
    assert any(text.endswith("close long 10 on paper") for text in texts)
    assert "holding long 10: close long 10" in texts
    assert "withheld, route_paused: route demo is paused" in texts
    assert any(text.startswith("move protection long 10 81") for text in texts)
    assert any("rejected" in text and "plan order not" in text for text in texts)
    assert max(len(line) for line in lines) <= 80


def test_a_partial_alert_says_first_what_was_done_and_what_not(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    paused = Denial(reason=Reason.ROUTE_PAUSED, message="route demo is paused")
    leg = make_leg("close", client_order_id="o1")
    done = make_execution("filled", "o1", filled_contracts=D(10), average_price=D(50000))
    document = answered(make_alert(), make_plan(leg, withheld=paused), done)
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, document)]
    lines = [line.rstrip() for line in run("trace", ALERT_ID, stack=stack).output.splitlines()]
    assert lines[0].endswith("partial  route demo")
    assert lines[1] == "it came at 2026-11-23 12:00:00 UTC"
    assert lines[6:8] == [
        "done       close long 10 BTC_USDT on paper at 50000",
        "not done   the rest on paper: route_paused: route demo is paused",
    ]
    # Below, each word of the exchange names the order that it is about.
    assert any(line.endswith("close long 10: 10 contracts at 50000") for line in lines[8:])


def test_an_executed_alert_has_no_more_to_say_than_its_events(stack, server):
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, journey())]
    assert "done" not in run("trace", ALERT_ID, stack=stack).output


def test_trace_of_a_halt_lists_what_closes(stack, server, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    closing = {
        "alert_id": "019ab0a2-0700-7000-8000-00000000000c",
        "account": "paper",
        "symbol": "BTC_USDT",
        "action": "closeall",
        "status": "rejected",
        "reason": "2005 Balance\x1b[31m",
    }
    halt = journey("rejected", orders=[], alerts=[closing])
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, halt)]
    output = run("trace", ALERT_ID, stack=stack).output
    assert closing["alert_id"] in output
    assert "closeall BTC_USDT" in output
    assert "rejected: 2005" in output
    assert "\x1b" not in output


def test_trace_waits_until_the_trail_knows_the_end(stack, server):
    """The trail lags the log a little: an alert just sent is unknown, then pending."""
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [
        (404, {"detail": "unknown"}),
        (200, journey("pending")),
        (200, journey("denied", reason="stale")),
    ]
    answer = run("trace", ALERT_ID, "--json", "--wait", "5", stack=stack)
    assert json.loads(answer.output)["reason"] == "stale"
    assert len(server.asked) == 3


def test_trace_shows_what_is_there_when_the_wait_is_over(stack, server):
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(200, journey("pending"))]
    assert "pending" in run("trace", ALERT_ID, "--wait", "0", stack=stack).output


def test_trace_of_an_unknown_alert_fails(stack, server):
    server.answers[f"GET /api/alerts/{ALERT_ID}"] = [(404, {"detail": "knows no alert"})]
    answer = run("trace", ALERT_ID, "--wait", "0", stack=stack)
    assert (answer.exit_code, "knows no alert" in answer.output) == (1, True)
