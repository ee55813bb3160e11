"""What a trace tells beyond its messages: whose it is, what failed, and what came hours later."""

import pytest
from opentelemetry.trace import SpanKind

from libs.common.domain.identity import alert_id, trace_id
from libs.common.telemetry import (
    alert_span,
    client_span,
    event,
    failed,
    handing_over,
    inner_span,
    later_span,
    link,
    process_span,
    sending,
    telling,
)
from services.auditor.spans import batch_span
from tests.factories import ALERT_ID
from tests.recorded_spans import Recording

OTHER = alert_id(unix_ms=2, random_bits=2)


@pytest.fixture
def record(monkeypatch):
    """What it returns tells the finished spans by name."""

    def switch_on(**options):
        recording = Recording(monkeypatch, **options)
        return lambda: recording.spans

    return switch_on


def test_every_span_of_a_message_says_whose_it_is(record):
    spans = record()
    whose = {"alert_id": ALERT_ID, "route": "demo"}
    with process_span({}, "process", {}, about=whose):
        with telling(client_order_id="o1"):
            with client_span("call", {}):
                pass
            sending("execution.sent", {}).end()
        with inner_span("confirm"):
            pass
    found = spans()
    for name in ("process", "call", "send execution.sent", "confirm"):
        assert found[name].attributes.items() >= whose.items(), name
    assert found["call"].attributes["client_order_id"] == "o1"
    assert found["send execution.sent"].attributes["client_order_id"] == "o1"
    assert "client_order_id" not in found["confirm"].attributes
    assert found["confirm"].kind is SpanKind.INTERNAL


def test_what_is_handed_over_is_an_event_of_the_present_span_and_carries_it_on(record):
    spans = record()
    with process_span({}, "process", {}):
        way = handing_over("execution.filled", {"messaging.message.id": "filled:o1:0"})
        way.end()
    ((name, handled),) = spans().items()
    assert name == "process"
    (event,) = handled.events
    assert (event.name, dict(event.attributes)) == (
        "send execution.filled",
        {"messaging.message.id": "filled:o1:0"},
    )
    context = handled.context
    assert (
        way.headers["traceparent"]
        == f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    )


def test_what_is_handed_over_outside_of_any_trace_begins_none(record):
    spans = record()
    assert handing_over("account.called", {}).headers == {}
    assert spans() == {}


def test_it_is_forgotten_with_the_message(record):
    spans = record()
    with process_span({}, "process", {}, about={"alert_id": ALERT_ID}):
        pass
    with client_span("later", {}):
        pass
    assert "alert_id" not in spans()["later"].attributes


def test_what_comes_hours_later_is_a_child_of_the_alerts_only_root(record):
    spans = record()
    with alert_span(ALERT_ID, "POST", {}):
        pass
    with later_span(ALERT_ID, "follow order", {"symbol": "BTC_USDT"}):
        sending("execution.filled", {}).end()
    found = spans()
    root, later = found["POST"], found["follow order"]
    assert root.parent is None
    assert root.context.span_id == trace_id(ALERT_ID) % 2**64
    assert later.parent.span_id == root.context.span_id
    assert later.context.trace_id == root.context.trace_id == trace_id(ALERT_ID)
    assert later.attributes["alert_id"] == ALERT_ID
    assert found["send execution.filled"].parent.span_id == later.context.span_id
    assert later.context.span_id != root.context.span_id


def test_two_spans_of_one_alert_are_two(record):
    """The root's id is made of the alert's, and no other one may be."""
    spans = record()
    with alert_span(ALERT_ID, "POST", {}), client_span("a", {}), client_span("b", {}):
        pass
    assert len({span.context.span_id for span in spans().values()}) == 3


def test_what_comes_later_to_an_alert_that_is_left_out_is_left_out(record):
    spans = record(ratio=0)
    with later_span(ALERT_ID, "follow order", {}):
        headers = sending("execution.filled", {}).headers
    assert spans() == {}
    assert headers["traceparent"].split("-")[1::2] == [f"{trace_id(ALERT_ID):032x}", "00"]


def test_a_refusal_is_an_error_of_its_span(record):
    spans = record()
    with process_span({}, "process", {}):
        failed("stale", "the entry is too old")
        event("push", {"state": "filled"})
    span = spans()["process"]
    assert not span.status.is_ok
    assert span.status.description == "the entry is too old"
    assert span.attributes["error.type"] == "stale"
    assert [one.name for one in span.events] == ["push"]


def test_an_exception_names_itself(record):
    spans = record()
    with pytest.raises(KeyError), process_span({}, "process", {}):
        raise KeyError
    span = spans()["process"]
    assert span.attributes["error.type"] == "KeyError"
    assert not span.status.is_ok


def test_a_resend_leads_to_the_first_alert(record):
    spans = record()
    with alert_span(OTHER, "first", {}):
        pass
    with alert_span(ALERT_ID, "resend", {}) as span:
        link(span, OTHER)
    (found,) = spans()["resend"].links
    assert found.context.span_id == spans()["first"].context.span_id
    assert found.context.trace_id == trace_id(OTHER)


def test_nothing_of_a_trace_that_is_left_out_marks_another_one(record):
    spans = record()
    left_out = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"}
    with client_span("around", {}), process_span(left_out, "process", {}), telling(x="y"):
        failed("stale")
        event("push")
    assert spans()["around"].status.is_ok or spans()["around"].status.description is None
    assert not spans()["around"].events
    assert set(spans()) == {"around"}


class Came:
    stream, seq = "PIPELINE", 1

    def __init__(self, headers):
        self.headers = headers


def sent_by(alert):
    with alert_span(alert, "POST", {}):
        message = sending("alert.received", {})
        message.end()
    return Came(message.headers)


def test_a_batch_is_recorded_where_one_of_its_alerts_is(record):
    """Its own trace's id is random: by that alone nine of ten batches would tell nothing."""
    low = 1 << 50
    spans = record(ratio=0.1)
    recorded = alert_id(unix_ms=1, random_bits=low)
    left_out = alert_id(unix_ms=1, random_bits=(1 << 56) - 1)
    for _ in range(20):
        with batch_span([sent_by(left_out), sent_by(recorded)], consumer="auditor"):
            pass
        batch = spans().pop("receive auditor")
        assert [one.context.trace_id for one in batch.links] == [trace_id(recorded)]


def test_a_whole_batch_of_links_is_kept(record):
    spans = record()
    came = sent_by(ALERT_ID)
    with batch_span([came] * 500, consumer="auditor"):
        pass
    assert len(spans()["receive auditor"].links) == 500
