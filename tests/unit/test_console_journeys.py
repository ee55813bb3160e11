"""An alert's page: every way in which an alert goes, and whatever somebody has written into it."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from libs.common.contracts.words import AlertStatus, OrderType
from libs.common.domain.identity import alert_id
from services.console.rendering import alert_document
from services.console.web.alert.checklist import LABELS, SECTIONS
from services.console.web.alert.journeys import LONG_ONES, rest_of
from services.console.web.alert.overview import QUIET, awaited, is_open, may_still_come
from tests.factories import ALERT_ID, D, make_alert, make_intent, make_order
from tests.journeys import (
    CALL,
    JOURNEYS,
    LATER,
    PAGES,
    SOON,
    filled,
    leg,
    refused,
    rejected,
    sections_of_messages,
    shell_of,
    shown,
)
from tests.test_tidy import ROOT
from tests.traced import rows_of
from tests.trail_messages import make_execution, make_plan

HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><svg/onload=alert(1)>",
    "template": "{{ 7 * 7 }}{% raw %}${7*7}",
    "direction": "abc\u202egnp.exe\u2066\u200f\u200b",
    "controls": "\x00\x01\x1b[31m\x7f\x85\u2028",
    "long": "x" * 65_000,
    "unreadable": b"\xff\xfe{\xc3".decode(errors="replace"),
}


class _Tags(HTMLParser):
    VOID = frozenset({"br", "input", "img", "line", "rect", "hr"})

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.ids, self.attributes = [], set(), [], []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes += [name for name, _ in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def checked(html):
    """What is well-formed, holds no script and names no id twice."""
    tags = _Tags()
    tags.feed(html)
    assert tags.open == []
    assert not tags.seen & {"script", "img", "iframe", "object", "style", "b"}
    assert not [name for name in tags.attributes if name.startswith("on") or name == "style"]
    assert len(tags.ids) == len(set(tags.ids))
    return tags


@pytest.mark.parametrize(("messages", "status"), JOURNEYS.values(), ids=JOURNEYS)
def test_every_journey_has_its_page(messages, status):
    sections = sections_of_messages(*messages)
    checked("\n".join(section.html for section in sections.values()))
    assert f'status-{status}">' in sections["head"].html
    assert ("checklist" in sections) == (status not in {"executed", "pending"})
    assert {"timeline", "events"} <= set(sections)


def test_every_status_is_in_the_table():
    assert {status for _, status in JOURNEYS.values()} == set(AlertStatus)


def test_an_executed_alert_tells_its_numbers():
    html = shown(*JOURNEYS["executed"][0])
    for told in (
        "Opened long 10 contracts of BTC_USDT on paper at 50000.",
        "(0.001 BTC)",
        "0.001 BTC is 10 contracts",
        "long 10 at 50000 (cross, 10x)",
        "holding long 10",
        "The same alert came again 1 time;",
    ):
        assert told in html, told


def test_a_rejected_one_names_the_check_the_words_and_what_was_never_sent():
    sections = sections_of_messages(*JOURNEYS["rejected"][0])
    assert "<strong>Balance:</strong>" in sections["checklist"].html
    assert "2005 Balance insufficient" in sections["orders"].html
    assert "&#34;externalOid&#34;" in sections["orders"].html
    assert "12.50 ms" in sections["orders"].html
    assert "never sent, because" in sections["orders"].html


def test_a_denial_tells_its_numbers():
    html = sections_of_messages(*JOURNEYS["denied by the executor"][0])["reckonings"].html
    assert "<strong>route_paused</strong>" in html
    assert "<dt>since</dt>" in html
    assert "The route is paused; exits still pass." in html


def test_parts_of_a_split_order_that_were_never_sent_are_one():
    legs = [leg(f"o{number}") for number in range(1, 200)]
    html = sections_of_messages(make_alert(), make_plan(*legs), rejected())["orders"].html
    assert html.count("<article") == 2
    assert "198 x" in html


def test_links_are_those_that_there_are():
    with_link = shown(make_alert(), trace_link='https://t.example.org/?a="b"')
    assert "https://t.example.org/?a=&#34;b&#34;" in with_link
    assert "tracing backend" not in shown(make_alert())
    assert "dead-letters" in shown(*JOURNEYS["dead"][0])
    assert "Open its page" in shown(make_alert(), level=3)
    assert "<h3 " in shown(make_alert(), level=3)
    assert "/replay" not in shown(*JOURNEYS["a halt"][0])


def test_what_has_not_changed_keeps_its_version():
    before = sections_of_messages(make_alert(), make_plan(leg()))
    after = sections_of_messages(make_alert(), make_plan(leg()), filled())
    changed = {name for name in after if after[name].version != before[name].version}
    assert changed == {"head", "timeline", "orders", "events"}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_whatever_was_written_is_shown_harmlessly(text):
    order = make_order(ticker=text[:64], comment=text[:512], order_id=text[:512])
    alert = make_alert(
        order=order, body=text, content_type=text[:100], source_address=text[:100], test_by=text
    )
    call = {"path": text, "request_body": text, "response_body": text, "error": text, "query": text}
    calls = tuple(type(CALL)(**{**_fields(CALL), **change}) for change in ({}, call))
    pages = [
        shown(alert, make_intent(steps=(text,)), make_plan(leg(), summary=text, steps=(text,))),
        shown(refused(body=text, message=text, value=text, field=text)),
        shown(alert, make_plan(leg()), rejected(message=text)),
        shown(alert, make_plan(leg()), make_execution("sent", calls=calls)),
    ]
    for html in pages:
        checked(html)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066]", html)
        assert len(html) < 700_000


def test_a_page_with_much_in_it_stays_light():
    """Two hundred events and a body of 64 kB: what is long is asked for when it is opened."""
    legs = [leg(f"o{number}") for number in range(65)]
    told = [
        make_execution(kind, f"o{number}", calls=(CALL,), filled_contracts=D(10))
        for number in range(65)
        for kind in ("sent", "accepted", "filled")
    ]
    html = shown(make_alert(body="x" * 65_000), make_intent(), make_plan(*legs), *told)
    assert len(html) < 250_000
    assert "x" * 1_000 not in html
    document = alert_document(ALERT_ID, rows_of(make_alert(), make_plan(*legs), *told))
    for name in LONG_ONES:
        rest = rest_of(name, document, pages=PAGES, shell=shell_of())
        checked(rest)
        assert len(rest) > 50_000


@pytest.mark.parametrize(
    ("name", "now", "expected"),
    [
        ("executed", SOON, True),
        ("executed", LATER, False),
        ("rejected", LATER, False),
        ("stored", LATER, True),
        ("resting", LATER, True),
        ("unknown", LATER, True),
    ],
    ids=["just ended", "ended", "rejected", "under way", "resting", "unknown"],
)
def test_it_is_followed_while_something_may_come(name, now, expected):
    document = alert_document(ALERT_ID, rows_of(*JOURNEYS[name][0]))
    assert is_open(document, now=now) is expected


def test_an_id_given_just_now_is_waited_for():
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    now_ms = int(now.timestamp() * 1000)
    assert may_still_come(alert_id(unix_ms=now_ms - 50, random_bits=1), now=now)
    old = now_ms - int(QUIET.total_seconds() * 1000) - 1
    assert not may_still_come(alert_id(unix_ms=old, random_bits=1), now=now)
    assert not may_still_come("9f1b2c3d-0000-4000-8000-000000000000", now=now)
    document = awaited(ALERT_ID)
    assert is_open(document, now=LATER)
    html = PAGES.text(
        "alert/journey.html",
        shell=shell_of(),
        alert_id=ALERT_ID,
        alert_status="pending",
        is_open=True,
        after=0,
        level=1,
        sections=list(sections_of_messages().values()),
    )
    assert "Nothing of it is in the trail yet." in html
    assert 'data-open="yes"' in html


@pytest.mark.parametrize("place", SECTIONS.values())
def test_the_documents_that_a_check_names_are_there(place):
    path, _, anchor = place.partition("#")
    titles = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    assert anchor in anchors


def test_every_check_has_a_name_for_people():
    assert set(LABELS) == set(SECTIONS)


def test_a_resting_order_says_what_it_waits_for():
    html = sections_of_messages(*JOURNEYS["resting"][0])["orders"].html
    assert f"{OrderType.LIMIT.value} at 40000" in html


def _fields(call):
    return {name: getattr(call, name) for name in call.__struct_fields__}
