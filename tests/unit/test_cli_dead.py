"""`alertwire dead` against a scripted console."""

import json

import pytest

from tests.factories import ALERT_ID
from tests.unit.cli_stand import run
from tools.cli import dead


def letter(**changes):
    return {
        "seq": 17,
        "at": "2026-11-23T12:00:00.250000Z",
        "service": "router",
        "stage": "alert.received",
        "subject": "alert.received.demo",
        "origin_seq": 3,
        "alert_id": ALERT_ID,
        "route": "demo",
        "account": None,
        "symbol": None,
        "deliveries": 1,
        "reason": "it makes no sense",
        "replayed": None,
        **changes,
    }


REPLAYED = {"seq": 21, "at": "2026-11-23T13:00:00Z"}


def answers(server, request, document, status=200):
    server.answers[request] = [(status, document)]


def test_the_list_tells_what_why_and_whether_it_was_replayed(stack, server):
    found = [letter(), letter(seq=12, replayed=REPLAYED, alert_id=None)]
    answers(server, "GET /api/dead?limit=50", {"dead": found, "next": 12})
    answer = run("dead", "list", stack=stack)
    assert answer.exit_code == 0, answer.output
    shown = "".join(answer.output.split())
    for word in ("17", "router", "21"):
        assert word in shown
    assert "sense" in shown
    assert "alertwire dead list --before 12" in answer.output


def test_an_empty_list_says_so(stack, server):
    answers(server, "GET /api/dead?limit=50", {"dead": [], "next": None})
    assert "nothing was given up on" in run("dead", "list", stack=stack).output


def test_the_list_as_json(stack, server):
    document = {"dead": [letter()], "next": None}
    answers(server, "GET /api/dead?limit=3&before=20", document)
    answer = run("dead", "list", "--limit", "3", "--before", "20", "--json", stack=stack)
    assert json.loads(answer.output) == document


def whole(**changes):
    told = {"outlook": "it is stale", "headers": {"a": "b"}, "message": {"x": 1}}
    return letter(**{**told, "text": None, "data_base64": "e30=", **changes})


def test_a_letter_is_shown_with_what_a_replay_comes_to(stack, server):
    answers(server, "GET /api/dead/17", whole())
    answer = run("dead", "show", "17", stack=stack)
    assert "e30=" not in answer.output, "the message is there to read"
    assert "replayed, it is stale: alertwire dead replay 17" in answer.output


def test_of_a_letter_that_was_replayed_no_replay_is_offered(stack, server):
    answers(server, "GET /api/dead/17", whole(replayed=REPLAYED))
    assert "dead replay" not in run("dead", "show", "17", stack=stack).output


@pytest.mark.parametrize(("said", "done"), [("y", True), ("n", False)])
def test_at_a_terminal_it_asks_first(stack, server, monkeypatch, said, done):
    monkeypatch.setattr(dead, "_at_a_terminal", lambda: True)
    answers(server, "GET /api/dead/17", whole())
    document = {"dead": letter(replayed=REPLAYED), "new": True}
    answers(server, "POST /api/dead/17/replay", document)
    answer = run("dead", "replay", "17", stack=stack, input=said)
    assert "Replayed, it is stale. Do it?" in answer.output
    assert (answer.exit_code, "as message 21" in answer.output) == (0 if done else 1, done)


def test_bytes_that_are_no_json_are_shown_as_base64(stack, server):
    answers(server, "GET /api/dead/17", whole(message=None, text="?{", data_base64="/3s="))
    shown = run("dead", "show", "17", stack=stack).output
    assert "/3s=" in shown
    assert "?{" in shown


def test_a_replay_tells_where_to_look(stack, server):
    document = {"dead": letter(replayed=REPLAYED), "new": True}
    answers(server, "POST /api/dead/17/replay", document)
    answer = run("dead", "replay", "17", stack=stack)
    assert answer.exit_code == 0, answer.output
    assert "replayed as message 21" in answer.output
    assert f"alertwire trace {ALERT_ID}" in answer.output


def test_a_second_replay_tells_of_the_first(stack, server):
    document = {"dead": letter(replayed=REPLAYED), "new": False}
    answers(server, "POST /api/dead/17/replay", document)
    assert "already" in run("dead", "replay", "17", stack=stack).output


def test_a_letter_that_is_not_there(stack, server):
    problem = {"status": 404, "detail": "There is no dead letter 5."}
    answers(server, "POST /api/dead/5/replay", problem, status=404)
    answer = run("dead", "replay", "5", stack=stack)
    assert answer.exit_code == 1
    assert "There is no dead letter 5." in answer.output


@pytest.mark.parametrize("seq", ["x", "0", "-1"])
def test_a_place_that_cannot_be(stack, server, seq):
    assert run("dead", "replay", "--", seq, stack=stack).exit_code == 2
