"""The webhook: gathers what the decisions need, asks them, does what they say, answers in time.

A plain ASGI application, because this is the path that has to be fast. A token is in its path, so
neither the path nor the token goes into a log line or a span.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import structlog
from opentelemetry.trace import Span

from libs.common.bus import LogUnavailable
from libs.common.contracts.alert import Alert, AlertRefused
from libs.common.contracts.route import DUPLICATE_WINDOW_MAX_S, Route
from libs.common.contracts.words import AlertId, RouteId
from libs.common.domain import identity
from libs.common.metrics import Latency
from libs.common.seldom import Seldom
from libs.common.telemetry import alert_span, fail, link
from services.ingest import answers, counting
from services.ingest.admission import (
    TOKEN_UNKNOWN_COST,
    AddressRates,
    RateLimits,
    Tokens,
    address_rate_refusal,
    address_refusal,
    check_address,
    check_size,
    rate_refusal,
)
from services.ingest.answers import Answer, send_answer
from services.ingest.certificates import check_certificate
from services.ingest.parsing import Parsed, Unparsed, parse_alert
from services.ingest.recording import Recorded, Recorder
from services.ingest.refusals import Refusal
from services.ingest.requests import Disconnected, Handed, Request
from services.ingest.senders import ClientCertificate, Senders

BODY_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 2.5
"""TradingView gives up after 3 s, the network's share included."""
_SECOND_TRY_AFTER_S = 0.2
_UNREAD_PER_S = 1.0
_UNREAD_BURST = 10.0
_STRANGERS_PER_S = 5.0
_STRANGERS_BURST = 50.0

SPAN = "POST /hook/{token}"
_ATTRIBUTES = {
    "http.request.method": "POST",
    "http.route": "/hook/{token}",
    "url.path": "/hook/{token}",  # The real one holds the token.
    "url.scheme": "http",
}

SPAN_OF_TEST = "test alert"

_answered_in = Latency(counting.ack_seconds)
_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class _Arrival:
    """A request whose token opened a route, or a test."""

    request: Request | Handed
    route: Route
    alert_id: AlertId
    test_by: str | None = None
    """Who sends a test: who may do that needs no token, no address and no body secret."""
    started_s: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """How a request ended: the answer, and the words for its line in the log."""

    answer: Answer
    event: str
    alert_id: AlertId
    reason: str | None = None
    field: str | None = None
    body_bytes: int | None = None
    is_told: bool = True
    """Whether the log has a line of it."""


class Webhook:
    def __init__(
        self,
        *,
        recorder: Recorder,
        senders: Senders,
        address_rates: AddressRates,
        limits: RateLimits,
        missing: Callable[[], str | None],
        now: Callable[[], datetime],
    ) -> None:
        self._recorder = recorder
        self._senders = senders
        self._address_rates = address_rates
        self._limits = limits
        self._missing = missing
        self._now = now
        self._tokens: Tokens | None = None
        self._routes: dict[RouteId, Route] = {}
        # Refusals before the body is read cost the sender nothing, so few of them are recorded.
        self._unread_limits = RateLimits(per_s=_UNREAD_PER_S, burst=_UNREAD_BURST)
        self._strangers = Seldom(per_s=_STRANGERS_PER_S, burst=_STRANGERS_BURST)

    def use_routes(self, routes: list[Route]) -> None:
        """Call whenever the routes have changed."""
        self._tokens = Tokens(routes)
        self._routes = {route.id: route for route in routes}
        self._limits.keep(route.id for route in routes)
        counting.know(route.id for route in routes)
        self._unread_limits.keep(route.id for route in routes)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            answer = await self._answer(Request(scope, receive, senders=self._senders))
        except Disconnected:
            _log.info("alert.abandoned")
            return
        await send_answer(send, answer)

    async def test(self, body: bytes, *, route: RouteId, by: str) -> Answer:
        """Take a body from the console as if it had come to the route's webhook, and answer what
        HTTP would have answered.
        """
        if self._tokens is None:
            counting.unavailable.labels("").inc()
            return answers.unavailable()
        found = self._routes.get(route)
        if found is None:
            return answers.no_such_route(route)
        return await self._answer_route(
            _Arrival(request=Handed(body=body), route=found, alert_id=self._new_id(), test_by=by)
        )

    async def _answer(self, request: Request) -> Answer:
        if request.token is None:
            return answers.no_route()
        if request.method != "POST":
            return answers.not_a_post()
        if self._tokens is None:
            counting.unavailable.labels("").inc()
            return answers.unavailable()
        route = self._tokens.route(request.token, now=self._now())
        if route is None:
            return self._turn_away(request)
        return await self._answer_route(
            _Arrival(request=request, route=route, alert_id=self._new_id())
        )

    def _turn_away(self, request: Request) -> Answer:
        # Whose token opens nothing.
        now_s = time.monotonic()
        counting.refused.labels("", "token_unknown").inc()
        wait_s = self._address_rates.take(
            request.source_address, now_s=now_s, cost=TOKEN_UNKNOWN_COST
        )
        if wait_s is None:
            answer = answers.no_route()
        else:
            refusal = address_rate_refusal(per_s=self._address_rates.per_s, wait_s=wait_s)
            answer = answers.refused(refusal, alert_id=None)
        held_back = self._strangers.take(now_s=now_s)
        if held_back is not None:
            _log.info(
                "alert.refused",
                status=answer.status,
                reason="token_unknown",
                source_address=request.source_address,
                untold_before=held_back,
            )
        return answer

    async def _answer_route(self, arrival: _Arrival) -> Answer:
        about = {"route": arrival.route.id}
        is_test = arrival.test_by is not None
        name, attributes = (SPAN_OF_TEST, {}) if is_test else (SPAN, _ATTRIBUTES)
        with alert_span(arrival.alert_id, name, attributes, about=about) as span:
            outcome = await self._handle(arrival)
            if span.is_recording():
                _describe(span, outcome, arrival=arrival)
        elapsed_s = time.monotonic() - arrival.started_s
        if outcome.answer.status == 200:
            _answered_in.observe(elapsed_s, outcome.alert_id)
        if not outcome.is_told:
            return outcome.answer
        _log.info(
            outcome.event,
            alert_id=outcome.alert_id,
            route=arrival.route.id,
            status=outcome.answer.status,
            reason=outcome.reason,
            field=outcome.field,
            elapsed_ms=round(elapsed_s * 1000, 2),
            body_bytes=outcome.body_bytes,
            source_address=arrival.request.source_address,
            test_by=arrival.test_by,
        )
        return outcome.answer

    async def _handle(self, arrival: _Arrival) -> _Outcome:
        if refusal := self._refused_unread(arrival):
            recorded = self._unread_limits.take(arrival.route.id, now_s=arrival.started_s) is None
            return await self._refuse(arrival, refusal, recorded=recorded)
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = await arrival.request.read()
        except TimeoutError:
            counting.refused.labels(arrival.route.id, "too_slow").inc()
            return _Outcome(
                answer=answers.too_slow(BODY_TIMEOUT_S),
                event="alert.refused",
                alert_id=arrival.alert_id,
                reason="too_slow",
            )
        if isinstance(body, Refusal):
            return await self._refuse(arrival, body)
        is_trusted = arrival.test_by is not None
        parsed = parse_alert(body, route=arrival.route, is_trusted=is_trusted)
        if isinstance(parsed, Unparsed):
            return await self._refuse(arrival, parsed.refusal, body=body, text=parsed.body)
        return await self._accept(arrival, parsed, body=body)

    def _refused_unread(self, arrival: _Arrival) -> Refusal | None:
        # What can be said before the body is read: it costs the least.
        request, route = arrival.request, arrival.route
        if isinstance(request, Request) and (refusal := self._refused_sender(request, route)):
            return refusal
        wait_s = self._limits.take(route.id, now_s=arrival.started_s)
        if wait_s is not None:
            return rate_refusal(per_s=self._limits.per_s, wait_s=wait_s)
        return check_size(request.announced_bytes)

    def _refused_sender(self, request: Request, route: Route) -> Refusal | None:
        address, senders = request.source_address, self._senders
        if not senders.is_allowed(address):
            return address_refusal(address, where="those that ingest lets in")
        if refusal := check_address(route, address=address):
            return refusal
        if senders.certificate is not ClientCertificate.OFF and (
            refusal := check_certificate(request.holder())
        ):
            return refusal
        wait_s = self._address_rates.take(address, now_s=time.monotonic())
        if wait_s is None:
            return None
        return address_rate_refusal(per_s=self._address_rates.per_s, wait_s=wait_s)

    async def _accept(self, arrival: _Arrival, parsed: Parsed, *, body: bytes) -> _Outcome:
        route = arrival.route
        alert = Alert(
            alert_id=arrival.alert_id,
            route=route.id,
            at=self._now(),
            order=parsed.order,
            body=parsed.body,
            body_sha256=sha256(body).hexdigest(),
            content_type=arrival.request.content_type,
            source_address=arrival.request.source_address,
            explicit_id=parsed.explicit_id,
            test_by=arrival.test_by,
        )
        key = identity.body_key(route=route.id, explicit_id=parsed.explicit_id, body=body)
        try:
            recorded = await self._record(arrival, alert, key=key)
        except LogUnavailable as error:
            counting.unavailable.labels(route.id).inc()
            return _Outcome(
                answer=answers.unavailable(),
                event="alert.unavailable",
                alert_id=alert.alert_id,
                reason=str(error),
                body_bytes=len(body),
            )
        if recorded.duplicate:
            await self._recorder.record_duplicate(
                recorded, received=alert, stage_id=arrival.alert_id
            )
            counting.duplicate.labels(route.id).inc()
            answer, event = answers.duplicate(recorded.alert_id), "alert.duplicate"
        else:
            counting.accepted.labels(route.id).inc()
            counting.last_accepted.labels(route.id).set(alert.at.timestamp())
            answer, event = answers.accepted(recorded.alert_id), "alert.received"
        return _Outcome(
            answer=answer, event=event, alert_id=recorded.alert_id, body_bytes=len(body)
        )

    async def _record(self, arrival: _Arrival, alert: Alert, *, key: str) -> Recorded:
        # A second try bridges a reconnect; under the same event id it can store nothing twice.
        window_s = arrival.route.settings.duplicate_window_s
        if arrival.test_by is not None:
            # Whoever sends a test again for want of an answer must not order twice.
            window_s = DUPLICATE_WINDOW_MAX_S
        left_s = ANSWER_TIMEOUT_S - (time.monotonic() - arrival.started_s)
        try:
            async with asyncio.timeout(left_s):
                try:
                    self._require_ready()
                    return await self._recorder.record(alert, key=key, window_s=window_s)
                except LogUnavailable:
                    await asyncio.sleep(_SECOND_TRY_AFTER_S)
                    self._require_ready()
                    return await self._recorder.record(alert, key=key, window_s=window_s)
        except TimeoutError:
            raise LogUnavailable("the log did not confirm in time") from None

    def _require_ready(self) -> None:
        if missing := self._missing():
            raise LogUnavailable(missing)

    async def _refuse(
        self,
        arrival: _Arrival,
        refusal: Refusal,
        *,
        body: bytes | None = None,
        text: str = "",
        recorded: bool = True,
    ) -> _Outcome:
        counting.refused.labels(arrival.route.id, refusal.reason.value).inc()
        if recorded:
            refused = AlertRefused(
                alert_id=arrival.alert_id,
                route=arrival.route.id,
                at=self._now(),
                status=refusal.status,
                reason=refusal.reason,
                message=refusal.message,
                field=refusal.field,
                value=refusal.value,
                body=text,
                body_sha256="" if body is None else sha256(body).hexdigest(),
                content_type=arrival.request.content_type,
                source_address=arrival.request.source_address,
                test_by=arrival.test_by,
            )
            await self._recorder.record_refused(refused)
        return _Outcome(
            answer=answers.refused(refusal, alert_id=arrival.alert_id),
            event="alert.refused",
            alert_id=arrival.alert_id,
            reason=refusal.reason.value,
            field=refusal.field,
            body_bytes=arrival.request.announced_bytes if body is None else len(body),
            is_told=recorded,
        )

    def _new_id(self) -> AlertId:
        unix_ms = int(self._now().timestamp() * 1000)
        return identity.alert_id(unix_ms=unix_ms, random_bits=secrets.randbits(74))


def _describe(span: Span, outcome: _Outcome, *, arrival: _Arrival) -> None:
    status = outcome.answer.status
    span.set_attribute("http.response.status_code", status)
    span.set_attribute("alertwire.outcome", outcome.event)
    span.set_attribute("client.address", arrival.request.source_address)
    if outcome.alert_id != arrival.alert_id:
        span.set_attribute("alertwire.duplicate_of", outcome.alert_id)
        link(span, outcome.alert_id)
    if status != 200:
        # The conventions leave a 4xx of a server unset. Here it is an alert that was not traded.
        fail(span, outcome.reason or str(status), outcome.event)
