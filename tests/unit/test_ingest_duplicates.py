"""Recognising resends: the index by itself, and recording on a log in memory, minutes at a time."""

from datetime import timedelta

import pytest

from libs.common.bus import Entry, LogUnavailable, Stored
from libs.common.contracts.alert import Alert
from libs.common.contracts.words import AlertId
from libs.common.topology import DUPLICATE_WINDOW_S
from services.ingest.duplicates import MEMORY_S, KnownAlert, RecentAlerts
from services.ingest.recording import Recorder
from tests.factories import NOW, make_alert


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def known(name, *, seq, seconds=0.0):
    return KnownAlert(alert_id=AlertId(name), seq=seq, at=at(seconds))


def test_the_latest_alert_of_a_key_is_known_whatever_the_order_of_hearing():
    recent = RecentAlerts()
    recent.remember("key", known("B", seq=2, seconds=40), now=at(40))
    recent.remember("key", known("A", seq=1), now=at(41))
    assert recent.latest("key", now=at(41)) == known("B", seq=2, seconds=40)
    assert recent.latest("other", now=at(41)) is None


@pytest.mark.parametrize(
    ("age_s", "remembered"), [(0, True), (MEMORY_S - 1, True), (MEMORY_S, False)]
)
def test_an_alert_is_remembered_for_a_fixed_time(age_s, remembered):
    recent = RecentAlerts()
    recent.remember("key", known("A", seq=1), now=NOW)
    assert (recent.latest("key", now=at(age_s)) is not None) == remembered


def test_the_memory_outlasts_the_logs_own():
    """Else a chain's end could be forgotten while the log has forgotten its start."""
    assert MEMORY_S > DUPLICATE_WINDOW_S


def test_the_index_stays_bounded():
    recent = RecentAlerts(alerts_max=10)
    for number in range(100):
        recent.remember(str(number), known(str(number), seq=number), now=NOW)
    assert len(recent) == 10
    assert recent.latest("99", now=NOW) is not None
    assert recent.latest("89", now=NOW) is None


def test_what_is_too_old_is_dropped_while_new_alerts_come():
    recent = RecentAlerts()
    for number in range(50):
        recent.remember(str(number), known(str(number), seq=number), now=NOW)
    for number in range(50, 100):
        alert = known(str(number), seq=number, seconds=400)
        recent.remember(str(number), alert, now=at(400))
    assert len(recent) == 50


class MemoryLog:
    """A log that compares ids for as long as the real one does; time stands at `now`."""

    def __init__(self):
        self.now = NOW
        self.entries: list[Entry] = []
        self.published = 0
        self._ids = {}

    async def publish(self, *, subject, message, event_id):
        self.published += 1
        seq, stored_at = self._ids.get(event_id, (0, NOW - timedelta(days=1)))
        if self.now - stored_at < timedelta(seconds=DUPLICATE_WINDOW_S):
            return Stored(seq=seq, duplicate=True)
        entry = Entry(
            seq=len(self.entries) + 1, subject=subject, stored_at=self.now, message=message
        )
        self.entries.append(entry)
        self._ids[event_id] = (entry.seq, self.now)
        return Stored(seq=entry.seq, duplicate=False)

    async def entry(self, seq):
        return self.entries[seq - 1]

    def accepted(self):
        return [entry.message.alert_id for entry in self.entries]


class Sender:
    """Posts one body to an ingest, at given seconds, under ids A, B, C, …"""

    def __init__(self, *, window_s, log=None):
        self.log = log or MemoryLog()
        self.recent = RecentAlerts()
        self.window_s = window_s
        self.recorder = Recorder(log=self.log, recent=self.recent, now=lambda: self.log.now)

    async def post(self, name, *, seconds):
        self.log.now = at(seconds)
        alert = make_alert(alert_id=AlertId(name), at=self.log.now)
        recorded = await self.recorder.record(alert, key="key", window_s=self.window_s)
        return str(recorded.alert_id)


@pytest.mark.parametrize(
    ("window_s", "posts"),
    [
        # (name, at second, the id it is answered with)
        (30, [("A", 0, "A"), ("B", 29, "A"), ("C", 31, "C"), ("D", 60, "C")]),
        # A resend of the second alert, when the log has forgotten the id of the first.
        (30, [("A", 0, "A"), ("B", 280, "B"), ("C", 301, "B"), ("D", 309, "B"), ("E", 311, "E")]),
        (300, [("A", 0, "A"), ("B", 299, "A"), ("C", 300, "C"), ("D", 599, "C")]),
        # The predecessor itself is forgotten: the id is the first one's again, and free again.
        (30, [("A", 0, "A"), ("B", 40, "B"), ("C", 400, "C"), ("D", 401, "C")]),
        (1, [("A", 0, "A"), ("B", 1, "B"), ("C", 2, "C"), ("D", 2.5, "C"), ("E", 3, "E")]),
        (0, [("A", 0, "A"), ("B", 0, "B")]),
    ],
)
async def test_resends_are_told_from_alerts(window_s, posts):
    sender = Sender(window_s=window_s)
    for name, seconds, expected in posts:
        assert await sender.post(name, seconds=seconds) == expected
    assert sender.log.accepted() == list(dict.fromkeys(expected for _, _, expected in posts))


async def test_an_ingest_that_knows_nothing_follows_the_chain_in_the_log():
    """Its index lags: the log's ids lead it from alert to alert to the one that is repeated."""
    first = Sender(window_s=1)
    for number, name in enumerate("ABC"):
        await first.post(name, seconds=number * 2)
    late = Sender(window_s=1, log=first.log)
    assert await late.post("X", seconds=4.5) == "C"
    assert await late.post("Y", seconds=6) == "Y"
    assert first.log.accepted() == ["A", "B", "C", "Y"]


async def test_a_chain_is_followed_so_far_and_no_further():
    first = Sender(window_s=1)
    for number, name in enumerate("ABCDEF"):
        await first.post(name, seconds=number * 2)
    late = Sender(window_s=1, log=first.log)
    with pytest.raises(LogUnavailable):
        await late.post("X", seconds=10.5)
    # What was learnt is not lost: the sender's next try gets there.
    assert await late.post("X", seconds=10.6) == "F"


async def test_recording_again_after_a_lost_confirmation_is_no_duplicate():
    sender = Sender(window_s=30)
    await sender.post("A", seconds=0)
    forgetful = Sender(window_s=30, log=sender.log)
    assert await forgetful.post("A", seconds=0) == "A"
    alert = make_alert(alert_id=AlertId("A"), at=at(0))
    again = await forgetful.recorder.record(alert, key="key", window_s=30)
    assert not again.duplicate
    assert isinstance(sender.log.entries[0].message, Alert)


async def test_what_the_index_knows_is_not_asked_of_the_log():
    sender = Sender(window_s=30)
    await sender.post("A", seconds=0)
    await sender.post("B", seconds=1)
    assert sender.log.published == 1
