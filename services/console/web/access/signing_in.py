"""`/sign-in` and `/sign-out`."""

from urllib.parse import quote

import structlog
from litestar import Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromQuery

from services.console.callers import NAME_CHARS_MAX
from services.console.problems import AnyRequest
from services.console.web.access import counting
from services.console.web.access.guarding import (
    VIEWERS_MAY,
    Access,
    address_of,
    check_origin,
    entered,
)
from services.console.web.access.proxies import proxied
from services.console.web.access.throttling import Throttle
from services.console.web.access.viewers import Viewer
from services.console.web.rendering import Pages

EVERYWHERE = "everywhere"
"""A field of the form that signs out."""
_SEE_OTHER = 303
# What an address may hold beside letters and digits, so that it stays what it is.
_ADDRESS_CHARS = "/?&=%#+~:;,.!$'()*@-_"

_log = structlog.get_logger()


@get("/sign-in")
async def show_sign_in(
    request: AnyRequest,
    access: NamedDependency[Access],
    pages: NamedDependency[Pages],
    next: FromQuery[str] = "/",  # noqa: A002 - the parameter's name
) -> Response[str]:
    # A proxy has signed them in already, or they have done so in another window.
    if proxied(request.scope) or await entered(access, request, is_used=False):
        return _onward(local(next))
    return pages.bare("sign-in.html", next=local(next), nobody=not access.users.exist)


@post("/sign-in", status_code=200)
async def sign_in(
    request: AnyRequest,
    access: NamedDependency[Access],
    pages: NamedDependency[Pages],
    throttle: NamedDependency[Throttle],
) -> Response[str]:
    check_origin(access, request)
    form = await request.form()
    name = str(form.get("name", "")).strip()[:NAME_CHARS_MAX]
    password = str(form.get("password", ""))
    onward = local(str(form.get("next", "/")))
    address = address_of(request)
    # People type their password into the first field, too: only a name that exists is told.
    told = name if access.users.find(name) else "unknown"
    wait_s = throttle.wait_s(address=address, name=name)
    if wait_s > 0:
        counting.sign_ins.labels(counting.THROTTLED).inc()
        _log.warning("sign_in.throttled", name=told, address=address)
        problem = f"Too many attempts: try again in {wait_s:.0f} seconds."
        answer = pages.bare("sign-in.html", status=429, next=onward, problem=problem, name=name)
        answer.set_header("Retry-After", f"{wait_s:.0f}")
        return answer
    throttle.began(address=address, name=name)
    user = await access.users.verify(name, password)
    if user is None:
        counting.sign_ins.labels(counting.FAILED).inc()
        _log.warning("sign_in.failed", name=told, address=address)
        problem = "No such name with this password."
        return pages.bare("sign-in.html", status=401, next=onward, problem=problem, name=name)
    throttle.succeeded(address=address, name=name)
    begun = await access.sessions.begin(user.name, mark=user.mark)
    # Whose ever the session was that this browser had: it is not theirs any more.
    if former := access.session_id(request):
        await access.sessions.end(former)
    counting.sign_ins.labels(counting.DONE).inc()
    _log.info("sign_in.done", name=user.name, role=user.role.value, address=address)
    return _onward(onward, access.cookie(begun.id))


@post("/sign-out", status_code=200, opt={VIEWERS_MAY: True})
async def sign_out(
    request: AnyRequest, viewer: NamedDependency[Viewer], access: NamedDependency[Access]
) -> Response[str]:
    """This session, or all of this name where the form says so."""
    everywhere = EVERYWHERE in await request.form()
    if everywhere:
        await access.sessions.end_all(viewer.name)
    else:
        await access.sessions.end(access.session_id(request))
    counting.sign_outs.inc()
    _log.info("sign_out.done", name=viewer.name, address=viewer.address, everywhere=everywhere)
    is_proxied = proxied(request.scope) is not None
    onward = access.proxies.sign_out_url if is_proxied else ""
    return _onward(onward or "/sign-in", access.cookie(""))


def local(path: str) -> str:
    """Where to go on: a place of ours, whatever a link says."""
    # A browser reads a backslash as a slash, and two of them begin another site's address.
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path
    # It becomes a header, which holds no more than ASCII.
    return quote(path, safe=_ADDRESS_CHARS) if plain and path.isprintable() else "/"


def _onward(path: str, cookie: Cookie | None = None) -> Response[str]:
    return Response(
        "",
        status_code=_SEE_OTHER,
        headers={"Location": path},
        cookies=[cookie] if cookie is not None else [],
        media_type="text/html",
    )


sign_in_router = Router("/", route_handlers=[show_sign_in, sign_in])
