"""The trail in Postgres, read through the auditor's view. Postgres may be away for hours: then
these reads answer 503 and nothing else suffers.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from libs.common.contracts import codec
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.words import AlertId, AlertStatus
from libs.common.queries import named_queries
from libs.common.secret import Secret
from services.console.problems import Problem

_TIMEOUT_S = 5.0
_PROBE_S = 1.0
_AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Row:
    """An event of the trail with its bytes as they stand in the log."""

    seq: int
    stage: str
    service: str
    at: datetime
    stored_at: datetime
    body: bytes
    message: AnyMessage | None
    """None where this release cannot decode it."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A place in a list of alerts."""

    seq: int
    alert_id: AlertId
    is_listed: bool
    """False where it stands in the journey of a halt instead."""


_STOPPED = ["execution.rejected", "execution.canceled"]
_RARE_ENDS = {
    AlertStatus.REFUSED: ["alert.refused"],
    AlertStatus.DENIED: ["intent.denied"],
    AlertStatus.REJECTED: _STOPPED,
    AlertStatus.PARTIAL: [*_STOPPED, "intent.denied", "dead"],
    AlertStatus.UNKNOWN: ["execution.unknown"],
    AlertStatus.DEAD: ["dead"],
}
"""The stages without one of which no alert comes to a status (libs/common/domain/journey.py)."""


class Trail:
    """A few connections to Postgres, made when they are needed."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._queries = named_queries(Path(__file__).with_name("queries.sql"))
        self._problem: str | None = "not asked yet"

    def missing(self) -> str | None:
        """A readiness check."""
        return self._problem

    async def watch(self) -> None:
        """Ask now and then whether the trail can be read, until cancelled."""
        while True:
            try:
                await self._fetch("probe")
                problem = None
            except Problem as away:
                problem = away.detail
            if problem != self._problem:
                _log.info("trail.changed", problem=problem)
            self._problem = problem
            await asyncio.sleep(_PROBE_S)

    async def alerts(
        self,
        *,
        before: int | None,
        limit: int,
        route: str | None = None,
        symbol: str | None = None,
        status: AlertStatus | None = None,
    ) -> list[Listed]:
        """Alerts, newest first; fewer than `limit` only at the end. Of a status that is rare those
        that may have it, of any other one all.
        """
        ends = _RARE_ENDS.get(status) if status is not None else None
        if symbol is not None:
            found = await self._fetch("alerts_of_symbol", before, route, limit, symbol)
        elif ends is not None:
            withheld = status is AlertStatus.PARTIAL
            found = await self._fetch("alerts_of_end", before, route, limit, ends, withheld)
        else:
            found = await self._fetch("alerts", before, route, limit)
        return [
            Listed(
                seq=row["seq"],
                alert_id=AlertId(str(row["alert_id"])),
                is_listed=row["is_listed"],
            )
            for row in found
        ]

    async def events(self, alerts: Sequence[AlertId]) -> dict[AlertId, list[Row]]:
        """Every event of each alert, in the order of the log."""
        found: dict[AlertId, list[Row]] = {alert: [] for alert in alerts}
        for record in await self._fetch("events", list(alerts)):
            found[AlertId(str(record["alert_id"]))].append(_row(record))
        return found

    async def _fetch(self, query: str, *values: Any) -> list[asyncpg.Record]:
        try:
            async with asyncio.timeout(_TIMEOUT_S), self._pool.acquire() as connection:
                return await connection.fetch(self._queries[query], *values)
        except _AWAY as error:
            raise Problem(
                503, f"The trail cannot be read now ({type(error).__name__}); try again."
            ) from None


@contextlib.asynccontextmanager
async def open_trail(url: Secret) -> AsyncIterator[Trail]:
    """Connects to nothing yet: the console starts while Postgres is away."""
    async with asyncpg.create_pool(
        url.reveal(), min_size=0, max_size=4, timeout=_TIMEOUT_S, command_timeout=_TIMEOUT_S
    ) as pool:
        yield Trail(pool)


def _row(record: asyncpg.Record) -> Row:
    body: bytes = record["body_bytes"]
    message: AnyMessage | None
    try:
        message = codec.decode(body)
    except codec.UndecodableError:
        message = None
    return Row(
        seq=record["seq"],
        stage=record["stage"],
        service=record["service"] or "",
        at=record["at"],
        stored_at=record["stored_at"],
        body=body,
        message=message,
    )
