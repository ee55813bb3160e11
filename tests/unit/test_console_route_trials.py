"""The message that a test's form makes, and the id by which a resend of it is known."""

import json

import pytest

from services.console.problems import Problem
from services.console.web.routes.seeds import id_of, new_seed
from services.console.web.routes.trials import message_of
from services.console.web.routes.typed import Typed
from services.ingest.parsing import Parsed, parse_alert
from tests.factories import make_route

BUY = {"symbol": "BTCUSDT.P", "action": "buy", "quantity": "0.001", "mode": "netting"}
PLAIN = {**BUY, "order_type": "market", "unit": "level", "price": "", "stop": "", "target": ""}

MESSAGES = {
    "buy": ({}, {"order_action": "buy", "order_contracts": "0.001"}),
    "close-one-side": (
        {"action": "flat", "quantity": "50%", "close_side": "short"},
        {"order_action": "flat", "order_contracts": "50%", "close_side": "short"},
    ),
    "side-of-no-close": (
        {"close_side": "short"},
        {"order_action": "buy", "order_contracts": "0.001"},
    ),
    "limit-with-prices": (
        {"order_type": "limit", "price": "50000", "stop": "49000", "target": "52000"},
        {
            "order_action": "buy",
            "order_contracts": "0.001",
            "order_type": "limit",
            "price": "50000",
            "sl_price": "49000",
            "tp_price": "52000",
        },
    ),
    "distances": (
        {"unit": "percent", "stop": "2"},
        {
            "order_action": "buy",
            "order_contracts": "0.001",
            "stop_loss": "2",
            "sltp_type": "percent",
        },
    ),
    "unit-of-nothing": (
        {"unit": "ticks"},
        {"order_action": "buy", "order_contracts": "0.001"},
    ),
    "target-on-a-target-route": (
        {"action": "target-short", "mode": "target"},
        {"market_position": "short", "market_position_size": "0.001"},
    ),
    "target-elsewhere": (
        {"action": "target-flat"},
        {"market_position": "flat", "trade_type": "target"},
    ),
}


@pytest.mark.parametrize(("fields", "message"), MESSAGES.values(), ids=MESSAGES)
def test_a_forms_fields_become_the_formats(fields, message):
    typed = Typed({**PLAIN, **fields}.items())
    head = {"platform_name": "mexc", "ticker": "BTCUSDT.P"}
    assert message_of(typed) == {**head, **message}


@pytest.mark.parametrize("fields", [each for each, _ in MESSAGES.values()], ids=MESSAGES)
def test_ingest_understands_each(fields):
    text = json.dumps(message_of(Typed({**PLAIN, **fields}.items())))
    mode = fields.get("mode", "netting")
    assert isinstance(parse_alert(text.encode(), route=make_route(trade_mode=mode)), Parsed)


def test_the_same_form_and_message_are_the_same_test_and_nothing_else_is():
    seed = new_seed(unix_ms=1_795_963_555_952, random_bits=7)
    other = new_seed(unix_ms=1_795_963_555_952, random_bits=8)
    assert id_of(seed, "a") == id_of(seed, "a")
    assert len({id_of(seed, "a"), id_of(seed, "b"), id_of(other, "a")}) == 3
    # Ingest and the console read its age from it.
    assert id_of(seed, "a").startswith("test-1795963555952-")


@pytest.mark.parametrize("seed", ["", "1-2", "17959635559520-0000000000000007", "\u0661" * 13])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(Problem):
        id_of(seed, "a")
