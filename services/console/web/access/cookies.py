"""Gives a browser the session that the guard has begun for it, whatever the page answers then."""

from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from services.console.web.access.guarding import Access, begun_session


class BegunCookies:
    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def giving(message: Any) -> None:
            if message["type"] == "http.response.start" and (begun := begun_session(scope)):
                cookie = self._access.cookie(begun).to_encoded_header()
                message["headers"] = [*message["headers"], cookie]
            await send(message)

        is_http = scope["type"] == ScopeType.HTTP
        await self._app(scope, receive, giving if is_http else send)
