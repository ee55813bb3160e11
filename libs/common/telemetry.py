"""OpenTelemetry: one trace per alert, whose trace id is the alert's id.

Export is on where `OTEL_EXPORTER_OTLP_ENDPOINT` is set (OTLP over HTTP, protobuf); else no span is
made, and a trace that somebody else has begun is passed on as it came. `OTEL_TRACES_SAMPLER_ARG` is
the ratio of alerts to record; of the others no span is made anywhere. Span names and attributes
follow the messaging conventions (semconv 1.44); they know no NATS, so `messaging.system` is the
plain word.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache

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
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import Attributes

from libs.common.contracts.words import AlertId
from libs.common.domain.identity import trace_id
from libs.common.settings import SettingsError

Values = Mapping[str, str | int | float | bool]

_wanted_trace: ContextVar[int | None] = ContextVar("wanted_trace", default=None)
_passed_on: ContextVar[Mapping[str, str] | None] = ContextVar("passed_on", default=None)
"""The headers of a trace that is not recorded here; None where spans are made."""
_TRACE_HEADERS = ("traceparent", "tracestate", "baggage")
_LOW_BITS = 56
_SPAN_ID_BITS = 64
_TRACEPARENT_PARTS = 4
_NOT_RECORDED = "00"


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
        decision = Decision.RECORD_AND_SAMPLE if self.records(trace_id) else Decision.DROP
        return SamplingResult(decision, attributes)

    def records(self, trace_id: int) -> bool:
        return trace_id & ((1 << _LOW_BITS) - 1) < self._bound

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


class AlertSampler(ParentBased):
    """An alert's trace is recorded everywhere or nowhere."""

    def __init__(self, ratio: float) -> None:
        self._alerts = AlertRatio(ratio)
        super().__init__(self._alerts)

    def records(self, trace_id: int) -> bool:
        return self._alerts.records(trace_id)


def tracer_provider(*, service: str, ratio: float) -> TracerProvider:
    return TracerProvider(
        resource=Resource.create({"service.name": f"alertwire-{service}"}),
        sampler=AlertSampler(ratio),
        id_generator=AlertIdGenerator(),
    )


@contextlib.contextmanager
def alert_span(alert: AlertId, name: str, attributes: Values) -> Iterator[Span]:
    """The root of an alert's trace: the HTTP request that brought it."""
    if _is_off():
        yield trace.INVALID_SPAN
        return
    wanted = trace_id(alert)
    sampler = getattr(trace.get_tracer_provider(), "sampler", None)
    if isinstance(sampler, AlertSampler) and not sampler.records(wanted):
        parent = secrets.randbits(_SPAN_ID_BITS) or 1
        with _passing_on({"traceparent": f"00-{wanted:032x}-{parent:016x}-{_NOT_RECORDED}"}):
            yield trace.INVALID_SPAN
        return
    token = _wanted_trace.set(wanted)
    try:
        with (
            _passing_on(None),
            _tracer().start_as_current_span(
                name, context=Context(), kind=SpanKind.SERVER, attributes={**attributes}
            ) as span,
        ):
            yield span
    finally:
        _wanted_trace.reset(token)


@contextlib.contextmanager
def process_span(headers: Mapping[str, str], name: str, attributes: Values) -> Iterator[Span]:
    """A message's handling: child of the span that sent it, and linked to it."""
    if _is_left_out(headers) or _is_off():
        with _passing_on({each: headers[each] for each in _TRACE_HEADERS if each in headers}):
            yield trace.INVALID_SPAN
        return
    parent = propagate.extract(headers)
    sender = trace.get_current_span(parent).get_span_context()
    with (
        _passing_on(None),
        _tracer().start_as_current_span(
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
        ) as span,
    ):
        yield span


class Sending:
    """A message on its way to the log: `headers` carry its trace on."""

    __slots__ = ("_span", "headers")

    def __init__(self, headers: dict[str, str], span: Span | None = None) -> None:
        self.headers = headers
        self._span = span

    def end(self, error: BaseException | None = None) -> None:
        """It is confirmed, or is not."""
        if self._span is None:
            return
        if error is not None:
            self._span.record_exception(error)
            self._span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        self._span.end()


def sending(destination: str, attributes: Values) -> Sending:
    """A message's publishing, from now until its `end`."""
    passed_on = _passed_on.get()
    if passed_on is not None:
        return Sending({**passed_on})
    if _is_off():
        return Sending({})
    span = _tracer().start_span(
        f"send {destination}",
        kind=SpanKind.PRODUCER,
        attributes={
            "messaging.system": "nats",
            "messaging.operation.type": "send",
            "messaging.operation.name": "send",
            "messaging.destination.template": destination,
            **attributes,
        },
    )
    headers: dict[str, str] = {}
    propagate.inject(headers, trace.set_span_in_context(span))
    return Sending(headers, span)


@contextlib.contextmanager
def client_span(name: str, attributes: Values) -> Iterator[Span]:
    """A call to somebody else: the exchange."""
    if _passed_on.get() is not None or _is_off():
        yield trace.INVALID_SPAN
        return
    with _tracer().start_as_current_span(
        name, kind=SpanKind.CLIENT, attributes={**attributes}
    ) as span:
        yield span


@contextlib.contextmanager
def _passing_on(headers: Mapping[str, str] | None) -> Iterator[None]:
    token = _passed_on.set(headers)
    try:
        yield
    finally:
        _passed_on.reset(token)


def _is_left_out(headers: Mapping[str, str]) -> bool:
    """It belongs to a trace that is not recorded."""
    parts = headers.get("traceparent", "").split("-")
    return len(parts) == _TRACEPARENT_PARTS and parts[3] == _NOT_RECORDED


def _is_off() -> bool:
    return isinstance(_tracer(), trace.ProxyTracer)


def _tracer() -> trace.Tracer:
    # Looked at each time: a tracer made before `configure_telemetry` would stay one that does
    # nothing. Making one anew costs as much as a span.
    return _tracer_of(trace.get_tracer, trace.get_tracer_provider())


@lru_cache(maxsize=4)
def _tracer_of(
    make: Callable[[str], trace.Tracer], _provider: trace.TracerProvider
) -> trace.Tracer:
    return make("alertwire")
