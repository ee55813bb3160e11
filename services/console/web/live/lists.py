"""`/`: the newest alerts, filtered by what stands in the address, so that it can be linked."""

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
from services.console.trail import Trail
from services.console.web.live.board import Board
from services.console.web.live.following import AFTER_MAX, TEXT_MAX, filters_of
from services.console.web.rendering import Pages
from services.console.web.shell import Shell

_FIRST_LINES = 50
_MORE_LINES = 100
_UNREAD_MESSAGES = 1_000
"""So far back the log itself is read while the trail cannot be."""
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
            return pages.page("live/older.html", shell=shell, **shown)
        return pages.page("live/page.html", shell=shell, **shown, **await _known(registry))
    shown = await _newest(trail, board, filters)
    if shell.is_fragment:
        return pages.page("live/list.html", shell=shell, **shown)
    return pages.page("live/page.html", shell=shell, **shown, **await _known(registry))


async def _newest(trail: Trail, board: Board, filters: Filters) -> dict[str, Any]:
    """Followed from the place up to which the trail has come."""
    try:
        # Asked first: what comes in between is told a second time, and not left out.
        place: int | None = await trail.place()
        found = await list_of_alerts(trail, filters=filters, limit=_FIRST_LINES)
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
        "place": {"next": place, "words": words},
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
        "counts": None,
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


live_router = Router("/", route_handlers=[show_live])
