"""Puts made-up events into the trail: many at once by COPY, chained as the auditor chains them, and
some as the auditor stores them, which is timed.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from itertools import islice
from random import Random
from typing import Any

import asyncpg

from bench.errors import BenchError
from bench.trail.events import STREAM, Event
from services.auditor.chaining import link
from services.auditor.rows import Row, to_row
from services.auditor.store import Store

_COPIED_AT_ONCE = 20_000
_STORED_AT_ONCE = 500
"""As the auditor does under load."""
_KEPT = 2_000
_COLUMNS = tuple(field.name for field in fields(Row))


@dataclass(kw_only=True)
class Sample:
    """Alerts among which journeys are asked for, evenly of all that were made."""

    random: Random
    alerts: list[str] = field(default_factory=list)
    seen: int = 0

    def note(self, row: Row) -> None:
        if row.stage != "alert.received":
            return
        self.seen += 1
        if len(self.alerts) < _KEPT:
            self.alerts.append(str(row.alert_id))
        elif (place := self.random.randrange(self.seen)) < _KEPT:
            self.alerts[place] = str(row.alert_id)


@dataclass(kw_only=True)
class Filler:
    connection: "asyncpg.Connection[asyncpg.Record]"
    store: Store
    events: Iterator[Event]
    sample: Sample
    first_seq: int
    head: bytes
    made: int = 0

    async def copy(self, count: int) -> None:
        """So many more, as fast as they can be."""
        left = count
        while left > 0:
            rows = self._rows(min(left, _COPIED_AT_ONCE))
            left -= len(rows)
            records = [(*_values(row), self._chained(row)) for row in rows]
            await self.connection.copy_records_to_table(
                "audit_event", records=records, columns=(*_COLUMNS, "hash")
            )

    async def store_timed(self, count: int) -> float:
        """So many more as the auditor stores them; returns rows per second."""
        rows = self._rows(count)
        took_s = 0.0
        for start in range(0, count, _STORED_AT_ONCE):
            batch = rows[start : start + _STORED_AT_ONCE]
            began = time.perf_counter()
            new = await self.store.insert(batch)
            took_s += time.perf_counter() - began
            if new != len(batch):
                raise BenchError(f"{new} of {len(batch)} rows were stored")
        for row in rows:
            self._chained(row)
        return count / took_s

    def _rows(self, count: int) -> list[Row]:
        rows = [self._row(event) for event in islice(self.events, count)]
        self.made += len(rows)
        for row in rows:
            self.sample.note(row)
        return rows

    def _row(self, event: Event) -> Row:
        return to_row(
            stream=STREAM,
            seq=self.first_seq + event.seq,
            subject=event.subject,
            stored_at=event.stored_at,
            headers=event.headers,
            data=event.data,
        )

    def _chained(self, row: Row) -> bytes:
        self.head = link(self.head, row)
        return self.head


def _values(row: Row) -> Sequence[Any]:
    return tuple(getattr(row, name) for name in _COLUMNS)
