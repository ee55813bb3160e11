"""A trace's place in the headers of messages (W3C's `traceparent`), and the ids of an alert's."""

import re
from collections.abc import Mapping

from opentelemetry.trace import SpanContext, TraceFlags

_SPAN_ID_MASK = (1 << 64) - 1
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_DASHES = 3
_NOT_RECORDED = "00"
_FLAGS = {f"{flags:02x}": TraceFlags(flags) for flags in (1, 3)}
"""What services of ours say of a trace that is recorded."""


def root_span_id(trace: int) -> int:
    """Of an alert's trace: whoever has something to add hours later knows its parent by the
    alert's id alone. Never 0, since a UUID's variant bits are in it.
    """
    return trace & _SPAN_ID_MASK


def root_of(trace: int) -> SpanContext:
    """The root of an alert's trace, made in this process or another."""
    return SpanContext(
        trace,
        root_span_id(trace),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


def left_out(trace: int) -> dict[str, str]:
    """Headers of an alert that is not recorded."""
    root = root_span_id(trace)
    return {"traceparent": f"00-{trace:032x}-{root:016x}-{_NOT_RECORDED}"}


def is_left_out(headers: Mapping[str, str]) -> bool:
    """It belongs to a trace that is not recorded."""
    told = headers.get("traceparent", "")
    return told.endswith(f"-{_NOT_RECORDED}") and told.count("-") == _DASHES


def sender_of(headers: Mapping[str, str]) -> SpanContext | None:
    """Who sent a message, by W3C's `traceparent`. Services of ours give no other header, so this
    need not be the library's way, which looks for all that there may be.
    """
    found = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    if found is None:
        return None
    trace, span, told = found.groups()
    flags = _FLAGS.get(told) or TraceFlags(int(told, 16))
    sender = SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=flags)
    return sender if sender.is_valid else None
