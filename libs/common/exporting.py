"""Takes ended spans to the collector: written a few at a time where they end, sent by a thread.

The library's processor hands everything to its thread. A thread that has work takes the interpreter
from the one that has orders to send, and where the cores are busy that one waits until it has run.
So the thread here gets bytes, and only the sending is its own (docs/decisions/0015-lean-spans.md).
"""

import contextlib
import sys
import threading
from collections import deque
from typing import Protocol, TypeVar

import structlog
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanKind

from libs.common import otlp

SEND_AT = 2_048
"""So many spans leave at once, and do not wait for the delay."""
KEPT_MAX = 8_192
"""Spans; what ends while so many wait for a collector is dropped."""
_WRITE_AT = 16
_WRITE_AT_LAST = 64
_MESSAGES = frozenset({SpanKind.CONSUMER, SpanKind.SERVER})
_END_S = 5.0
_SWITCH_S = 0.000_5
"""So long a thread that has work keeps the interpreter; Python's own 5 ms are as much as an order
takes.
"""

_log = structlog.get_logger()

Item = TypeVar("Item")


class Collector(Protocol):
    """Where spans go."""

    def send(self, request: bytes) -> bool:
        """Takes as long as it takes, retries and all; whether it was taken."""

    def shutdown(self) -> None:
        """Give up what is being sent."""


class Exporting(SpanProcessor):
    """Only its thread and its end ever wait for the collector."""

    def __init__(self, collector: Collector, *, resource: Resource, delay_s: float) -> None:
        self._collector = collector
        self._resource = resource
        self._delay_s = delay_s
        # Both are filled and emptied by two threads, so by their single steps only.
        self._ended: deque[ReadableSpan] = deque()
        self._written: deque[tuple[str, bytes]] = deque()
        self._dropped = 0
        self._is_due = threading.Event()
        self._is_over = False
        self._one_at_a_time = threading.Lock()
        sys.setswitchinterval(_SWITCH_S)
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        pass

    def on_end(self, span: ReadableSpan) -> None:
        self._ended.append(span)
        waiting = len(self._ended)
        # When a message has been handled its order has left; in the midst of it one waits.
        if waiting >= _WRITE_AT and (span.kind in _MESSAGES or waiting >= _WRITE_AT_LAST):
            self._write()

    def shutdown(self) -> None:
        """Send what there is, as far as it can be sent in a moment."""
        self._is_over = True
        self._is_due.set()
        self._thread.join(_END_S)
        self._collector.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002
        self._write()
        return self._send_all()

    def _write(self) -> None:
        for span in _taken(self._ended):
            if len(self._written) >= KEPT_MAX:
                self._dropped += 1
                continue
            scope = span.instrumentation_scope
            try:
                written = otlp.written(span)
            except Exception:  # noqa: BLE001 - nothing that is told of an order may stop it
                _log.exception("span.unwritable", name=span.name)
                continue
            self._written.append((scope.name if scope else "", written))
        if len(self._written) >= SEND_AT:
            self._is_due.set()

    def _run(self) -> None:
        while not self._is_over:
            self._is_due.wait(self._delay_s)
            self._is_due.clear()
            self._write()
            self._send_all()
        self._write()
        self._send_all()

    def _send_all(self) -> bool:
        with self._one_at_a_time:
            scopes: dict[str, list[bytes]] = {}
            for scope, span in _taken(self._written):
                scopes.setdefault(scope, []).append(span)
            if self._dropped:
                _log.warning("spans.dropped", count=self._dropped)
                self._dropped = 0
            return not scopes or self._collector.send(otlp.request(self._resource, scopes))


def _taken(waiting: deque[Item]) -> list[Item]:
    """What is there now, the oldest first; others may take from it too."""
    taken = []
    with contextlib.suppress(IndexError):
        while True:
            taken.append(waiting.popleft())
    return taken
