"""`/halts`: what is halted, by whom and since when; halting and resuming, from every page."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from libs.common.contracts.control import Control, Scope
from libs.common.contracts.words import AlertId
from services.console.callers import Caller
from services.console.changes import place_of_change, position_of_change
from services.console.differences import ChangeKind
from services.console.flattened import listed_alerts
from services.console.halts import NOT_STOPPED, Halt, Place, begin_halt, end_halt
from services.console.problems import AnyRequest, Problem
from services.console.registry import Registry
from services.console.standing import Standing
from services.console.trail import Trail
from services.console.web.access.guarding import UNATTENDED, UNDONE, viewer_of
from services.console.web.halting.telling import halts_of, history, is_behind
from services.console.web.rendering import Pages
from services.console.web.shell import Shell, shell_of

_LINES = 20
_REASON_CHARS_MAX = 500
_SEE_OTHER = 303
_CHANGED = "halts-changed"
"""An event in the browser: what shows halts asks for them anew."""


@get("/")
async def show_halts(
    registry: NamedDependency[Registry],
    trail: NamedDependency[Trail],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    before: FromQuery[str | None] = None,
    what: FromQuery[str] = "",
) -> Response[str]:
    """`what` stands chosen, as the form sends it: for whoever comes from its own page."""
    return pages.page(
        "halting/page.html",
        shell=shell,
        chosen=what,
        **await _history(trail, before, shell.halts),
        **(await _places(registry) if shell.viewer.may_change else {}),
    )


@get("/history", opt={UNATTENDED: True})
async def show_history(
    trail: NamedDependency[Trail],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    before: FromQuery[str | None] = None,
) -> Response[str]:
    """The part of the page that follows what is closed, and what others do."""
    return pages.page(
        "halting/history.html", shell=shell, **await _history(trail, before, shell.halts)
    )


@get("/banner", opt={UNATTENDED: True})
async def show_banner(
    shell: NamedDependency[Shell], pages: NamedDependency[Pages], seen: FromQuery[str] = ""
) -> Response[str]:
    """204 where the page shows it already."""
    if seen == shell.halts_key:
        return Response("", status_code=204, media_type="text/html")
    answer = pages.page("halting/banner.html", shell=shell)
    answer.set_header("HX-Trigger", _CHANGED)
    return answer


@get("/places")
async def show_places(
    registry: NamedDependency[Registry],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
) -> Response[str]:
    """What can be halted beside everything, for the dialog."""
    return pages.page("halting/places.html", shell=shell, **await _places(registry))


@post("/", status_code=200, opt={UNDONE: NOT_STOPPED})
async def halt(
    request: AnyRequest,
    caller: NamedDependency[Caller],
    registry: NamedDependency[Registry],
    standing: NamedDependency[Standing],
    pages: NamedDependency[Pages],
) -> Response[str]:
    form = await request.form()
    place = _place(str(form.get("what", "")))
    reason = str(form.get("reason", "")).strip()
    if len(reason) > _REASON_CHARS_MAX:
        raise Problem(
            422, f"Nothing is stopped: a reason has up to {_REASON_CHARS_MAX} characters."
        )
    asked = Halt(
        scope=place.scope, id=place.id, flatten="flatten" in form, reason=reason, by=caller.name
    )
    done = await begin_halt(registry, asked, caller=caller)
    await standing.seen(asked.key, done.control.halt_id)
    return await _done(request, standing, pages)


@post("/resume", status_code=200)
async def resume(
    request: AnyRequest,
    caller: NamedDependency[Caller],
    registry: NamedDependency[Registry],
    standing: NamedDependency[Standing],
    pages: NamedDependency[Pages],
) -> Response[str]:
    place = _place(str((await request.form()).get("what", "")))
    await end_halt(registry, place, caller=caller)
    await standing.seen(place.key, None)
    return await _done(request, standing, pages)


# To a script what every page shows of it; to anybody else the page of halts.
async def _done(request: AnyRequest, standing: Standing, pages: Pages) -> Response[str]:
    shell = await shell_of(request, viewer_of(request), standing)
    if not shell.is_fragment:
        headers = {"Location": "/halts"}
        return Response("", status_code=_SEE_OTHER, headers=headers, media_type="text/html")
    answer = pages.page("halting/banner.html", shell=shell)
    answer.set_header("HX-Trigger", _CHANGED)
    return answer


def _place(text: str) -> Place:
    scope, _, name = text.partition(":")
    try:
        return Place(scope=Scope(scope), id=name or None)
    except ValueError:
        raise Problem(422, "Say what is meant: everything, an account or a route.") from None


async def _places(registry: Registry) -> dict[str, Any]:
    """Everything can always be chosen, whatever the log answers."""
    try:
        accounts = [account.id for account in await registry.accounts.list()]
        routes = [route.id for route in await registry.routes.list()]
    except (Problem, msgspec.MsgspecError):
        accounts, routes = [], []
    return {"accounts": accounts, "routes": routes}


async def _history(trail: Trail, before: str | None, halts: list[Control] | None) -> dict[str, Any]:
    """What was halted and resumed, newest first; halting needs none of it."""
    place = None if before is None else place_of_change(before)
    try:
        found = await trail.changes(
            kinds=[ChangeKind.CONTROL],
            name=None,
            route=None,
            account=None,
            before=place,
            limit=_LINES + 1,
        )
        rows = found[:_LINES]
        flats = [each.halt_id for each in halts_of(rows) if each is not None and each.flatten]
        journeys = await _events(trail, list(dict.fromkeys(flats)))
        listed = [alert for each in journeys.values() for alert in listed_alerts(each)]
        closed = await _events(trail, listed)
    except Problem as problem:
        away = {"away": problem.detail, "before": before}
        return {"events": [], "next": None, "is_moving": False, **away}
    events = history(rows, journeys=journeys, closed=closed)
    is_closing = any(event.flat is not None and event.flat.is_under_way for event in events)
    return {
        "events": events,
        "is_moving": is_closing or (before is None and is_behind(events, halts or [], now=_now())),
        "next": position_of_change(rows[-1].place) if len(found) > _LINES else None,
        "away": None,
        "before": before,
    }


def _now() -> datetime:
    return datetime.now(UTC)


async def _events(trail: Trail, alerts: list[AlertId]) -> dict[AlertId, Any]:
    return await trail.events(alerts) if alerts else {}


halt_pages = Router(
    "/halts",
    route_handlers=[show_halts, show_history, show_banner, show_places, halt, resume],
)
