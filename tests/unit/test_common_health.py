"""Health: alive always, ready when nothing is missing, and the metrics."""

import json

from libs.common import metrics
from libs.common.health import Health


def asked(health, path):
    status, _, body = health.answer(path)
    return status, json.loads(body)


def test_ready_when_nothing_is_missing():
    health = Health("router")
    health.add("log", lambda: None)
    assert asked(health, "/health/ready") == (
        200,
        {"service": "router", "status": "ready", "missing": {}},
    )


def test_what_is_missing_is_told_and_alive_all_the_same():
    health = Health("router")
    connected = False
    health.add("log", lambda: None if connected else "not connected to NATS")
    health.add("routes", lambda: None)
    assert asked(health, "/health/ready") == (
        503,
        {
            "service": "router",
            "status": "not ready",
            "missing": {"log": "not connected to NATS"},
        },
    )
    assert asked(health, "/health/live") == (200, {"service": "router", "status": "live"})
    connected = True
    assert asked(health, "/health/ready")[0] == 200


def test_a_starting_process_is_not_ready_before_it_has_all_its_checks():
    health = Health("router", starting=True)
    assert asked(health, "/health/ready") == (
        503,
        {
            "service": "router",
            "status": "not ready",
            "missing": {"start": "still starting"},
        },
    )
    health.started()
    assert asked(health, "/health/ready")[0] == 200


def test_metrics_are_prometheus_text():
    metrics.dead_letters.labels("health-test").inc()
    status, content_type, body = Health("router").answer("/metrics")
    assert status == 200
    assert content_type.startswith("text/plain")
    assert b'alertwire_dead_letters_total{service="health-test"} 1.0' in body


def test_no_other_page():
    assert asked(Health("router"), "/health")[0] == 404
    assert asked(Health("router"), "/")[0] == 404


async def test_as_an_asgi_application():
    sent = []

    async def send(event):
        sent.append(event)

    await Health("router")({"type": "http", "path": "/health/live"}, None, send)
    start, body = sent
    assert start["status"] == 200
    assert dict(start["headers"]) == {
        b"content-type": b"application/json",
        b"content-length": str(len(body["body"])).encode(),
    }
    assert json.loads(body["body"])["status"] == "live"
