"""`GET /api/statistics`: a day of the trail in numbers. What is looked at is bounded, so that a day
of very many alerts takes no longer than it may; the document says where that counts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from services.console.documents import Document, moment
from services.console.keeping import Kept
from services.console.problems import Problem
from services.console.trail import Trail

KEPT_S = 10.0
ALERTS_READ_MAX = 10_000
"""Alerts of which the fate is looked at, evenly over the stretches."""
REASONS_READ_MAX = 10_000
"""Of each kind; the newest."""
REASONS_SHOWN = 20
STRETCHES_MAX = 400
SPAN_MAX = timedelta(days=7)
_DAY = timedelta(days=1)
_ARRIVALS = ("alert.received", "alert.duplicate", "alert.refused")
_STATUSES = ("pending", "executed", "partial", "denied", "rejected", "unknown", "dead")
_KINDS = ("refused", "denied", "rejected")

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Asked:
    since: datetime
    until: datetime
    stretch_s: int
    route: str | None

    @property
    def stretches(self) -> int:
        return math.ceil((self.until - self.since) / timedelta(seconds=self.stretch_s))

    @property
    def alerts_max(self) -> int:
        """Of each stretch."""
        return max(50, ALERTS_READ_MAX // self.stretches)


class Statistics:
    def __init__(self, trail: Trail, *, kept_s: float = KEPT_S) -> None:
        self._trail = trail
        self._kept: Kept[Document] = Kept(seconds=kept_s)

    async def of(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        stretch_s: int = 900,
        route: str | None = None,
        now: datetime | None = None,
    ) -> Document:
        """By default of the last 24 hours; a 422 where the question is not one."""
        question = (since, until, stretch_s, route)
        asked = _asked(question, now=now or datetime.now(UTC))
        return await self._kept.get(question, lambda: self._ask(asked))

    async def _ask(self, asked: Asked) -> Document:
        # One behind the other: a viewer's question shall not take all connections of the pool.
        span = (asked.since, asked.until)
        arrivals = await self._trail.counted("arrivals", list(_ARRIVALS), *span, asked.route)
        fates = await self._trail.counted(
            "fates",
            *span,
            asked.route,
            timedelta(seconds=asked.stretch_s),
            asked.alerts_max + 1,
        )
        reasons = await self._trail.counted(
            "reasons",
            *span,
            asked.route,
            REASONS_READ_MAX,
            first_id(asked.since),
            first_id(asked.until),
        )
        return document(asked, arrivals=arrivals, fates=fates, reasons=reasons)


def document(
    asked: Asked, *, arrivals: Sequence[Row], fates: Sequence[Row], reasons: Sequence[Row]
) -> Document:
    """The answer: pure."""
    came = {row["stage"]: row["messages"] for row in arrivals}
    stretches = [row for row in fates if row["stretch_at"] is not None]
    whole = next((row for row in fates if row["stretch_at"] is None), None)
    opened: dict[str, list[Document]] = {kind: [] for kind in _KINDS}
    for row in reasons:
        opened[row["kind"]].append({"reason": row["reason"], "count": row["messages"]})
    sampled = any(row["alerts"] > asked.alerts_max for row in stretches) or any(
        sum(each["count"] for each in opened[kind]) >= REASONS_READ_MAX for kind in _KINDS
    )
    refused = came.get("alert.refused", 0)
    return {
        "since": moment(asked.since),
        "until": moment(asked.until),
        "route": asked.route,
        "sampled": sampled,
        "received": came.get("alert.received", 0),
        "duplicates": came.get("alert.duplicate", 0),
        "refused": refused,
        "looked_at": _of(whole, "alerts"),
        "statuses": {"refused": refused, **{name: _of(whole, name) for name in _STATUSES}},
        "orders": {"sent": _of(whole, "orders_sent"), "filled": _of(whole, "orders_filled")},
        "reasons": {kind: opened[kind][:REASONS_SHOWN] for kind in _KINDS},
        "latency": {
            **_latency(whole),
            "bucket_s": asked.stretch_s,
            "buckets": _buckets(asked, {row["stretch_at"]: row for row in stretches}),
        },
    }


def first_id(at: datetime) -> UUID:
    """What the ids of alerts begin with that came at a moment or later."""
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)


def _asked(
    question: tuple[datetime | None, datetime | None, int, str | None], *, now: datetime
) -> Asked:
    since, until, stretch_s, route = question
    try:
        ends = _utc(until) if until is not None else now
        begins = _utc(since) if since is not None else ends - _DAY
    except OverflowError:
        raise Problem(
            422, "Before the year 1 and after 9999 nothing comes.", field="until"
        ) from None
    if begins >= ends:
        raise Problem(422, "`since` must lie before `until`, or before now.", field="since")
    if ends - begins > SPAN_MAX:
        raise Problem(422, f"At most {SPAN_MAX.days} days can be asked for at once.", field="since")
    asked = Asked(since=begins, until=ends, stretch_s=stretch_s, route=route)
    if asked.stretches > STRETCHES_MAX:
        least = math.ceil((ends - begins).total_seconds() / STRETCHES_MAX)
        raise Problem(
            422,
            f"There would be more than {STRETCHES_MAX} buckets; `bucket_s` must be at least"
            f" {least} here.",
            field="bucket_s",
        )
    return asked


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _of(row: Row | None, name: str) -> int:
    return 0 if row is None else int(row[name] or 0)


def _latency(row: Row | None) -> Document:
    return {
        "count": _of(row, "with_order"),
        "p50_ms": _rounded(row["p50_ms"]) if row is not None else None,
        "p99_ms": _rounded(row["p99_ms"]) if row is not None else None,
    }


def _buckets(asked: Asked, rows: Mapping[datetime, Row]) -> list[Document]:
    """All of them, also those in which nothing came."""
    step = timedelta(seconds=asked.stretch_s)
    times = (asked.since + number * step for number in range(asked.stretches))
    return [
        {"at": moment(at), "alerts": _of(rows.get(at), "alerts"), **_latency(rows.get(at))}
        for at in times
    ]


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)


@get("/")
async def show_statistics(
    statistics: NamedDependency[Statistics],
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    bucket_s: Annotated[int, QueryParameter(ge=10, le=86_400)] = 900,
    route: FromQuery[str | None] = None,
) -> Document:
    return await statistics.of(since=since, until=until, stretch_s=bucket_s, route=route)


statistics_router = Router("/statistics", route_handlers=[show_statistics])
