"""The address `/edge`: connections come and go here, and all stop with the server."""

import asyncio

from aiohttp import WSMsgType, web

from tools.paper_exchange.control.faults import SOCKET_PATH, Fault
from tools.paper_exchange.edge.faulting import SocketFaults, socket_path
from tools.paper_exchange.edge.private import PrivateFeed
from tools.paper_exchange.edge.public import PublicFeed
from tools.paper_exchange.edge.sessions import EdgeLimits, Session
from tools.paper_exchange.edge.talking import Talk
from tools.paper_exchange.venue import Venue

_GOING_AWAY = 1001
# How long a broken connection is waited for while it closes.
_CLOSING_S = 1.0


class Edge:
    def __init__(self, venue: Venue, limits: EdgeLimits) -> None:
        self._venue = venue
        self._limits = limits
        self._sessions: set[Session] = set()
        self._faults = SocketFaults(venue.chance)
        self._private = PrivateFeed(venue, self._faults)
        self._public = PublicFeed(venue, limits)
        self._talk = Talk(venue, private=self._private, public=self._public, limits=limits)
        venue.listeners.append(self._private.tell)
        venue.faults.on_socket_faults = self._put_faults

    def stop(self) -> None:
        self._venue.listeners.remove(self._private.tell)
        self._venue.faults.on_socket_faults = None
        for session in self._sessions:
            session.close(_GOING_AWAY)
        self._public.stop()

    def refuses(self) -> bool:
        """Whether a fault turns the next connection away."""
        return self._faults.refuses(SOCKET_PATH, now_ms=self._venue.clock_ns() / 1e6)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """One connection, to its end."""
        socket = web.WebSocketResponse(
            compress=False, max_msg_size=self._limits.frame_bytes, timeout=_CLOSING_S
        )
        if not socket.can_prepare(request).ok:
            return web.Response(status=400, text="This address speaks WebSocket only.")
        if self._venue.one_way_s:
            await asyncio.sleep(2 * self._venue.one_way_s)
        transport = request.transport
        if transport is None:
            return web.Response()
        await socket.prepare(request)
        session = Session(
            transport,
            peer=self._venue.peer(request.remote),
            limits=self._limits,
            one_way_s=lambda: self._venue.one_way_s,
            handle=self._talk.hear,
        )
        self._sessions.add(session)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    session.received(message.data.encode())
                elif message.type is WSMsgType.BINARY:
                    session.received(message.data)
        finally:
            session.forget()
            self._sessions.discard(session)
            self._private.drop(session)
            self._public.drop_all(session)
        return socket

    def _put_faults(self, faults: list[Fault]) -> None:
        self._faults.replace(faults, now_ms=self._venue.clock_ns() / 1e6)
        for session in list(self._sessions):
            if self._faults.cuts(faults, socket_path(session.access_key)):
                session.abort()
