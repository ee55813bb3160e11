"""Ends a stream whose other side does not read at all. The framework would wait for it for ever,
with the rest of the answer in memory, and the console would wait for it when it stops.
"""

import asyncio
from typing import Any, Protocol

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

PATIENCE_S = 10.0
STREAMS = "/events"
"""What the paths of streams end with."""

_log = structlog.get_logger()


class _Transport(Protocol):
    def abort(self) -> None: ...


class Patience:
    """The application `app`, with what one part of a stream may take."""

    def __init__(self, app: ASGIApp, *, patience_s: float = PATIENCE_S) -> None:
        self._app = app
        self._patience_s = patience_s
        self._waiting: set[_Transport] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not scope["path"].rstrip("/").endswith(STREAMS):
            await self._app(scope, receive, send)
            return
        # The server offers no other way to a connection that takes nothing.
        transport: _Transport = send.__self__.transport  # type: ignore[attr-defined]
        loop = asyncio.get_running_loop()

        async def send_in_time(message: Any) -> None:
            timer = loop.call_later(self._patience_s, self._abort, transport)
            self._waiting.add(transport)
            try:
                await send(message)
            finally:
                timer.cancel()
                self._waiting.discard(transport)

        await self._app(scope, receive, send_in_time)

    def close(self) -> None:
        """End what is waited for now: the console stops."""
        for transport in tuple(self._waiting):
            self._abort(transport)

    def _abort(self, transport: _Transport) -> None:
        # Then the server finds the other side gone, which ends the stream.
        _log.warning("stream.deaf")
        transport.abort()
