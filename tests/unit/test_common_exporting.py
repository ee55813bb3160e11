"""Spans on their way to the collector: none is waited for, and none does harm."""

import threading

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanKind

from libs.common import exporting
from libs.common.exporting import Exporting
from libs.common.sampling import AlertSampler
from libs.common.spans import Maker

NEVER_S = 3_600
WAIT_S = 10


class Collector:
    """Takes what comes, once it is open."""

    def __init__(self):
        self.open = threading.Event()
        self.open.set()
        self.asked = threading.Event()
        self.took = threading.Event()
        self.requests = []
        self.is_shut_down = False

    def send(self, request):
        self.asked.set()
        assert self.open.wait(WAIT_S)
        self.requests.append(ExportTraceServiceRequest.FromString(request))
        self.took.set()
        return True

    def shutdown(self):
        self.is_shut_down = True

    @property
    def names(self):
        return [
            span.name
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class Exported:
    def __init__(self, *, delay_s=NEVER_S):
        self.collector = Collector()
        resource = Resource({"service.name": "tested"})
        self.exporting = Exporting(self.collector, resource=resource, delay_s=delay_s)
        self.maker = Maker(
            sampler=AlertSampler(1.0),
            resource=resource,
            scope=InstrumentationScope("alertwire"),
            ended=self.exporting.on_end,
        )

    def make(self, *names, kind=SpanKind.INTERNAL, **attributes):
        for name in names:
            self.maker.root(name, kind=kind, attributes={**attributes}).end()


@pytest.fixture
def export():
    made = []

    def begin(**options):
        made.append(Exported(**options))
        return made[-1]

    yield begin
    for each in made:
        each.collector.open.set()
        each.exporting.shutdown()


def test_what_has_ended_leaves_after_the_delay_with_what_it_is_of(export):
    exported = export(delay_s=0.01)
    exported.make("a")
    assert exported.collector.took.wait(WAIT_S)
    (resource,) = exported.collector.requests[0].resource_spans
    assert [(each.key, each.value.string_value) for each in resource.resource.attributes] == [
        ("service.name", "tested")
    ]
    assert [scope.scope.name for scope in resource.scope_spans] == ["alertwire"]
    assert exported.collector.names == ["a"]


@pytest.mark.parametrize("kind", SpanKind)
def test_very_many_leave_at_once(export, monkeypatch, kind):
    monkeypatch.setattr(exporting, "SEND_AT", 64)
    exported = export()
    exported.make(*map(str, range(64)), kind=kind)
    assert exported.collector.took.wait(WAIT_S)
    exported.exporting.force_flush()
    assert exported.collector.names == [str(number) for number in range(64)]


def test_the_rest_leaves_at_the_end(export):
    exported = export()
    exported.make("a", "b")
    exported.exporting.shutdown()
    assert exported.collector.names == ["a", "b"]
    assert exported.collector.is_shut_down


def test_nobody_waits_for_a_collector_that_does_not_answer(export, monkeypatch):
    """What fits in is kept meanwhile, in order, and what comes later is dropped."""
    monkeypatch.setattr(exporting, "SEND_AT", 64)
    monkeypatch.setattr(exporting, "KEPT_MAX", 128)
    exported = export()
    exported.collector.open.clear()
    exported.make(*["first"] * 64)
    assert exported.collector.asked.wait(WAIT_S)
    exported.make(*["kept"] * 128, *["dropped"] * 64)
    exported.collector.open.set()
    exported.exporting.shutdown()
    assert exported.collector.names == ["first"] * 64 + ["kept"] * 128


def test_a_span_that_cannot_be_written_harms_nobody(export):
    class Unspeakable:
        def __str__(self):
            raise RuntimeError

    exported = export()
    exported.make("bad", a=Unspeakable())
    exported.make("good")
    exported.exporting.shutdown()
    assert exported.collector.names == ["good"]
