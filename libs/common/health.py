"""`/health/live`, `/health/ready` (with what is missing) and `/metrics`, on a port of their own.

Liveness asks nobody else: a restart does not bring NATS or Postgres back.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from libs.common import metrics
from libs.common.contracts.presence import Role
from libs.common.exposing import Exposition, exposition

Check = Callable[[], str | None]
"""Returns None when fine, else what is missing, in a few words."""


class Health:
    """Collects a service's readiness checks; itself an ASGI application."""

    def __init__(self, service: str, *, starting: bool = False) -> None:
        self.service = service
        self.began_at = datetime.now(UTC)
        self._roles: Callable[[], Sequence[tuple[Role, str]]] = lambda: ()
        self._checks: dict[str, Check] = {}
        self._starting = starting
        self._refreshes: list[Callable[[], None]] = []
        metrics.tell_build(service)

    def started(self) -> None:
        """All checks are there now; until then a `starting` process is not ready."""
        self._starting = False

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    def tell_role(self, role: Callable[[], tuple[Role, str]]) -> None:
        """Of a process that works under a lease: what it is to it, and the lease's name."""
        self._roles = lambda: (role(),)

    def tell_roles(self, roles: Callable[[], Sequence[tuple[Role, str]]]) -> None:
        """The same of one that may have several leases."""
        self._roles = roles

    def roles(self) -> Sequence[tuple[Role, str]]:
        """None where the work needs no lease."""
        return self._roles()

    def refresh(self, look: Callable[[], None]) -> None:
        """`look` is called before metrics are shown, to set those that are only read then."""
        self._refreshes.append(look)

    def missing(self) -> dict[str, str]:
        found = {name: check() for name, check in self._checks.items()}
        found["start"] = "still starting" if self._starting else None
        return {name: text for name, text in found.items() if text is not None}

    def answer(self, path: str, *, accept: str = "") -> tuple[int, str, bytes]:
        """Status, content type and body for a path. Metrics come as OpenMetrics where the `Accept`
        header asks for it: only that format has exemplars.
        """
        if path == "/health/live":
            return 200, "application/json", _json({"service": self.service, "status": "live"})
        if path == "/health/ready":
            missing = self.missing()
            status = "not ready" if missing else "ready"
            body = {"service": self.service, "status": status, "missing": missing}
            return (503 if missing else 200), "application/json", _json(body)
        if path == "/metrics":
            shown = self._exposition(accept)
            return 200, shown.content_type, b"".join(shown.pieces)
        return 404, "application/json", _json({"status": "no such page"})

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        if scope["path"] == "/metrics":
            await self._expose(scope, send)
            return
        status, content_type, body = self.answer(scope["path"])
        await _send(send, status, content_type=content_type, body=body)

    def _exposition(self, accept: str) -> Exposition:
        metrics.ready.labels(self.service).set(not self.missing())
        for look in self._refreshes:
            look()
        return exposition(accept)

    async def _expose(self, scope: Any, send: Any) -> None:
        accepted = (value for name, value in scope.get("headers", ()) if name == b"accept")
        accept = b",".join(accepted).decode("latin-1")
        shown = self._exposition(accept)
        body = bytearray()
        for piece in shown.pieces:
            body += piece
            # Whatever has come meanwhile goes first.
            await asyncio.sleep(0)
        await _send(send, 200, content_type=shown.content_type, body=bytes(body))


async def _send(send: Any, status: int, *, content_type: str, body: bytes) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)
