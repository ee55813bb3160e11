"""`/routes`: all routes, and one of them with what can be done to it."""

import asyncio
from datetime import UTC, datetime

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from libs.common.contracts.route import Route
from libs.common.contracts.words import RouteState
from services.console.alerts import list_of_alerts
from services.console.callers import Caller
from services.console.changes import change_document
from services.console.differences import ChangeKind
from services.console.documents import Document, checked
from services.console.lines import Filters
from services.console.problems import AnyRequest, Problem
from services.console.routes import Rotation, remove_route, rotate, set_state
from services.console.web.rendering import Pages
from services.console.web.routes.desk import Desk, typed_from
from services.console.web.routes.forms import onward
from services.console.web.routes.handing_over import Handover, hand_over, secret_of
from services.console.web.routes.messages import messages
from services.console.web.routes.states import (
    account_words,
    changed_in_words,
    halt_of,
    line_of,
    place_words,
    rotating_until,
    settings_words,
)
from services.console.web.shell import Shell

_LATEST_MAX = 50
"""Routes whose last alert is looked up at once."""
_LATEST_AT_ONCE = 3
"""The trail has a few connections for everybody."""
_CHANGES = 20
_ALERTS = 5
_OVERLAPS = {
    "0": "not at all: it is retired at once",
    "3600": "1 hour",
    "86400": "24 hours",
    "604800": "7 days",
}


@get("/")
async def show_routes(
    desk: NamedDependency[Desk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    gone: FromQuery[str | None] = None,
) -> Response[str]:
    routes, accounts, halts = await asyncio.gather(
        desk.registry.routes.list(), desk.registry.accounts.list(), desk.registry.controls.list()
    )
    names = {each.id for each in accounts}
    now = datetime.now(UTC)
    lines = [line_of(each, halts=halts, accounts=names, now=now) for each in routes]
    return pages.page(
        "routes/list.html", shell=shell, lines=lines, has_accounts=bool(accounts), gone=gone
    )


@get("/-/latest")
async def show_latest(
    desk: NamedDependency[Desk], shell: NamedDependency[Shell], pages: NamedDependency[Pages]
) -> Response[str]:
    """Each route's last alert, into the list that stands already."""
    names = [each.id for each in await desk.registry.routes.list()][:_LATEST_MAX]
    turn = asyncio.Semaphore(_LATEST_AT_ONCE)

    async def latest(name: str) -> Document | None:
        async with turn:
            found = await list_of_alerts(desk.trail, filters=Filters(route=name), limit=1)
        return found["alerts"][0] if found["alerts"] else None

    try:
        found = await asyncio.gather(*(latest(name) for name in names))
    except Problem:
        return pages.page("routes/latest.html", shell=shell, latest={}, away=names)
    latest_of = dict(zip(names, found, strict=True))
    return pages.page("routes/latest.html", shell=shell, latest=latest_of, away=[])


@get("/{route_id:str}")
async def show_route(
    desk: NamedDependency[Desk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    route_id: FromPath[str],
    saved: FromQuery[str | None] = None,
) -> Response[str]:
    kept = await desk.registry.routes.find(route_id)
    return await _page(desk, kept.value, shell=shell, pages=pages, told="Saved." if saved else "")


@post("/{route_id:str}/pause", status_code=200)
async def pause(
    request: AnyRequest,
    desk: NamedDependency[Desk],
    shell: NamedDependency[Shell],
    caller: NamedDependency[Caller],
    route_id: FromPath[str],
) -> Response[str]:
    await set_state(desk.registry, route_id, RouteState.PAUSED, made_by=caller.made_by)
    return await _back(request, shell, route_id)


@post("/{route_id:str}/resume", status_code=200)
async def resume(
    request: AnyRequest,
    desk: NamedDependency[Desk],
    shell: NamedDependency[Shell],
    caller: NamedDependency[Caller],
    route_id: FromPath[str],
) -> Response[str]:
    await set_state(desk.registry, route_id, RouteState.LIVE, made_by=caller.made_by)
    return await _back(request, shell, route_id)


@post("/{route_id:str}/rotate", status_code=200)
async def rotate_token(
    request: AnyRequest,
    desk: NamedDependency[Desk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    caller: NamedDependency[Caller],
    route_id: FromPath[str],
) -> Response[str]:
    overlap = (await typed_from(request)).one("overlap_s")
    if overlap not in _OVERLAPS:
        raise Problem(422, "Choose how long the URL of before works.", field="overlap_s")
    rotation = checked({"overlap_s": int(overlap)}, Rotation)
    made = await rotate(desk.registry, route_id, rotation, made_by=caller.made_by)
    handover = Handover(
        route=made.route,
        webhook=desk.webhooks.address(made.token),
        is_rotated=True,
        old_until=rotating_until(made.route.tokens, now=datetime.now(UTC)),
    )
    return hand_over(pages, shell=shell, handover=handover)


@post("/{route_id:str}/delete", status_code=200)
async def delete(
    request: AnyRequest,
    desk: NamedDependency[Desk],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    caller: NamedDependency[Caller],
    route_id: FromPath[str],
) -> Response[str]:
    if (await typed_from(request)).one("confirm") != route_id:
        kept = await desk.registry.routes.find(route_id)
        wrong = f"Type {route_id} to delete it."
        return await _page(desk, kept.value, shell=shell, pages=pages, wrong=wrong)
    await remove_route(desk.registry, route_id, made_by=caller.made_by)
    return onward(shell, f"/routes?gone={route_id}")


async def _back(request: AnyRequest, shell: Shell, route_id: str) -> Response[str]:
    """To where the button was."""
    is_list = (await typed_from(request)).one("from") == "list"
    return onward(shell, "/routes" if is_list else f"/routes/{route_id}")


async def _page(
    desk: Desk,
    route: Route,
    *,
    shell: Shell,
    pages: Pages,
    told: str = "",
    wrong: str = "",
) -> Response[str]:
    settings = route.settings
    halts, accounts, history, alerts = await asyncio.gather(
        desk.registry.controls.list(),
        desk.registry.accounts.list(),
        _history(desk, route.id),
        _latest(desk, route.id),
    )
    known = {each.id: each for each in accounts}
    return pages.page(
        "routes/route.html",
        shell=shell,
        status=422 if wrong else 200,
        route=route,
        settings=settings,
        halted_by=halt_of(settings, halts),
        facts=list(settings_words(route)),
        parts=[
            {
                "id": each.account,
                "words": account_words(each.account, times=each.multiplier),
                "place": place_words(known[each.account]) if each.account in known else None,
            }
            for each in settings.accounts
        ],
        rotating_until=rotating_until(route.tokens, now=datetime.now(UTC)),
        overlaps=_OVERLAPS,
        messages=messages(settings, secret=secret_of(route)),
        history=history,
        alerts=alerts,
        told=told,
        wrong=wrong,
    )


async def _history(desk: Desk, route_id: str) -> list[Document] | None:
    """What was changed, newest first; None while the trail cannot be read."""
    kinds = [ChangeKind.ROUTE, ChangeKind.CONTROL]
    try:
        found = await desk.trail.changes(
            kinds=kinds, name=None, route=route_id, account=None, before=None, limit=_CHANGES
        )
    except Problem:
        return None
    return [changed_in_words(change_document(each)) for each in found]


async def _latest(desk: Desk, route_id: str) -> list[Document] | None:
    try:
        found = await list_of_alerts(desk.trail, filters=Filters(route=route_id), limit=_ALERTS)
    except Problem:
        return None
    alerts: list[Document] = found["alerts"]
    return alerts
