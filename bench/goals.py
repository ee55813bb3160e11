"""What the figures should be, beside what they are: pure. A goal that is not reached is told, and
is no error: lost, doubled or missing orders are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.figures import ratio
from bench.options import Options
from bench.plan import FIRST, at_rate, burst_of, sustained
from bench.report import DIRECT, OURS, USUAL
from bench.results import Result

_SERVICES = ("ingest", "router", "executor", "auditor", "console")
_SLOW_ANSWER_MS = 1_500


@dataclass(frozen=True, kw_only=True)
class Verdict:
    figure: str
    goal: str
    measured: str
    reached: bool | None
    """None where it was not measured."""


@dataclass(frozen=True, kw_only=True)
class _Bound:
    figure: str
    value: float | None
    bound: float
    at_least: bool = False
    unit: str = ""

    def verdict(self) -> Verdict:
        word = "at least" if self.at_least else "at most"
        reached = None
        if self.value is not None:
            reached = self.value >= self.bound if self.at_least else self.value <= self.bound
        return Verdict(
            figure=self.figure,
            goal=f"{word} {self.bound:g}{self.unit}",
            measured="-" if self.value is None else f"{self.value:,.1f}{self.unit}",
            reached=reached,
        )


def verdicts(results: Sequence[Result], options: Options) -> list[Verdict]:
    found = {(each.phase, each.system): each for each in results}
    fast, slow = at_rate(max(options.rates)), at_rate(min(options.rates))
    small, large = burst_of(min(options.bursts)), burst_of(max(options.bursts))
    steady = sustained(options.in_flight)
    ours, usual = found.get((fast, OURS)), found.get((small, USUAL))
    bounds = [
        _Bound(
            figure=f"{fast}: alert to order p50, over direct",
            value=_times(found, fast, "p50", over=DIRECT),
            bound=4,
            unit=" x",
        ),
        _Bound(
            figure=f"{fast}: alert to order p99", value=_order(ours, "p99"), bound=15, unit=" ms"
        ),
        *(
            _added(found, fast, at_rate(max(options.rates), one_way_ms=ms), ms=ms)
            for ms in options.latencies
        ),
        _Bound(
            figure="first alert, over the p50",
            value=ratio(
                _order(found.get((FIRST, OURS)), "p50"), _order(found.get((slow, OURS)), "p50")
            ),
            bound=2,
            unit=" x",
        ),
        _Bound(
            figure=f"{small}: answer p99",
            value=_ack(found.get((small, OURS)), "p99"),
            bound=150,
            unit=" ms",
        ),
        _Bound(
            figure=f"{large}: slowest answer",
            value=_ack(found.get((large, OURS)), "max"),
            bound=_SLOW_ANSWER_MS,
            unit=" ms",
        ),
        _Bound(figure=f"{large}: refused", value=_refused(found.get((large, OURS))), bound=0),
        _Bound(
            figure=f"{small}: usual's alert to order p99, over ours",
            value=ratio(_order(usual, "p99"), _order(found.get((small, OURS)), "p99")),
            bound=3,
            at_least=True,
            unit=" x",
        ),
        _Bound(
            figure=f"{steady}: orders a second",
            value=_rate(found.get((steady, OURS))),
            bound=500,
            at_least=True,
            unit="/s",
        ),
        _Bound(
            figure=f"{steady}: orders a second, over usual",
            value=ratio(_rate(found.get((steady, OURS))), _rate(found.get((steady, USUAL)))),
            bound=8,
            at_least=True,
            unit=" x",
        ),
        _Bound(figure="the services' memory", value=_memory(results), bound=500, unit=" MiB"),
    ]
    return [bound.verdict() for bound in bounds]


_Found = Mapping[tuple[str, str], Result]


def _times(found: _Found, phase: str, share: str, *, over: str) -> float | None:
    return ratio(_order(found.get((phase, OURS)), share), _order(found.get((phase, over)), share))


def _added(found: _Found, near: str, far: str, *, ms: int) -> _Bound:
    """The latency of one way is in the figure whatever the bridge does; what is over it is ours."""
    a, b = _order(found.get((near, OURS)), "p50"), _order(found.get((far, OURS)), "p50")
    return _Bound(
        figure=f"{far}: added to alert to order p50 beyond the way",
        value=None if a is None or b is None else b - ms - a,
        bound=2,
        unit=" ms",
    )


def _order(result: Result | None, share: str) -> float | None:
    return None if result is None or result.order_ms is None else getattr(result.order_ms, share)


def _ack(result: Result | None, share: str) -> float | None:
    return None if result is None or result.ack_ms is None else getattr(result.ack_ms, share)


def _rate(result: Result | None) -> float | None:
    return None if result is None else result.orders_rate


def _refused(result: Result | None) -> float | None:
    if result is None:
        return None
    return float(sum(result.refused.values()) + sum(result.failed.values()))


def _memory(results: Sequence[Result]) -> float | None:
    """The largest sum of any phase."""
    sums = [
        sum(each.rss_mib.get(name, 0.0) for name in _SERVICES)
        for each in results
        if each.system == OURS
    ]
    return max(sums, default=None)
