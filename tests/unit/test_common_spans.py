"""A span of ours is to everybody else one of the library's: compared with one that it made."""

import json

import pytest
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from libs.common import telemetry
from libs.common.domain.identity import trace_id
from libs.common.spans import LINKS_MAX
from libs.common.telemetry import alert_span, client_span, inner_span, linked_span, process_span
from tests.factories import ALERT_ID
from tests.recorded_spans import Recording

OTHER = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
INVALID = trace.INVALID_SPAN_CONTEXT


@pytest.fixture
def recording(monkeypatch):
    return Recording(monkeypatch)


def tell_much(span):
    span.set_attribute("a", 1)
    span.set_attributes({"b": "two", "a": 2})
    span.add_event("push", {"state": "filled"}, timestamp=5)
    span.add_event("bare", timestamp=6)
    span.add_link(OTHER, {"why": "resend"})
    span.add_link(INVALID)
    span.update_name("renamed")


def fail(span):
    span.record_exception(ValueError("no"), {"more": True}, timestamp=9, escaped=True)
    span.set_status(Status(StatusCode.ERROR, "first"))
    span.set_status(StatusCode.UNSET)


def be_well(span):
    span.set_status(StatusCode.ERROR, "no")
    span.set_status(StatusCode.OK)
    span.set_status(StatusCode.ERROR, "not any more")


def go_on_when_ended(span):
    span.end(end_time=50)
    tell_much(span)
    fail(span)
    span.end(end_time=60)


def raise_within(span):
    with pytest.raises(KeyError), span:
        raise KeyError("here")


def told(span):
    """All but what no two spans have in common."""
    shown = json.loads(span.to_json())
    for name in ("context", "start_time", "end_time"):
        del shown[name]
    for event in shown["events"]:
        if "exception.stacktrace" in event["attributes"]:
            del event["attributes"]["exception.stacktrace"], event["timestamp"]
    return shown


@pytest.mark.parametrize("use", [tell_much, fail, be_well, go_on_when_ended, raise_within])
def test_it_tells_what_the_librarys_tells(recording, use):
    given = {"given": "yes"}
    making = recording.provider.get_tracer("alertwire")
    theirs = making.start_span("x", attributes=given, kind=SpanKind.CLIENT)
    ours = telemetry._recording.root("x", attributes={**given}, kind=SpanKind.CLIENT)
    for span in (theirs, ours):
        use(span)
        span.end(end_time=50)
        assert not span.is_recording()
    first, second = recording.exporter.get_finished_spans()
    assert told(first) == told(second)


def test_it_ends_once(recording):
    with client_span("x", {}) as span:
        span.end(end_time=5)
    (ended,) = recording.exporter.get_finished_spans()
    assert ended.end_time == 5


class TestTheLibrarysOwn:
    """Whoever uses OpenTelemetry's interface is in the same trace."""

    def test_the_present_span_is_ours(self, recording):
        with alert_span(ALERT_ID, "POST", {}) as root:
            assert trace.get_current_span() is root
            with inner_span("plan") as inner:
                assert trace.get_current_span() is inner
            assert trace.get_current_span() is root
        assert trace.get_current_span() is trace.INVALID_SPAN

    def test_a_span_of_the_library_is_a_child_of_ours_and_a_parent(self, recording):
        making = recording.provider.get_tracer("somebody")
        with alert_span(ALERT_ID, "POST", {}) as root:
            with making.start_as_current_span("theirs") as theirs, inner_span("ours") as ours:
                pass
        assert theirs.parent.span_id == root.context.span_id
        assert ours.parent == theirs.context
        assert {one.context.trace_id for one in recording.spans.values()} == {trace_id(ALERT_ID)}

    def test_propagation_carries_it_on(self, recording):
        carried = {}
        with alert_span(ALERT_ID, "POST", {}) as root:
            propagate.inject(carried)
        with process_span(carried, "process", {}) as handled:
            pass
        assert handled.parent.span_id == root.context.span_id
        assert handled.parent.is_remote

    def test_in_what_is_not_recorded_nothing_is(self, recording):
        left_out = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(0))
        with trace.use_span(trace.NonRecordingSpan(left_out)), client_span("x", {}) as span:
            assert not span.is_recording()
            assert span.get_span_context().trace_id == left_out.trace_id
        assert recording.spans == {}


def test_of_too_many_links_the_newest_are_kept_and_the_others_counted(recording):
    senders = [
        SpanContext(1, number, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        for number in range(1, LINKS_MAX + 4)
    ]
    with linked_span("receive", senders, {}) as span:
        pass
    assert span.dropped_links == 3
    assert span.links[-1].context == senders[-1]
    assert len(span.links) == LINKS_MAX
