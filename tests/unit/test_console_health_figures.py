"""A stretch of the trail as charts and tables: what is drawn, what is told, where it is sampled."""

from datetime import UTC, datetime, timedelta

import pytest

from services.console.problems import Problem
from services.console.statistics import STRETCHES_MAX, Asked, document
from services.console.web.health.figures import SPANS, USUAL, figures_of, span_of
from tests.factories import NOW

ALL = {"executed": 5, "partial": 0, "denied": 2, "rejected": 1, "unknown": 0, "dead": 0}


def fates(at, *, alerts=9, **changes):
    values = {
        "stretch_at": at,
        "alerts": alerts,
        "with_order": 6,
        "p50_ms": 4.26,
        "p99_ms": 1_234.0,
        "orders_sent": 6,
        "orders_filled": 5,
        "pending": 1,
        **ALL,
    }
    return {**values, **changes}


def figures(*, rows=None, reasons=(), arrivals=(), span=USUAL, now=NOW):
    asked = Asked(
        since=span.since(now),
        until=now,
        stretch_s=int(span.stretch.total_seconds()),
        route=None,
    )
    first = asked.since + span.stretch
    given = rows if rows is not None else [fates(first), fates(None)]
    found = document(asked, arrivals=arrivals, fates=given, reasons=reasons)
    return figures_of(found, span)


@pytest.mark.parametrize("span", SPANS, ids=[span.key for span in SPANS])
def test_a_span_is_whole_stretches_that_end_with_now(span):
    now = datetime(2026, 11, 29, 12, 34, 56, 789_000, tzinfo=UTC)
    since = span.since(now)
    step = span.stretch.total_seconds()
    assert since.timestamp() % step == 0
    assert span.length - span.stretch <= now - since < span.length
    assert span.length / span.stretch <= STRETCHES_MAX
    # A minute's refresh shows the same stretches, so that its answer is kept for all who look.
    assert span.since(now + timedelta(seconds=3)) == since
    assert span_of(span.key) is span


def test_a_span_that_is_none():
    with pytest.raises(Problem, match="6h, 24h, 7d") as refused:
        span_of("1y")
    assert refused.value.status == 422


def test_a_day_of_alerts():
    arrivals = [
        {"stage": "alert.received", "messages": 1_009},
        {"stage": "alert.refused", "messages": 3},
        {"stage": "alert.duplicate", "messages": 2},
    ]
    reasons = [
        {"kind": "denied", "reason": "stale", "messages": 2},
        {"kind": "rejected", "reason": "<b>margin</b>", "messages": 1},
    ]
    found = figures(arrivals=arrivals, reasons=reasons)
    assert found.received == 1_009
    assert {tile.name: tile.count for tile in found.tiles} == {
        "executed": 5,
        "pending": 1,
        "denied": 2,
        "rejected": 1,
        "refused": 3,
        "duplicate": 2,
    }
    assert (found.p50, found.p99, found.with_order) == ("4.3 ms", "1.2 s", 6)
    assert not found.sampled
    assert [each["alerts"] for each in found.stretches] == [9]
    refused, denied, rejected = found.reasons
    assert (refused.chart, list(refused.rows)) == (None, [])
    assert list(denied.rows) == [("stale", 2)]
    assert "<b>" not in rejected.chart
    assert "&lt;b&gt;margin" in rejected.chart
    assert 'id="latency"' in found.latency
    assert "p99" in found.latency
    assert "style" not in found.latency


def test_what_is_only_a_part_says_so():
    assert figures(rows=[fates(USUAL.since(NOW), alerts=10_000), fates(None)]).sampled


def test_a_day_without_alerts():
    found = figures(rows=[])
    assert (found.received, found.p50, found.with_order, found.looked_at) == (0, "", 0, 0)
    assert found.stretches == []
    assert {tile.name for tile in found.tiles} == {
        *("executed", "denied", "rejected", "refused", "duplicate")
    }
    assert "Nothing came in this time." in found.latency


def test_the_length_of_a_stretch_in_words():
    assert [span.stretch_words for span in SPANS] == ["5 minutes", "15 minutes", "2 hours"]
