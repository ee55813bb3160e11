"""`/alerts/events`: what happens to the alerts that somebody looks at, as server-sent events that
hold rows of HTML. Each event has an id that its reader comes back by.
"""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from libs.common.contracts.words import AlertStatus
from services.console.documents import moment
from services.console.lines import Filters
from services.console.problems import AnyRequest, Problem
from services.console.web.live.board import (
    Board,
    Item,
    LogAway,
    LogBack,
    Silence,
    TooFar,
    TooSlow,
    Update,
)
from services.console.web.live.ledger import Change
from services.console.web.rendering import Pages

FOLLOWERS_MAX = 200
AFTER_MAX = 2**63 - 2
TEXT_MAX = 200
_RETRY_MS = 1_000
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, kw_only=True)
class _Reader:
    # One browser that follows.
    pages: Pages
    is_back: bool
    """It has followed before, and tells from where it comes back."""


@get("/events")
async def follow_alerts(  # noqa: PLR0913, PLR0917 - one per parameter of the query
    request: AnyRequest,
    board: NamedDependency[Board],
    pages: NamedDependency[Pages],
    route: FromQuery[str | None] = None,
    account: FromQuery[str | None] = None,
    symbol: FromQuery[str | None] = None,
    status: FromQuery[str | None] = None,
    text: Annotated[str | None, QueryParameter(max_length=TEXT_MAX)] = None,
    after: Annotated[int | None, QueryParameter(ge=0, le=AFTER_MAX)] = None,
    back: FromQuery[bool] = False,  # noqa: FBT002 - the parameter's name
) -> ServerSentEvent:
    """`after`: what the list shows already; `back`: that it was followed before. A reader's
    `Last-Event-ID` says both.
    """
    if board.followers >= FOLLOWERS_MAX:
        raise Problem(503, f"{FOLLOWERS_MAX} pages follow already; close some of them.")
    filters = filters_of(route=route, account=account, symbol=symbol, status=status, text=text)
    last = request.headers.get("last-event-id", "")
    resumed = int(last) if last.isascii() and last.isdigit() and int(last) <= AFTER_MAX else None
    reader = _Reader(pages=pages, is_back=back or resumed is not None)
    place = after if resumed is None else resumed
    return ServerSentEvent(_messages(board, reader, filters=filters, after=place), headers=_HEADERS)


def filters_of(
    *,
    route: str | None,
    account: str | None,
    symbol: str | None,
    status: str | None,
    text: str | None,
) -> Filters:
    """As a form sends them: what is empty is not asked for, and a status that there is not either,
    since links grow old.
    """
    known = status in AlertStatus.__members__.values()
    return Filters(
        route=_given(route),
        account=_given(account),
        symbol=_given(symbol),
        status=AlertStatus(status) if status is not None and known else None,
        text=_given(text),
    )


def _given(value: str | None) -> str | None:
    return value.strip() or None if value is not None else None


async def _messages(
    board: Board, reader: _Reader, *, filters: Filters, after: int | None
) -> AsyncGenerator[ServerSentEventMessage, None]:
    # At once, so that whatever lies between passes the answer on.
    yield ServerSentEventMessage(event="hello", data="", id=after, retry=_RETRY_MS)
    async with contextlib.aclosing(board.follow(filters=filters, after=after)) as items:
        async for item in items:
            for message in _told(reader, item):
                yield message
            if isinstance(item, TooFar) and reader.is_back:
                return


def _told(reader: _Reader, item: Item) -> list[ServerSentEventMessage]:
    match item:
        case Update():
            gone = _event("gone", " ".join(item.gone)) if item.gone else None
            html = "".join(_html(reader.pages, change) for change in item.changes)
            rows = _event("rows", html) if item.changes else None
            told = [each for each in (gone, rows) if each is not None]
            last = told[-1] if told else _event("beat", "")
            last.id = item.place
            return told or [last]
        case Silence(place=place):
            return [_event("beat", "", id=place)]
        case LogAway(since=since):
            return [_event("log-away", moment(since))]
        case LogBack():
            return [_event("log-back", "")]
        case TooFar():
            return [_event("reload" if reader.is_back else "behind", "")]
        case TooSlow():
            return [_event("slow", "")]


def _event(name: str, data: str, *, id: int | None = None) -> ServerSentEventMessage:  # noqa: A002
    return ServerSentEventMessage(event=name, data=data, id=id)


def _html(pages: Pages, change: Change) -> str:
    if change.html is None:
        change.html = pages.text("live/row.html", alert=change.line, version=change.last_seq)
    return change.html


following_router = Router("/alerts", route_handlers=[follow_alerts])
