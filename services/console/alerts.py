"""`/api/alerts`: read from the trail, which lags the log by a tenth of a second at most while
Postgres is there. Without Postgres these two answer 503; everything else goes on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated
from uuid import UUID

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from libs.common.contracts.words import AlertId, AlertStatus
from services.console.documents import Document
from services.console.flattened import Closed, listed_alerts
from services.console.lines import Filters, alert_line
from services.console.problems import Problem
from services.console.rendering import alert_document, to_diagnose
from services.console.trail import Row, Trail

_PAGE_MAX = 500
_PAGES_READ_MAX = 20
"""Alerts of one status are found by reading pages: this many, then the caller goes on."""
_TEXT_MAX = 200
_SEARCHED_MAX = 1_000
"""Among so many alerts a text is looked for, then the caller goes on."""
_SEARCHED_AT_ONCE = 100
EVERYTHING = Filters()


@get("/")
async def list_alerts(  # noqa: PLR0913, PLR0917 - one per parameter of the query
    trail: NamedDependency[Trail],
    route: FromQuery[str | None] = None,
    account: FromQuery[str | None] = None,
    symbol: FromQuery[str | None] = None,
    status: FromQuery[AlertStatus | None] = None,
    text: Annotated[str | None, QueryParameter(max_length=_TEXT_MAX)] = None,
    before: Annotated[int | None, QueryParameter(ge=1)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE_MAX)] = 50,
) -> Document:
    """Newest first; `next` is the `before` of the next page, null at the end. `searched` tells how
    far a text was looked for.
    """
    filters = Filters(route=route, account=account, symbol=symbol, status=status, text=text or None)
    return await list_of_alerts(trail, filters=filters, before=before, limit=limit)


@get("/{alert_id:str}")
async def show_alert(trail: NamedDependency[Trail], alert_id: FromPath[str]) -> Document:
    """Everything about one alert."""
    alert, rows = await rows_of(trail, alert_id)
    return await _document(trail, alert, rows)


async def rows_of(trail: Trail, alert_id: str) -> tuple[AlertId, list[Row]]:
    """The alert's rows, or a 404."""
    alert = named_alert(alert_id)
    rows = (await trail.events([alert]))[alert]
    if not rows:
        raise unknown_alert(alert)
    return alert, rows


def named_alert(text: str) -> AlertId:
    """The id that an address names, or a 404."""
    try:
        return AlertId(str(UUID(text)))
    except ValueError:
        raise Problem(404, "An alert id is a UUID, as ingest answered it.") from None


def unknown_alert(alert: AlertId) -> Problem:
    return Problem(404, f"The trail knows no alert {alert}.")


async def alert_of(trail: Trail, alert: AlertId) -> Document | None:
    """An alert or a halt, whole; None where the trail does not know it."""
    rows = (await trail.events([alert]))[alert]
    return await _document(trail, alert, rows) if rows else None


async def _document(trail: Trail, alert: AlertId, rows: Sequence[Row]) -> Document:
    accounts = to_diagnose(rows)
    checkups = await trail.checkups(accounts, near=rows[0].stored_at) if accounts else []
    closed = await _closed(trail, [rows])
    return alert_document(alert, rows, closed=closed, checkups=checkups)


async def _closed(trail: Trail, journeys: Iterable[Sequence[Row]]) -> Closed:
    """The rows of what the halts among them have closed."""
    alerts = [alert for rows in journeys for alert in listed_alerts(rows)]
    return await trail.events(alerts) if alerts else {}


async def list_of_alerts(
    trail: Trail,
    *,
    filters: Filters = EVERYTHING,
    before: int | None = None,
    limit: int,
) -> Document:
    """A page of alerts, and where the next one begins."""
    named = _named(filters.text)
    if named is not None and (rows := (await trail.events([named]))[named]):
        closed = await _closed(trail, [rows])
        line = alert_line(min(row.seq for row in rows), named, rows, closed=closed)
        return {"alerts": [line] if before is None else [], "next": None, "searched": None}
    searched = _Searched() if filters.text is not None else None
    size = limit if searched is None else max(limit, _SEARCHED_AT_ONCE)
    pages = _PAGES_READ_MAX if searched is None else -(-_SEARCHED_MAX // size)
    lines: list[Document] = []
    for _ in range(pages):
        # One more than asked, to know whether there is a next page.
        page = await trail.alerts(
            before=before,
            route=filters.route,
            symbol=filters.symbol,
            account=filters.account,
            status=filters.status,
            limit=size + 1,
        )
        rows_of = await trail.events([each.alert_id for each in page[:size] if each.is_listed])
        closed = await _closed(trail, rows_of.values())
        for each in page[:size]:
            before = each.seq
            if not each.is_listed:
                continue
            rows = rows_of[each.alert_id]
            line = alert_line(each.seq, each.alert_id, rows, closed=closed)
            if searched is not None:
                searched.look_at(line)
            if filters.unread.matches(line, rows):
                lines.append(line)
            if len(lines) == limit:
                is_last = each is page[-1]
                return _page(lines, None if is_last else before, searched)
        if len(page) <= size:
            return _page(lines, None, searched)
    return _page(lines, before, searched)


@dataclass(kw_only=True)
class _Searched:
    # How far a text was looked for.
    alerts: int = 0
    back_to: str | None = None

    def look_at(self, line: Document) -> None:
        self.alerts += 1
        self.back_to = line["at"]


def _page(lines: list[Document], following: int | None, searched: _Searched | None) -> Document:
    told = None if searched is None else asdict(searched)
    return {"alerts": lines, "next": following, "searched": told}


def _named(text: str | None) -> AlertId | None:
    """The alert whose id the text is."""
    try:
        return AlertId(str(UUID(text))) if text is not None else None
    except ValueError:
        return None


alert_router = Router("/alerts", route_handlers=[list_alerts, show_alert])
