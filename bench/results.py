"""What one phase comes to: pure, and the shape of `bench.json`'s phases."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.figures import Spread, spread
from bench.loading import Load
from bench.matching import Matched, waits_ms

SERVICES = ("ingest", "router", "executor", "auditor", "console")
SLOW_ANSWER_MS = 1_500.0
"""Half of what TradingView waits for an answer."""


@dataclass(frozen=True, kw_only=True)
class AuditorFigures:
    lag_when_load_ended: float | None
    """Messages of the log that were not in Postgres yet."""
    caught_up_after_s: float | None
    """None where it had not within the limit."""
    rows: float | None = None
    rows_rate: float | None = None
    """Rows a second from the first alert until it had all."""
    rows_rate_storing: float | None = None
    """Rows a second of the time in which it had a batch in hand: what it can do at most."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One phase of one system. Rates are per second."""

    phase: str
    system: str
    sent: int
    accepted: int
    refused: dict[str, int]
    failed: dict[str, int]
    orders: int
    refused_calls: int
    missing: list[str]
    doubled: list[str]
    unexpected: list[str]
    ack_ms: Spread | None
    order_ms: Spread | None
    """From the POST's sending to the order's arrival at the exchange."""
    late_ms: Spread | None
    load_s: float
    acks_rate: float | None
    orders_rate: float | None
    """From the first alert to the last order."""
    cpu_s: dict[str, float] = field(default_factory=dict)
    rss_mib: dict[str, float] = field(default_factory=dict)
    auditor: AuditorFigures | None = None
    others_cores: float | None = None
    """How many cores whatever else runs on the machine kept busy meanwhile, on average."""
    slow_answers: int = 0
    """Answers that took longer than `SLOW_ANSWER_MS`."""
    one_way_ms: int = 0
    """How far away the exchange was."""
    beyond_way_ms: Spread | None = None
    """`order_ms` less the way to the exchange."""

    @property
    def agrees(self) -> bool:
        return not (self.missing or self.doubled or self.unexpected or self.refused or self.failed)

    @property
    def services_mib(self) -> float | None:
        """The memory of the services together; None for a system that has none."""
        found = [self.rss_mib[name] for name in SERVICES if name in self.rss_mib]
        return sum(found) if found else None

    def cpu_ms_per_alert(self, process: str) -> float | None:
        if process not in self.cpu_s or not self.accepted:
            return None
        return self.cpu_s[process] * 1000 / self.accepted


def result(  # noqa: PLR0913 - what a phase is made of
    *,
    phase: str,
    system: str,
    load: Load,
    matched: Matched,
    cpu_s: Mapping[str, float],
    rss_mib: Mapping[str, float],
    auditor: AuditorFigures | None,
    others_cores: float | None,
    one_way_ms: int = 0,
) -> Result:
    last_ns = max(matched.first_received_ns.values(), default=0)
    waits = waits_ms(load.sent_ns, matched)
    until_orders_s = (last_ns - load.began_ns) / 1e9
    return Result(
        phase=phase,
        system=system,
        sent=load.sent,
        accepted=load.accepted,
        refused=dict(load.refused),
        failed=dict(load.failed),
        orders=matched.orders,
        refused_calls=matched.refused_calls,
        missing=matched.missing,
        doubled=matched.doubled,
        unexpected=matched.unexpected,
        ack_ms=spread(load.ack_ms),
        order_ms=spread(waits),
        late_ms=spread(load.late_ms),
        load_s=load.seconds,
        acks_rate=load.accepted / load.seconds if load.seconds > 0 else None,
        orders_rate=matched.orders / until_orders_s if until_orders_s > 0 else None,
        cpu_s=dict(cpu_s),
        rss_mib=dict(rss_mib),
        auditor=auditor,
        others_cores=others_cores,
        slow_answers=sum(each > SLOW_ANSWER_MS for each in load.ack_ms),
        one_way_ms=one_way_ms,
        beyond_way_ms=spread([each - one_way_ms for each in waits]),
    )
