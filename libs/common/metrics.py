"""Prometheus metrics that all services share; a service adds its own beside its code."""

from prometheus_client import Counter, Gauge, Histogram

LATENCY_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

handled = Counter(
    "alertwire_messages_handled",
    "Messages taken from the log, by what became of them",
    ["service", "outcome"],
)
handling_seconds = Histogram(
    "alertwire_message_handling_seconds",
    "Time from a message's delivery to its acknowledgement",
    ["service"],
    buckets=LATENCY_BUCKETS_S,
)
redelivered = Counter(
    "alertwire_messages_redelivered", "Messages that came a second time or later", ["service"]
)
dead_letters = Counter("alertwire_dead_letters", "Messages given up on", ["service"])
log_errors = Counter(
    "alertwire_log_errors",
    "Errors of the connection to NATS",
    ["service"],
)
owner = Gauge(
    "alertwire_owner",
    "1 where this process has the lease of its work, 0 where it stands by",
    ["service"],
)
halts = Gauge(
    "alertwire_halts",
    "What is halted by hand, as this process knows it",
    ["service"],
)
