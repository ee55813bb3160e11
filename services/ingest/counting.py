"""Ingest's metrics. A route is a label since routes are few and made by hand; a token never is."""

from prometheus_client import Counter, Histogram

from libs.common.metrics import LATENCY_BUCKETS_S

accepted = Counter("alertwire_alerts_accepted", "Alerts stored in the log", ["route"])
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
