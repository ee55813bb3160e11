"""The trail in Postgres, read as its owner and as it stood at one moment."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import click

from libs.common.queries import named_queries
from libs.common.secret import Secret
from services.auditor.chaining import GENESIS
from services.auditor.rows import Row
from tools.cli.audit_files import Extent
from tools.cli.audit_suspecting import Edge, Kept

START = Edge(seq=0, hash=GENESIS)
CONNECT_TIMEOUT_S = 5.0
_PAGE = 500
_COLUMNS = Row.__slots__
QUERIES = named_queries(Path(__file__).with_name("audit.sql"))


@contextlib.asynccontextmanager
async def owning(url: Secret) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection as the trail's owner; what the server says never shows the address."""
    try:
        connection = await asyncpg.connect(url.reveal(), timeout=CONNECT_TIMEOUT_S)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as no:
        raise click.ClickException(f"Postgres does not let us in: {_words(no)}") from None
    try:
        yield connection
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as no:
        raise click.ClickException(f"Postgres refuses: {_words(no)}") from no
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_S)


@dataclass(frozen=True, kw_only=True)
class Partition:
    """A month's table as it stands."""

    name: str
    there: bool
    attached: bool
    pending: bool
    """A detaching that was broken off: to be finished."""
    oldest: date | None
    """The first month that is attached."""


class Trail:
    """Within a transaction of its own, so that no row comes while it is walked."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    @classmethod
    @contextlib.asynccontextmanager
    async def at_one_moment(
        cls, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> AsyncIterator["Trail"]:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield cls(connection)

    async def streams(self) -> list[str]:
        return [row["stream"] for row in await self._connection.fetch(QUERIES["streams"])]

    async def boundaries(self, stream: str) -> list[tuple[Edge, Edge]]:
        """Of each retired month what it begins behind, and its end."""
        found = await self._connection.fetch(QUERIES["boundaries"], stream)
        return [
            (
                Edge(seq=row["before_seq"], hash=row["before_hash"]),
                Edge(seq=row["last_seq"], hash=row["hash"]),
            )
            for row in found
        ]

    async def before(self, stream: str, seq: int) -> Edge:
        """What a row with this sequence follows: a row, the end of a retired month, or nothing."""
        row = await self._connection.fetchrow(QUERIES["before"], stream, seq)
        if row is not None:
            return Edge(seq=row["seq"], hash=row["hash"])
        ends = [end for _, end in await self.boundaries(stream) if end.seq < seq]
        return ends[-1] if ends else START

    async def start(self, stream: str, *, first: int) -> Edge:
        """What the stream's first row at or behind `first` follows."""
        seq = await self._connection.fetchval(QUERIES["first_seq"], stream, first)
        if seq is not None:
            return await self.before(stream, seq)
        ends = [end for _, end in await self.boundaries(stream)]
        return ends[-1] if ends else START

    async def rows(self, stream: str, *, after: int) -> AsyncIterator[Kept]:
        async for record in self._connection.cursor(QUERIES["rows"], stream, after, prefetch=_PAGE):
            yield kept_of(record)

    async def takes(self, document: str) -> bool:
        """Whether jsonb takes it."""
        try:
            async with self._connection.transaction():
                return bool(await self._connection.fetchval(QUERIES["takes"], document))
        except (asyncpg.DataError, asyncpg.ProgramLimitExceededError, asyncpg.InternalServerError):
            return False
        except asyncpg.StatementTooComplexError:
            return False

    async def partition(self, month: date) -> Partition:
        name = partition_of(month)
        row = await self._connection.fetchrow(QUERIES["partition"], name)
        assert row is not None  # noqa: S101 - an aggregate has a row
        oldest = row["oldest"]
        return Partition(
            name=name,
            there=row["there"],
            attached=row["attached"],
            pending=row["pending"],
            oldest=None if oldest is None else month_of(oldest),
        )

    async def extents(self, partition: str) -> list[Extent]:
        """Of each stream that a month's partition holds its part of the chain."""
        found = await self._connection.fetch(QUERIES["month_extent"].replace("%s", partition))
        return [await self._extent(row) for row in found]

    async def _extent(self, row: Any) -> Extent:
        before = await self.before(row["stream"], row["first_seq"])
        return Extent(
            stream=row["stream"],
            rows=row["rows"],
            before_seq=before.seq,
            before_hash=before.hash.hex(),
            first_seq=row["first_seq"],
            last_seq=row["last_seq"],
            hash=row["hash"].hex(),
            last_stored_at=row["last_stored_at"],
        )

    async def month(self, partition: str, *, stream: str | None = None) -> AsyncIterator[Kept]:
        """The rows of a month's partition, by stream and sequence."""
        query = QUERIES["month_rows"].replace("%s", partition)
        async for record in self._connection.cursor(query, stream, prefetch=_PAGE):
            yield kept_of(record)


def partition_of(month: date) -> str:
    return f"audit_event_{month:%Y_%m}"


def month_of(partition: str) -> date:
    year, month = partition.removeprefix("audit_event_").split("_")
    return date(int(year), int(month), 1)


def kept_of(record: Any) -> Kept:
    return Kept(row=Row(**{name: record[name] for name in _COLUMNS}), hash=record["hash"])


# The client's own errors may quote the address, password and all; the server's do not.
def _words(error: Exception) -> str:
    told = isinstance(error, asyncpg.PostgresError | OSError)
    return str(error) if told and str(error) else type(error).__name__
