"""`/api/statistics`: a day of the trail in numbers, over real Postgres."""

from urllib.parse import urlencode

import pytest

from libs.common.contracts.alert import AlertDuplicate
from libs.common.contracts.causes import Cause
from libs.common.contracts.dead_letter import DeadLetter, DeadReplayed
from libs.common.contracts.intent import Denial
from libs.common.contracts.reasons import Reason
from libs.common.domain.identity import alert_id
from services.console import statistics
from tests.factories import NOW, make_intent, make_leg
from tests.integration.test_console_alerts import (
    START,
    console,
    denied,
    executed,
    make_id,
    put_trail,
    received,
)
from tests.integration.test_console_filters import lives, make_refused
from tests.trail_messages import make_execution, make_plan

pytestmark = pytest.mark.integration

__all__ = ["console", "put_trail"]

LANE = "paper.BTC_USDT"
DAY = {"since": "2026-11-23T00:00:00Z", "until": "2026-11-24T00:00:00Z"}


async def asked(console, **query):
    status, found = await console.call("GET", f"/api/statistics?{urlencode({**DAY, **query})}")
    assert status == 200, found
    return found


def rejected(number, **more):
    return [*_planned(number), *told(number, "rejected", **more)]


def _planned(number, *, alert=None, **plan):
    alert = alert or make_id(number)
    leg = make_leg(client_order_id=f"order{number}")
    return [
        received(number),
        (f"intent.accepted.0.{LANE}", "router", make_intent(alert_id=alert)),
        (f"order.planned.{LANE}", "executor", make_plan(leg, alert=alert, **plan)),
    ]


def told(number, *kinds, **more):
    order, alert = f"order{number}", make_id(number)
    return [
        (f"execution.{kind}.{LANE}", "executor", make_execution(kind, order, alert=alert, **more))
        for kind in kinds
    ]


def _ms(at):
    return int(at.timestamp() * 1000)


def letter(number):
    values = {"service": "router", "subject": "alert.received.demo", "seq": 1, "deliveries": 9}
    dead = DeadLetter(alert_id=make_id(number), at=NOW, reason="no", data=b"", **values)
    return ("dead.router", "router", dead)


async def test_statuses_are_those_of_the_list(console, put_trail):
    """Told by the stages, they are what the journey tells of the same alerts."""
    await put_trail(
        *(message for number in range(1, 10) for message in lives(number)),
        *executed(20),
        *denied(21),
        *_planned(22),
        *told(22, "sent", "unknown"),
        *_planned(23),
        *told(23, "sent", "unknown", "accepted", "filled"),
        *(received(24), letter(24)),
    )
    found = await asked(console)
    _, listed = await console.call("GET", "/api/alerts?limit=100")
    by_list = [line["status"] for line in listed["alerts"]]
    counted = found["statuses"]
    assert counted == {status: by_list.count(status) for status in counted}
    assert set(by_list) == set(counted)
    assert sum(counted.values()) == len(by_list)
    assert (found["received"], found["refused"]) == (len(by_list) - 2, 2)
    assert found["looked_at"] == found["received"]
    assert not found["sampled"]


async def test_a_dead_letter_that_was_replayed_is_no_end(console, put_trail):
    replayed = DeadReplayed(
        service="router", at=NOW, letter_seq=2, origin_seq=1, seq=3, alert_id=make_id(1)
    )
    await put_trail(received(1), letter(1), ("dead.replayed.router", "console", replayed))
    found = await asked(console)
    assert (found["statuses"]["dead"], found["statuses"]["pending"]) == (0, 1)


async def test_what_was_done_on_one_account_alone_is_partial(console, put_trail):
    await put_trail(*_planned(1), *told(1, "sent", "filled"), denied(1)[1])
    assert (await asked(console))["statuses"]["partial"] == 1


async def test_reasons_by_who_gave_them(console, put_trail):
    no = Denial(reason=Reason.HALTED, message="no")
    await put_trail(
        *(("alert.refused.demo", "ingest", make_refused(make_id(n))) for n in (1, 2)),
        *(message for n in (3, 4, 5) for message in denied(n)),
        # An id tells the alert's time, and these are found by it.
        *_planned(6, alert=alert_id(unix_ms=_ms(START), random_bits=6), withheld=no),
        *(*_planned(7), *told(7, "canceled", reason=Reason.STALE)),
        *(*_planned(8), *told(8, "sent", "canceled")),
        *rejected(9, code=2005, cause=Cause.MARGIN),
        *rejected(10, code=9_999_999),
    )
    found = (await asked(console))["reasons"]
    assert found["refused"] == [{"reason": "field_invalid", "count": 2}]
    denials = {each["reason"]: each["count"] for each in found["denied"]}
    reason = denied(3)[-1][2].denial.reason.value
    assert denials == {"halted": 1, "stale": 1, reason: 3}
    assert found["rejected"] == [
        *({"reason": each, "count": 1} for each in sorted(["margin", "9999999"]))
    ]


async def test_from_alert_to_order_by_stretches(console, put_trail):
    """The test's log stores a message a millisecond: an alert's order leaves three behind it."""
    await put_trail(
        *(message for n in range(10) for message in (*_planned(n), *told(n, "sent", "filled"))),
        *denied(20),
    )
    found = (await asked(console))["latency"]
    assert (found["count"], found["p50_ms"], found["p99_ms"]) == (10, 3.0, 3.0)
    assert len(found["buckets"]) == 96
    heard = [each for each in found["buckets"] if each["alerts"]]
    assert heard == [
        {
            "at": "2026-11-23T12:00:00.000000Z",
            "alerts": 11,
            "count": 10,
            "p50_ms": 3.0,
            "p99_ms": 3.0,
        }
    ]
    silent = next(each for each in found["buckets"] if not each["alerts"])
    assert (silent["count"], silent["p50_ms"]) == (0, None)


async def test_the_first_order_counts_and_every_order_is_counted_once(console, put_trail):
    again = told(1, "sent", "sent", "filled")
    await put_trail(*_planned(1), *again)
    found = await asked(console)
    assert found["latency"]["p50_ms"] == 3.0
    assert found["orders"] == {"sent": 1, "filled": 1}


async def test_only_the_time_and_the_route_that_were_asked_for(console, put_trail):
    await put_trail(*executed(1), received(2, route="other"), *denied(3, route="other"))
    found = await asked(console, route="other")
    assert (found["received"], found["statuses"]["denied"]) == (2, 1)
    assert (found["statuses"]["executed"], found["orders"]["sent"]) == (0, 0)
    later = await asked(console, since="2026-11-23T12:30:00Z")
    assert (later["received"], later["looked_at"], later["latency"]["count"]) == (0, 0, 0)
    assert later["latency"]["p50_ms"] is None


async def test_duplicates_are_counted(console, put_trail):
    again = AlertDuplicate(alert_id=make_id(1), route="demo", at=START)
    await put_trail(received(1), ("alert.duplicate.demo", "ingest", again))
    assert (await asked(console))["duplicates"] == 1


async def test_of_very_many_a_part_is_looked_at_and_the_document_says_so(
    console, put_trail, monkeypatch
):
    monkeypatch.setattr(statistics, "ALERTS_READ_MAX", 0)  # 50 of each stretch remain.
    await put_trail(*(received(number) for number in range(50)))
    assert not (await asked(console))["sampled"]
    await put_trail(*(received(number) for number in range(50, 60)))
    found = await asked(console, bucket_s=901)
    assert (found["sampled"], found["received"]) == (True, 60)
    assert found["looked_at"] == 51


async def test_an_answer_is_kept_for_a_moment(console, put_trail):
    await put_trail(received(1))
    assert (await asked(console))["received"] == 1
    await put_trail(received(2))
    assert (await asked(console))["received"] == 1
    assert (await asked(console, route="demo"))["received"] == 2


async def test_by_default_it_is_the_last_day(console):
    status, found = await console.call("GET", "/api/statistics")
    assert status == 200
    assert len(found["latency"]["buckets"]) == 96


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since": "2026-11-24T00:00:00Z"}, "since"),
        ({"since": "2026-11-01T00:00:00Z"}, "since"),
        ({"bucket_s": 60}, "bucket_s"),
    ],
    ids=["nothing between", "too long", "too many buckets"],
)
async def test_what_cannot_be_asked_says_why(console, query, field):
    status, problem = await console.call("GET", f"/api/statistics?{urlencode({**DAY, **query})}")
    assert (status, problem["field"]) == (422, field)
