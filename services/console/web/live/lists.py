"""`/`: the newest alerts, filtered by what stands in the address, so that it can be linked."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from libs.common.contracts.words import AlertStatus
from services.console.alerts import list_of_alerts
from services.console.documents import Document
from services.console.lines import Filters
from services.console.problems import Problem
from services.console.registry import Registry
from services.console.statistics import Statistics
from services.console.trail import Trail
from services.console.web.live.board import Board
from services.console.web.live.following import AFTER_MAX, TEXT_MAX, filters_of
from services.console.web.rendering import Pages
from services.console.web.shell import Shell

_FIRST_LINES = 40
_MORE_LINES = 100
_UNREAD_MESSAGES = 1_000
"""So far back the log itself is read while the trail cannot be."""
_DAY_MINUTES = 24 * 60
_NOTHING: Document = {"alerts": [], "next": None, "searched": None}


@get("/")
async def show_live(  # noqa: PLR0913, PLR0917 - one per parameter of the query
    trail: NamedDependency[Trail],
    board: NamedDependency[Board],
    registry: NamedDependency[Registry],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    route: FromQuery[str | None] = None,
    account: FromQuery[str | None] = None,
    symbol: FromQuery[str | None] = None,
    status: FromQuery[str | None] = None,
    text: Annotated[str | None, QueryParameter(max_length=TEXT_MAX)] = None,
    before: Annotated[int | None, QueryParameter(ge=1, le=AFTER_MAX)] = None,
) -> Response[str]:
    """The whole page, or for a script the list alone; behind `before` the rows that follow."""
    filters = filters_of(route=route, account=account, symbol=symbol, status=status, text=text)
    if before is not None:
        found = await list_of_alerts(trail, filters=filters, before=before, limit=_MORE_LINES)
        shown = _shown(filters, found)
        if shell.is_fragment:
            return pages.page("live/older.html", shell=shell, before=before, **shown)
        return pages.page("live/page.html", shell=shell, **shown, **await _known(registry))
    shown = await _newest(trail, board, filters)
    if shell.is_fragment:
        return pages.page("live/list.html", shell=shell, **shown)
    return pages.page("live/page.html", shell=shell, **shown, **await _known(registry))


async def _newest(trail: Trail, board: Board, filters: Filters) -> dict[str, Any]:
    """Followed from the place up to which the trail has come."""
    try:
        # Asked first: what comes in between is told a second time, and not left out.
        newest = await trail.newest()
        found = await list_of_alerts(trail, filters=filters, limit=_FIRST_LINES)
        place: int | None = newest[0] if newest is not None else 0
        away = None
    except Problem as problem:
        found, away = _NOTHING, problem.detail
        place = await board.recent_place(_UNREAD_MESSAGES)
    following = {} if place is None else {"after": str(place)}
    stream = _address("/alerts/events", filters, following)
    return {**_shown(filters, found), "stream": stream, "away": away}


def _shown(filters: Filters, found: Document) -> dict[str, Any]:
    following = found["next"]
    searched = found["searched"]
    words = "Older alerts" if searched is None else "Look further back"
    place = None if following is None else _address("/", filters, {"before": str(following)})
    return {
        "alerts": found["alerts"],
        "searched": searched,
        "filters": filters,
        "is_filtered": filters != Filters(),
        "place": {"next": place, "before": following, "words": words},
        "stream": None,
        "away": None,
    }


async def _known(registry: Registry) -> dict[str, Any]:
    """What the form's fields offer."""
    try:
        routes = [each.id for each in await registry.routes.list()]
        accounts = [each.id for each in await registry.accounts.list()]
    except Problem:
        # The log is away: what is filtered by now still stands in its field.
        routes, accounts = [], []
    return {
        "routes": routes,
        "accounts": accounts,
        "statuses": [each.value for each in AlertStatus],
    }


def _address(path: str, filters: Filters, more: dict[str, str]) -> str:
    asked = {
        "route": filters.route,
        "account": filters.account,
        "symbol": filters.symbol,
        "status": filters.status.value if filters.status is not None else None,
        "text": filters.text,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    query = urlencode({**given, **more})
    return f"{path}?{query}" if query else path


@get("/alerts/counts")
async def show_counts(
    statistics: NamedDependency[Statistics],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    offset: Annotated[int, QueryParameter(ge=-_DAY_MINUTES, le=_DAY_MINUTES)] = 0,
) -> Response[str]:
    """The viewer's day so far; `offset`: minutes that their clock is ahead of UTC."""
    try:
        since = midnight(datetime.now(UTC), offset_minutes=offset)
        counts = counts_of(await statistics.of(since=since))
    except Problem:
        counts = None
    return pages.page("live/counts.html", shell=shell, counts=counts)


def midnight(now: datetime, *, offset_minutes: int) -> datetime:
    """When the day began whose clock is so far ahead of UTC."""
    there = now.astimezone(timezone(timedelta(minutes=offset_minutes)))
    return there.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def counts_of(found: Document) -> list[tuple[str, str, str | None]]:
    """Of each kind its name, how many, and where those are listed."""
    # Of a day of very many alerts not each is looked at.
    about = "~" if found["sampled"] else ""
    statuses = found["statuses"]
    return [
        ("received", _number(found["received"]), "/"),
        *(
            (
                each.value,
                ("" if each is AlertStatus.REFUSED else about) + _number(statuses[each.value]),
                f"/?status={each.value}",
            )
            for each in AlertStatus
        ),
        ("duplicates", _number(found["duplicates"]), None),
    ]


def _number(value: int) -> str:
    return f"{value:,}"


live_router = Router("/", route_handlers=[show_live, show_counts])
