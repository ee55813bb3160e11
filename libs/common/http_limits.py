"""What one connection of HTTP may cost: how long a head may be and take, how much may come behind
it, how many connections there may be. Around uvicorn's own protocol, which limits none of these.

Nothing here is done per request that can be done when somebody breaks a limit. A bad request is
answered with a problem document and never with a 5xx, except where all places are really taken.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from libs.common import metrics
from libs.common.addresses import site_of
from libs.common.seldom import Seldom

PEER_CERTIFICATE = "alertwire.peer_certificate"
"""Where a request's scope holds the certificate that its connection has shown over TLS."""

_LINGER_S = 2.0
_TOLD_PER_S = 1.0
_TOLD_BURST = 20.0
_AGAIN_AFTER_S = 5
_OF_BODIES = frozenset({b"content-length", b"transfer-encoding"})

_log = structlog.get_logger()


def _nobody(_address: str) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class HttpLimits:
    """Of one server."""

    url_bytes_max: int = 8_192
    head_bytes_max: int = 32_768
    headers_max: int = 100
    request_bytes_max: int = 4_194_304
    """What may come behind a head, chunks' sizes included; the rest is not even thrown away."""
    head_timeout_s: float = 10.0
    """From a connection's beginning, or a next request's first byte, to the end of its head."""
    body_timeout_s: float = 60.0
    pipelined_max: int = 16
    connections_max: int = 5_000
    """Of more, the one that has waited longest for its request makes place for the new one."""
    connections_per_address_max: int = 2_000
    """A relay may send a thousand alerts at once, and does not repeat what was refused."""
    is_unlimited: Callable[[str], bool] = _nobody
    """Addresses that many people share, as a proxy's: none of them has a limit of its own."""


@dataclass(frozen=True, kw_only=True)
class _Fault:
    status: int
    detail: str
    cause: str
    is_final: bool = False
    """Nobody waits until the other side has read it."""


_MALFORMED = _Fault(status=400, detail="This is no valid HTTP/1.1 request.", cause="malformed")
_FRAMING = _Fault(
    status=400,
    detail="HTTP/1.0 knows no Transfer-Encoding.",
    cause="malformed",
)
_UPGRADE = _Fault(
    status=400, detail="A body comes by HTTP/1.1: ask for no other protocol.", cause="malformed"
)
_HOST = _Fault(status=400, detail="A request has exactly one header Host.", cause="malformed")
_URL = _Fault(status=414, detail="The request's URL is too long.", cause="url_too_long")
_HEAD = _Fault(
    status=431, detail="The request's headers are too many or too long.", cause="head_too_large"
)
_TOO_SLOW = _Fault(status=408, detail="The request must arrive faster.", cause="slow_head")
_PER_ADDRESS = _Fault(
    status=429,
    detail="This address has too many connections open.",
    cause="address_full",
    is_final=True,
)
_FULL = _Fault(
    status=503, detail="All connections are taken by requests.", cause="full", is_final=True
)


class Connections:
    """The connections of one server: who has how many, and who waits longest for a request."""

    def __init__(self, limits: HttpLimits) -> None:
        self.limits = limits
        self._all: set[LimitedProtocol] = set()
        self._by_site: dict[str, int] = {}
        # Those that no whole request is being answered on, oldest first.
        self.waiting: dict[LimitedProtocol, None] = {}
        self._told = Seldom(per_s=_TOLD_PER_S, burst=_TOLD_BURST)

    def __len__(self) -> int:
        return len(self._all)

    def enter(self, one: "LimitedProtocol") -> _Fault | None:
        """Make place for a new connection, or say why there is none."""
        self._all.add(one)
        site = one.site
        self._by_site[site] = self._by_site.get(site, 0) + 1
        crowded = self._by_site[site] > self.limits.connections_per_address_max
        if crowded and not self.limits.is_unlimited(one.address):
            return _PER_ADDRESS
        if len(self._all) > self.limits.connections_max:
            oldest = next(iter(self.waiting), None)
            if oldest is None:
                return _FULL
            oldest.cut("made_place")
        self.waiting[one] = None
        return None

    def leave(self, one: "LimitedProtocol") -> None:
        if one not in self._all:
            return
        self._all.discard(one)
        self.waiting.pop(one, None)
        left = self._by_site[one.site] - 1
        if left:
            self._by_site[one.site] = left
        else:
            del self._by_site[one.site]

    def end_the_slow(self, *, now_s: float) -> None:
        """Call about once a second."""
        for one in [each for each in self._all if each.is_overdue(now_s)]:
            one.end_slow()

    def note(self, cause: str, *, address: str) -> None:
        metrics.http_refused.labels(cause).inc()
        held_back = self._told.take(now_s=time.monotonic())
        if held_back is not None:
            _log.info("http.refused", cause=cause, source_address=address, untold_before=held_back)


class LimitedProtocol(HttpToolsProtocol):
    """One connection, with limits."""

    def __init__(self, *args: Any, places: Connections, **options: Any) -> None:
        super().__init__(*args, **options)
        self._places = places
        self._limits = places.limits
        self._fault: _Fault | None = None
        self._over = False
        self._in_body = False
        self.url = b""
        self._unframed_bytes = 0
        self._due_s: float | None = None
        self._peer_certificate: Any = None
        self.address = self.site = ""

    # The connection.
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self.site = site_of(self.address)
        self._peer_certificate = transport.get_extra_info("peercert")
        self._due_s = self.loop.time() + self._limits.head_timeout_s
        if fault := self._places.enter(self):
            self._refuse(fault)

    def connection_lost(self, exc: Exception | None) -> None:
        self._places.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unframed_bytes += len(data)
        if self._over:
            self._check_flood()
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Whoever asks for another protocol is served by this one, and once: the parser is done.
            if self.cycle is not None:
                self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self._refuse(self._fault or _MALFORMED)
        else:
            self._check_flood()

    def is_overdue(self, now_s: float) -> bool:
        # What we do not read ourselves cannot come.
        return self._due_s is not None and now_s > self._due_s and not self.flow.read_paused

    def end_slow(self) -> None:
        if self._over or self._in_body or not self._unframed_bytes:
            # Nothing was said, or an answer is under way: there is nobody to tell.
            self.cut("slow_body" if self._in_body else "slow_head")
        else:
            self._refuse(_TOO_SLOW)

    def cut(self, cause: str) -> None:
        if not self._over:
            self._places.note(cause, address=self.address)
        self._over = True
        self._due_s = None
        self._places.waiting.pop(self, None)
        self.transport.abort()

    # The parser's callbacks, most of them once per request.
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_body = False
        self._due_s = self.loop.time() + self._limits.head_timeout_s

    def on_headers_complete(self) -> None:
        if fault := self._fault_of_head():
            self._fault = fault
            raise ValueError(fault.detail)  # The parser's own error says no more than that.
        if self._peer_certificate is not None:
            self.scope[PEER_CERTIFICATE] = self._peer_certificate  # type: ignore[literal-required]
        super().on_headers_complete()
        # A trailer is no header: whoever may not write one may not write it behind the body.
        self.headers = []
        self._in_body = True
        self._unframed_bytes = 0
        self._due_s = self.loop.time() + self._limits.body_timeout_s

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if not self.cycle.response_complete:
            self._places.waiting.pop(self, None)
        self._in_body = False
        self._unframed_bytes = 0
        self._due_s = None

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.pipeline and not self.transport.is_closing():
            self._places.waiting[self] = None

    def _fault_of_head(self) -> _Fault | None:
        # What is fed at once is little enough to look at it when it is there.
        size = hosts = 0
        for name, value in self.headers:
            size += len(name) + len(value)
            hosts += name == b"host"
        limits, version = self._limits, self.parser.get_http_version()
        if len(self.url) > limits.url_bytes_max:
            return _URL
        if size > limits.head_bytes_max or len(self.headers) > limits.headers_max:
            return _HEAD
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            return _HOST
        if version == "1.0" and any(name == b"transfer-encoding" for name, _ in self.headers):
            return _FRAMING
        if self.parser.should_upgrade() and any(name in _OF_BODIES for name, _ in self.headers):
            return _UPGRADE  # The parser would take the body for the other protocol's.
        return _MALFORMED if len(self.pipeline) >= limits.pipelined_max else None

    def _check_flood(self) -> None:
        is_framed = self._in_body or self._over
        limits = self._limits
        most = limits.request_bytes_max if is_framed else limits.head_bytes_max
        if self._unframed_bytes > most:
            if is_framed:
                self.cut("body_too_large")
            else:
                self._refuse(_URL if len(self.url) > limits.url_bytes_max else _HEAD)
        elif self._unframed_bytes and self._due_s is None:
            # Bytes between two requests that begin none.
            self._due_s = self.loop.time() + self._limits.head_timeout_s

    # Ending it.
    def _refuse(self, fault: _Fault) -> None:
        self._places.note(fault.cause, address=self.address)
        self._over = True
        self._due_s = self.loop.time() + _LINGER_S
        running = self.cycle if self.cycle and not self.cycle.response_complete else None
        if running is not None and not running.more_body:
            # What came whole before the fault is answered, and nothing behind it.
            running.keep_alive = False
            self._due_s = None
            return
        if running is not None:
            running.disconnected = True
            running.message_event.set()
        if self.pipeline or (self._in_body and (running is None or running.response_started)):
            self.transport.abort()  # An answer was begun already, or belongs to somebody before.
            return
        self.transport.write(_problem(fault))
        if fault.is_final or not self.transport.can_write_eof():
            self.transport.close()
        else:
            # Closed at once, what was sent and not read makes a reset that overtakes the answer.
            self.transport.write_eof()
            self._places.waiting[self] = None

    def _unsupported_upgrade_warning(self) -> None:
        pass


def _problem(fault: _Fault) -> bytes:
    title = HTTPStatus(fault.status).phrase
    document = {
        "type": "about:blank",
        "title": title,
        "status": fault.status,
        "detail": fault.detail,
    }
    body = json.dumps(document, separators=(",", ":")).encode()
    retry = f"retry-after: {_AGAIN_AFTER_S}\r\n" if fault.status in {429, 503} else ""
    head = (
        "content-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
    )
    return STATUS_LINE[fault.status] + head.encode() + body
