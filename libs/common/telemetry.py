"""OpenTelemetry: one trace per alert, whose trace id is the alert's id.

Export is on where `OTEL_EXPORTER_OTLP_ENDPOINT` is set (OTLP over HTTP, protobuf); else no span is
made, and a trace that somebody else has begun is passed on as it came. `OTEL_TRACES_SAMPLER_ARG` is
the ratio of alerts to record; of the others no span is made anywhere (sampling.py). Span names and
attributes follow the messaging conventions (semconv 1.44); they know no NATS, so `messaging.system`
is the plain word. What an alert is told apart by has the names that it has in the log lines:
`alert_id`, `route`, `account`, `symbol`, `client_order_id`, on every span from where it is known.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, TracebackType

from opentelemetry import context, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
)

from libs.common.contracts.words import AlertId
from libs.common.domain.identity import trace_id
from libs.common.sampling import AlertSampler, delay_s_of, ratio_of
from libs.common.spans import LINKS_MAX, Maker, Said
from libs.common.traceparent import is_left_out, left_out, root_of, root_span_id, sender_of

Values = Mapping[str, str | int | float | bool]
_NOTHING: Values = MappingProxyType({})
_NOTHING_SAID = Said(_NOTHING)
_PROCESS = Said(
    {
        "messaging.system": "nats",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
    }
)

_TRACE_HEADERS = ("traceparent", "tracestate", "baggage")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Here:
    """What is known of the trace in which the present task works."""

    passed_on: Mapping[str, str] | None = None
    """The headers of a trace that is not recorded here; None where spans are made."""
    about: Said = _NOTHING_SAID
    """What every span of it says."""


_NOWHERE = _Here()
_SILENT: contextlib.AbstractContextManager[Span] = contextlib.nullcontext(trace.INVALID_SPAN)
_here: ContextVar[_Here] = ContextVar("here", default=_NOWHERE)
_recording: Maker | None = None
"""None while nothing is recorded. Asked for with every span, so it is no question to the library,
whose own answer takes longer than all else that a span costs which is not made.
"""


def configure_telemetry(*, service: str, environ: Mapping[str, str]) -> Callable[[], None]:
    """Switch export on where it is configured; returns what to call at the end."""
    if not environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return lambda: None
    # Imported here because it costs 60 ms of start that most processes need not pay.
    from libs.common.exporting import Exporting  # noqa: PLC0415
    from libs.common.otlp import CollectorClient  # noqa: PLC0415

    provider = tracer_provider(service=service, ratio=ratio_of(environ))
    delay_s = delay_s_of(environ)
    processor = Exporting(CollectorClient(), resource=provider.resource, delay_s=delay_s)
    # For whoever uses the library itself; spans of ours need nothing of it but the processor.
    trace.set_tracer_provider(provider)
    record(provider, processor)
    return provider.shutdown


def record(provider: TracerProvider, processor: SpanProcessor) -> None:
    """From now on spans are made, by a provider of `tracer_provider`, and processed."""
    global _recording  # noqa: PLW0603 - one per process, set once at its start
    provider.add_span_processor(processor)
    sampler = provider.sampler
    assert isinstance(sampler, AlertSampler)  # noqa: S101 - `tracer_provider` makes no other
    _recording = Maker(
        sampler=sampler,
        resource=provider.resource,
        scope=InstrumentationScope("alertwire"),
        ended=processor.on_end,
    )


def tracer_provider(*, service: str, ratio: float) -> TracerProvider:
    return TracerProvider(
        resource=Resource.create({"service.name": f"alertwire-{service}"}),
        sampler=AlertSampler(ratio),
        span_limits=SpanLimits(max_links=LINKS_MAX),
    )


def alert_span(
    alert: AlertId,
    name: str,
    attributes: Values,
    *,
    about: Values = _NOTHING,
    kind: SpanKind = SpanKind.SERVER,
) -> contextlib.AbstractContextManager[Span]:
    """The root of an alert's trace: the HTTP request that brought it, or what else began it."""
    if _recording is None:
        return _SILENT
    wanted = trace_id(alert)
    if not _recording.sampler.records(wanted):
        return _passing_on(left_out(wanted))
    said = Said({"alert_id": alert, **about})
    span = _recording.root(
        name,
        kind=kind,
        attributes={**attributes},
        said=(said,),
        ids=(wanted, root_span_id(wanted)),
    )
    return _Within(span, here=_Here(about=said))


def later_span(alert: AlertId, name: str, about: Values) -> contextlib.AbstractContextManager[Span]:
    """What happens to an alert when its messages are long handled: a child of its root."""
    if _recording is None:
        return _SILENT
    wanted = trace_id(alert)
    if not _recording.sampler.records(wanted):
        return _passing_on(left_out(wanted))
    said = Said({"alert_id": alert, **about})
    span = _recording.child(
        name, root_of(wanted), kind=SpanKind.INTERNAL, attributes={}, said=(said,)
    )
    return _Within(span, here=_Here(about=said))


def process_span(
    headers: Mapping[str, str], name: str, attributes: Values, *, about: Values = _NOTHING
) -> contextlib.AbstractContextManager[Span]:
    """A message's handling: child of the span that sent it, and linked to it. `about` is said by
    every span within it too.
    """
    if _recording is None or is_left_out(headers):
        passed_on = {each: headers[each] for each in _TRACE_HEADERS if each in headers}
        return _passing_on(passed_on)
    sender, said = sender_of(headers), Said(about)
    span = _recording.child(
        name,
        sender or INVALID_SPAN_CONTEXT,
        kind=SpanKind.CONSUMER,
        links=(Link(sender),) if sender is not None else (),
        attributes={**attributes},
        said=(_PROCESS, said),
    )
    return _Within(span, here=_Here(about=said))


def linked_span(
    name: str, senders: Iterable[SpanContext], attributes: Values
) -> contextlib.AbstractContextManager[Span]:
    """The handling of messages of many traces: a trace of its own, linked to those of them that
    are recorded, and recorded where there is one.
    """
    if _recording is None:
        return _SILENT
    links = [Link(sender) for sender in senders if sender.trace_flags.sampled]
    span = _recording.root(name, kind=SpanKind.CLIENT, attributes={**attributes}, links=links)
    return _Within(span, here=_NOWHERE)


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
            self._span.set_attribute("error.type", type(error).__name__)
            self._span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        self._span.end()


def sending(destination: str, attributes: Values, *, about: Values = _NOTHING) -> Sending:
    """A message's publishing, from now until its `end`. `about` is whose it is."""
    here = _here.get()
    if here.passed_on is not None:
        return Sending({**here.passed_on})
    if _recording is None:
        return Sending({})
    known = here.about.values
    span = _recording.child(
        f"send {destination}",
        trace.get_current_span().get_span_context(),
        kind=SpanKind.PRODUCER,
        attributes={
            **{word: name for word, name in about.items() if known.get(word) != name},
            **attributes,
        },
        said=(_send(destination), here.about),
    )
    own = span.get_span_context()
    sent = f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}"
    return Sending({"traceparent": sent}, span)


def handing_over(destination: str, attributes: Values) -> Sending:
    """A message that is published together with others, and that nobody waits for: an event of the
    present span instead of a span of its own, of which an order would have as many again.
    """
    here = _here.get()
    if here.passed_on is not None:
        return Sending({**here.passed_on})
    own = trace.get_current_span().get_span_context()
    if _recording is None or not own.is_valid:
        return Sending({})
    trace.get_current_span().add_event(f"send {destination}", {**attributes})
    sent = f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}"
    return Sending({"traceparent": sent})


@cache
def _send(destination: str) -> Said:
    return Said(
        {
            "messaging.system": "nats",
            "messaging.operation.type": "send",
            "messaging.operation.name": "send",
            "messaging.destination.template": destination,
        }
    )


def client_span(name: str, attributes: Values) -> contextlib.AbstractContextManager[Span]:
    """A call to somebody else: the exchange."""
    return _child(name, attributes, kind=SpanKind.CLIENT)


def inner_span(name: str, attributes: Values = _NOTHING) -> contextlib.AbstractContextManager[Span]:
    """A step of our own that takes time: a plan, a confirmation."""
    return _child(name, attributes, kind=SpanKind.INTERNAL)


def telling(**about: str) -> contextlib.AbstractContextManager[object]:
    """All spans within it say this too: whose order they are about."""
    if not is_recorded():
        return _SILENT
    return _being(_Here(about=Said({**_here.get().about.values, **about})))


def event(name: str, attributes: Values = _NOTHING) -> None:
    """Something happened within the present span."""
    if is_recorded():
        trace.get_current_span().add_event(name, {**attributes})


def failed(reason: str, description: str = "") -> None:
    """The present span has come to no good end. Refusals, denials and rejections count as such:
    whoever looks for an alert that was not executed looks for errors.
    """
    if is_recorded():
        fail(trace.get_current_span(), reason, description)


def fail(span: Span, reason: str, description: str = "") -> None:
    span.set_attribute("error.type", reason)
    span.set_status(Status(StatusCode.ERROR, description or reason))


def link(span: Span, alert: AlertId) -> None:
    """Lead from a span to another alert's trace."""
    span.add_link(root_of(trace_id(alert)))


def is_recorded() -> bool:
    """Whether what happens in the present task is seen by anybody: attributes that cost something
    need not be made otherwise.
    """
    return _recording is not None and _here.get().passed_on is None


def is_on() -> bool:
    """Whether anything is recorded in this process."""
    return _recording is not None


def _child(
    name: str, attributes: Values, *, kind: SpanKind
) -> contextlib.AbstractContextManager[Span]:
    if _recording is None:
        return _SILENT
    here = _here.get()
    if here.passed_on is not None:
        return _SILENT
    parent = trace.get_current_span().get_span_context()
    span = _recording.child(name, parent, kind=kind, attributes={**attributes}, said=(here.about,))
    return _Within(span)


class _Within(contextlib.AbstractContextManager[Span]):
    """Until the block ends, and so does the span. An exception is its failure."""

    __slots__ = ("_attached", "_here", "_span", "_token")

    def __init__(self, span: Span, *, here: _Here | None = None) -> None:
        """`here`: what is known from now on, where that is something else than before."""
        self._span = span
        self._here = here

    def __enter__(self) -> Span:
        if self._here is not None:
            self._token = _here.set(self._here)
        self._attached = context.attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        context.detach(self._attached)
        if self._here is not None:
            _here.reset(self._token)
        if isinstance(error, Exception):
            self._span.record_exception(error)
            fail(self._span, type(error).__name__, f"{type(error).__name__}: {error}")
        self._span.end()


def _passing_on(headers: Mapping[str, str]) -> contextlib.AbstractContextManager[Span]:
    if not headers and _here.get() is _NOWHERE and _recording is None:
        return _SILENT
    return _silently(_Here(passed_on=headers))


@contextlib.contextmanager
def _silently(here: _Here) -> Iterator[Span]:
    with _being(here):
        yield trace.INVALID_SPAN


@contextlib.contextmanager
def _being(here: _Here) -> Iterator[None]:
    token = _here.set(here)
    try:
        yield
    finally:
        _here.reset(token)
