"""Prometheus metrics that all services share; a service adds its own beside its code.

`docs/metrics.md` is made of these objects. What is read when Prometheus asks costs nothing before.
Labels are words of closed lists, or routes and accounts, which are few and made by hand; never a
token, an alert, a symbol or a lane.
"""

import platform
import time
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import Counter, Gauge, Histogram, Info, disable_created_metrics

from libs.common.contracts.words import AlertId

# The time of each series' birth, as a series of its own: twice as many to no use.
disable_created_metrics()  # type: ignore[no-untyped-call] # it is so

_SLOW_S = 0.1
_EXEMPLARS_APART_S = 0.25
LATENCY_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

build = Info("alertwire_build", "What runs: the release, and its Python", ["service"])
ready = Gauge(
    "alertwire_ready",
    "1 where the service is ready, as `/health/ready` says it, else 0",
    ["service"],
)
handled = Counter(
    "alertwire_messages_handled",
    "Messages taken from the log, by what became of them",
    ["service", "outcome"],
)
handling_seconds = Histogram(
    "alertwire_message_handling_seconds",
    "Time from a message's turn in its lane to its acknowledgement",
    ["service"],
    buckets=LATENCY_BUCKETS_S,
)
stage_seconds = Histogram(
    "alertwire_stage_seconds",
    "Time that a stage took, by the clocks of the processes at both ends: `routed` from the alert's"
    " arrival to its stored intent, `planned` from there to the stored plan, `sent` from there to"
    " the plan's first order leaving, `acknowledged` from an order's leaving to the exchange's"
    " answer, `final` from its leaving to its end",
    ["stage"],
    buckets=LATENCY_BUCKETS_S,
)
denied = Counter(
    "alertwire_intents_denied",
    "What was denied, by who denied it, with the reason (`docs/reasons.md`)",
    ["service", "reason"],
)
redelivered = Counter(
    "alertwire_messages_redelivered", "Messages that came a second time or later", ["service"]
)
waiting = Gauge(
    "alertwire_consumer_waiting_messages",
    "Messages of the log that the consumer has not been given yet, as its last delivery told",
    ["service"],
)
in_hand = Gauge(
    "alertwire_messages_in_hand",
    "Messages that were taken from the log and are not done: under way, or waiting in a lane",
    ["service"],
)
oldest_in_hand_seconds = Gauge(
    "alertwire_oldest_in_hand_seconds",
    "Age of the oldest message that was taken from the log and is not done",
    ["service"],
)
lanes = Gauge("alertwire_lanes", "Lanes that have something to do", ["service"])
deepest_lane = Gauge(
    "alertwire_deepest_lane_messages",
    "Messages in the fullest lane, the one under way included",
    ["service"],
)
dead_letters = Counter("alertwire_dead_letters", "Messages given up on", ["service"])
http_refused = Counter(
    "alertwire_http_refused",
    "Connections and requests that were refused before anybody looked at what they ask, by why",
    ["cause"],
)
log_errors = Counter(
    "alertwire_log_errors",
    "Errors of the connection to NATS",
    ["service"],
)
owner = Gauge(
    "alertwire_owner",
    "Leases of its work that this process has; 0 where it stands by",
    ["service"],
)
lease = Gauge(
    "alertwire_lease",
    "1 where this process has the lease, 0 where it could have it and has not",
    ["service", "lease"],
)
halts = Gauge(
    "alertwire_halts",
    "What is halted by hand, as this process knows it",
    ["service"],
)


class Latency:
    """Points of a histogram, with the alert behind them as exemplar: its trace id, which is its own
    id without dashes, whether or not its trace was recorded.

    Prometheus reads one exemplar per bucket every few seconds, and one takes as long as four points
    without: of many quick ones only some carry it, and every slow one.
    """

    def __init__(
        self, histogram: Histogram, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._histogram = histogram
        self._clock = clock
        self._next_at = clock()

    def observe(self, seconds: float, alert: AlertId | None) -> None:
        # Two machines' clocks: what seems to have come before its cause took no time.
        seconds = max(0.0, seconds)
        now = self._clock()
        if alert is None or (now < self._next_at and seconds < _SLOW_S):
            self._histogram.observe(seconds)
            return
        self._next_at = now + _EXEMPLARS_APART_S
        self._histogram.observe(seconds, exemplar={"trace_id": alert.replace("-", "")})


@cache
def release() -> str:
    """Which release this process runs."""
    try:
        return version("alertwire")
    except PackageNotFoundError:
        return "unknown"  # Run from a plain copy of the files.


def tell_build(service: str) -> None:
    build.labels(service).info({"version": release(), "python": platform.python_version()})
