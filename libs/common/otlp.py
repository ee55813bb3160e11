"""Spans as OTLP's protobuf, written directly.

The library builds a tree of message objects for each span, field by field: more work than making
the span, and done in the process that has orders to send. This writes the same bytes in a third of
the time; `tests/unit/test_common_otlp.py` reads them with the library's own classes.
"""

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind, Status

from libs.common.spans import RecordedSpan

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_U64, _U32, _F64 = struct.Struct("<Q"), struct.Struct("<I"), struct.Struct("<d")
_HAS_REMOTE, _IS_REMOTE = 0x100, 0x200
_REMEMBERED = 4_096


class CollectorClient(OTLPSpanExporter):
    """The library's exporter for its connection and its retries: it is given bytes, not spans."""

    def send(self, request: bytes) -> bool:
        return not self._shutdown and bool(self._client.export(request).success)


def encoded(spans: Sequence[ReadableSpan]) -> bytes:
    """An `ExportTraceServiceRequest`; all spans are of one provider, as a process has one."""
    scopes: dict[str, list[bytes]] = {}
    for span in spans:
        scope = span.instrumentation_scope
        scopes.setdefault(scope.name if scope else "", []).append(written(span))
    return request(spans[0].resource, scopes) if spans else b""


def request(resource: Resource, scopes: Mapping[str, Sequence[bytes]]) -> bytes:
    """An `ExportTraceServiceRequest` of what `written` made, by the name of its scope."""
    of_scopes = [
        _field(2, _field(1, _text(1, name)) + b"".join(spans)) for name, spans in scopes.items()
    ]
    return _field(1, _field(1, _resource(resource)) + b"".join(of_scopes))


def written(span: ReadableSpan) -> bytes:
    """One span, for `request`."""
    return _field(2, _span(span))


def _resource(resource: Resource) -> bytes:
    return b"".join(_attributes(1, resource.attributes))


def _span(span: ReadableSpan) -> bytes:
    context, parent = span.get_span_context(), span.parent
    assert context is not None  # noqa: S101 - a span that was made has one
    parts = [
        _ids(context),
        _state(context) if context.trace_state else b"",
        b"" if parent is None else b"\x22\x08" + parent.span_id.to_bytes(8, "big"),
        _name(span.name, span.kind),
        b"\x39",
        _U64.pack(span.start_time or 0),
        b"\x41",
        _U64.pack(span.end_time or 0),
    ]
    parts += _said(span)
    parts += [_field(11, _event(event)) for event in span.events]
    parts += [_field(13, _link(link)) for link in span.links]
    if span.dropped_links:
        parts.append(_number(14, span.dropped_links))
    parts.append(_status(span.status))
    parts.append(_FLAGS[parent is not None and parent.is_remote])
    return b"".join(parts)


def _said(span: ReadableSpan) -> list[bytes]:
    if not isinstance(span, RecordedSpan):
        return _attributes(9, span.attributes or {})
    own, parts = span.own, []
    for said in span.said:
        if not own.keys().isdisjoint(said.values):
            return _attributes(9, span.attributes or {})
        if said.written is None:
            said.written = b"".join(_attributes(9, said.values))
        parts.append(said.written)
    return parts + _attributes(9, own)


@lru_cache(maxsize=_REMEMBERED)
def _name(name: str, kind: SpanKind) -> bytes:
    return _text(5, name) + _number(6, kind.value + 1)


def _ids(context: SpanContext) -> bytes:
    trace_id, span_id = context.trace_id.to_bytes(16, "big"), context.span_id.to_bytes(8, "big")
    return b"\x0a\x10" + trace_id + b"\x12\x08" + span_id


def _state(context: SpanContext) -> bytes:
    return _text(3, context.trace_state.to_header())


def _status(status: Status) -> bytes:
    code = status.status_code.value
    if not code:
        return _NO_STATUS
    return _field(15, _text(2, status.description or "") + _number(3, code))


def _event(event: Event) -> bytes:
    written = b"\x09" + _U64.pack(event.timestamp) + _text(2, event.name)
    return written + b"".join(_attributes(3, event.attributes or {}))


def _link(link: Link) -> bytes:
    ids, attributes = _ids(link.context), link.attributes
    written = b"".join(_attributes(4, attributes)) if attributes else b""
    return ids + written + _LINK_FLAGS[link.context.is_remote]


def _attributes(number: int, attributes: Mapping[str, object]) -> list[bytes]:
    return [
        _text_attribute(number, key, value)
        if type(value) is str
        else _small(number, key, value)
        if type(value) is int and value <= _REMEMBERED
        else _field(number, _pair(key, value))
        for key, value in attributes.items()
    ]


def _text_attribute(number: int, key: str, value: str) -> bytes:
    raw = value.encode(errors="replace")
    return _text_head(number, key, len(raw)) + raw


@lru_cache(maxsize=_REMEMBERED)
def _text_head(number: int, key: str, size: int) -> bytes:
    """All that stands before a text of that size: ids are new each time, and of one size."""
    value = b"\x0a" + _varint(size)
    pair = _key(key) + b"\x12" + _varint(len(value) + size) + value
    return _varint(number << 3 | _BYTES) + _varint(len(pair) + size) + pair


@lru_cache(maxsize=_REMEMBERED)
def _small(number: int, key: str, value: int) -> bytes:
    # No truth may come here: 1 and True would be one and the same to the memory.
    return _field(number, _pair(key, value))


def _pair(key: str, value: object) -> bytes:
    if isinstance(value, bool):
        return _key(key) + _field(2, _number(2, int(value)))
    if isinstance(value, int):
        # Two's complement in 64 bits, as protobuf has negative numbers.
        return _key(key) + _field(2, _number(3, value & 0xFFFF_FFFF_FFFF_FFFF))
    if isinstance(value, float):
        return _key(key) + _field(2, b"\x21" + _F64.pack(value))
    return _key(key) + _field(2, _text(1, str(value)))


@lru_cache(maxsize=_REMEMBERED)
def _key(key: str) -> bytes:
    return _text(1, key)


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode(errors="replace"))


def _field(number: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return _short_head(number, size) + content
    return _varint(number << 3 | _BYTES) + _varint(size) + content


@lru_cache(maxsize=_REMEMBERED)
def _short_head(number: int, size: int) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(size)


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


@lru_cache(maxsize=_REMEMBERED)
def _varint(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _remoteness(is_remote: bool) -> int:  # noqa: FBT001
    """Whether a parent, or what is linked, is another process's."""
    return _HAS_REMOTE | (_IS_REMOTE if is_remote else 0)


_NO_STATUS = _field(15, b"")
_LINK_FLAGS = [b"\x35" + _U32.pack(_remoteness(is_remote)) for is_remote in (False, True)]
_FLAGS = [b"\x85\x01" + _U32.pack(_remoteness(is_remote)) for is_remote in (False, True)]
