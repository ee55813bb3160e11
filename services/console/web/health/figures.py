"""A stretch of the trail as charts, and the same figures as tables: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from markupsafe import Markup

from services.console.documents import Document
from services.console.problems import Problem
from services.console.web.charts import Point, Scale, bar_chart, line_chart
from services.console.web.health.wording import spent


@dataclass(frozen=True, kw_only=True)
class Span:
    key: str
    words: str
    length: timedelta
    stretch: timedelta

    @property
    def stretch_words(self) -> str:
        minutes = self.stretch // timedelta(minutes=1)
        return f"{minutes} minutes" if minutes < 60 else f"{minutes // 60} hours"

    def since(self, now: datetime) -> datetime:
        """Where it begins: at a stretch's edge, so that every look shows the same ones."""
        step = self.stretch.total_seconds()
        last = datetime.fromtimestamp(now.timestamp() // step * step, UTC)
        return last + self.stretch - self.length


SPANS = (
    Span(
        key="6h",
        words="6 hours",
        length=timedelta(hours=6),
        stretch=timedelta(minutes=5),
    ),
    Span(
        key="24h",
        words="24 hours",
        length=timedelta(hours=24),
        stretch=timedelta(minutes=15),
    ),
    Span(
        key="7d",
        words="7 days",
        length=timedelta(days=7),
        stretch=timedelta(hours=2),
    ),
)
USUAL = SPANS[1]
_REASONS = (
    ("refused", "Refused", "by ingest: the alert cannot be taken as it came"),
    ("denied", "Denied", "by us: the alert is understood, and we would not trade it"),
    ("rejected", "Rejected", "by the exchange"),
)
_COUNTS = (*("executed", "partial", "pending", "denied", "rejected", "unknown", "dead"),)
_ALWAYS = frozenset({"executed", "denied", "rejected"})


@dataclass(frozen=True, kw_only=True)
class Tile:
    name: str
    count: int
    """Of alerts."""


@dataclass(frozen=True, kw_only=True)
class Reasons:
    kind: str
    title: str
    by: str
    chart: Markup | None
    rows: Sequence[tuple[str, int]]


@dataclass(frozen=True, kw_only=True)
class Figures:
    span: Span
    since: str
    until: str
    received: int
    tiles: Sequence[Tile]
    sampled: bool
    looked_at: int
    p50: str
    p99: str
    with_order: int
    latency: Markup
    stretches: Sequence[Document]
    """Those in which something came."""
    reasons: Sequence[Reasons]


def span_of(key: str) -> Span:
    """A 422 where there is none."""
    for span in SPANS:
        if span.key == key:
            return span
    raise Problem(422, f"`span` is one of {', '.join(span.key for span in SPANS)}.", field="span")


def figures_of(document: Document, span: Span) -> Figures:
    latency = document["latency"]
    return Figures(
        span=span,
        since=document["since"],
        until=document["until"],
        received=document["received"],
        tiles=_tiles(document),
        sampled=document["sampled"],
        looked_at=document["looked_at"],
        p50=spent(latency["p50_ms"]),
        p99=spent(latency["p99_ms"]),
        with_order=latency["count"],
        latency=_latency(latency["buckets"], span),
        stretches=[each for each in latency["buckets"] if each["alerts"]],
        reasons=[_reasons(document, *kind) for kind in _REASONS],
    )


def _tiles(document: Document) -> list[Tile]:
    statuses = document["statuses"]
    return [
        *(
            Tile(name=name, count=statuses[name])
            for name in _COUNTS
            if statuses[name] or name in _ALWAYS
        ),
        Tile(name="refused", count=document["refused"]),
        Tile(name="duplicate", count=document["duplicates"]),
    ]


def _latency(buckets: Sequence[Document], span: Span) -> Markup:
    points = [
        Point(
            at=msgspec.convert(each["at"], datetime),
            values={"p50": each["p50_ms"], "p99": each["p99_ms"]},
        )
        for each in buckets
    ]
    return line_chart(
        points,
        chart_id="latency",
        title="From alert to order",
        series=("p50", "p99"),
        unit="ms",
        stretch=span.stretch,
        scale=Scale.LOG,
    )


def _reasons(document: Document, kind: str, title: str, by: str) -> Reasons:
    rows = [(each["reason"], each["count"]) for each in document["reasons"][kind]]
    chart = None
    if rows:
        chart = bar_chart(rows, chart_id=f"reasons-{kind}", title=f"{title}, by reason")
    return Reasons(kind=kind, title=title, by=by, chart=chart, rows=rows)
