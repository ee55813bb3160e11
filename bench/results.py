"""What one phase comes to: pure, and the shape of `bench.json`'s phases."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.figures import Spread, spread
from bench.loading import Load
from bench.matching import Matched, waits_ms


@dataclass(frozen=True, kw_only=True)
class AuditorFigures:
    lag_when_load_ended: float | None
    """Messages of the log that were not in Postgres yet."""
    caught_up_after_s: float | None
    """None where it had not within the limit."""


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

    @property
    def agrees(self) -> bool:
        return not (self.missing or self.doubled or self.unexpected or self.refused or self.failed)

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
) -> Result:
    last_ns = max(matched.first_received_ns.values(), default=0)
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
        order_ms=spread(waits_ms(load.sent_ns, matched)),
        late_ms=spread(load.late_ms),
        load_s=load.seconds,
        acks_rate=load.accepted / load.seconds if load.seconds > 0 else None,
        orders_rate=matched.orders / until_orders_s if until_orders_s > 0 else None,
        cpu_s=dict(cpu_s),
        rss_mib=dict(rss_mib),
        auditor=auditor,
        others_cores=others_cores,
    )
