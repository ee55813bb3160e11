"""What stands before every page: a session, the proof that a form is ours, and the role."""

import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from litestar.connection import ASGIConnection, Request
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from services.console.problems import Problem
from services.console.web.access import counting
from services.console.web.access.proxies import Proxied, Proxies, proxied
from services.console.web.access.sessions import LONGEST, PROXY_MARK, Session, Sessions
from services.console.web.access.users import Users
from services.console.web.access.viewers import Role, Viewer

COOKIE = "alertwire_session"
_HOST_PREFIX = "__Host-"
"""A browser takes such a cookie by https alone, and from no other host of the same domain."""
CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"
VIEWERS_MAY = "viewers_may"
"""A handler's option: it changes nothing, though its method might."""
UNATTENDED = "unattended"
"""A handler's option: a page asks it by itself, which keeps nobody signed in."""
UNDONE = "undone"
"""A handler's option: what to say first where it could not even begin, since the log is away."""
_SAFE = frozenset({"GET", "HEAD"})
_VIEWER = "viewer"
_BEGUN = "alertwire.begun"

AnyConnection = ASGIConnection[Any, Any, Any, Any]

_log = structlog.get_logger()


class SignInNeeded(Exception):  # noqa: N818 - says what has to happen
    """Answered by the sign-in page."""


class Access:
    """How people get to the pages. `public_url`: where they reach the console; empty: wherever they
    do.
    """

    # No dataclass: the framework would look into one, and copy what it finds.
    def __init__(
        self,
        *,
        users: Users,
        sessions: Sessions,
        public_url: str = "",
        proxies: Proxies | None = None,
    ) -> None:
        self.users = users
        self.sessions = sessions
        self.public_url = public_url
        self.proxies = proxies or Proxies()

    @property
    def is_secure(self) -> bool:
        """Whether cookies may travel by https alone."""
        return self.public_url.startswith("https://")

    @property
    def cookie_name(self) -> str:
        return f"{_HOST_PREFIX}{COOKIE}" if self.is_secure else COOKIE

    def cookie(self, session_id: str) -> Cookie:
        """The session's; of an empty id one that takes it away."""
        return Cookie(
            key=self.cookie_name,
            value=session_id,
            max_age=int(LONGEST.total_seconds()) if session_id else 0,
            httponly=True,
            secure=self.is_secure,
            # A link from elsewhere leads to the page; a form from elsewhere brings no cookie.
            samesite="lax",
        )

    def session_id(self, connection: AnyConnection) -> str:
        """Empty: it brings none."""
        return connection.cookies.get(self.cookie_name, "")


@dataclass(frozen=True, kw_only=True)
class Entered:
    """Somebody who may see pages, and their session."""

    session: Session
    role: Role


async def entered(access: Access, connection: AnyConnection, *, is_used: bool) -> Entered | None:
    """None where somebody has to sign in first, again, or no longer may."""
    session_id = access.session_id(connection)
    who = proxied(connection.scope)
    session = await access.sessions.find(session_id, is_used=is_used) if session_id else None
    if who is not None:
        role = _role(access, who)
        is_theirs = session is not None and (session.name, session.mark) == (who.name, PROXY_MARK)
        return Entered(session=session, role=role) if session is not None and is_theirs else None
    if session is None:
        return None
    user = access.users.find(session.name)
    # Taken out of the file, or given another password: every session of before is over.
    if user is None or not hmac.compare_digest(session.mark.encode(), user.mark.encode()):
        return None
    return Entered(session=session, role=user.role)


def page_guard(access: Access) -> Guard:
    """Raises `SignInNeeded`, or a 403 `Problem`."""

    async def guard(connection: AnyConnection, handler: BaseRouteHandler) -> None:
        if not isinstance(connection, Request):
            raise SignInNeeded
        is_used = not handler.opt.get(UNATTENDED)
        try:
            found = await entered(access, connection, is_used=is_used)
        except Problem as problem:
            if problem.status != 503 or connection.method in _SAFE:
                raise
            undone = handler.opt.get(UNDONE, "Nothing was changed.")
            raise Problem(503, f"{undone} {problem.detail}") from None
        if found is None:
            found = await _begun_by_proxy(access, connection)
        viewer = Viewer(
            name=found.session.name,
            role=found.role,
            csrf=found.session.csrf,
            address=address_of(connection),
        )
        connection.scope["state"][_VIEWER] = viewer
        if connection.method in _SAFE:
            return
        check_origin(access, connection)
        # Only now: what a stranger posts is not even read.
        given = connection.headers.get(CSRF_HEADER) or await _field(connection)
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), viewer.csrf.encode()):
            raise Problem(403, "This form is of another session: load the page again.")
        if not viewer.may_change and not handler.opt.get(VIEWERS_MAY):
            raise Problem(403, "You may look, and not change anything: that takes an operator.")

    return guard


def viewer_of(request: Request[Any, Any, Any]) -> Viewer:
    """Behind the guard."""
    viewer: Viewer = request.scope["state"][_VIEWER]
    return viewer


def begun_session(scope: Any) -> str | None:
    """The id of a session that the guard has begun for this request, for its answer's cookie."""
    begun: str | None = scope.get(_BEGUN)
    return begun


def address_of(connection: AnyConnection) -> str:
    """Where it comes from; behind a trusted proxy, where the proxy says (`proxies.Forwarded`)."""
    return connection.client.host if connection.client is not None else "nowhere"


def check_origin(access: Access, connection: AnyConnection) -> None:
    """A form that another site has sent is refused; browsers say where it comes from."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        origin = connection.headers.get("origin")
        ours = urlsplit(access.public_url).netloc or connection.headers.get("host", "")
        is_ours = origin is None or _netloc(origin) == ours
    if not is_ours:
        raise Problem(403, "This form comes from another site.")


# Whom a proxy names needs no page to sign in at: their session begins with the first page, for the
# proof that a form is ours. A form without one is not ours.
async def _begun_by_proxy(access: Access, request: Request[Any, Any, Any]) -> Entered:
    who = proxied(request.scope)
    if who is None:
        raise SignInNeeded
    role = _role(access, who)
    if request.method not in _SAFE:
        raise Problem(403, "This form is of another session: load the page again.")
    begun = await access.sessions.begin(who.name, mark=PROXY_MARK)
    scope: Any = request.scope
    scope[_BEGUN] = begun.id
    counting.sign_ins.labels(counting.PROXIED).inc()
    _log.info("sign_in.proxied", name=who.name, role=role.value, address=address_of(request))
    return Entered(session=begun.session, role=role)


def _role(access: Access, who: Proxied) -> Role:
    role = access.proxies.role_of(who) if who.name else None
    if role is None:
        counting.sign_ins.labels(counting.STRANGER).inc()
        _log.warning("sign_in.stranger", name=who.name)
        told = f"`{who.name}`" if who.name else "Whom the sign-in before this page names"
        raise Problem(
            403,
            f"{told} is neither a viewer nor an operator here. Whoever runs this console can change"
            " that.",
        )
    return role


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


async def _field(request: Request[Any, Any, Any]) -> str:
    if not request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        return ""
    value = (await request.form()).get(CSRF_FIELD, "")
    return value if isinstance(value, str) else ""
