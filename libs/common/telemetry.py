"""OpenTelemetry: one trace per alert, whose trace id is the alert's id.

Export is on where `OTEL_EXPORTER_OTLP_ENDPOINT` is set (OTLP over HTTP, protobuf); else the API's
no-op tracer costs a few microseconds and nothing leaves. `OTEL_TRACES_SAMPLER_ARG` is the ratio of
alerts to record. Span names and attributes follow the messaging conventions (semconv 1.44); they
know no NATS, so `messaging.system` is the plain word.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
)
from opentelemetry.trace import Link, Span, SpanKind
from opentelemetry.util.types import Attributes

from libs.common.contracts.words import AlertId
from libs.common.domain.identity import trace_id
from libs.common.settings import SettingsError

Values = Mapping[str, str | int | float | bool]

_wanted_trace: ContextVar[int | None] = ContextVar("wanted_trace", default=None)
_LOW_BITS = 56


class AlertIdGenerator(RandomIdGenerator):
    """Gives a new root span the alert's id as its trace id."""

    def generate_trace_id(self) -> int:
        return _wanted_trace.get() or super().generate_trace_id()


class AlertRatio(Sampler):
    """Records a ratio of traces by the low 56 bits of their id.

    The stock sampler reads the low 64 bits, where a UUID's variant bits sit: at 10 % it would
    record nothing.
    """

    def __init__(self, ratio: float) -> None:
        self._bound = round(ratio * (1 << _LOW_BITS))

    def should_sample(  # noqa: PLR0913, PLR0917 - the signature is OpenTelemetry's
        self,
        parent_context: Context | None,  # noqa: ARG002
        trace_id: int,
        name: str,  # noqa: ARG002
        kind: SpanKind | None = None,  # noqa: ARG002
        attributes: Attributes = None,
        links: object = None,  # noqa: ARG002
        trace_state: object = None,  # noqa: ARG002
    ) -> SamplingResult:
        recorded = trace_id & ((1 << _LOW_BITS) - 1) < self._bound
        decision = Decision.RECORD_AND_SAMPLE if recorded else Decision.DROP
        return SamplingResult(decision, attributes)

    def get_description(self) -> str:
        return f"AlertRatio({self._bound / (1 << _LOW_BITS)})"


def configure_telemetry(*, service: str, environ: Mapping[str, str]) -> Callable[[], None]:
    """Switch export on where it is configured; returns what to call at the end."""
    if not environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return lambda: None
    # Imported here because it costs 60 ms of start that most processes need not pay.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    provider = tracer_provider(service=service, ratio=_ratio(environ))
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(), max_queue_size=8192, max_export_batch_size=512)
    )
    trace.set_tracer_provider(provider)
    return provider.shutdown


def _ratio(environ: Mapping[str, str]) -> float:
    raw = environ.get("OTEL_TRACES_SAMPLER_ARG") or "1"
    with contextlib.suppress(ValueError):
        if 0 <= float(raw) <= 1:
            return float(raw)
    raise SettingsError(f"OTEL_TRACES_SAMPLER_ARG must be a ratio from 0 to 1, not {raw!r}")


def tracer_provider(*, service: str, ratio: float) -> TracerProvider:
    return TracerProvider(
        resource=Resource.create({"service.name": f"alertwire-{service}"}),
        sampler=ParentBased(AlertRatio(ratio)),
        id_generator=AlertIdGenerator(),
    )


@contextlib.contextmanager
def alert_span(alert: AlertId, name: str, attributes: Values) -> Iterator[Span]:
    """The root of an alert's trace: the HTTP request that brought it."""
    token = _wanted_trace.set(trace_id(alert))
    try:
        with _tracer().start_as_current_span(
            name, context=Context(), kind=SpanKind.SERVER, attributes={**attributes}
        ) as span:
            yield span
    finally:
        _wanted_trace.reset(token)


@contextlib.contextmanager
def process_span(headers: Mapping[str, str], name: str, attributes: Values) -> Iterator[Span]:
    """A message's handling: child of the span that sent it, and linked to it."""
    parent = propagate.extract(headers)
    sender = trace.get_current_span(parent).get_span_context()
    with _tracer().start_as_current_span(
        name,
        context=parent,
        kind=SpanKind.CONSUMER,
        links=[Link(sender)] if sender.is_valid else [],
        attributes={
            "messaging.system": "nats",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            **attributes,
        },
    ) as span:
        yield span


@contextlib.contextmanager
def send_span(destination: str, attributes: Values) -> Iterator[dict[str, str]]:
    """A message's publishing; yields the headers that carry the trace on."""
    with _tracer().start_as_current_span(
        f"send {destination}",
        kind=SpanKind.PRODUCER,
        attributes={
            "messaging.system": "nats",
            "messaging.operation.type": "send",
            "messaging.operation.name": "send",
            "messaging.destination.template": destination,
            **attributes,
        },
    ):
        headers: dict[str, str] = {}
        propagate.inject(headers)
        yield headers


@contextlib.contextmanager
def client_span(name: str, attributes: Values) -> Iterator[Span]:
    """A call to somebody else: the exchange."""
    with _tracer().start_as_current_span(
        name, kind=SpanKind.CLIENT, attributes={**attributes}
    ) as span:
        yield span


def _tracer() -> trace.Tracer:
    # Asked each time: a tracer made before `configure_telemetry` would stay a no-op in tests.
    return trace.get_tracer("alertwire")
