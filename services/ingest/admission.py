"""Who may send, and how much: token, address, rate. Time is an argument; nothing here does I/O."""

import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from ipaddress import ip_network

from libs.common.addresses import Address, read_address, site_of
from libs.common.contracts.reasons import Reason
from libs.common.contracts.route import Route
from libs.common.contracts.words import RouteId
from services.ingest.refusals import Refusal

BODY_BYTES_MAX = 65_536
ADDRESSES_MAX = 10_000
"""How many senders' addresses are remembered."""
TOKEN_UNKNOWN_COST = 20.0
"""Requests that a wrong token counts for, so that nobody tries many of them."""

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
    if not allowed or any(_holds(entry, address=read_address(address)) for entry in allowed):
        return None
    return address_refusal(address, where="the route's allow_addresses")


def address_refusal(address: str, *, where: str) -> Refusal:
    return Refusal(
        status=403,
        reason=Reason.ADDRESS_NOT_ALLOWED,
        message=f"The sender's address must be in {where}.",
        value=address,
    )


class RateLimits:
    """A token bucket per route: `burst` at once, `per_s` in the long run; 0 is no limit."""

    def __init__(self, *, per_s: float, burst: float) -> None:
        self.per_s = per_s
        self._burst = max(burst, 1.0)
        self._buckets: dict[RouteId, tuple[float, float]] = {}

    def take(self, route: RouteId, *, now_s: float) -> float | None:
        """None where the route may send one more now, else after how many seconds it may."""
        if self.per_s <= 0:
            return None
        left, at_s = self._buckets.get(route, (self._burst, now_s))
        left = min(self._burst, left + (now_s - at_s) * self.per_s)
        if left >= 1:
            self._buckets[route] = (left - 1, now_s)
            return None
        self._buckets[route] = (left, now_s)
        return (1 - left) / self.per_s

    def keep(self, routes: Iterable[RouteId]) -> None:
        """Forget the routes that are no more."""
        kept = set(routes)
        self._buckets = {route: left for route, left in self._buckets.items() if route in kept}


class AddressRates:
    """A token bucket per sender's address; 0 is no limit. Of the addresses those that were seen
    last are remembered, so that many of them cannot fill the memory.
    """

    def __init__(
        self,
        *,
        per_s: float,
        burst: float,
        is_unlimited: Callable[[str], bool],
        addresses_max: int = ADDRESSES_MAX,
    ) -> None:
        self.per_s = per_s
        self._burst = max(burst, 1.0)
        self._is_unlimited = is_unlimited
        self._addresses_max = addresses_max
        self._buckets: OrderedDict[str, tuple[float, float] | None] = OrderedDict()

    def take(self, address: str, *, now_s: float, cost: float = 1.0) -> float | None:
        """None where the address may send now, else after how many seconds it may.

        What it has left may sink below nothing, and until it is above again nobody is served: else
        the one right token among many wrong ones would be.
        """
        if self.per_s <= 0:
            return None
        site = site_of(address)
        if site not in self._buckets:
            self._remember(site, address=address, now_s=now_s)
        self._buckets.move_to_end(site)
        bucket = self._buckets[site]
        if bucket is None:
            return None
        left, at_s = bucket
        left = min(self._burst, left + (now_s - at_s) * self.per_s)
        if left >= 1:
            self._buckets[site] = (left - cost, now_s)
            return None
        self._buckets[site] = (left, now_s)
        return (1 - left) / self.per_s

    def __len__(self) -> int:
        return len(self._buckets)

    def _remember(self, site: str, *, address: str, now_s: float) -> None:
        self._buckets[site] = None if self._is_unlimited(address) else (self._burst, now_s)
        if len(self._buckets) > self._addresses_max:
            self._buckets.popitem(last=False)


def rate_refusal(*, per_s: float, wait_s: float) -> Refusal:
    return _too_many(
        f"The route must not receive more than {per_s:g} alerts per second.", wait_s=wait_s
    )


def address_rate_refusal(*, per_s: float, wait_s: float) -> Refusal:
    return _too_many(
        f"One address must not send more than {per_s:g} requests per second.", wait_s=wait_s
    )


def _too_many(message: str, *, wait_s: float) -> Refusal:
    return Refusal(
        status=429,
        reason=Reason.RATE_EXCEEDED,
        message=message,
        retry_after_s=max(1, round(wait_s)),
    )


def _holds(entry: str, *, address: Address | None) -> bool:
    # An entry that is no address or network allows nobody.
    try:
        return address is not None and address in ip_network(entry, strict=False)
    except ValueError:
        return False
