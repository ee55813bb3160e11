"""An event of the feed is JSON whatever the message is, and says what the message names."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.log_events import LogEvent, Wanted

STORED = datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC)


def make_event(data, *, subject="alert.received.demo", headers=None):
    return LogEvent(seq=7, subject=subject, stored_at=STORED, headers=headers or {}, data=data)


def document_of(data, **changes):
    return json.loads(make_event(data, **changes).document)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event(data):
    document = document_of(data)
    assert (document["seq"], document["stage"]) == (7, "alert.received")


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b'{"route":7,"account":null,"at":"soon"}', {"route": 7, "account": None, "at": "soon"}),
        (b"[1,2]", [1, 2]),
        (b'"text"', "text"),
        (b'"route":"demo"}', '"route":"demo"}'),
        (b'{"route":', '{"route":'),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", ""),
    ],
)
def test_what_makes_no_sense_is_shown_as_it_is(data, shown):
    document = document_of(data)
    assert document["data"] == shown
    assert document["at"] == "2026-11-23T12:00:00.000005Z"
    assert document["route"] is document["account"] is None


def test_numbers_stay_as_they_are_written():
    data = b'{"route":"demo","price":0.10000000000000000001}'
    assert data in make_event(data).document


def test_the_alert_is_found_in_the_headers_too():
    headers = {"Alertwire-Alert": "a", "Alertwire-Service": "router"}
    document = document_of(b"{}", headers=headers)
    assert (document["alert_id"], document["service"]) == ("a", "router")


@pytest.mark.parametrize("data", ["e30=", "no base64", "W10=", "/w=="])
def test_a_letter_whose_message_makes_no_sense_names_nothing(data):
    body = json.dumps({"data": data}).encode()
    event = make_event(body, subject="dead.router")
    assert not Wanted(routes=frozenset({"demo"})).matches(event)
    assert Wanted(stages=frozenset({"dead"})).matches(event)
