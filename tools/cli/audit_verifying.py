"""Walks whole chains, out of Postgres or out of an exported file, and collects what was seen."""

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import UTC, date
from itertools import groupby
from pathlib import Path

from tools.cli.audit_files import Extent, read_header, read_rows
from tools.cli.audit_projecting import document_of
from tools.cli.audit_suspecting import Edge, Kept, Kind, Trouble
from tools.cli.audit_trail import START, Trail, partition_of
from tools.cli.audit_walking import Walk, Walked, broken_boundary

TELL_EVERY_S = 2.0
_LOOK_EVERY_ROWS = 1000

Anchors = Mapping[str, Sequence[Edge]]


class Pace:
    """Counts rows, and tells of them every few seconds."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.rows = 0
        self._tell = tell
        self._began = time.monotonic()
        self._told = self._began

    def step(self, stream: str) -> None:
        self.rows += 1
        if self.rows % _LOOK_EVERY_ROWS == 0 and time.monotonic() - self._told > TELL_EVERY_S:
            self._told = time.monotonic()
            self._tell(f"{stream}: {self.rows:,} rows, {self.rows_per_s:,} rows/s")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def rows_per_s(self) -> int:
        return round(self.rows / max(self.seconds, 1e-6))


async def verify_trail(
    trail: Trail, *, anchors: Anchors, pace: Pace, stream: str | None, first: int = 1
) -> list[Walked]:
    """All chains, or one, each from its first row at or behind `first`."""
    known = sorted({*await trail.streams(), *anchors})
    return [
        await _verify_stream(trail, name, anchors=anchors.get(name, ()), pace=pace, first=first)
        for name in known
        if stream in {None, name}
    ]


async def _verify_stream(
    trail: Trail, stream: str, *, anchors: Sequence[Edge], pace: Pace, first: int
) -> Walked:
    start = await trail.start(stream, first=first)
    boundaries = await trail.boundaries(stream)
    ends = [end for _, end in boundaries]
    walk = Walk(stream=stream, start=start, anchors=anchors, ends=ends)
    trouble = broken_boundary([(START, START), *boundaries])
    if trouble is not None:
        return _spoiled(walk, trouble)
    async for kept in trail.rows(stream, after=start.seq):
        if not await _step(trail, walk, kept, pace=pace):
            break
    return walk.conclude()


async def _step(trail: Trail, walk: Walk, kept: Kept, *, pace: Pace) -> bool:
    pace.step(kept.row.stream)
    going = walk.feed(kept)
    if walk.doubt is not None and await _takes(trail, walk.doubt):
        walk.refute(walk.doubt)
        return False
    return going


async def verify_month(trail: Trail, *, month: date, anchors: Anchors, pace: Pace) -> list[Walked]:
    """The chains' part in a month. Its rows must be the first that are there, and without those of
    another month between them: else they cannot be taken out of the chain.
    """
    extents = await trail.extents(partition_of(month))
    return [
        await _verify_part(trail, extent, month=month, anchors=anchors, pace=pace)
        for extent in extents
    ]


async def _verify_part(
    trail: Trail, extent: Extent, *, month: date, anchors: Anchors, pace: Pace
) -> Walked:
    end = extent.end()
    within = [edge for edge in anchors.get(extent.stream, ()) if edge.seq <= end.seq]
    walk = Walk(stream=extent.stream, start=extent.before(), anchors=within)
    async for kept in trail.rows(extent.stream, after=extent.before_seq):
        if kept.row.seq > end.seq:
            break
        stored = kept.row.stored_at.astimezone(UTC)
        if (stored.year, stored.month) != (month.year, month.month):
            why = f"it lies in {stored:%Y-%m}, between rows of {month:%Y-%m}: the clock was set"
            return _spoiled(walk, Trouble(kind=Kind.SWAPPED, seq=kept.row.seq, why=why))
        if not await _step(trail, walk, kept, pace=pace):
            break
    return walk.conclude()


def verify_file(
    path: Path, *, anchors: Anchors, pace: Pace, stream: str | None = None
) -> list[Walked]:
    """All chains of an exported month, or one. What it lacks at its end is told by its header."""
    header = read_header(path)
    extents = {extent.stream: extent for extent in header.streams}
    walked: list[Walked] = []
    for name, rows in groupby(read_rows(path), key=lambda kept: kept.row.stream):
        found = _verify_section(rows, extents.pop(name, None), name, anchors=anchors, pace=pace)
        walked.append(found)
    walked.extend(
        _verify_section(iter(()), extent, name, anchors=anchors, pace=pace)
        for name, extent in extents.items()
    )
    return [found for found in walked if stream in {None, found.stream}]


def _verify_section(
    rows: Iterator[Kept], extent: Extent | None, stream: str, *, anchors: Anchors, pace: Pace
) -> Walked:
    if extent is None:
        why = "the header tells of no rows of this stream, or of none here"
        trouble = Trouble(kind=Kind.INSERTED, seq=next(rows).row.seq, why=why)
        return _spoiled(Walk(stream=stream, start=START), trouble)
    end = extent.end()
    within = [edge for edge in anchors.get(stream, ()) if edge.seq <= end.seq]
    walk = Walk(stream=stream, start=extent.before(), anchors=within)
    for kept in rows:
        pace.step(stream)
        if not walk.feed(kept):
            break
    for _ in rows:
        pass  # what is left of a section that does not fit
    walked = walk.conclude()
    if walked.trouble is None and (walked.rows, walked.end) != (extent.rows, end):
        why = f"the header tells of {extent.rows} rows up to {end.seq}, here are {walked.rows}"
        cut = walked.end.seq < end.seq
        kind = Kind.TRUNCATED if cut else Kind.REWRITTEN
        return _spoiled(walk, Trouble(kind=kind, seq=walked.end.seq + cut, why=why))
    return walked


def _spoiled(walk: Walk, trouble: Trouble) -> Walked:
    walk.condemn(trouble)
    return walk.conclude()


async def _takes(trail: Trail, kept: Kept) -> bool:
    document = document_of(kept.row)
    return document is not None and await trail.takes(document)


async def counted(rows: AsyncIterator[Kept], *, pace: Pace) -> AsyncIterator[Kept]:
    """The rows as they are, each told of."""
    async for kept in rows:
        pace.step(kept.row.stream)
        yield kept
