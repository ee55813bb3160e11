"""`/metrics` in both formats, with the alert behind each latency, and what a consumer shows."""

import pytest
from prometheus_client import REGISTRY, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from libs.common import exposing, metrics
from libs.common.health import Health
from services.executor import measuring
from services.ingest import counting
from tests.factories import ALERT_ID

ASKS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


def shown(parse, accept=""):
    status, content_type, body = Health("metrics-test").answer("/metrics", accept=accept)
    assert status == 200
    return content_type, {family.name: family for family in parse(body.decode())}


@pytest.mark.parametrize(
    "histogram",
    [
        metrics.stage_seconds.labels("sent"),
        metrics.handling_seconds.labels("metrics-test"),
        measuring.alert_to_order_seconds,
        counting.ack_seconds,
    ],
    ids=["stage", "handling", "alert_to_order", "ack"],
)
def test_a_latency_leads_to_its_alert(histogram):
    metrics.Latency(histogram).observe(0.004_321, ALERT_ID)
    content_type, families = shown(openmetrics, ASKS)
    assert content_type.startswith("application/openmetrics-text")
    family = families[Histogram.describe(histogram)[0].name]
    found = [
        sample.exemplar
        for sample in family.samples
        if sample.exemplar is not None and sample.exemplar.value == 0.004_321
    ]
    assert [one.labels for one in found] == [{"trace_id": ALERT_ID.replace("-", "")}]


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain;version=0.0.4"])
def test_who_does_not_ask_for_it_gets_plain_text(accept):
    metrics.Latency(measuring.alert_to_order_seconds).observe(0.004, ALERT_ID)
    content_type, families = shown(plain, accept)
    assert content_type.startswith("text/plain; version=0.0.4")
    assert families["alertwire_alert_to_order_seconds"].samples


async def test_the_scrapers_header_counts():
    sent = []

    async def send(event):
        sent.append(event)

    headers = [(b"host", b"x"), (b"accept", ASKS.encode())]
    scope = {"type": "http", "path": "/metrics", "headers": headers}
    await Health("metrics-test")(scope, None, send)
    assert dict(sent[0]["headers"])[b"content-type"].startswith(b"application/openmetrics-text")
    assert sent[1]["body"].endswith(b"# EOF\n")


def test_of_many_quick_points_some_lead_to_an_alert_and_of_slow_ones_all():
    """An exemplar takes longer than all else about a point, and one per bucket is read."""
    told, now = [], [0.0]

    class Seen:
        def observe(self, seconds, exemplar=None):
            told.append((seconds, exemplar is not None))

    latency = metrics.Latency(Seen(), clock=lambda: now[0])
    latency.observe(0.01, ALERT_ID)
    latency.observe(0.01, ALERT_ID)
    latency.observe(0.2, ALERT_ID)
    now[0] = 1.0
    latency.observe(0.01, None)
    latency.observe(-0.01, ALERT_ID)
    assert told == [(0.01, True), (0.01, False), (0.2, True), (0.01, False), (0.0, True)]


def test_readiness_and_release_are_metrics():
    health = Health("metrics-ready")
    missing = ["NATS"]
    health.add("log", lambda: missing[0] if missing else None)

    def ready():
        _, families = (
            "",
            {family.name: family for family in plain(health.answer("/metrics")[2].decode())},
        )
        (value,) = [
            sample.value
            for sample in families["alertwire_ready"].samples
            if sample.labels == {"service": "metrics-ready"}
        ]
        (release,) = [
            sample.labels["version"]
            for sample in families["alertwire_build_info"].samples
            if sample.labels["service"] == "metrics-ready"
        ]
        assert release
        return value

    assert ready() == 0
    missing.clear()
    assert ready() == 1


def test_what_is_only_read_when_asked_is_read_then():
    health, asked = Health("metrics-refresh"), []
    health.refresh(lambda: asked.append(1))
    assert asked == []
    health.answer("/health/ready")
    assert asked == []
    health.answer("/metrics")
    assert asked == [1]


@pytest.mark.parametrize("accept", ["", ASKS], ids=["plain", "openmetrics"])
def test_what_is_written_in_pieces_is_the_same_as_in_one(accept, monkeypatch):
    """Of a family with more samples than fit into one piece too."""
    for number in range(5):
        measuring.picture_live.labels(f"pieces-{number}").set(number)
    monkeypatch.setattr(exposing, "SAMPLES_AT_ONCE", 2)
    encode, content_type = choose_encoder(accept)
    shown = exposing.exposition(accept)
    assert shown.content_type == content_type
    in_pieces = b"".join(shown.pieces).decode().splitlines()
    # Python's own change from one look to the next.
    own = [line for line in in_pieces if "alertwire_" in line or line == "# EOF"]
    whole = encode(REGISTRY).decode().splitlines()
    assert own == [line for line in whole if "alertwire_" in line or line == "# EOF"]
    measuring.picture_live.clear()
