"""The times of a journey on one axis: half a millisecond beside five seconds."""

from datetime import timedelta
from itertools import pairwise

import pytest

from services.console.web.alert.timeline import short, timeline
from tests.factories import NOW


def event(stage, at_ms, *, service="executor", stored_ms=None, **data):
    return {
        "seq": 1,
        "stage": stage,
        "service": service,
        "at": (NOW + timedelta(milliseconds=at_ms)).isoformat(),
        "stored_at": (NOW + timedelta(milliseconds=stored_ms or at_ms)).isoformat(),
        "elapsed_ms": at_ms,
        "data": data,
    }


SLOW = [
    event("alert.received", 0, service="ingest", stored_ms=0.4),
    event("intent.accepted", 0.8, service="router", account="a"),
    event("order.planned", 1.2, account="a"),
    event("execution.sent", 1.3, account="a"),
    event("execution.filled", 5001.3, account="a"),
]


def test_short_steps_are_seen_beside_long_ones():
    bars = timeline(SLOW).bars
    assert [bar.word for bar in bars] == [
        *("received", "stored", "decided", "planned", "sent", "filled"),
    ]
    widths = {bar.word: bar.width for bar in bars}
    assert widths["planned"] > 3
    assert widths["filled"] < 90
    assert widths["filled"] > widths["planned"] > widths["sent"]


def test_the_axis_keeps_the_order_and_its_ends():
    bars = timeline(SLOW).bars
    assert bars[0].x == 0
    assert bars[-1].x + bars[-1].width == pytest.approx(100)
    for before, after in pairwise(bars[2:]):
        assert after.x == pytest.approx(before.x + before.width, abs=0.02)


def test_the_numbers_are_exact():
    filled = timeline(SLOW).bars[-1]
    assert (filled.end_ms, filled.took_ms) == (5001.3, pytest.approx(5000.0))
    stored = timeline(SLOW).bars[1]
    assert (stored.by, stored.end_ms) == ("log", pytest.approx(0.4))


def test_ticks_do_not_run_into_each_other():
    ticks = timeline(SLOW).ticks
    assert [tick.label for tick in ticks][:2] == ["0", "1 ms"]
    assert all(after.x - before.x >= 9 for before, after in pairwise(ticks))


def test_a_log_whose_clock_is_behind_tells_no_time_of_storing():
    words = [bar.word for bar in timeline([event("alert.received", 0, stored_ms=-3)]).bars]
    assert words == ["received"]


def test_a_round_trip_stands_with_its_account_and_its_end():
    call = {
        "method": "POST",
        "path": "/create",
        "sent_at": (NOW + timedelta(milliseconds=2)).isoformat(),
        "elapsed_ms": 3.0,
        "http_status": 502,
    }
    bars = timeline(
        [
            event("alert.received", 0),
            event("execution.rejected", 6, account="b", calls=[call]),
        ]
    ).bars
    trip = next(bar for bar in bars if bar.is_call)
    assert (trip.account, trip.begin_ms, trip.end_ms, trip.is_bad) == ("b", 2.0, 5.0, True)
    assert trip.at == "2026-11-23T12:00:00.005000Z"


@pytest.mark.parametrize(
    "events",
    [
        [],
        [event("alert.received", 0)],
        [{"stage": "new.stage", "data": "no object"}],
        [event("x", -5), event("y", 0)],
    ],
    ids=["none", "one", "another release", "before it came"],
)
def test_whatever_is_there_has_a_place(events):
    for bar in timeline(events).bars:
        assert 0 <= bar.x <= 100
        assert 0 < bar.width <= 100


@pytest.mark.parametrize(
    ("duration_ms", "label"),
    [(0.1, "0.1 ms"), (10, "10 ms"), (1000, "1 s"), (60_000, "1 min"), (36_000_000, "10 h")],
)
def test_an_axis_says_its_unit(duration_ms, label):
    assert short(duration_ms) == label
