"""What every answer tells the browser to allow, whatever it is and whoever made it."""

from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    b"content-security-policy": CONTENT_SECURITY_POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    # A page's address may name a route; nobody else has to know.
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_UNLESS_SAID = {b"cache-control": b"no-store"}


class Headers:
    """The application `app` with these headers on all that it answers."""

    def __init__(self, app: ASGIApp, *, is_secure: bool = False) -> None:
        self._app = app
        self._always = dict(_ALWAYS)
        if is_secure:
            self._always[b"strict-transport-security"] = b"max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                told = {name.lower() for name, _ in message["headers"]}
                missing = {k: v for k, v in _UNLESS_SAID.items() if k not in told}
                kept = [pair for pair in message["headers"] if pair[0].lower() not in self._always]
                message["headers"] = [*kept, *self._always.items(), *missing.items()]
            await send(message)

        await self._app(scope, receive, send_with_headers)
