"""One signed request to MEXC and what came back, to the byte.

It knows what left and what arrived, not what an answer means. Keys, signatures and headers exist
here only: an `ExchangeCall` never holds them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import msgspec
from opentelemetry.trace import Span
from yarl import URL

from libs.common.contracts.order import ExchangeCall
from libs.common.secret import Secret
from libs.common.telemetry import client_span, fail
from services.executor.mexc import signing
from services.executor.outgoing import connector

CONNECT_TIMEOUT_S = 2.0
CONNECTIONS_MAX = 32
KEEP_ALIVE_S = 300.0
KEPT_BODY_BYTES = 64 * 1024


class _Coded(msgspec.Struct):
    code: int | None = None


_decode_code = msgspec.json.Decoder(_Coded).decode

Clock = Callable[[], int]
"""Unix time in nanoseconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    method: str
    path: str
    template: str
    """The path without ids, as telemetry groups by it."""
    query: str = ""
    body: str | None = None
    timeout_s: float
    private: bool = True
    spot: bool = False
    """Signed as the spot side wants it: in the query, of which the kept call shows what is above.
    """
    before_send: Callable[[ExchangeCall], None] | None = None
    """Called between the taking of the request's time and its sending; may raise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Transfer:
    call: ExchangeCall
    left: bool
    """False where no connection came about, so that certainly nothing was sent."""
    body: bytes | None
    """The whole reply; None where none arrived."""
    begun_at: float = 0.0
    """Monotonic seconds."""


class Transport:
    """Connections of one account to one base address; make it inside the event loop."""

    def __init__(
        self,
        *,
        base_url: str,
        access_key: str,
        secret: Secret,
        clock: Clock = time.time_ns,
        on_private: Callable[[Transfer], None] = lambda _transfer: None,
    ) -> None:
        """`on_private` is told of each signed call, before its caller."""
        self.clock_offset_ms = 0
        """The exchange's time less ours."""
        self._base_url = base_url.rstrip("/")
        server = URL(self._base_url)
        self._shown_url = str(server.with_user(None)).rstrip("/")
        self._server: dict[str, str | int] = {
            "server.address": server.host or "",
            "server.port": server.port or 0,
        }
        self._access_key = access_key
        self._secret = secret
        self._clock = clock
        self._on_private = on_private
        self._session = aiohttp.ClientSession(
            connector=connector(limit=CONNECTIONS_MAX, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Content-Type": "application/json", "Language": "English"},
        )

    @property
    def access_key(self) -> str:
        """For what names it in its query."""
        return self._access_key

    @property
    def clock_ms(self) -> int:
        return self._clock() // 1_000_000

    async def send(self, request: Request) -> Transfer:
        """Answers with what happened; raises only what `request.before_send` raises."""
        url = self._base_url + request.path + (f"?{request.query}" if request.query else "")
        attributes: dict[str, str | int] = {
            "http.request.method": request.method,
            "url.template": request.template,
            # Without the query: what was asked with which key is the trail's to tell.
            "url.full": self._shown_url + request.path,
            **self._server,
        }
        with client_span(f"{request.method} {request.template}", attributes) as span:
            transfer = await self._send(request, URL(url, encoded=True))
            if span.is_recording():
                _describe(span, transfer)
        if request.private:
            self._on_private(transfer)
        return transfer

    async def close(self) -> None:
        await self._session.close()

    async def _send(self, request: Request, url: URL) -> Transfer:
        payload = request.query if request.body is None else request.body
        now_ns = self._clock()
        if request.spot:
            url = self._signed_for_spot(url, now_ns=now_ns)
        headers = self._headers(request, payload=payload, now_ns=now_ns)
        started = time.monotonic()
        status: int | None = None
        body: bytes | None = None
        error = ""
        left = True
        try:
            async with self._session.request(
                request.method,
                url,
                data=None if request.body is None else request.body.encode(),
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=request.timeout_s, connect=CONNECT_TIMEOUT_S),
            ) as response:
                status = response.status
                body = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as exception:
            left = False
            error = _described(exception)
        except (aiohttp.ClientError, TimeoutError, OSError) as exception:
            error = _described(exception)
        return Transfer(
            call=msgspec.structs.replace(
                _call(request, now_ns=now_ns),
                elapsed_ms=round((time.monotonic() - started) * 1000, 3),
                http_status=status,
                response_body=(body or b"")[:KEPT_BODY_BYTES].decode(errors="replace"),
                error=error,
            ),
            left=left,
            body=body,
            begun_at=started,
        )

    def _headers(self, request: Request, *, payload: str, now_ns: int) -> dict[str, str]:
        # The time is taken before the hook: a process that sleeps in the hook has signed a
        # request that the exchange will find too old.
        request_time_ms = now_ns // 1_000_000 + self.clock_offset_ms
        if request.before_send is not None:
            request.before_send(_call(request, now_ns=now_ns))
        if request.spot:
            return {"X-MEXC-APIKEY": self._access_key}
        if not request.private:
            return {}
        return {
            "ApiKey": self._access_key,
            "Request-Time": str(request_time_ms),
            "Signature": signing.sign(
                access_key=self._access_key,
                secret=self._secret,
                request_time_ms=request_time_ms,
                payload=payload,
            ),
        }

    def _signed_for_spot(self, url: URL, *, now_ns: int) -> URL:
        """Its query names the key, so it is never empty."""
        timestamp = f"timestamp={now_ns // 1_000_000 + self.clock_offset_ms}"
        query = f"{url.raw_query_string}&{timestamp}"
        signature = signing.sign_query(secret=self._secret, query=query)
        return URL(f"{url}&{timestamp}&signature={signature}", encoded=True)


def _describe(span: Span, transfer: Transfer) -> None:
    call = transfer.call
    if call.http_status is not None:
        span.set_attribute("http.response.status_code", call.http_status)
    if call.error:
        fail(span, call.error.partition(":")[0], call.error)
        return
    code = _code_of(transfer.body or b"")
    if code is not None:
        span.set_attribute("alertwire.exchange.code", code)
    if call.http_status is None or call.http_status >= 400:
        fail(span, str(call.http_status))
    elif code:
        # The exchange answers its own errors with 200.
        fail(span, f"code {code}")


def _code_of(body: bytes) -> int | None:
    try:
        return _decode_code(body).code
    except msgspec.MsgspecError:
        return None


def _call(request: Request, *, now_ns: int) -> ExchangeCall:
    return ExchangeCall(
        method=request.method,
        path=request.path,
        query=request.query,
        request_body=request.body or "",
        sent_at=datetime.fromtimestamp(now_ns / 1e9, tz=UTC),
    )


def _described(exception: Exception) -> str:
    # aiohttp's timeouts have no text; their names say which.
    return f"{type(exception).__name__}: {exception}".rstrip(": ")
