"""Traces: the alert's id is the trace's id, the ratio holds, and off means off."""

import random

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from libs.common import telemetry
from libs.common.domain.identity import alert_id, trace_id
from libs.common.sampling import AlertRatio
from libs.common.settings import SettingsError
from libs.common.telemetry import (
    alert_span,
    client_span,
    configure_telemetry,
    process_span,
    sending,
)
from tests.factories import ALERT_ID
from tests.recorded_spans import Recording


@pytest.fixture
def record(monkeypatch):
    """Switches recording on, as `configure_telemetry` does once for a whole process."""
    return lambda **options: Recording(monkeypatch, **options)


def test_the_trace_of_an_alert_has_its_id(record):
    recording = record()
    with alert_span(ALERT_ID, "POST /hook", {"http.route": "/hook"}) as span:
        assert span.get_span_context().trace_id == trace_id(ALERT_ID)
    root = recording.spans["POST /hook"]
    assert f"{root.context.trace_id:032x}" == ALERT_ID.replace("-", "")
    assert root.kind is SpanKind.SERVER
    assert root.parent is None
    assert root.attributes["http.route"] == "/hook"
    assert root.resource.attributes["service.name"] == "alertwire-tested"


def headers_sent(destination, attributes):
    """Of a message that was published and confirmed."""
    message = sending(destination, attributes)
    message.end()
    return message.headers


def test_an_alerts_span_is_a_root_wherever_it_is_begun_and_the_next_one_has_its_own_id(record):
    recording = record()
    other = alert_id(unix_ms=2, random_bits=2)
    with client_span("around", {}):
        with alert_span(other, "inner", {}):
            pass
    with client_span("later", {}):
        pass
    spans = recording.spans
    assert spans["inner"].context.trace_id == trace_id(other)
    assert spans["inner"].parent is None
    assert spans["later"].context.trace_id not in {trace_id(other), 0}


def test_handling_continues_the_senders_trace_and_links_to_it(record):
    """From ingest's request over the message's headers to the executor's call."""
    recording = record()
    with alert_span(ALERT_ID, "POST /hook", {}):
        headers = headers_sent("alert.received", {"messaging.message.id": "m1"})
    with process_span(headers, "process alert.received", {"tries": 1}):
        with client_span("order/create", {}):
            pass
    sent = recording.spans["send alert.received"]
    handled = recording.spans["process alert.received"]
    called = recording.spans["order/create"]
    assert sent.parent.span_id == recording.spans["POST /hook"].context.span_id
    assert handled.parent.span_id == sent.context.span_id
    assert [link.context.span_id for link in handled.links] == [sent.context.span_id]
    assert called.parent.span_id == handled.context.span_id
    assert {span.context.trace_id for span in recording.spans.values()} == {trace_id(ALERT_ID)}
    assert [span.kind for span in (sent, handled, called)] == [
        SpanKind.PRODUCER,
        SpanKind.CONSUMER,
        SpanKind.CLIENT,
    ]
    assert sent.attributes["messaging.system"] == "nats"
    assert sent.attributes["messaging.message.id"] == "m1"
    assert handled.attributes["messaging.operation.type"] == "process"


def test_a_message_without_a_trace_begins_one(record):
    recording = record()
    with process_span({}, "process", {}):
        pass
    span = recording.spans["process"]
    assert span.parent is None
    assert not span.links


def test_what_the_sender_left_out_is_left_out_by_all(record):
    """The decision is made once per alert; a link alone must not bring it back."""
    silent = record(ratio=0)
    with alert_span(ALERT_ID, "POST /hook", {}):
        headers = headers_sent("alert.received", {})
    assert silent.spans == {}
    assert int(headers["traceparent"].rpartition("-")[2], 16) & 1 == 0, "not sampled"
    recording = record(ratio=1)
    with process_span(headers, "process", {}):
        pass
    assert recording.spans == {}


def recorded_share(ratio, *, of=20_000):
    bits = random.Random(7)
    sampler = AlertRatio(ratio)
    ids = (
        alert_id(unix_ms=1_763_900_000_000 + n, random_bits=bits.getrandbits(74)) for n in range(of)
    )
    return (
        sum(sampler.should_sample(None, trace_id(one), "x").decision.is_sampled() for one in ids)
        / of
    )


def test_a_ratio_of_alerts_is_recorded():
    """UUIDv7 has fixed bits where OpenTelemetry's own sampler looks."""
    assert 0.08 < recorded_share(0.1) < 0.12


@pytest.mark.parametrize("ratio", [0, 1])
def test_none_and_all(ratio):
    assert recorded_share(ratio, of=2000) == ratio


def test_the_sampler_keeps_attributes_and_says_what_it_is():
    sampler = AlertRatio(0.25)
    assert sampler.should_sample(None, 1, "x", attributes={"a": 1}).attributes == {"a": 1}
    assert sampler.get_description() == "AlertRatio(0.25)"


def test_off_nothing_is_injected_and_nothing_is_configured():
    before = trace.get_tracer_provider()
    shutdown = configure_telemetry(service="x", environ={"OTEL_TRACES_SAMPLER_ARG": "0.5"})
    assert shutdown() is None
    assert trace.get_tracer_provider() is before
    with alert_span(ALERT_ID, "root", {}):
        assert headers_sent("alert.received", {}) == {}
    with process_span({}, "process", {}) as span:
        assert not span.is_recording()


def test_on_the_provider_is_the_services_own(monkeypatch):
    providers = []
    monkeypatch.setattr(trace, "set_tracer_provider", providers.append)
    monkeypatch.setattr(telemetry, "_recording", None)
    shutdown = configure_telemetry(
        service="router",
        environ={
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
            "OTEL_TRACES_SAMPLER_ARG": "0.25",
        },
    )
    (provider,) = providers
    assert provider.resource.attributes["service.name"] == "alertwire-router"
    assert "AlertRatio(0.25)" in provider.sampler.get_description()
    shutdown()


@pytest.mark.parametrize("ratio", ["ten", "1.5", "-1", "nan"])
def test_a_ratio_that_is_none_is_an_error_of_the_settings(ratio):
    with pytest.raises(SettingsError, match="OTEL_TRACES_SAMPLER_ARG must be a ratio"):
        configure_telemetry(
            service="x",
            environ={
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
                "OTEL_TRACES_SAMPLER_ARG": ratio,
            },
        )


class TestSwitchedOff:
    """No span is made, and a trace that somebody else has begun goes on through this process."""

    def test_a_trace_is_passed_on_as_it_came(self):
        came = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "x=1", "other": "no"}
        with process_span(came, "process", {}), client_span("around", {}):
            headers = headers_sent("intent.accepted", {})
        assert headers == {name: came[name] for name in ("traceparent", "tracestate")}

    def test_it_is_not_passed_on_to_the_next_message(self):
        with process_span({"traceparent": "first"}, "process", {}):
            pass
        with process_span({}, "process", {}):
            assert headers_sent("intent.accepted", {}) == {}

    def test_nothing_is_recorded(self):
        with alert_span(ALERT_ID, "POST /hook", {}) as span:
            assert not span.is_recording()
            assert not span.get_span_context().is_valid


def test_of_a_trace_that_is_left_out_only_the_context_goes_on(record):
    recording = record()
    left_out = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"}
    with process_span(left_out, "process", {}), client_span("order/create", {}):
        headers = headers_sent("execution.sent", {})
    assert recording.spans == {}
    assert headers["traceparent"] == left_out["traceparent"]


class TestLeftOut:
    """An alert of which no span is made, where others are."""

    @pytest.fixture
    def others(self, record):
        return record(ratio=0)

    def test_its_headers_carry_its_id_and_say_that_it_is_not_recorded(self, others):
        with alert_span(ALERT_ID, "POST /hook", {}) as span:
            first, second = (headers_sent("alert.received", {}) for _ in range(2))
        assert not span.is_recording()
        version, trace_, parent, flags = first["traceparent"].split("-")
        assert (version, int(trace_, 16), flags) == ("00", trace_id(ALERT_ID), "00")
        assert int(parent, 16) != 0
        assert first == second
        assert others.spans == {}

    def test_it_ends_with_the_span(self, others):
        with alert_span(ALERT_ID, "POST /hook", {}):
            pass
        assert headers_sent("alert.received", {}).get("traceparent", "").endswith(("-00", ""))
        other = f"00-{'a' * 32}-{'b' * 16}-00"
        with process_span({"traceparent": other}, "process", {}):
            assert headers_sent("intent.accepted", {})["traceparent"] == other


def test_a_recorded_alert_within_one_that_is_not_is_recorded(record):
    """An order that is followed is another alert's than the one that is handled right now."""
    recording = record()
    with process_span({"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"}, "process", {}):
        with alert_span(ALERT_ID, "follow", {}):
            headers = headers_sent("execution.filled", {})
    assert set(recording.spans) == {"follow", "send execution.filled"}
    assert headers["traceparent"].split("-")[1] == f"{trace_id(ALERT_ID):032x}"


def test_what_was_not_stored_is_an_error_of_its_span(record):
    recording = record()
    sending("alert.received", {}).end(OSError("away"))
    (span,) = recording.spans.values()
    assert span.status.description == "OSError: away"
    assert [event.name for event in span.events] == ["exception"]
