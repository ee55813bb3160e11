"""Takes a month out of the trail: verified, exported, the file read back and verified, its boundary
recorded, detached, and dropped where that is asked for.

Each step looks at what the one before it left, so that after a crash at any point the same command
goes on. The boundary is recorded before the month is detached: a chain whose beginning is gone and
nowhere recorded would begin anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import click

from tools.cli.audit_exporting import export_month
from tools.cli.audit_files import Header, digest, read_header
from tools.cli.audit_trail import QUERIES, Partition, Trail
from tools.cli.audit_verifying import Anchors, Pace, verify_file, verify_month
from tools.cli.audit_walking import Walked

_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'"


@dataclass(frozen=True, kw_only=True)
class Retiring:
    """One month on its way out."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    month: date
    folder: Path
    anchors: Anchors
    pace: Pace
    tell: Callable[[str], None]

    @property
    def file(self) -> Path:
        return self.folder / f"audit-{self.month:%Y-%m}.jsonl.gz"

    async def retire(self, *, drop: bool) -> None:
        """Raises `click.ClickException` where the month may not, or cannot, be taken out."""
        partition = await self._partition()
        recorded = await self.connection.fetch(QUERIES["retired"], self.month)
        if not partition.there:
            self._require_done(recorded)
            return
        self._require_oldest(partition)
        header = await self._exported(recorded)
        if not recorded:
            await self._record(header, partition.name)
        await self._detach(partition)
        if drop:
            await self._drop(header, partition.name)
        else:
            self.tell(f"{partition.name} is detached and still there: --drop drops it")

    async def _partition(self) -> Partition:
        this_month = await self.connection.fetchval(QUERIES["this_month"])
        if self.month >= this_month:
            raise click.ClickException(f"{self.month:%Y-%m} is not over yet")
        return await Trail(self.connection).partition(self.month)

    def _require_oldest(self, partition: Partition) -> None:
        if partition.oldest is not None and partition.oldest < self.month:
            raise click.ClickException(
                f"{partition.oldest:%Y-%m} is still attached: months are retired in their order"
            )

    def _require_done(self, recorded: list[Any]) -> None:
        if not self.file.exists():
            known = f": it was retired into {recorded[0]['file']}" if recorded else ""
            raise click.ClickException(f"the trail has no month {self.month:%Y-%m}{known}")
        self._verify_file()
        self._require_digest(recorded)
        self.tell(f"{self.month:%Y-%m} was retired before: {self.file} is whole")

    # Written anew after any crash: the same rows make the same file.
    async def _exported(self, recorded: list[Any]) -> Header:
        if recorded and self.file.exists() and digest(self.file) == recorded[0]["file_sha256"]:
            self._verify_file()
            return read_header(self.file)
        async with Trail.at_one_moment(self.connection) as trail:
            if not recorded:
                walked = await verify_month(
                    trail, month=self.month, anchors=self.anchors, pace=self.pace
                )
                self._require_fit(walked, what="the month")
            header = await export_month(trail, month=self.month, output=self.file, pace=self.pace)
        self._verify_file()
        self._require_digest(recorded)
        rows = sum(one.rows for one in header.streams)
        self.tell(f"{self.file}: {rows:,} rows, read back and verified")
        return header

    def _verify_file(self) -> None:
        walked = verify_file(self.file, anchors=self.anchors, pace=self.pace)
        self._require_fit(walked, what=str(self.file))

    def _require_fit(self, walked: list[Walked], *, what: str) -> None:
        for one in walked:
            if one.trouble is not None:
                raise click.ClickException(
                    f"{what} does not fit, and nothing was taken out: {one.stream}"
                    f" {one.trouble.seq}: {one.trouble.kind}: {one.trouble.why}"
                )

    def _require_digest(self, recorded: list[Any]) -> None:
        if recorded and digest(self.file) != recorded[0]["file_sha256"]:
            raise click.ClickException(
                f"{self.file} is not the file that was recorded when {self.month:%Y-%m} was retired"
            )

    async def _record(self, header: Header, partition: str) -> None:
        async with self.connection.transaction():
            await self.connection.execute(_LOCK_TIMEOUT)
            await self.connection.execute(QUERIES["hold_appends"])
            ends = await self.connection.fetch(QUERIES["month_ends"].replace("%s", partition))
            if [tuple(row) for row in ends] != [
                (one.stream, one.last_seq) for one in header.streams
            ]:
                raise click.ClickException("rows of that month came meanwhile: run it again")
            await self.connection.executemany(
                QUERIES["retire"],
                [
                    (
                        *(one.stream, one.last_seq, one.end().hash, one.last_stored_at),
                        *(self.month, one.before_seq, one.before().hash, one.first_seq),
                        *(one.rows, self.file.name, digest(self.file)),
                    )
                    for one in header.streams
                ],
            )
        self.tell(f"the boundaries of {len(header.streams)} chains are recorded")

    async def _detach(self, partition: Partition) -> None:
        if not partition.attached:
            return
        how = "FINALIZE" if partition.pending else "CONCURRENTLY"
        await self.connection.execute(
            f"ALTER TABLE public.audit_event DETACH PARTITION public.{partition.name} {how}"
        )
        self.tell(f"{partition.name} is detached")

    async def _drop(self, header: Header, partition: str) -> None:
        # A row that slipped in against all locks would be lost with the table.
        async with Trail.at_one_moment(self.connection) as trail:
            rows = sum(one.rows for one in await trail.extents(partition))
        if rows != sum(one.rows for one in header.streams):
            raise click.ClickException(
                f"{partition} has {rows} rows and {self.file} has not: it is not dropped"
            )
        await self.connection.execute(f"DROP TABLE public.{partition}")
        self.tell(f"{partition} is dropped")
