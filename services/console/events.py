"""`GET /api/events`: every message of the log as it is stored, as server-sent events."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Router, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from libs.common.bus import LogUnavailable
from services.console.feed import Beat, Feed, Lagging
from services.console.log_events import LogEvent, Wanted
from services.console.problems import Problem

FOLLOWERS_MAX = 200
LAST_MAX = 10_000
LAST_REACH = 100_000
"""Among so many of the newest messages the last ones that match are looked for."""
_PLACE_MAX = 2**63 - 2
_PLACE_DIGITS = len(str(_PLACE_MAX))
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Where a stream begins; with nothing given it begins with what is stored from now on."""

    after: int | None = None
    since: datetime | None = None
    last: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Begin:
    after: int | None
    """None: the log is away, and it begins when that is back."""
    forgotten: int | None = None
    """Where the log begins now, if it has forgotten something behind `after`."""


@get("/", status_code=200)
async def follow_events(  # noqa: PLR0913, PLR0917 - one per parameter of the query
    request: Request[Any, Any, Any],
    feed: NamedDependency[Feed],
    route: FromQuery[list[str] | None] = None,
    account: FromQuery[list[str] | None] = None,
    symbol: FromQuery[list[str] | None] = None,
    stage: FromQuery[list[str] | None] = None,
    alert_id: FromQuery[list[str] | None] = None,
    after: Annotated[int | None, QueryParameter(ge=0, le=_PLACE_MAX)] = None,
    since: FromQuery[datetime | None] = None,
    last: Annotated[int | None, QueryParameter(ge=1, le=LAST_MAX)] = None,
) -> ServerSentEvent:
    """Filters may be repeated or hold several values with commas between. `Last-Event-ID` wins over
    `after`, that over `since`, and that over `last`.
    """
    if feed.followers >= FOLLOWERS_MAX:
        raise Problem(503, f"{FOLLOWERS_MAX} streams are open already; end one of them.")
    wanted = Wanted(
        routes=_several(route),
        accounts=_several(account),
        symbols=_several(symbol),
        stages=_several(stage),
        alerts=frozenset(map(_alert, _several(alert_id))),
    )
    resumed = _resumed(request.headers.get("last-event-id"))
    start = Start(after=after if resumed is None else resumed, since=since, last=last)
    begin = await _place(feed, wanted, start)
    return ServerSentEvent(_messages(feed, wanted, begin=begin), headers=_HEADERS)


async def _place(feed: Feed, wanted: Wanted, start: Start) -> Begin:
    """Found before the answer begins: whoever has that sees everything stored from then on."""
    history = feed.history
    try:
        first, end = await history.ends()
        if start.after is not None:
            # A log that was made anew counts from the start again.
            after = min(start.after, end)
            return Begin(after=after, forgotten=first if after + 1 < first <= end else None)
        if start.since is not None:
            since = start.since if start.since.tzinfo else start.since.replace(tzinfo=UTC)
            return Begin(after=await history.before_time(since, last=end))
        if start.last is not None:
            place = await history.before_matching(
                start.last, wanted.matches, last=end, reach=LAST_REACH
            )
            return Begin(after=place)
    except LogUnavailable as error:
        if start.after is not None or (start.since is None and start.last is None):
            # The stream begins once the log is back; nothing is stored until then.
            return Begin(after=start.after)
        raise Problem(503, f"The log does not answer now ({error}); try again.") from None
    return Begin(after=end)


async def _messages(
    feed: Feed, wanted: Wanted, *, begin: Begin
) -> AsyncGenerator[ServerSentEventMessage, None]:
    # At once, so that whatever lies between passes the answer on. An id without data is kept by
    # whoever follows, as the place to come back to, and is no event.
    seq = begin.after
    yield _comment("following", after=seq)
    if begin.forgotten is not None:
        yield _aside("forgotten", after=seq, first=begin.forgotten)
    async with contextlib.aclosing(feed.follow(wanted=wanted, after=seq)) as stream:
        async for item in stream:
            match item:
                case LogEvent():
                    seq = item.seq
                    yield ServerSentEventMessage(id=seq, event=item.stage, data=item.document)
                case Beat():
                    yield _comment("still here", after=item.after)
                case Lagging():
                    yield _aside("lagging", after=seq)


def _comment(text: str, *, after: int | None) -> ServerSentEventMessage:
    return ServerSentEventMessage(comment=text, id=after, data=None)


def _aside(name: str, **data: int | None) -> ServerSentEventMessage:
    return ServerSentEventMessage(event=name, data=msgspec.json.encode(data))


def _several(given: list[str] | None) -> frozenset[str]:
    parts = (part.strip() for text in given or () for part in text.split(","))
    return frozenset(part for part in parts if part)


def _alert(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Problem(
            422,
            "`alert_id` must be a UUID, as ingest answered it.",
            field="alert_id",
            value=text[:100],
        ) from None


def _resumed(text: str | None) -> int | None:
    if not text:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= _PLACE_DIGITS
    if not is_number or int(text) > _PLACE_MAX:
        raise Problem(422, "`Last-Event-ID` must be the id of an event.", field="Last-Event-ID")
    return int(text)


event_router = Router("/events", route_handlers=[follow_events])
