"""What proxies before the console say of a request: where it really comes from, and who has signed
in to them. Believed only where the connection itself comes from a proxy that is trusted.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from libs.common.addresses import Network, is_within, origin_of, read_address
from libs.common.addresses import read_proxies as read_trusted
from services.console.web.access.viewers import Role

SCOPE_KEY = "alertwire.proxied"
EVERYBODY = "*"
_GROUP = "group:"
_FORWARDED_FOR = b"x-forwarded-for"
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_NAME_CHARS_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Proxied:
    """Whom a trusted proxy has let through. A name that is no name is empty."""

    name: str
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Proxies:
    """Which proxies are trusted, and who may do what of those whom they name."""

    networks: tuple[Network, ...] = ()
    user_header: str = ""
    """Empty: nobody signs in by a proxy."""
    groups_header: str = ""
    operators: frozenset[str] = frozenset()
    viewers: frozenset[str] = frozenset()
    sign_out_url: str = ""
    """Where a proxy ends its own session: a path of the same site."""

    def role_of(self, who: Proxied) -> Role | None:
        """None: they are neither."""
        # A name that looks like a group is none.
        names = {who.name} if not who.name.startswith(_GROUP) else set()
        asked = names | {f"{_GROUP}{group}" for group in who.groups}
        for role, those in ((Role.OPERATOR, self.operators), (Role.VIEWER, self.viewers)):
            if asked & those:
                return role
        return Role.VIEWER if EVERYBODY in self.viewers else None


def read_proxies(
    *,
    networks: str,
    user_header: str,
    groups_header: str,
    operators: str,
    viewers: str,
    sign_out_url: str,
) -> Proxies:
    """Raises `ValueError` naming what is wrong."""
    found = Proxies(
        networks=read_trusted(networks),
        user_header=_header(user_header),
        groups_header=_header(groups_header),
        operators=frozenset(_parts(operators)),
        viewers=frozenset(_parts(viewers)),
        sign_out_url=sign_out_url,
    )
    if found.user_header and not found.networks:
        raise ValueError("a header that names the user needs the proxies that may send it")
    if found.user_header and not (found.operators or found.viewers):
        raise ValueError("a header that names the user needs operators or viewers")
    if EVERYBODY in found.operators:
        raise ValueError(f"`{EVERYBODY}` is for viewers: operators have names or groups")
    if sign_out_url and not (sign_out_url.startswith("/") and not sign_out_url.startswith("//")):
        raise ValueError("the proxy's sign-out is a path of the same site, like /oauth2/sign_out")
    return found


@dataclass(frozen=True, kw_only=True)
class _Told:
    """A request's headers, as far as they count here."""

    lines: Mapping[bytes, list[bytes]] = field(default_factory=dict)

    def values(self, name: str | bytes) -> list[str]:
        key = name if isinstance(name, bytes) else name.lower().encode()
        # Bytes that are no UTF-8 are no name either.
        return [line.decode("utf-8", "replace") for line in self.lines.get(key, ())]


class Forwarded:
    """The application `app`, told where its requests really come from. What anybody else sends
    under the proxies' headers is never looked at.
    """

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and self._proxies.networks:
            self._tell(scope)
        await self._app(scope, receive, send)

    def _tell(self, scope: Any) -> None:
        client = scope.get("client")
        peer = read_address(client[0]) if client else None
        if peer is None or not is_within(peer, self._proxies.networks):
            return
        told = _told(scope["headers"])
        forwarded = told.values(_FORWARDED_FOR)
        origin = origin_of(peer, forwarded=forwarded, trusted=self._proxies.networks)
        scope["client"] = (str(origin), 0)
        if self._proxies.user_header and told.values(self._proxies.user_header):
            scope[SCOPE_KEY] = _who(self._proxies, told)


def proxied(scope: Any) -> Proxied | None:
    """Whom a trusted proxy has named in this request."""
    found: Proxied | None = scope.get(SCOPE_KEY)
    return found


def _told(headers: Iterable[tuple[bytes, bytes]]) -> _Told:
    lines: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        lines.setdefault(name.lower(), []).append(value)
    return _Told(lines=lines)


def _who(proxies: Proxies, told: _Told) -> Proxied:
    names = told.values(proxies.user_header)
    groups = told.values(proxies.groups_header) if proxies.groups_header else []
    # Twice: one of them may be what a stranger sent along, and the proxy passed on.
    name = names[0].strip() if len(names) == 1 else ""
    is_name = 0 < len(name) <= _NAME_CHARS_MAX and name.isprintable() and "\ufffd" not in name
    return Proxied(
        name=name if is_name else "",
        groups=frozenset(_parts(groups[0])) if len(groups) == 1 else frozenset(),
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in (each.strip() for each in text.split(",")) if part)


def _header(name: str) -> str:
    if name and _HEADER_NAME.fullmatch(name) is None:
        raise ValueError(f"`{name[:64]}` is no name of a header")
    return name
