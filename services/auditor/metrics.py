"""The auditor's own metrics."""

from prometheus_client import Counter, Gauge, Histogram

from libs.common.metrics import LATENCY_BUCKETS_S

audit_rows = Counter(
    "alertwire_audit_rows",
    "Messages stored in the trail: new, known (there already), or degraded (new, with less)",
    ["outcome"],
)
audit_lag_messages = Gauge(
    "alertwire_audit_lag_messages",
    "Messages of a stream that are not in the trail yet: of the log, or a bucket's changes",
    ["stream"],
)
audit_lag_seconds = Gauge(
    "alertwire_audit_lag_seconds",
    "Age of the oldest message, of those the auditor was given, that is not in the trail yet",
    ["stream"],
)
audit_contradicted = Gauge(
    "alertwire_audit_anchor_contradicted",
    "1 where the chain of a stream ends otherwise than it was anchored: rows are missing, or other"
    " ones are there",
    ["stream"],
)
audit_absent = Counter(
    "alertwire_audit_absent_rows",
    "Rows that came a second time and were not there any more, though they stood below the end",
)
audit_months_ahead = Gauge(
    "alertwire_audit_partitions_ahead_months",
    "Months after the present one that have their partition",
)
audit_batch_rows = Histogram(
    "alertwire_audit_batch_rows",
    "Messages stored in one transaction",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)
audit_batch_seconds = Histogram(
    "alertwire_audit_batch_seconds",
    "Time from a batch's arrival to its commit",
    buckets=LATENCY_BUCKETS_S,
)
