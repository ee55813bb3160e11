"""Answers that are kept for a moment, so that many viewers cost one question."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

_KEPT_MAX = 64


class Kept(Generic[T]):
    """By question. Who asks while an answer is under way waits for that one; what fails is not
    kept, and the next one tries.
    """

    def __init__(self, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._answers: dict[Hashable, tuple[float, T]] = {}
        self._turns: dict[Hashable, asyncio.Lock] = {}

    async def get(self, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` answers, or has answered a moment ago."""
        turn = self._turns.setdefault(question, asyncio.Lock())
        try:
            async with turn:
                known = self._answers.get(question)
                if known is not None and self._clock() - known[0] < self._seconds:
                    return known[1]
                answer = await ask()
                self._keep(question, answer)
                return answer
        finally:
            if not turn.locked():
                self._turns.pop(question, None)

    def _keep(self, question: Hashable, answer: T) -> None:
        now = self._clock()
        old = [each for each, (at, _) in self._answers.items() if now - at >= self._seconds]
        for each in old:
            del self._answers[each]
        while len(self._answers) >= _KEPT_MAX:
            del self._answers[next(iter(self._answers))]
        self._answers[question] = (now, answer)
