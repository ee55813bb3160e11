"""What the figures should be, beside what they are: pure. A goal that is not reached is told, and
is no error: lost, doubled or missing orders are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.figures import ratio
from bench.options import Options
from bench.plan import FIRST, at_rate, burst_of, sustained
from bench.report import DIRECT, OURS, USUAL
from bench.results import Result

_ADDED_MS = 2.0


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
    """Empty for what is counted."""

    def verdict(self) -> Verdict:
        word = "at least" if self.at_least else "at most"
        reached = None
        if self.value is not None:
            reached = self.value >= self.bound if self.at_least else self.value <= self.bound
        return Verdict(
            figure=self.figure,
            goal=f"{word} {self.bound:g}{self.unit}",
            measured=self._measured(),
            reached=reached,
        )

    def _measured(self) -> str:
        if self.value is None:
            return "-"
        return f"{self.value:,.1f}{self.unit}" if self.unit else f"{self.value:,.0f}"


@dataclass(frozen=True, kw_only=True)
class _Figures:
    """Looks figures up; None for what was not measured."""

    found: Mapping[tuple[str, str], Result]

    def order(self, phase: str, share: str, *, system: str = OURS) -> float | None:
        found = self.found.get((phase, system))
        return None if found is None or found.order_ms is None else getattr(found.order_ms, share)

    def ack(self, phase: str, share: str) -> float | None:
        found = self.found.get((phase, OURS))
        return None if found is None or found.ack_ms is None else getattr(found.ack_ms, share)

    def rate(self, phase: str, *, system: str = OURS) -> float | None:
        found = self.found.get((phase, system))
        return None if found is None else found.orders_rate

    def slow(self, phase: str) -> float | None:
        found = self.found.get((phase, OURS))
        return None if found is None else float(found.slow_answers)

    def refused(self, phase: str) -> float | None:
        found = self.found.get((phase, OURS))
        if found is None:
            return None
        return float(sum(found.refused.values()) + sum(found.failed.values()))

    def ours(self) -> list[Result]:
        return [each for (_, system), each in self.found.items() if system == OURS]

    def wrong(self) -> float | None:
        """Alerts without an order, with two, and orders without an alert."""
        ours = self.ours()
        wrong = sum(len(each.missing) + len(each.doubled) + len(each.unexpected) for each in ours)
        return float(wrong) if ours else None

    def memory(self) -> float | None:
        """The largest sum of any phase."""
        return max((each.services_mib or 0.0 for each in self.ours()), default=None)


def verdicts(results: Sequence[Result], options: Options) -> list[Verdict]:
    figures = _Figures(found={(each.phase, each.system): each for each in results})
    bounds = [
        _Bound(figure="lost, doubled and unasked orders", value=figures.wrong(), bound=0),
        *_at_a_rate(figures, options),
        *_in_bursts(figures, options),
        *_sustained(figures, options),
        _Bound(
            figure="the services' memory together", value=figures.memory(), bound=500, unit=" MiB"
        ),
    ]
    return [bound.verdict() for bound in bounds]


def _at_a_rate(figures: _Figures, options: Options) -> Iterator[_Bound]:
    fast, slow = at_rate(max(options.rates)), at_rate(min(options.rates))
    yield _Bound(
        figure=f"{fast}: alert to order p50, over direct",
        value=ratio(figures.order(fast, "p50"), figures.order(fast, "p50", system=DIRECT)),
        bound=4,
        unit=" x",
    )
    yield _Bound(
        figure=f"{fast}: alert to order p99",
        value=figures.order(fast, "p99"),
        bound=15,
        unit=" ms",
    )
    for ms in options.latencies:
        far = at_rate(max(options.rates), one_way_ms=ms)
        a, b = figures.order(fast, "p50"), figures.order(far, "p50")
        added = None if a is None or b is None else b - ms - a
        if added is not None and added < -_ADDED_MS:
            # The near one had a queue of its own by then: there is nothing to compare with.
            added = None
        yield _Bound(
            figure=f"{far}: added to alert to order p50 beyond the way",
            value=added,
            bound=_ADDED_MS,
            unit=" ms",
        )
    yield _Bound(
        figure=f"first alert, over the p50 at {slow}",
        value=ratio(figures.order(FIRST, "p50"), figures.order(slow, "p50")),
        bound=2,
        unit=" x",
    )


def _in_bursts(figures: _Figures, options: Options) -> Iterator[_Bound]:
    small, large = burst_of(min(options.bursts)), burst_of(max(options.bursts))
    yield _Bound(
        figure=f"{small}: answer p99", value=figures.ack(small, "p99"), bound=150, unit=" ms"
    )
    yield _Bound(figure=f"{large}: answers over 1.5 s", value=figures.slow(large), bound=0)
    yield _Bound(figure=f"{large}: refused or not answered", value=figures.refused(large), bound=0)
    yield _Bound(
        figure=f"{small}: usual's alert to order p99, over ours",
        value=ratio(figures.order(small, "p99", system=USUAL), figures.order(small, "p99")),
        bound=3,
        at_least=True,
        unit=" x",
    )


def _sustained(figures: _Figures, options: Options) -> Iterator[_Bound]:
    steady = sustained(options.in_flight)
    yield _Bound(
        figure=f"{steady}: orders a second",
        value=figures.rate(steady),
        bound=500,
        at_least=True,
        unit="/s",
    )
    yield _Bound(
        figure=f"{steady}: orders a second, over usual",
        value=ratio(figures.rate(steady), figures.rate(steady, system=USUAL)),
        bound=8,
        at_least=True,
        unit=" x",
    )
