"""The HTTP server: takes calls, lets latency and faults befall them, and sends the answers.

The order of events of a call to the exchange: one way's latency, arrival (noted in the record of
requests), faults before execution, execution, faults after it, the other way's latency, the reply.
A delayed or hanging call is checked and executed when its delay is over, as a request is that was
held up on its way: by then its time window may have passed.
"""

import asyncio
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from tools.paper_exchange.control.answering import PREFIX, control, described
from tools.paper_exchange.control.faults import SOCKET_PATH, Fault, FaultKind
from tools.paper_exchange.control.recording import Record
from tools.paper_exchange.edge.endpoint import Edge
from tools.paper_exchange.edge.sessions import EdgeLimits
from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.rest.answering import answer_call, refusal
from tools.paper_exchange.rest.calls import Call
from tools.paper_exchange.rest.replies import Answer, missing
from tools.paper_exchange.rest.routes import PRIVATE, Route, RouteTable
from tools.paper_exchange.venue import Venue

_HTML = {"Content-Type": "text/html"}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BLOCKED = b"<html><head><title>Access Denied</title></head><body>Access Denied</body></html>"
_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>502</body></html>"
_LATE = frozenset({FaultKind.DELAY_BEFORE, FaultKind.HANG})


class PaperApp:
    """Its `handle` serves one request."""

    def __init__(self, venue: Venue, limits: EdgeLimits = EdgeLimits()) -> None:  # noqa: B008 - frozen
        self._venue = venue
        self._edge = Edge(venue, limits)
        self._routes = RouteTable()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let go of the calls that hang on purpose, and of the sockets."""
        self._stopping.set()
        self._edge.stop()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Expect", "").lower() == "100-continue":
            # Who asks first holds the body back until then.
            await request.writer.write(_CONTINUE)
            request.writer.output_size = 0
        path, _, query = request.raw_path.partition("?")
        if path.rstrip("/") == SOCKET_PATH:
            return await self._connect(request)
        if path.startswith("/api/"):
            return await self._exchange(request, path=unquote(path), query=query)
        if path.startswith(PREFIX):
            answer = control(
                self._venue,
                method=request.method,
                path=unquote(path),
                params=dict(parse_qsl(query)),
                body=await request.read(),
                peer=self._venue.peer(request.remote),
            )
            return _response(answer)
        return _response(described() if path == "/" else missing(path))

    async def _connect(self, request: web.BaseRequest) -> web.StreamResponse:
        fault = self._venue.faults.draw(SOCKET_PATH).call
        if fault is not None:
            early = await self._before(request, fault, None)
            if early is not None:
                return early
        if self._edge.refuses():
            return web.Response(status=502, body=_BAD_GATEWAY, headers=_HTML)
        return await self._edge.serve(request)

    async def _exchange(
        self, request: web.BaseRequest, *, path: str, query: str
    ) -> web.StreamResponse:
        venue = self._venue
        body = await request.read()
        if venue.one_way_s:
            await asyncio.sleep(venue.one_way_s)
        found = self._routes.find(request.raw_path.partition("?")[0])
        content = query.encode() if request.method == "GET" else body or query.encode()
        record = self._note(request, path=path, content=content, found=found)
        befalling = venue.faults.draw(path)
        fault = befalling.call
        if fault is not None:
            early = await self._before(request, fault, record)
            if early is not None:
                return early
        if found is None:
            return await self._reply(missing(path))
        route, named = found
        if not route.takes(request.method):
            return await self._reply(missing(path, status=405))
        call = Call(
            method=request.method,
            path=path,
            raw_query=query,
            body=body,
            headers=request.headers,
            peer=venue.peer(request.remote),
            now_ms=venue.now_ms(),
            told_ms=venue.told_ms(),
            params={**dict(parse_qsl(query, keep_blank_values=True)), **named},
            befalling=befalling,
        )
        answer = answer_call(venue, route, call)
        if record is not None:
            record.code = answer.code
        if fault is not None:
            return await self._after(request, fault, answer)
        return await self._reply(answer)

    def _note(
        self,
        request: web.BaseRequest,
        *,
        path: str,
        content: bytes,
        found: tuple[Route, dict[str, str]] | None,
    ) -> Record | None:
        if found is None and not path.startswith(PRIVATE):
            return None
        if found is not None and not found[0].recorded:
            return None
        record = Record(
            path=path,
            method=request.method,
            received_ns=self._venue.clock_ns(),
            raw=content,
            access_key=request.headers.get("ApiKey") or request.headers.get("X-MEXC-APIKEY"),
        )
        self._venue.requests.note(record, pattern=found[0].pattern if found else PRIVATE)
        return record

    async def _before(
        self, request: web.BaseRequest, fault: Fault, record: Record | None
    ) -> web.StreamResponse | None:
        # What a fault answers instead of the exchange; None lets the call go on.
        if fault.kind is FaultKind.DROP_BEFORE:
            return _closed(request)
        if fault.kind is FaultKind.HTML_403:
            await self._return_trip()
            return web.Response(status=403, body=_BLOCKED, headers=_HTML)
        if fault.kind is FaultKind.HTTP_502:
            await self._return_trip()
            return web.Response(status=502, body=_BAD_GATEWAY, headers=_HTML)
        if fault.kind is FaultKind.CODE and fault.code is not None and not fault.executed:
            if record is not None:
                record.code = fault.code
            return await self._reply(
                refusal(self._venue, Refused(fault.code), headers=request.headers)
            )
        if fault.kind in _LATE:
            await asyncio.sleep(fault.seconds)
        return None

    async def _after(
        self, request: web.BaseRequest, fault: Fault, answer: Answer
    ) -> web.StreamResponse:
        # What a fault makes of the answer.
        if fault.kind is FaultKind.LOSE_REPLY:
            return _closed(request)
        if fault.kind is FaultKind.HANG:
            return await self._hung(request)
        if fault.kind is FaultKind.CODE and fault.code is not None:
            answer = refusal(self._venue, Refused(fault.code), headers=request.headers)
        return await self._reply(answer)

    async def _hung(self, request: web.BaseRequest) -> web.StreamResponse:
        # Until the client gives up, or the server stops.
        while request.transport is not None:
            if self._stopping.is_set():
                break
            await asyncio.sleep(0.1)
        return _closed(request)

    async def _reply(self, answer: Answer) -> web.StreamResponse:
        await self._return_trip()
        return _response(answer)

    async def _return_trip(self) -> None:
        if self._venue.one_way_s:
            await asyncio.sleep(self._venue.one_way_s)


def _response(answer: Answer) -> web.Response:
    headers = {"Content-Type": answer.content_type}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


def _closed(request: web.BaseRequest) -> web.StreamResponse:
    # The response goes nowhere: its connection is closed already.
    if request.transport is not None:
        request.transport.close()
    return web.Response()
