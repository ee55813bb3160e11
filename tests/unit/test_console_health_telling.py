"""The words of the health page: what is wrong, where, and what to do about it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from libs.common.contracts.account_picture import PictureState
from libs.common.contracts.presence import Role
from libs.common.topology import AUDITOR, ROUTER
from services.console import troubles
from services.console.lags import LogState
from services.console.troubles import AccountSeen, TrailState
from services.console.vitals import document
from services.console.web.health.accounts import picture_words
from services.console.web.health.mending import MENDS, mend_of
from services.console.web.health.telling import health_of
from services.console.web.health.wording import counted, element_id, lasting, sized, spent, waits
from tests.diagnosed import make_checkup, make_finding
from tests.factories import NOW
from tests.pictured import make_picture
from tests.vital_signs import ALL, LAGS, WELL, ago, lag, process, without, without_router


def seen(**changes):
    return health_of(document(replace(WELL, **changes)))


def service(health, name):
    return next(each for each in health.services if each.name == name)


def test_where_all_is_well_one_sentence_says_so():
    health = seen()
    assert (health.state, health.headline, health.troubles) == ("ok", "All is well", [])
    assert health.beside == "5 services are ready, nothing waits, 1 account is in order"
    assert {each.state for each in health.services} == {"ready"}
    assert health.trail == "up to date"
    assert health.log[0] == ("Holds", "17 messages, 1 kB")


def test_what_is_wrong_is_told_with_its_place_and_what_to_do():
    health = health_of(document(without_router()))
    assert health.state == "wrong"
    assert health.headline == "2 things are wrong, 1 more should be looked at"
    assert health.beside == ""
    silent, stuck, key = health.troubles
    assert (silent.what, silent.text, silent.place) == ("router", "nobody answers", "#services")
    assert silent.mend.startswith("Start it.")
    assert silent.runbook == "docs/runbook.md#alertwireservicedown"
    assert (stuck.what, stuck.place) == ("router", "#log")
    assert (key.what, key.place, key.state) == ("Account paper", "/accounts/paper", "warning")
    router = service(health, "router")
    assert (router.state, router.tone, router.processes) == ("silent", "silent", [])
    assert "wait" in router.without
    assert health.waiting == "3 messages wait, the oldest for 75 s"


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ((), "All is well"),
        (("warning",), "Trading goes on; 1 thing should be looked at"),
        (("warning", "warning"), "Trading goes on; 2 things should be looked at"),
        (("wrong",), "1 thing is wrong"),
        (("wrong", "wrong", "warning"), "2 things are wrong, 1 more should be looked at"),
    ],
    ids=["none", "warning", "warnings", "wrong", "both"],
)
def test_the_headline_counts(states, told):
    keys = [make_checkup(make_finding("clock"), account=f"w{n}", key_days_left=9) for n in range(5)]
    warned = [AccountSeen(account=each.account, checked=each) for each in keys]
    names = ["ingest", "auditor"][: states.count("wrong")]
    there = [each for each in ALL if each.service not in names]
    health = seen(presences=there, accounts=warned[: states.count("warning")])
    assert health.headline == told


def test_the_key_changes_with_what_is_wrong_and_not_with_how_long():
    """A screen reader is told of the one, and not of the other every two seconds."""
    stuck = [seen(lags=[lag(ROUTER, waiting=n, oldest_at=ago(n)), *LAGS[1:]]) for n in (61, 75)]
    assert stuck[0].troubles[0].text != stuck[1].troubles[0].text
    assert stuck[0].key == stuck[1].key
    assert len({seen().key, stuck[0].key, seen(presences=without("ingest")).key}) == 3


def test_a_standby_is_told_beside_the_owner():
    standby = process("router", 2, role=Role.STANDS_BY, ready=False, missing={"log": "away"})
    router = service(seen(presences=[*ALL, standby]), "router")
    assert router.state == "1 of 2 ready"
    assert [each.duty for each in router.processes] == [
        *("works, as owner of router", "stands by for router")
    ]
    assert list(router.processes[1].missing) == [("log", "away")]


def test_each_part_that_cannot_be_had_says_so_and_the_others_stand():
    health = seen(presences=(), presences_problem="TimeoutError")
    assert health.services_problem == "TimeoutError"
    assert {each.state for each in health.services} == {"not known"}
    assert health.log
    health = seen(log=None, log_problem="no answer", lags=(), lags_problem="no answer")
    assert (health.log_problem, health.readers_problem) == ("no answer", "no answer")
    assert (health.log, health.log_span) == ([], None)
    assert {each.state for each in health.services} == {"ready"}
    health = seen(trail=TrailState(problem="refused"), accounts=(), accounts_problem="no answer")
    assert (health.trail_problem, health.accounts_problem) == ("refused", "no answer")


@pytest.mark.parametrize(
    ("trail", "told"),
    [
        (TrailState(behind_messages=0), "up to date"),
        (TrailState(behind_messages=1), "1 message behind the log at most"),
        (
            TrailState(behind_messages=1_500, oldest_missing_at=ago(300)),
            "1,500 messages behind the log at most, the oldest for 5 min",
        ),
        (TrailState(), "how far it is behind is not known while the log does not answer"),
    ],
    ids=["none", "new", "old", "unknown"],
)
def test_how_far_the_trail_is(trail, told):
    assert seen(trail=trail).trail == told


def test_readers_are_named_by_what_they_read_and_late_ones_stand_out():
    lags = [
        lag(ROUTER, waiting=2, unacknowledged=1, oldest_at=ago(61)),
        lag(AUDITOR, oldest_at=ago(61)),
        lag(AUDITOR, "KV_controls"),
        lag("executor-0", waiting=201),
    ]
    told = [(each.name, each.reads, each.tone, each.oldest) for each in seen(lags=lags).readers]
    assert told == [
        ("router", "the log", "bad", "61 s"),
        ("auditor", "the log", "warn", "61 s"),
        ("auditor", "halts", "", ""),
        ("executor-0", "the log", "bad", ""),
    ]


def account(*findings, **changes):
    checked = make_checkup(*findings, **changes) if findings else None
    [line] = seen(accounts=[AccountSeen(account="paper", checked=checked)]).accounts
    return line


@pytest.mark.parametrize(
    ("days", "told", "tone"),
    [
        (None, "no end told", ""),
        (14, "14 days left", ""),
        (13, "13 days left", "warn"),
        (3, "3 days left", "warn"),
        (2, "2 days left", "bad"),
        (1, "1 day left", "bad"),
        (-1, "has run out", "bad"),
    ],
)
def test_a_keys_days(days, told, tone):
    line = account(make_finding("clock"), key_days_left=days)
    assert (line.key, line.key_tone) == (told, tone)


def test_an_accounts_checkup_in_words():
    line = account()
    assert (line.state, line.key, line.checked_at) == ("not checked yet", "not known", None)
    line = account(make_finding("clock"))
    assert (line.tone, line.state) == ("ok", "all fine")
    line = account(make_finding("linked_ip", "wrong"), make_finding("balance", "not_reached"))
    assert (line.tone, line.state, line.lines) == ("wrong", "wrong", "linked ip")
    line = account(make_finding("clock"), stopped=True)
    assert (line.tone, line.stopped) == ("wrong", True)


@pytest.mark.parametrize("state", list(PictureState))
def test_every_state_of_a_picture_has_words(state):
    tone, words, why = picture_words(make_picture(state=state))
    assert words.endswith("heard of just now, read whole 1 s ago")
    assert tone in {"good", "warn", "bad"}
    assert why
    _, words, _ = picture_words(make_picture(state=state, age_ms=None, confirmed_ms=None))
    assert "ago" not in words


def test_every_trouble_has_a_mend():
    anchors = set(re.findall(r'"(alertwire[a-z]+)"', Path(troubles.__file__).read_text()))
    assert anchors
    assert set(MENDS) == anchors
    assert mend_of("docs/runbook.md#alertwirekeyexpires") == MENDS["alertwirekeyexpires"]
    assert mend_of("docs/runbook.md#other") == ""


def test_an_empty_log_has_no_span():
    empty = LogState(
        messages=0,
        bytes=0,
        first_seq=0,
        last_seq=0,
        first_at=None,
        last_at=None,
        retention_s=None,
        bytes_max=2_000_000_000,
        replicas=3,
    )
    health = seen(log=empty)
    assert health.log_span is None
    assert health.log == [
        *(("Holds", "0 messages, 0 B"), ("Keeps", "without end, 2 GB at most"), ("Copies", "3"))
    ]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, ""),
        (0, "under 1 s"),
        (75.4, "75 s"),
        (121, "2 min"),
        (7_200, "2 h"),
        (172_800, "2 days"),
        (14 * 86_400, "14 days"),
    ],
)
def test_lengths_of_time(seconds, told):
    assert lasting(seconds) == told


def test_sizes_counts_and_spans():
    assert [sized(n) for n in (0, 999, 1_500, 61_341_696, 10**16)] == [
        *("0 B", "999 B", "1.5 kB", "61.3 MB", "1e+04 TB")
    ]
    assert [spent(ms) for ms in (None, 3.44, 340.2, 6_377.0)] == ["", "3.4 ms", "340 ms", "6.4 s"]
    assert (counted(1, "day"), counted(2_000, "day")) == ("1 day", "2,000 days")
    assert (waits(0, None), waits(1, None)) == ("nothing waits", "1 message waits")
    assert element_id("a b", "<x>", 7) == "a_b-_x_-7"


def test_times_are_told_as_they_came():
    assert seen().at == NOW.isoformat(timespec="microseconds").replace("+00:00", "Z")
