"""`/alerts/{alert_id}`: what became of one alert, live while anything may still come."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from libs.common.contracts.words import AlertId
from services.console.alerts import alert_of, named_alert, unknown_alert
from services.console.documents import Document
from services.console.events import FOLLOWERS_MAX
from services.console.explaining import Explaining
from services.console.feed import Feed
from services.console.problems import Problem
from services.console.registry import Registry
from services.console.replaying import replayed
from services.console.trace_links import TraceLinks
from services.console.trail import Trail
from services.console.web.access.guarding import VIEWERS_MAY
from services.console.web.alert.calls import Call, calls_of
from services.console.web.alert.following import news
from services.console.web.alert.journeys import LONG_ONES, frame_of, rest_of, sections_of
from services.console.web.alert.overview import awaited, may_still_come, overview
from services.console.web.alert.replays import comparison
from services.console.web.alert.understanding import body_of
from services.console.web.rendering import Pages
from services.console.web.shell import Shell

_PLACE_MAX = 2**63 - 2
_STREAM = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@get("/{alert_id:str}")
async def show_page(
    trail: NamedDependency[Trail],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    trace_links: NamedDependency[TraceLinks],
    alert_id: FromPath[str],
) -> Response[str]:
    """The whole page."""
    document = await _found(trail, named_alert(alert_id))
    context = _journey(document, pages=pages, shell=shell, trace_links=trace_links, level=1)
    title = overview(document | {"events": _decoded(document["events"])}).title
    return pages.page("alert/page.html", shell=shell, title=title, **context)


@get("/{alert_id:str}/journey")
async def show_journey(
    trail: NamedDependency[Trail],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    trace_links: NamedDependency[TraceLinks],
    alert_id: FromPath[str],
    level: Annotated[int, QueryParameter(ge=1, le=4)] = 2,
) -> Response[str]:
    """The journey alone, for whatever page puts it into itself; it follows by itself there.
    `level`: of its topmost heading.
    """
    document = await _found(trail, named_alert(alert_id))
    context = _journey(document, pages=pages, shell=shell, trace_links=trace_links, level=level)
    return pages.page("alert/journey.html", shell=shell, **context)


@get("/{alert_id:str}/events", status_code=200)
async def follow_journey(
    trail: NamedDependency[Trail],
    feed: NamedDependency[Feed],
    alert_id: FromPath[str],
    after: Annotated[int, QueryParameter(ge=0, le=_PLACE_MAX)] = 0,
) -> ServerSentEvent:
    """`changed` whenever the trail knows more, `over` when nothing more is expected."""
    if feed.followers >= FOLLOWERS_MAX:
        raise Problem(503, f"{FOLLOWERS_MAX} streams are open already; end one of them.")
    document = await _found(trail, named_alert(alert_id))
    listed = [AlertId(each["alert_id"]) for each in document["alerts"]]
    alerts = [AlertId(document["alert_id"]), *listed]
    stream: AsyncGenerator[ServerSentEventMessage, None] = news(
        feed=feed, trail=trail, alerts=alerts, after=after
    )
    return ServerSentEvent(stream, headers=_STREAM)


@get("/{alert_id:str}/json")
async def show_document(trail: NamedDependency[Trail], alert_id: FromPath[str]) -> Response[bytes]:
    """The same document as the API's, to keep."""
    alert = named_alert(alert_id)
    document = await alert_of(trail, alert)
    if document is None:
        raise unknown_alert(alert)
    body = msgspec.json.format(msgspec.json.encode(document), indent=2)
    name = {"Content-Disposition": f'attachment; filename="alert-{alert}.json"'}
    return Response(body, media_type="application/json", headers=name)


@get("/{alert_id:str}/raw/{seq:int}")
async def show_event(
    trail: NamedDependency[Trail],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    alert_id: FromPath[str],
    seq: FromPath[int],
) -> Response[str]:
    """One event as the log has it."""
    event = await _event(trail, named_alert(alert_id), seq)
    text = msgspec.json.format(msgspec.json.encode(event["data"]), indent=2).decode()
    title = f"Event {seq}: {event['stage']}"
    return _detail(pages, shell, alert_id, title=title, kind="text", text=text)


@get("/{alert_id:str}/calls/{seq:int}/{number:int}")
async def show_call(
    trail: NamedDependency[Trail],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    alert_id: FromPath[str],
    seq: FromPath[int],
    number: FromPath[int],
) -> Response[str]:
    """One request and its reply, to the byte."""
    calls = calls_of(await _event(trail, named_alert(alert_id), seq))
    found: Call | None = calls[number] if 0 <= number < len(calls) else None
    if found is None:
        raise Problem(404, f"Event {seq} has no call {number}.")
    title = f"{found.method} {found.path}"
    return _detail(pages, shell, alert_id, title=title, kind="call", call=found)


@get("/{alert_id:str}/body")
async def show_body(
    trail: NamedDependency[Trail],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    alert_id: FromPath[str],
) -> Response[str]:
    """The body, whole, however long."""
    document = await _found(trail, named_alert(alert_id))
    body = body_of(_decoded(document["events"]))
    if body is None:
        raise Problem(404, "It has no body.")
    return _detail(pages, shell, alert_id, title="Body as received", kind="text", text=body.text)


@get("/{alert_id:str}/more/{name:str}")
async def show_more(
    trail: NamedDependency[Trail],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    alert_id: FromPath[str],
    name: FromPath[str],
) -> Response[str]:
    """What a long section leaves out at first."""
    if name not in LONG_ONES:
        raise Problem(404, "There is no such section.")
    document = await _found(trail, named_alert(alert_id))
    html = rest_of(name, document, pages=pages, shell=shell)
    return _detail(pages, shell, alert_id, title="All the rest", kind="html", html=html)


@post("/{alert_id:str}/replay", status_code=200, opt={VIEWERS_MAY: True})
async def replay(
    trail: NamedDependency[Trail],
    registry: NamedDependency[Registry],
    explaining: NamedDependency[Explaining],
    shell: NamedDependency[Shell],
    pages: NamedDependency[Pages],
    alert_id: FromPath[str],
) -> Response[str]:
    """Under today's rules; changes nothing, so whoever looks may ask."""
    found = await replayed(trail, registry, explaining, alert_id=alert_id)
    template = "alert/replay.html" if shell.is_fragment else "alert/replay-page.html"
    return pages.page(template, shell=shell, alert_id=alert_id, replay=comparison(found))


async def _found(trail: Trail, alert: AlertId) -> Document:
    document = await alert_of(trail, alert)
    if document is not None:
        return document
    if may_still_come(alert, now=datetime.now(UTC)):
        # The trail is a tenth of a second behind the answer to the sender.
        return awaited(alert)
    raise unknown_alert(alert)


async def _event(trail: Trail, alert: AlertId, seq: int) -> dict[str, Any]:
    document = await _found(trail, alert)
    found = next((event for event in document["events"] if event["seq"] == seq), None)
    if found is None:
        raise Problem(404, f"The trail has no event {seq} of alert {alert}.")
    return dict(_decoded([found])[0])


def _decoded(events: list[Document]) -> list[Document]:
    found: list[Document] = msgspec.json.decode(msgspec.json.encode(events))
    return found


def _journey(
    document: Document, *, pages: Pages, shell: Shell, trace_links: TraceLinks, level: int
) -> dict[str, Any]:
    sections = sections_of(
        document,
        pages=pages,
        shell=shell,
        trace_link=trace_links.link(document["trace_id"]),
        level=level,
    )
    frame = frame_of(document, sections=sections, now=datetime.now(UTC))
    return {**frame, "level": level}


def _detail(
    pages: Pages, shell: Shell, alert_id: str, *, title: str, **context: Any
) -> Response[str]:
    template = "alert/detail.html" if shell.is_fragment else "alert/detail-page.html"
    return pages.page(template, shell=shell, alert_id=alert_id, title=title, **context)


alert_page_router = Router(
    "/alerts",
    route_handlers=[
        *(show_page, show_journey, follow_journey, show_document),
        *(show_event, show_call, show_body, show_more, replay),
    ],
)
