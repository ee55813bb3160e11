"""The trail in Postgres: batches in, idempotently, and the partitions that they need.

Knows three ways to fail, each named for what the caller must do: wait, make a partition, or find
the row at fault.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from libs.common.queries import named_queries
from libs.common.secret import Secret
from services.auditor import metrics
from services.auditor.chaining import Head
from services.auditor.rows import Row

CONNECTIONS_MAX = 6
"""One for each stream that is followed, and one for what is done beside: none waits for another."""
CONNECT_TIMEOUT_S = 3.0
STATEMENT_TIMEOUT_S = 5.0
"""Short, since the process must end within seconds; a batch takes milliseconds."""

_COLUMNS = tuple(field.name for field in fields(Row))
# SQLSTATEs that tell of the data: class 22 data exception, 23 constraint, 54 a limit of Postgres
# (an index entry too long, JSON too deep), and its internal error. All others tell of its state.
_ROW_AT_FAULT = ("22", "23", "54", "XX000")

_log = structlog.get_logger()


class PostgresAway(Exception):  # noqa: N818 - a state of Postgres, no row's fault
    """Nothing can be stored at present: hold the rows and try again."""


class PartitionMissing(Exception):  # noqa: N818
    """A row's month has no partition: make it and try again."""


class RowRefused(Exception):  # noqa: N818
    """At least one of the rows cannot be stored as it is."""


class Store:
    """Writes through a pool whose login is a member of the role `auditor`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._queries = named_queries(Path(__file__).with_name("queries.sql"))
        self._trouble: str | None = "Postgres not asked yet"

    def missing(self) -> str | None:
        """A readiness check."""
        return self._trouble

    async def insert(self, rows: Sequence[Row]) -> int:
        """Append rows to the chains of their streams in one transaction; returns how many were not
        there yet.

        Raises `PostgresAway`, `PartitionMissing` or `RowRefused`; then none of them is stored.
        """
        columns = [[getattr(row, name) for row in rows] for name in _COLUMNS]
        try:
            told = await self._pool.fetchrow(self._queries["append_rows"], *columns)
        except asyncpg.CheckViolationError as error:
            # The words depend on the server's language; but a constraint has a name.
            if error.constraint_name is None:
                raise PartitionMissing(str(error)) from error
            raise RowRefused(_words(error)) from error
        except asyncpg.PostgresError as error:
            if (error.sqlstate or "").startswith(_ROW_AT_FAULT):
                raise RowRefused(_words(error)) from error
            raise self._away(error) from error
        except (asyncpg.InterfaceError, OSError, TimeoutError) as error:
            raise self._away(error) from error
        self._well()
        assert told is not None  # noqa: S101 - a function's only row
        if told["absent"]:
            metrics.audit_absent.inc(told["absent"])
            _log.warning("audit.absent", rows=told["absent"], first_seq=rows[0].seq)
        return int(told["appended"])

    async def ensure_partitions(self, first: date, last: date) -> int:
        """Make the partitions of these days' months that are missing; returns how many."""
        made = await self._ask("ensure_partitions", first, last)
        if made:
            _log.info("audit.partitions_made", months=made, first=str(first), last=str(last))
        return int(made)

    async def last_partition(self) -> date | None:
        """The first day of the latest month that has a partition; raises `PostgresAway`."""
        found: date | None = await self._ask("last_partition")
        return found

    async def heads(self) -> list[Head]:
        """Where the chains end; raises `PostgresAway`."""
        try:
            found = await self._pool.fetch(self._queries["heads"])
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            raise self._away(error) from error
        self._well()
        return [Head(stream=row["stream"], seq=row["seq"], hash=row["hash"]) for row in found]

    async def ping(self) -> None:
        """Learn whether Postgres is there; raises `PostgresAway`."""
        await self._ask("ping")

    async def _ask(self, name: str, *arguments: object) -> Any:
        try:
            answer = await self._pool.fetchval(self._queries[name], *arguments)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            raise self._away(error) from error
        self._well()
        return answer

    def _away(self, error: Exception) -> PostgresAway:
        trouble = f"Postgres away: {_words(error)}"
        if trouble != self._trouble:
            _log.warning("postgres.lost", error=_words(error))
        self._trouble = trouble
        return PostgresAway(trouble)

    def _well(self) -> None:
        if self._trouble is not None:
            _log.info("postgres.found")
        self._trouble = None


def make_pool(url: Secret) -> "asyncpg.Pool[asyncpg.Record]":
    """A pool that connects when it is used: the service starts without Postgres."""
    return asyncpg.create_pool(
        url.reveal(),
        min_size=0,
        max_size=CONNECTIONS_MAX,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=STATEMENT_TIMEOUT_S,
        server_settings={"application_name": "alertwire-auditor"},
    )


# The client's own errors may quote the address, password and all; the server's do not.
def _words(error: Exception) -> str:
    name = type(error).__name__
    return name if isinstance(error, asyncpg.InterfaceError) else f"{name}: {error}"
