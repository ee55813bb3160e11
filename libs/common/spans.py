"""A span that costs little to make: one object and one dictionary, without locks and limits.

The library's own takes six times as long (docs/decisions/0015-lean-spans.md). To everybody else it
is one of the library's: it can be the present span, a parent, and what an exporter is given. It is
touched by one thread until it has ended, and by the exporter's from then on.
"""

import random
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)
from opentelemetry.util.types import AnyValue, Attributes

from libs.common.sampling import AlertSampler

LINKS_MAX = 1_000
"""Of one span: a batch of the auditor has one per message (its `batch_max` is 500)."""
_SAMPLED = TraceFlags.SAMPLED
_NOT_RECORDED = TraceFlags(TraceFlags.RANDOM_TRACE_ID)
_OF_A_ROOT = TraceFlags(_SAMPLED | TraceFlags.RANDOM_TRACE_ID)
_UNSET = Status(StatusCode.UNSET)
_NO_LINKS: Sequence[Link] = ()


class Said:
    """Attributes that many spans have in common, so that they are written only once. Those of one
    span have no name in common.
    """

    __slots__ = ("values", "written")

    def __init__(self, values: Mapping[str, AnyValue]) -> None:
        self.values = values
        self.written: bytes | None = None
        """As they go over the wire, once somebody has needed it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Maker:
    """Makes all spans of a process; `ended` is told of each, and must not wait."""

    sampler: AlertSampler
    resource: Resource
    scope: InstrumentationScope
    ended: Callable[[ReadableSpan], None]

    def root(
        self,
        name: str,
        *,
        kind: SpanKind,
        attributes: dict[str, AnyValue],
        said: tuple[Said, ...] = (),
        links: Sequence[Link] = _NO_LINKS,
        ids: tuple[int, int] | None = None,
    ) -> Span:
        """The first span of a trace; `ids`: its trace's and its own, whose recording was decided.
        A trace of its own is also recorded where it is linked to a recorded one.
        """
        trace_id, span_id = ids or (random.getrandbits(128), _new_id())
        is_recorded = (
            ids is not None
            or self.sampler.records(trace_id)
            or any(link.context.trace_flags.sampled for link in links)
        )
        if not is_recorded:
            return NonRecordingSpan(
                SpanContext(trace_id, span_id, is_remote=False, trace_flags=_NOT_RECORDED)
            )
        context = SpanContext(trace_id, span_id, is_remote=False, trace_flags=_OF_A_ROOT)
        return RecordedSpan(
            self,
            name,
            kind=kind,
            context=context,
            parent=None,
            attributes=attributes,
            said=said,
            links=links,
        )

    def child(
        self,
        name: str,
        parent: SpanContext,
        *,
        kind: SpanKind,
        attributes: dict[str, AnyValue],
        said: tuple[Said, ...] = (),
        links: Sequence[Link] = _NO_LINKS,
    ) -> Span:
        """A span that is recorded as its parent is; a root where that is none."""
        trace_id, _, _, flags, state, is_valid = parent
        if not is_valid:
            return self.root(name, kind=kind, attributes=attributes, said=said, links=links)
        if flags > _OF_A_ROOT:
            # Nothing else is ours to pass on.
            flags = TraceFlags(flags & _OF_A_ROOT)
        context = SpanContext(trace_id, _new_id(), False, flags, state)
        if not flags & _SAMPLED:
            return NonRecordingSpan(context)
        return RecordedSpan(
            self,
            name,
            kind=kind,
            context=context,
            parent=parent,
            attributes=attributes,
            said=said,
            links=links,
        )


class RecordedSpan(Span, ReadableSpan):
    """Keeps its attributes as they were given: they must be the span's own."""

    # What most spans have none of costs them nothing.
    _end_time: int | None = None
    _events: Sequence[Event] = ()
    _links: Sequence[Link] = ()
    _dropped_links = 0
    _status = _UNSET
    _instrumentation_info = None

    def __init__(  # noqa: PLR0913 - what a span is made of
        self,
        maker: Maker,
        name: str,
        *,
        kind: SpanKind,
        context: SpanContext,
        parent: SpanContext | None,
        attributes: dict[str, AnyValue],
        said: tuple[Said, ...],
        links: Sequence[Link],
    ) -> None:
        self._maker = maker
        self._name = name
        self._kind = kind
        self._context: SpanContext = context
        self._parent = parent
        self.own = attributes
        """What goes before what is said by others too."""
        self.said = said
        if links:
            self._links = links[-LINKS_MAX:]
            self._dropped_links = len(links) - len(self._links)
        self._start_time = time.time_ns()

    def get_span_context(self) -> SpanContext:
        return self._context

    def is_recording(self) -> bool:
        return self._end_time is None

    def set_attribute(self, key: str, value: AnyValue) -> None:
        if self._end_time is None:
            self.own[key] = value

    def set_attributes(self, attributes: Mapping[str, AnyValue]) -> None:
        if self._end_time is None:
            self.own.update(attributes)

    def add_event(
        self, name: str, attributes: Attributes = None, timestamp: int | None = None
    ) -> None:
        if self._end_time is None:
            self._events = (*self._events, Event(name, attributes or {}, timestamp))

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        if self._end_time is None and context.is_valid:
            self._links = (*self._links, Link(context, attributes))

    def update_name(self, name: str) -> None:
        if self._end_time is None:
            self._name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """OK is final, and nothing goes back to unset, as the specification has it."""
        if isinstance(status, StatusCode):
            status = Status(status, description)
        is_final = self._status.status_code is StatusCode.OK
        if self._end_time is None and not is_final and status.status_code is not StatusCode.UNSET:
            self._status = status

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - the signature is OpenTelemetry's
    ) -> None:
        kind = type(exception)
        module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        told = {
            "exception.type": f"{module}{kind.__qualname__}",
            "exception.message": str(exception),
            "exception.stacktrace": "".join(traceback.format_exception(exception)),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**told, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        if self._end_time is None:
            self._end_time = time.time_ns() if end_time is None else end_time
            self._maker.ended(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self.record_exception(error, escaped=True)
            self.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        self.end()

    @property
    def _attributes(self) -> Mapping[str, AnyValue]:  # type: ignore[override]
        # As the library's own methods know them.
        merged: dict[str, AnyValue] = {}
        for said in self.said:
            merged.update(said.values)
        return {**merged, **self.own}

    @property
    def dropped_links(self) -> int:
        return self._dropped_links

    @property
    def resource(self) -> Resource:
        return self._maker.resource

    @property
    def instrumentation_scope(self) -> InstrumentationScope:
        return self._maker.scope


def _new_id() -> int:
    # 0 would be none.
    return random.getrandbits(64) or 1
