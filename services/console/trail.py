"""The trail in Postgres, read through the auditor's view. Postgres may be away for hours: then
these reads answer 503 and nothing else suffers.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from libs.common.contracts import codec
from libs.common.contracts.checkup import AccountChecked
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.words import AccountId, AlertId, AlertStatus
from libs.common.queries import named_queries
from libs.common.secret import Secret
from services.console.differences import ChangeKind, Revision
from services.console.problems import Problem

_TIMEOUT_S = 5.0
_PROBE_S = 1.0
_CHANGED, _DELETED = "changed", "deleted"
_OF_ITS_OWN = "SET LOCAL plan_cache_mode = force_custom_plan"
"""The plan for any route would not use the index of routes: a second instead of a tenth of one."""
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


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a change stands among all others, of whatever bucket."""

    stored_at: datetime
    stream: str
    seq: int


@dataclass(frozen=True, kw_only=True)
class ChangeRow:
    """A change by hand, with what stood there before it."""

    place: Place
    stage: str
    subject: str
    made_by: str | None
    now: Revision
    before: Revision | None
    """None where the trail knows of none."""


_STOPPED = ["execution.rejected", "execution.canceled"]
_RARE_ENDS = {
    AlertStatus.REFUSED: ["alert.refused"],
    AlertStatus.DENIED: ["intent.denied", "execution.canceled"],
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
        account: str | None = None,
        status: AlertStatus | None = None,
    ) -> list[Listed]:
        """Alerts, newest first; fewer than `limit` only at the end. Of a status that is rare those
        that may have it, of any other one all; of a symbol those of every account and status, and
        of an account those of every status.
        """
        ends = _RARE_ENDS.get(status) if status is not None else None
        if symbol is not None:
            found = await self._fetch("alerts_of_symbol", before, route, limit, symbol)
        elif account is not None:
            found = await self._fetch("alerts_of_account", before, route, limit, account)
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

    async def last_seq(self, alerts: Sequence[AlertId]) -> int:
        """The place in the log of the last event of these alerts that has come into the trail; 0
        where there is none.
        """
        [record] = await self._fetch("last_seq", list(alerts))
        seq: int = record["seq"]
        return seq

    async def changes(  # noqa: PLR0913 - filters, each by name
        self,
        *,
        kinds: Sequence[ChangeKind],
        name: str | None,
        route: str | None,
        account: str | None,
        made_by: str | None = None,
        before: Place | None,
        limit: int,
    ) -> list[ChangeRow]:
        """What was changed by hand, newest first. `made_by` is a part of who did."""
        stages = [f"{kind.value}.{how}" for kind in kinds for how in (_CHANGED, _DELETED)]
        place = (None, None, None) if before is None else astuple(before)
        found = await self._fetch("changes", stages, name, route, account, *place, limit, made_by)
        return [_change(record) for record in found]

    async def checkups(
        self, accounts: Sequence[AccountId], *, near: datetime
    ) -> list[AccountChecked]:
        """Of each account the checkup nearest to a time of the log; of some there is none."""
        found = await self._fetch("checkups", list(accounts), near)
        messages = [_message(record["body_bytes"]) for record in found]
        return [message for message in messages if isinstance(message, AccountChecked)]

    async def newest(self) -> tuple[int, datetime] | None:
        """Where the trail of the log ends; None where nothing was stored yet."""
        found = await self._fetch("newest")
        return (found[0]["seq"], found[0]["stored_at"]) if found else None

    async def counted(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Lines of numbers, as the query names them; raises a 503 where Postgres is away."""
        return [dict(record) for record in await self._fetch(query, *values, settled=_OF_ITS_OWN)]

    async def _fetch(self, query: str, *values: Any, settled: str = "") -> list[asyncpg.Record]:
        try:
            async with asyncio.timeout(_TIMEOUT_S), self._pool.acquire() as connection:
                if not settled:
                    return await connection.fetch(self._queries[query], *values)
                async with connection.transaction(readonly=True):
                    await connection.execute(settled)
                    return await connection.fetch(self._queries[query], *values)
        except asyncpg.DataError:
            # Such as the character 0 in a text, or a number beyond the largest place.
            raise Problem(422, "Nothing in the trail can be like what was asked for.") from None
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


def _change(record: asyncpg.Record) -> ChangeRow:
    return ChangeRow(
        place=Place(stored_at=record["stored_at"], stream=record["stream"], seq=record["seq"]),
        stage=record["stage"],
        subject=record["subject"],
        made_by=record["made_by"],
        now=Revision(body=record["body_bytes"], deleted=record["stage"].endswith(_DELETED)),
        before=None
        if record["stage_before"] is None
        else Revision(
            body=record["body_before"], deleted=record["stage_before"].endswith(_DELETED)
        ),
    )


def _row(record: asyncpg.Record) -> Row:
    body: bytes = record["body_bytes"]
    return Row(
        seq=record["seq"],
        stage=record["stage"],
        service=record["service"] or "",
        at=record["at"],
        stored_at=record["stored_at"],
        body=body,
        message=_message(body),
    )


def _message(body: bytes) -> AnyMessage | None:
    try:
        return codec.decode(body)
    except codec.UndecodableError:
        return None
