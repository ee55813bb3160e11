"""How often somebody may try to sign in: counted by address and by name, in this process. An
attempt counts from its beginning, so that many at once are no way around it.
"""

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable

_WINDOW_S = 300.0
_PER_ADDRESS = 20
_PER_NAME_AND_ADDRESS = 10
_PER_NAME = 100
"""From all addresses together, but for those that the name has signed in from: whoever wants to
lock an operator out must not be able to.
"""
_REMEMBERED = 10_000
"""Names and addresses; the ones that tried longest ago are forgotten first."""
_KNOWN = 1_000
_IPV6_PREFIX = 64
"""One customer has so many bits of addresses of their own."""

_Key = tuple[str, ...]


class Throttle:
    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._attempts: OrderedDict[_Key, deque[float]] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def wait_s(self, *, address: str, name: str) -> float:
        """Seconds until the next attempt is looked at; 0: now."""
        limits = self._limits(address=place_of(address), name=name)
        return max(self._wait_s(key, most) for key, most in limits.items())

    def began(self, *, address: str, name: str) -> None:
        """An attempt, which has failed unless it is said to have succeeded."""
        for key, most in self._limits(address=place_of(address), name=name).items():
            times = self._attempts.setdefault(key, deque(maxlen=most))
            times.append(self._now())
            self._attempts.move_to_end(key)
        while len(self._attempts) > _REMEMBERED:
            self._attempts.popitem(last=False)

    def succeeded(self, *, address: str, name: str) -> None:
        """What others tried from the same address still counts."""
        place = place_of(address)
        self._attempts.pop((place, name), None)
        if times := self._attempts.get((place,)):
            times.pop()
        self._known[place, name] = None
        self._known.move_to_end((place, name))
        while len(self._known) > _KNOWN:
            self._known.popitem(last=False)

    def _limits(self, *, address: str, name: str) -> dict[_Key, int]:
        limits: dict[_Key, int] = {
            (address,): _PER_ADDRESS,
            (address, name): _PER_NAME_AND_ADDRESS,
        }
        if (address, name) not in self._known:
            limits["", name] = _PER_NAME
        return limits

    def _wait_s(self, key: _Key, most: int) -> float:
        times = self._attempts.get(key)
        if times is None or len(times) < most:
            return 0.0
        return max(0.0, times[0] + _WINDOW_S - self._now())


def place_of(address: str) -> str:
    """What counts as one address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    return str(ipaddress.ip_network((found, _IPV6_PREFIX), strict=False))
