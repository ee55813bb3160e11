"""Who may send, and how much: token, address, rate. Time is an argument; nothing here does I/O."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Route
from libs.common.contracts.words import RouteId
from services.ingest.refusals import Refusal

BODY_BYTES_MAX = 65_536

_NOBODY = "0" * 64


@dataclass(frozen=True)
class _Admitted:
    sha256: str
    route: Route
    expires_at: datetime | None


class Tokens:
    """The routes by the hash of their tokens."""

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._by_hash = {
            token.sha256: _Admitted(token.sha256, route, token.expires_at)
            for route in routes
            for token in route.tokens
        }

    def route(self, token: str, *, now: datetime) -> Route | None:
        """The route that a token opens; None for an unknown one and one that has expired."""
        actual = sha256(token.encode(errors="surrogateescape")).hexdigest()
        found = self._by_hash.get(actual)
        # The same work whether found or not. What a table of hashes gives away by its timing is
        # something about a hash, from which no token can be made.
        expected = found.sha256 if found is not None else _NOBODY
        if not hmac.compare_digest(actual, expected) or found is None:
            return None
        if found.expires_at is not None and found.expires_at <= now:
            return None
        return found.route


def check_size(size: int | None) -> Refusal | None:
    """`size` in bytes, as announced or as read so far; None where nothing was announced."""
    if size is None or size <= BODY_BYTES_MAX:
        return None
    return Refusal(
        status=413,
        reason=Reason.BODY_TOO_LARGE,
        message=f"The body must have at most {BODY_BYTES_MAX} bytes.",
        value=str(size),
    )


def check_address(route: Route, *, address: str) -> Refusal | None:
    """Refuse a peer that the route's allow list, if it has one, does not hold."""
    allowed = route.settings.allow_addresses
    if not allowed or any(_holds(entry, address=_parsed(address)) for entry in allowed):
        return None
    return Refusal(
        status=403,
        reason=Reason.ADDRESS_NOT_ALLOWED,
        message="The sender's address must be in the route's allow_addresses.",
        value=address,
    )


class RateLimits:
    """A token bucket per route: `burst` at once, `per_s` in the long run; 0 is no limit."""

    def __init__(self, *, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = max(burst, 1.0)
        self._buckets: dict[RouteId, tuple[float, float]] = {}

    def take(self, route: RouteId, *, now_s: float) -> float | None:
        """None where the route may send one more now, else after how many seconds it may."""
        if self._per_s <= 0:
            return None
        left, at_s = self._buckets.get(route, (self._burst, now_s))
        left = min(self._burst, left + (now_s - at_s) * self._per_s)
        if left >= 1:
            self._buckets[route] = (left - 1, now_s)
            return None
        self._buckets[route] = (left, now_s)
        return (1 - left) / self._per_s

    def keep(self, routes: Iterable[RouteId]) -> None:
        """Forget the routes that are no more."""
        kept = set(routes)
        self._buckets = {route: left for route, left in self._buckets.items() if route in kept}


def rate_refusal(*, per_s: float, wait_s: float) -> Refusal:
    return Refusal(
        status=429,
        reason=Reason.RATE_EXCEEDED,
        message=f"The route must not receive more than {per_s:g} alerts per second.",
        retry_after_s=max(1, round(wait_s)),
    )


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def _holds(entry: str, *, address: IPv4Address | IPv6Address | None) -> bool:
    # An entry that is no address or network allows nobody.
    try:
        return address is not None and address in ip_network(entry, strict=False)
    except ValueError:
        return False
