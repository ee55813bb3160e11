"""Gets every row of a batch into the trail: makes the partitions that it needs, and finds the row
that spoils the others, which is then stored with less.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from services.auditor.rows import Row, bare, without_doc
from services.auditor.store import PartitionMissing, PostgresAway, RowRefused, Store

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What became of a batch; all of its rows are in the trail."""

    new: int = 0
    degraded: int = 0
    """Of the new ones: without what Postgres refused. The body is whole in any case."""


async def store_rows(store: Store, rows: Sequence[Row]) -> Stored:
    """Store all rows, each as whole as Postgres takes it; raises `PostgresAway`."""
    try:
        return Stored(new=await _insert(store, rows))
    except RowRefused as error:
        if len(rows) == 1:
            return await _store_with_less(store, rows[0], error=error)
    middle = len(rows) // 2
    older = await store_rows(store, rows[:middle])
    newer = await store_rows(store, rows[middle:])
    return Stored(new=older.new + newer.new, degraded=older.degraded + newer.degraded)


async def _insert(store: Store, rows: Sequence[Row]) -> int:
    try:
        return await store.insert(rows)
    except PartitionMissing:
        for month in sorted({row.stored_at.date().replace(day=1) for row in rows}):
            await store.ensure_partitions(month, month)
    try:
        return await store.insert(rows)
    except PartitionMissing as error:
        raise PostgresAway(str(error)) from error


async def _store_with_less(store: Store, row: Row, *, error: RowRefused) -> Stored:
    for left, less in (("all but doc", without_doc(row)), ("bytes", bare(row))):
        try:
            new = await _insert(store, [less])
        except RowRefused:
            continue
        _log.warning(
            "audit.degraded",
            seq=row.seq,
            subject=row.subject,
            left=left,
            error=str(error),
        )
        return Stored(new=new, degraded=new)
    # A row without content is at nobody's fault but the database's.
    raise PostgresAway(f"a row of bytes alone is refused: {error}") from error
