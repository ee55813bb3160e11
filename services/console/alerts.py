"""`/api/alerts`: read from the trail, which lags the log by a tenth of a second at most while
Postgres is there. Without Postgres these two answer 503; everything else goes on.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated
from uuid import UUID

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from libs.common.contracts.words import AlertId, AlertStatus
from services.console.documents import Document
from services.console.flattened import Closed, listed_alerts
from services.console.problems import Problem
from services.console.rendering import alert_document, alert_line, to_diagnose
from services.console.replaying import Replaying
from services.console.trail import Row, Trail

_PAGE_MAX = 500
_PAGES_READ_MAX = 20
"""Alerts of one status are found by reading pages: this many, then the caller goes on."""


@get("/")
async def list_alerts(
    trail: NamedDependency[Trail],
    route: FromQuery[str | None] = None,
    status: FromQuery[AlertStatus | None] = None,
    symbol: FromQuery[str | None] = None,
    before: Annotated[int | None, QueryParameter(ge=1)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE_MAX)] = 50,
) -> Document:
    """Newest first; `next` is the `before` of the next page, null at the end."""
    return await list_of_alerts(
        trail, route=route, status=status, symbol=symbol, before=before, limit=limit
    )


@get("/{alert_id:str}")
async def show_alert(trail: NamedDependency[Trail], alert_id: FromPath[str]) -> Document:
    """Everything about one alert."""
    alert = named_alert(alert_id)
    found = await alert_of(trail, alert)
    if found is None:
        raise unknown_alert(alert)
    return found


@post("/{alert_id:str}/replay", status_code=200)
async def replay_alert(replaying: NamedDependency[Replaying], alert_id: FromPath[str]) -> Document:
    """What would be decided today, beside what was decided then. Changes nothing."""
    return await replaying.replay(named_alert(alert_id))


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
    if not rows:
        return None
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
    route: str | None = None,
    status: AlertStatus | None = None,
    symbol: str | None = None,
    before: int | None = None,
    limit: int,
) -> Document:
    """A page of alerts, and where the next one begins."""
    lines: list[Document] = []
    for _ in range(_PAGES_READ_MAX):
        # One more than asked, to know whether there is a next page.
        page = await trail.alerts(
            before=before, route=route, symbol=symbol, status=status, limit=limit + 1
        )
        rows = await trail.events([each.alert_id for each in page[:limit] if each.is_listed])
        closed = await _closed(trail, rows.values())
        for each in page[:limit]:
            before = each.seq
            if not each.is_listed:
                continue
            line = alert_line(each.seq, each.alert_id, rows[each.alert_id], closed=closed)
            if status is None or line["status"] == status:
                lines.append(line)
            if len(lines) == limit:
                is_last = each is page[-1]
                return {"alerts": lines, "next": None if is_last else before}
        if len(page) <= limit:
            return {"alerts": lines, "next": None}
    return {"alerts": lines, "next": before}


alert_router = Router("/alerts", route_handlers=[list_alerts, show_alert, replay_alert])
