"""The made-up journeys of the trail's measurement, and what it makes of its figures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from bench.figures import spread
from bench.trail.asking import Timed
from bench.trail.events import DENIED_ONE_IN, RARE_ONE_IN, Shape, events
from bench.trail.plans import Explained
from bench.trail.report import complaints, table
from bench.trail.running import Outcome, Turn
from libs.common.contracts import codec, subjects
from libs.common.contracts.words import AlertStatus
from libs.common.domain.journey import TrailEvent, journey

SHAPE = Shape(since=datetime(2026, 9, 1, tzinfo=UTC), alert_every=timedelta(seconds=1))


def test_made_up_journeys_are_journeys():
    alerts = {}
    for event in islice(events(SHAPE), 2_000):
        message = codec.decode(event.data)
        assert subjects.parse(event.subject).stage
        alerts.setdefault(message.alert_id, []).append((event, message))
    [*whole, _] = alerts.values()
    told = [
        journey(
            TrailEvent(
                seq=event.seq,
                stage="",
                service="",
                at=message.at,
                stored_at=event.stored_at,
                message=message,
            )
            for event, message in each
        )
        for each in whole
    ]
    for number, found in enumerate(told):
        denied = number % DENIED_ONE_IN == 0
        assert found.status is (AlertStatus.DENIED if denied else AlertStatus.EXECUTED)
    assert len({each.orders[0].client_order_id for each in told if each.orders}) > 300
    assert len(told) < RARE_ONE_IN


def test_the_log_is_in_order():
    made = list(islice(events(SHAPE), 500))
    assert [event.seq for event in made] == list(range(1, 501))
    assert [event.stored_at for event in made] == sorted(event.stored_at for event in made)


def make_outcome(**changes):
    timed = [
        Timed(name="journey", took_ms=spread([5.0]), found=6),
        Timed(name="newest page", took_ms=spread([50.0]), found=50),
    ]
    turns = [
        Turn(rows=100, stored_rate=1000.0, timed=timed),
        Turn(rows=200, stored_rate=900.0, timed=timed),
    ]
    explained = [Explained(question="journey", took_ms=1.0, steps=["Index Scan"], end_to_end=[])]
    return replace(Outcome(turns=turns, explained=explained), **changes)


def test_what_misses_its_goal_is_told():
    fine = make_outcome()
    assert complaints(fine) == []
    slow = [Timed(name="journey", took_ms=spread([21.0]), found=6)]
    last = replace(fine.turns[1], stored_rate=100.0, timed=slow)
    read = replace(fine.explained[0], end_to_end=["audit_event_2026_09"])
    bad = make_outcome(turns=[fine.turns[0], last], explained=[read])
    assert complaints(bad) == [
        "journey: p99 21.0 ms is over 20 ms",
        "journey reads audit_event_2026_09 from end to end",
        "rows are stored at 100/s in the end, at first at 1,000/s",
    ]
    assert table(fine).splitlines()[2].split() == ["100", "1,000", "5.00", "50.00"]
