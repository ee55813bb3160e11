"""Ends a page's stream when whoever opened it has signed out, or may no longer look. The guard saw
them once; a stream goes on for hours.
"""

import asyncio
from typing import Any

from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from libs.common.cancelling import cancelled
from services.console.patience import STREAMS
from services.console.problems import Problem
from services.console.web.access.guarding import Access, entered

CHECKED_EVERY_S = 5.0
_API = "/api/"


class EndOfSession:
    """The application `app`, with its pages' streams tied to their sessions."""

    def __init__(
        self, app: ASGIApp, access: Access, *, checked_every_s: float = CHECKED_EVERY_S
    ) -> None:
        self._app = app
        self._access = access
        self._checked_every_s = checked_every_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or not _is_stream(scope["path"]):
            await self._app(scope, receive, send)
            return
        is_open = False

        async def noting(message: Any) -> None:
            nonlocal is_open
            await send(message)
            if message["type"] == "http.response.start":
                is_open = message["status"] == 200
            elif not message.get("more_body", False):
                is_open = False

        stream = asyncio.ensure_future(self._app(scope, receive, noting))
        try:
            while not stream.done():
                await asyncio.wait({stream}, timeout=self._checked_every_s)
                if not stream.done() and is_open and not await self._may_go_on(scope):
                    await cancelled([stream])
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                    return
            await stream
        finally:
            await cancelled([stream])

    async def _may_go_on(self, scope: Any) -> bool:
        try:
            return await entered(self._access, Request(scope), is_used=False) is not None
        except Problem as problem:
            # Nobody knows while the log is away; nothing new comes by the stream then, either.
            return problem.status == 503


def _is_stream(path: str) -> bool:
    return path.rstrip("/").endswith(STREAMS) and not path.startswith(_API)
