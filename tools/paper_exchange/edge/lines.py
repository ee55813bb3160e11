"""A line in which items wait, each for its own delay, and leave in the order they came."""

import asyncio
from collections import deque
from collections.abc import Callable

# What an item costs beside its bytes, roughly.
_OVERHEAD = 200


class Line:
    """`deliver` is called for each item when its delay is over: at once, within `put`, where the
    item has none and nothing waits before it.
    """

    def __init__(self, deliver: Callable[[bytes], None]) -> None:
        self._deliver = deliver
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.size = 0

    def put(self, item: bytes, *, delay_s: float) -> None:
        if not self._waiting and delay_s <= 0:
            self._deliver(item)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + delay_s
        self._waiting.append((due, item))
        self.size += len(item) + _OVERHEAD
        if self._timer is None:
            self._timer = loop.call_at(due, self._release)

    def clear(self) -> None:
        self._waiting.clear()
        self.size = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _release(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        now = loop.time()
        while self._waiting and self._waiting[0][0] <= now:
            _, item = self._waiting.popleft()
            self.size -= len(item) + _OVERHEAD
            self._deliver(item)
        if self._waiting:
            self._timer = loop.call_at(self._waiting[0][0], self._release)
