"""`/sign-in` and `/sign-out`."""

import structlog
from litestar import Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromQuery

from services.console.callers import NAME_CHARS_MAX
from services.console.problems import AnyRequest
from services.console.web.access.guarding import (
    COOKIE,
    VIEWERS_MAY,
    Access,
    check_origin,
)
from services.console.web.access.sessions import LONGEST
from services.console.web.access.throttling import Throttle
from services.console.web.access.viewers import Viewer
from services.console.web.rendering import Pages

_PASSWORD_CHARS_MAX = 1_000
_SEE_OTHER = 303

_log = structlog.get_logger()


@get("/sign-in")
async def show_sign_in(
    access: NamedDependency[Access],
    pages: NamedDependency[Pages],
    next: FromQuery[str] = "/",  # noqa: A002 - the parameter's name
) -> Response[str]:
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
    password = str(form.get("password", ""))[:_PASSWORD_CHARS_MAX]
    onward = local(str(form.get("next", "/")))
    address = request.client.host if request.client is not None else "nowhere"
    wait_s = throttle.wait_s(address=address, name=name)
    if wait_s > 0:
        _log.warning("sign_in.throttled", address=address)
        problem = f"Too many attempts: try again in {wait_s:.0f} seconds."
        answer = pages.bare("sign-in.html", status=429, next=onward, problem=problem, name=name)
        answer.set_header("Retry-After", f"{wait_s:.0f}")
        return answer
    user = await access.users.verify(name, password)
    if user is None:
        throttle.failed(address=address, name=name)
        _log.warning("sign_in.failed", address=address)
        problem = "No such name with this password."
        return pages.bare("sign-in.html", status=401, next=onward, problem=problem, name=name)
    throttle.succeeded(name=name)
    begun = await access.sessions.begin(user.name)
    _log.info("sign_in.done", name=user.name, role=user.role.value, address=address)
    return _onward(onward, _cookie(access, begun.id, max_age=int(LONGEST.total_seconds())))


@post("/sign-out", status_code=200, opt={VIEWERS_MAY: True})
async def sign_out(
    request: AnyRequest, viewer: NamedDependency[Viewer], access: NamedDependency[Access]
) -> Response[str]:
    await access.sessions.end(request.cookies.get(COOKIE, ""))
    _log.info("sign_out.done", name=viewer.name, address=viewer.address)
    return _onward("/sign-in", _cookie(access, "", max_age=0))


def local(path: str) -> str:
    """Where to go on: a place of ours, whatever a link says."""
    # A browser reads a backslash as a slash, and two of them begin another site's address.
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if plain and path.isprintable() else "/"


def _onward(path: str, cookie: Cookie) -> Response[str]:
    return Response(
        "",
        status_code=_SEE_OTHER,
        headers={"Location": path},
        cookies=[cookie],
        media_type="text/html",
    )


def _cookie(access: Access, value: str, *, max_age: int) -> Cookie:
    return Cookie(
        key=COOKIE,
        value=value,
        max_age=max_age,
        httponly=True,
        secure=access.is_secure,
        # A link from elsewhere leads to the page; a form from elsewhere brings no cookie.
        samesite="lax",
    )


sign_in_router = Router("/", route_handlers=[show_sign_in, sign_in])
