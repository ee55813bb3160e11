"""`alertwire routes test` against a scripted console; docs/command-line.md shows what it prints."""

import asyncio
import json

import pytest

from libs.common.contracts import subjects
from tests.asked_explanations import explained
from tests.factories import ALERT_ID, make_route
from tests.unit.cli_stand import run

TEST = "POST /api/routes/demo/test"
BUY = ("--ticker", "BTCUSDT.P", "--action", "buy", "--contracts", "0.001")
BODY = b'{"ticker":"BTCUSDT.P","order_action":"buy","order_contracts":0.001}'
NO_SIZE = b'{"ticker":"BTCUSDT.P","order_action":"buy"}'
SENT = {"sent": True, "explicit_id": "x", "status": "accepted", "alert_id": ALERT_ID}


def asked(server):
    return json.loads(server.asked[-1][2])


@pytest.fixture
def answers(server):
    def lay_down(document, status=200):
        server.answers[TEST] = [(status, document)]

    return lay_down


def test_it_is_dry_unless_told_otherwise(stack, server, answers):
    answers(asyncio.run(explained(BODY, make_route())))
    found = run("routes", "test", "demo", *BUY, "--price", "50000", stack=stack)
    assert found.exit_code == 0, found.output
    sent = asked(server)
    assert sent["send"] is False
    assert json.loads(sent["body"]) == {
        "platform_name": "mexc",
        "ticker": "BTCUSDT.P",
        "order_action": "buy",
        "order_contracts": 0.001,
        "price": 50000,
    }
    assert "open long 10 market, cross 10x" in found.output
    assert found.output.endswith("nothing was sent\n")


def test_json_is_the_consoles_document(stack, answers):
    document = asyncio.run(explained(BODY, make_route()))
    answers(document)
    found = run("routes", "test", "demo", *BUY, "--json", stack=stack)
    assert (found.exit_code, json.loads(found.output)) == (0, document)


@pytest.mark.parametrize(
    ("body", "silent", "words"),
    [
        (NO_SIZE, frozenset(), "order_contracts must say how much to buy"),
        (BODY, {subjects.PARSE_ASKED}, "no ingest has answered"),
        (BODY, {subjects.DECIDE_ASKED}, "the router has not decided"),
        (BODY, {subjects.plan_asked("paper")}, "no executor that owns account paper"),
        (BODY.replace(b"BTC", b"NONE"), frozenset(), "symbol_unknown"),
    ],
    ids=["refused", "ingest", "router", "executor", "denied"],
)
def test_what_would_not_be_done_or_is_not_told_is_1(stack, answers, body, silent, words):
    answers(asyncio.run(explained(body, make_route(), silent=frozenset(silent))))
    found = run("routes", "test", "demo", "--body", body.decode(), stack=stack)
    assert found.exit_code == 1
    assert words in " ".join(found.output.split())


def test_it_is_sent_when_told_with_an_id_of_its_own(stack, server, answers):
    answers(SENT)
    found = run("routes", "test", "demo", *BUY, "--send", stack=stack)
    assert (found.exit_code, found.output) == (0, f"accepted  {ALERT_ID}\n")
    first = asked(server)
    assert first["send"] is True
    run("routes", "test", "demo", *BUY, "--send", stack=stack)
    assert first["alert_id"].startswith("test-")
    assert asked(server)["alert_id"] != first["alert_id"]


def test_an_id_that_is_given_stays(stack, server, answers):
    answers(SENT)
    run("routes", "test", "demo", *BUY, "--alert-id", "mine", "--send", stack=stack)
    assert "alert_id" not in asked(server)
    assert json.loads(asked(server)["body"])["alert_id"] == "mine"


def test_what_was_not_taken_is_1_with_the_field(stack, answers):
    answers({"detail": "must be a number", "field": "order_contracts", "value": "x"}, 422)
    found = run("routes", "test", "demo", *BUY, "--send", stack=stack)
    assert found.exit_code == 1
    assert found.output == "Error: order_contracts: must be a number It was: x\n"


def test_a_console_that_does_not_answer_leaves_the_id(tmp_path):
    (tmp_path / "stack.json").write_text(
        json.dumps({"console": "http://127.0.0.1:1", "console_token": "t", "ingest": ""})
    )
    found = run("routes", "test", "demo", *BUY, "--send", stack=tmp_path)
    assert found.exit_code == 1
    assert "the same with --alert-id test-" in found.output
    dry = run("routes", "test", "demo", *BUY, stack=tmp_path)
    assert "--alert-id" not in dry.output


def test_wrong_use_is_2(stack):
    assert run("routes", "test", "demo", stack=stack).exit_code == 2
    found = run("routes", "test", "demo", "--body", "{}", *BUY, stack=stack)
    assert found.exit_code == 2
    assert "--body is the whole message" in found.output
