"""The list of alerts: what a line says, and filters, each of which reads an index of its own."""

from urllib.parse import urlencode

import pytest

from libs.common.contracts.alert import AlertRefused
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from tests.factories import make_intent, make_leg
from tests.integration.test_console_alerts import (
    START,
    console,
    denied,
    executed,
    make_id,
    put_trail,
    received,
)
from tests.trail_messages import make_execution, make_plan

pytestmark = pytest.mark.integration

__all__ = ["console", "put_trail"]


async def test_a_line_says_what_was_asked_and_what_became_of_it(console, put_trail):
    await put_trail(*executed(1))
    _, page = await console.call("GET", "/api/alerts")
    assert page["alerts"] == [
        {
            "alert_id": make_id(1),
            "seq": 1,
            "last_seq": 5,
            "route": "demo",
            "status": "executed",
            "reason": None,
            "words": None,
            "at": "2026-11-23T12:00:00.001000Z",
            "symbol": "BTC_USDT",
            "symbols": ["BTC_USDT"],
            "ticker": "BTCUSDT.P",
            "action": "buy",
            "wanted": None,
            "quantity": "0.001",
            "quantity_percent": None,
            "contracts": "10",
            "filled_contracts": "10",
            "price": None,
            "average_price": "50000.5",
            "accounts": ["paper"],
            "resends": 0,
            "elapsed_ms": 4.0,
            "order_ms": 3.0,
            "test_by": None,
        }
    ]


async def test_every_filter_finds_what_the_whole_list_holds(console, put_trail):
    """In pages of any size, and the newest first, though filters read other indexes."""
    await put_trail(
        *(message for number in range(1, 10) for message in lives(number)),
        *executed(20),
        *denied(21, route="other"),
    )
    _, whole = await console.call("GET", "/api/alerts")
    statuses = {line["status"] for line in whole["alerts"]}
    assert statuses == {"executed", "denied", "rejected", "refused", "pending", "partial"}
    tried = [
        *({"status": status} for status in (*sorted(statuses), "unknown", "dead")),
        *({"symbol": symbol} for symbol in ("BTC_USDT", "ETHUSDT.P", "NONE_USDT")),
        *({"route": route} for route in ("demo", "other")),
        {"route": "demo", "status": "denied"},
        {"symbol": "BTC_USDT", "status": "executed"},
        {"symbol": "BTC_USDT", "route": "other"},
        *({"account": account} for account in ("paper", "nobody")),
        {"account": "paper", "status": "rejected"},
        {"account": "paper", "symbol": "BTC_USDT", "route": "demo"},
        {"text": "2005"},
        {"text": "No", "status": "denied", "account": "paper"},
    ]
    for filters in tried:
        wanted = [
            line["alert_id"]
            for line in whole["alerts"]
            if all(fits(line, name, value) for name, value in filters.items())
        ]
        for limit in (1, 2, 50):
            assert await walked(console, limit=limit, **filters) == wanted, filters


def fits(line, name, value):
    match name:
        case "account":
            return value in line["accounts"]
        case "text":
            # No body and no comment holds any of these.
            told = (line["words"], line["reason"])
            return any(value.lower() in (text or "").lower() for text in told)
    return line[name] == value


def lives(number):
    """One alert of each kind in turn."""
    alert, lane = make_id(number), "paper.BTC_USDT"
    accepted = (f"intent.accepted.0.{lane}", "router", make_intent(alert_id=alert))
    leg = make_leg(client_order_id=f"order{number}")
    planned = (f"order.planned.{lane}", "executor", make_plan(leg, alert=alert))
    match number % 5:
        case 0:
            return [received(number, ticker="ETHUSDT.P"), *denied(number)[1:]]
        case 1:
            rejected = make_execution("rejected", f"order{number}", alert=alert, code=2005)
            where = f"execution.rejected.{lane}"
            return [received(number), accepted, planned, (where, "executor", rejected)]
        case 2:
            refused = make_refused(alert)
            return [("alert.refused.demo", "ingest", refused)]
        case 3:
            return [received(number), accepted]
        case _:
            held = make_plan(alert=alert, withheld=Denial(reason=Reason.HALTED, message="no"))
            return [received(number), accepted, (f"order.planned.{lane}", "executor", held)]


def make_refused(alert):
    values = {"route": "demo", "status": 422, "reason": Reason.FIELD_INVALID, "message": "no"}
    return AlertRefused(alert_id=alert, at=START, **values)


async def walked(console, **query):
    found, before = [], None
    while True:
        more = {} if before is None else {"before": before}
        _, page = await console.call("GET", f"/api/alerts?{urlencode({**query, **more})}")
        found += [line["alert_id"] for line in page["alerts"]]
        before = page["next"]
        if before is None:
            return found
