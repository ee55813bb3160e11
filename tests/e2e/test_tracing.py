"""One alert is one trace, as a collector receives it from all services."""

import asyncio
import time
from collections import Counter

import pytest

from tests.e2e.running_stack import GUIDE
from tests.paper_client import CREATE

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def trace_of(otlp, alert_id, *, until):
    """The alert's spans by name once `until` is among them and no parent is missing."""
    trace_id = alert_id.replace("-", "")
    async with asyncio.timeout(30):
        while True:
            spans = otlp.trace(trace_id)
            known = {span["span_id"] for span in spans}
            orphans = [span for span in spans if span["parent_id"] not in {"", *known}]
            if any(until in span["name"] for span in spans) and not orphans:
                break
            await asyncio.sleep(0.1)
    roots = [span["name"] for span in spans if not span["parent_id"]]
    assert roots == ["POST /hook/{token}"], "exactly one root"
    assert all(span["attributes"].get("alert_id") == alert_id for span in spans)
    return {span["name"]: span for span in spans}


def parent_of(spans, name):
    by_id = {span["span_id"]: span for span in spans.values()}
    return by_id[spans[name]["parent_id"]]["name"]


async def test_one_trace_through_all_services(trader, otlp):
    journey = await trader.execute()
    alert_id = journey["alert_id"]
    spans = await trace_of(otlp, alert_id, until="process intent.accepted")
    create = f"POST {CREATE}"
    handled = "process intent.accepted"
    told = {name: (span["service"], span["kind"]) for name, span in spans.items()}
    assert told == told | {
        "POST /hook/{token}": ("alertwire-ingest", "SERVER"),
        "send alert.received": ("alertwire-ingest", "PRODUCER"),
        "process alert.received": ("alertwire-router", "CONSUMER"),
        "send intent.accepted": ("alertwire-router", "PRODUCER"),
        handled: ("alertwire-executor", "CONSUMER"),
        "plan": ("alertwire-executor", "INTERNAL"),
        "send order.planned": ("alertwire-executor", "PRODUCER"),
        create: ("alertwire-executor", "CLIENT"),
        "confirm": ("alertwire-executor", "INTERNAL"),
    }
    parents = {name: parent_of(spans, name) for name in spans if spans[name]["parent_id"]}
    assert parents == parents | {
        "send alert.received": "POST /hook/{token}",
        "process alert.received": "send alert.received",
        "send intent.accepted": "process alert.received",
        handled: "send intent.accepted",
        "plan": handled,
        "send order.planned": handled,
        create: handled,
        "confirm": handled,
    }
    assert not any(span["failed"] for span in spans.values())
    told = [event for span in spans.values() for event in span["events"]]
    assert {"send execution.sent", "send execution.filled"} <= set(told)
    _check_words(spans, journey, create=create)
    linked = await _linked(otlp, alert_id)
    assert {(span["service"], span["name"], span["kind"]) for span in linked} == {
        ("alertwire-auditor", "receive auditor", "CLIENT")
    }


def _check_words(spans, journey, *, create):
    (order,) = journey["orders"]
    whose = {
        "route": "demo",
        "account": "paper",
        "symbol": "BTC_USDT",
        "client_order_id": order["client_order_id"],
    }
    for name in (create, "confirm"):
        assert spans[name]["attributes"] == spans[name]["attributes"] | whose
    call = spans[create]["attributes"]
    assert (call["http.request.method"], call["url.template"]) == ("POST", CREATE)
    assert call["url.full"].endswith(CREATE)
    assert (call["http.response.status_code"], call["alertwire.exchange.code"]) == (200, 0)
    handled = spans["process intent.accepted"]["attributes"]
    assert handled["messaging.system"] == "nats"
    assert handled["messaging.consumer.group.name"] == "executor-0"
    assert handled["messaging.nats.num_delivered"] == 1
    assert handled["messaging.message.id"] == f"intent:{journey['alert_id']}.paper"


async def _linked(otlp, alert_id):
    """Spans of other traces; its own ones link to their senders too."""
    trace_id = alert_id.replace("-", "")
    async with asyncio.timeout(20):
        while True:
            found = [span for span in otlp.linked(trace_id) if span["trace_id"] != trace_id]
            if found:
                return found
            await asyncio.sleep(0.1)


async def test_what_is_pushed_is_an_event_of_the_confirmation(trader, otlp):
    """Once the picture is live; a push may come before the answer, so several orders are sent."""
    async with asyncio.timeout(40):
        pushed = Counter()
        while not pushed["push"]:
            journey = await trader.execute()
            spans = await trace_of(otlp, journey["alert_id"], until="process intent.accepted")
            pushed.update(spans["confirm"]["events"])


async def test_a_resend_has_a_trace_that_leads_to_the_first_ones(trader, otlp):
    body = {**GUIDE, "alert_id": f"resend-{time.time_ns()}"}
    _, first = await trader.post(body)
    assert (await trader.post(body))[1]["status"] == "duplicate"
    trace_id = first["alert_id"].replace("-", "")
    async with asyncio.timeout(20):
        while not (found := [each for each in otlp.linked(trace_id) if "POST" in each["name"]]):
            await asyncio.sleep(0.1)
    (resend,) = found
    assert resend["trace_id"] != trace_id
    assert resend["attributes"]["alertwire.duplicate_of"] == first["alert_id"]
    assert not resend["failed"]
    await trader.ended(first["alert_id"])


async def test_refusals_denials_and_rejections_are_errors_of_their_traces(trader, otlp):
    _, problem = await trader.post({**GUIDE, "order_contracts": "lots"})
    refused = await trace_of(otlp, problem["alert_id"], until="send alert.refused")
    root = refused["POST /hook/{token}"]
    assert root["failed"]
    assert root["attributes"]["error.type"] == "field_invalid"
    assert root["attributes"]["http.response.status_code"] == 422

    journey = await trader.execute(order_contracts="0.00009")
    denied = await trace_of(otlp, journey["alert_id"], until="send intent.denied")
    assert denied["process alert.received"]["failed"]
    assert denied["process alert.received"]["attributes"]["error.type"] == "below_minimum"

    fault = {"path": CREATE, "kind": "code", "code": 2005}
    await trader.paper.control("PUT", "faults", [fault])
    journey = await trader.execute()
    rejected = await trace_of(otlp, journey["alert_id"], until="process intent.accepted")
    call = rejected[f"POST {CREATE}"]
    assert call["failed"]
    assert call["attributes"]["alertwire.exchange.code"] == 2005
    assert rejected["process intent.accepted"]["attributes"]["error.type"] == "rejected 2005"


async def test_no_span_holds_a_secret(trader, otlp, stack):
    journey = await trader.execute()
    await trace_of(otlp, journey["alert_id"], until="process intent.accepted")
    token = trader.demo["webhook"].rpartition("/")[2]
    secrets = (token, trader.demo["secret_key"], trader.demo["access_key"])
    told = str(list(otlp.spans))
    for secret in (*secrets, stack.description["console_token"]):
        assert secret not in told
