"""How often somebody may try to sign in: counted by address and by name, in this process."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

_WINDOW_S = 300.0
_FAILURES_MAX = {"address": 20, "name": 10}
"""In one window. A name's limit is the lower one: its password is what is guessed."""
_REMEMBERED = 10_000
"""Names and addresses; the ones that failed longest ago are forgotten first."""


class Throttle:
    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def wait_s(self, *, address: str, name: str) -> float:
        """Seconds until the next attempt is looked at; 0: now."""
        return max(self._wait_s(("address", address)), self._wait_s(("name", name)))

    def failed(self, *, address: str, name: str) -> None:
        for key in (("address", address), ("name", name)):
            times = self._failures.setdefault(key, deque(maxlen=_FAILURES_MAX[key[0]]))
            times.append(self._now())
            self._failures.move_to_end(key)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, *, name: str) -> None:
        """What others tried from the same address still counts."""
        self._failures.pop(("name", name), None)

    def _wait_s(self, key: tuple[str, str]) -> float:
        times = self._failures.get(key)
        if times is None or len(times) < _FAILURES_MAX[key[0]]:
            return 0.0
        return max(0.0, times[0] + _WINDOW_S - self._now())
