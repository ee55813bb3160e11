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
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Link, SpanContext, Status

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_U64, _U32, _F64 = struct.Struct("<Q"), struct.Struct("<I"), struct.Struct("<d")
_HAS_REMOTE, _IS_REMOTE = 0x100, 0x200
_REMEMBERED = 4_096
_REMEMBERED_CHARS = 64


class DirectExporter(OTLPSpanExporter):
    """The library's exporter, with its connection and its retries, and this encoding."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._shutdown or not self._client.export(encoded(spans)).success:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def encoded(spans: Sequence[ReadableSpan]) -> bytes:
    """An `ExportTraceServiceRequest`; all spans are of one provider, as a process has one."""
    if not spans:
        return b""
    scopes: dict[str, list[bytes]] = {}
    for span in spans:
        scope = span.instrumentation_scope
        scopes.setdefault(scope.name if scope else "", []).append(_field(2, _span(span)))
    of_scopes = [
        _field(2, _field(1, _text(1, name)) + b"".join(written)) for name, written in scopes.items()
    ]
    return _field(1, _field(1, _resource(spans[0].resource)) + b"".join(of_scopes))


def _resource(resource: Resource) -> bytes:
    return _attributes(1, resource.attributes)


def _span(span: ReadableSpan) -> bytes:
    context, parent = span.get_span_context(), span.parent
    assert context is not None  # noqa: S101 - a span that was made has one
    parts = [
        _ids(context),
        _state(context),
        b"" if parent is None else _field(4, parent.span_id.to_bytes(8, "big")),
        _text(5, span.name),
        _number(6, span.kind.value + 1),
        b"\x39",
        _U64.pack(span.start_time or 0),
        b"\x41",
        _U64.pack(span.end_time or 0),
        _attributes(9, span.attributes or {}),
    ]
    parts += [_field(11, _event(event)) for event in span.events]
    parts += [_field(13, _link(link)) for link in span.links]
    if span.dropped_links:
        parts.append(_number(14, span.dropped_links))
    parts.append(_field(15, _status(span.status)))
    parts += [b"\x85\x01", _U32.pack(_flags(parent))]
    return b"".join(parts)


def _ids(context: SpanContext) -> bytes:
    trace_id = _field(1, context.trace_id.to_bytes(16, "big"))
    return trace_id + _field(2, context.span_id.to_bytes(8, "big"))


def _state(context: SpanContext) -> bytes:
    return _text(3, context.trace_state.to_header()) if context.trace_state else b""


def _status(status: Status) -> bytes:
    if not status.status_code.value:
        return b""
    return _text(2, status.description or "") + _number(3, status.status_code.value)


def _flags(other: SpanContext | None) -> int:
    """Whether a parent, or what is linked, is another process's."""
    return _HAS_REMOTE | (_IS_REMOTE if other is not None and other.is_remote else 0)


def _event(event: Event) -> bytes:
    written = b"\x09" + _U64.pack(event.timestamp) + _text(2, event.name)
    return written + _attributes(3, event.attributes or {})


def _link(link: Link) -> bytes:
    written = _ids(link.context) + _attributes(4, link.attributes or {})
    return written + b"\x35" + _U32.pack(_flags(link.context))


def _attributes(number: int, attributes: Mapping[str, object]) -> bytes:
    return b"".join([_field(number, _pair(key, value)) for key, value in attributes.items()])


def _pair(key: str, value: object) -> bytes:
    if isinstance(value, str):
        # Routes, subjects and words come again with every alert; ids and sentences do not.
        return (_known_text if len(value) <= _REMEMBERED_CHARS else _any_text)(key, value)
    if isinstance(value, bool):
        return _key(key) + _field(2, _number(2, int(value)))
    if isinstance(value, int):
        # Two's complement in 64 bits, as protobuf has negative numbers.
        return _key(key) + _field(2, _number(3, value & 0xFFFF_FFFF_FFFF_FFFF))
    if isinstance(value, float):
        return _key(key) + _field(2, b"\x21" + _F64.pack(value))
    return _any_text(key, str(value))


def _any_text(key: str, value: str) -> bytes:
    return _key(key) + _field(2, _text(1, value))


_known_text = lru_cache(maxsize=_REMEMBERED)(_any_text)


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
