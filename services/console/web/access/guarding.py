"""What stands before every page: a session, the proof that a form is ours, and the role."""

import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection, Request
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from services.console.problems import Problem
from services.console.web.access.sessions import Sessions
from services.console.web.access.users import Users
from services.console.web.access.viewers import Viewer

COOKIE = "alertwire_session"
CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"
VIEWERS_MAY = "viewers_may"
"""A handler's option: it changes nothing, though its method might."""
UNATTENDED = "unattended"
"""A handler's option: a page asks it by itself, which keeps nobody signed in."""
_SAFE = frozenset({"GET", "HEAD"})
_VIEWER = "viewer"

AnyConnection = ASGIConnection[Any, Any, Any, Any]


class SignInNeeded(Exception):  # noqa: N818 - says what has to happen
    """Answered by the sign-in page."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """How people get to the pages."""

    users: Users
    sessions: Sessions
    public_url: str = ""
    """Where people reach the console; empty: wherever they do."""

    @property
    def is_secure(self) -> bool:
        """Whether cookies may travel by https alone."""
        return self.public_url.startswith("https://")


def page_guard(access: Access) -> Guard:
    """Raises `SignInNeeded`, or a 403 `Problem`."""

    async def guard(connection: AnyConnection, handler: BaseRouteHandler) -> None:
        if not isinstance(connection, Request):
            raise SignInNeeded
        viewer = await _viewer(access, connection)
        connection.scope["state"][_VIEWER] = viewer
        if connection.method in _SAFE:
            return
        check_origin(access, connection)
        # Only now: what a stranger posts is not even read.
        given = connection.headers.get(CSRF_HEADER) or await _field(connection)
        if not hmac.compare_digest(given.encode(), viewer.csrf.encode()):
            raise Problem(403, "This form is of another session: load the page again.")
        if not viewer.may_change and not handler.opt.get(VIEWERS_MAY):
            raise Problem(403, "You may look, and not change anything: that takes an operator.")

    return guard


def viewer_of(request: Request[Any, Any, Any]) -> Viewer:
    """Behind the guard."""
    viewer: Viewer = request.scope["state"][_VIEWER]
    return viewer


def check_origin(access: Access, connection: AnyConnection) -> None:
    """A form that another site has sent is refused; browsers say where it comes from."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        origin = connection.headers.get("origin")
        ours = urlsplit(access.public_url).netloc or connection.headers.get("host", "")
        is_ours = origin is None or urlsplit(origin).netloc == ours
    if not is_ours:
        raise Problem(403, "This form comes from another site.")


async def _viewer(access: Access, connection: AnyConnection) -> Viewer:
    session_id = connection.cookies.get(COOKIE)
    session = await access.sessions.find(session_id) if session_id else None
    role = access.users.role_of(session.name) if session is not None else None
    if session is None or role is None:
        raise SignInNeeded
    address = connection.client.host if connection.client is not None else "nowhere"
    return Viewer(name=session.name, role=role, csrf=session.csrf, address=address)


async def _field(request: Request[Any, Any, Any]) -> str:
    if not request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        return ""
    value = (await request.form()).get(CSRF_FIELD, "")
    return value if isinstance(value, str) else ""
