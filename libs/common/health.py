"""`/health/live`, `/health/ready` (with what is missing) and `/metrics`, on a port of their own.

Liveness asks nobody else: a restart does not bring NATS or Postgres back.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], str | None]
"""Returns None when fine, else what is missing, in a few words."""


class Health:
    """Collects a service's readiness checks; itself an ASGI application."""

    def __init__(self, service: str, *, starting: bool = False) -> None:
        self.service = service
        self._checks: dict[str, Check] = {}
        self._starting = starting

    def started(self) -> None:
        """All checks are there now; until then a `starting` process is not ready."""
        self._starting = False

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    def missing(self) -> dict[str, str]:
        found = {name: check() for name, check in self._checks.items()}
        found["start"] = "still starting" if self._starting else None
        return {name: text for name, text in found.items() if text is not None}

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and body for a path."""
        if path == "/health/live":
            return 200, "application/json", _json({"service": self.service, "status": "live"})
        if path == "/health/ready":
            missing = self.missing()
            status = "not ready" if missing else "ready"
            body = {"service": self.service, "status": status, "missing": missing}
            return (503 if missing else 200), "application/json", _json(body)
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest()
        return 404, "application/json", _json({"status": "no such page"})

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        status, content_type, body = self.answer(scope["path"])
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)
