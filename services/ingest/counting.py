"""Ingest's metrics. A route is a label since routes are few and made by hand; a token never is."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from libs.common.contracts.words import RouteId
from libs.common.metrics import LATENCY_BUCKETS_S

accepted = Counter("alertwire_alerts_accepted", "Alerts stored in the log", ["route"])
last_accepted = Gauge(
    "alertwire_alert_last_accepted_timestamp_seconds",
    "When this ingest last stored an alert of the route, in Unix time",
    ["route"],
)
duplicate = Counter("alertwire_alerts_duplicate", "Resends answered as such", ["route"])
refused = Counter(
    "alertwire_alerts_refused",
    "Requests refused; the route is empty where the token was unknown",
    ["route", "reason"],
)
unavailable = Counter(
    "alertwire_alerts_unavailable", "Requests answered 503: the log could not take them", ["route"]
)
ack_seconds = Histogram(
    "alertwire_alert_ack_seconds",
    "Time from a request's head to its 200, the log's confirmation included",
    buckets=LATENCY_BUCKETS_S,
)


def know(routes: Iterable[RouteId]) -> None:
    """Begin their counts at 0: a rate is not told of a count that begins at 1."""
    for route in routes:
        accepted.labels(route)
        duplicate.labels(route)
        unavailable.labels(route)
