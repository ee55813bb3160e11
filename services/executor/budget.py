"""The exchange's call budget of an account: so many order calls per two seconds. What closes goes
before what opens, and the oldest first among equals. Being refused costs a round trip, so it is
better to wait here.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from datetime import datetime
from enum import IntEnum
from itertools import count

WINDOW_S = 2.0


class Urgency(IntEnum):
    """Who comes first where several wait."""

    CLOSE = 0
    """What closes, protects or cancels."""
    OPEN = 1
    PROBE = 2
    """A question in the shape of an order: behind everything that trades."""


_Waiting = tuple[Urgency, datetime, int, asyncio.Future[None]]


class Budget:
    """Grants `calls` calls in any window of two seconds; `clock` tells seconds."""

    def __init__(self, calls: int, *, clock: Callable[[], float]) -> None:
        self._calls = calls
        self._clock = clock
        self._granted: deque[float] = deque(maxlen=calls)
        self._refused_until = 0.0
        self._waiting: list[_Waiting] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, urgency: Urgency, *, since: datetime) -> None:
        """Wait until a call may be made, and count it. `since`: how old is what wants it."""
        if not self._waiting and self._delay_s() <= 0:
            self._granted.append(self._clock())
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, since, next(self._numbers), turn))
        self._serve()
        await turn

    def refused(self, *, pause_s: float) -> None:
        """The exchange has just said `too many`: nobody asks again before the pause is over."""
        self._refused_until = max(self._refused_until, self._clock() + pause_s)

    @property
    def left(self) -> int:
        """How many calls may be made right now."""
        now = self._clock()
        if now < self._refused_until:
            return 0
        return self._calls - sum(at + WINDOW_S > now for at in self._granted)

    @property
    def waiting(self) -> int:
        return sum(not turn.done() for *_, turn in self._waiting)

    def _serve(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            turn = self._waiting[0][-1]
            if turn.done():
                # Whoever wanted it has given up.
                heapq.heappop(self._waiting)
                continue
            delay_s = self._delay_s()
            if delay_s > 0:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(delay_s, self._serve)
                return
            heapq.heappop(self._waiting)
            self._granted.append(self._clock())
            turn.set_result(None)

    def _delay_s(self) -> float:
        now = self._clock()
        return max(
            wait_s(self._granted, calls=self._calls, now=now), self._refused_until - now, 0.0
        )


def wait_s(granted: deque[float], *, calls: int, now: float) -> float:
    """Seconds until another call fits, given the times of the latest `calls` ones."""
    if len(granted) < calls:
        return 0.0
    return max(0.0, granted[-calls] + WINDOW_S - now)
