"""Sends alerts as TradingView does: three seconds for an answer, again five seconds later where it
is a 5xx or none, three more times at most, always the same bytes. Remembers each answer.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
import msgspec

from chaos.evidence import Answer
from chaos.world import Sendable

ANSWER_TIMEOUT_S = 3.0
AGAIN_AFTER_S = 5.0
TRIES_MAX = 4
_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


class _Body(msgspec.Struct):
    status: str | int = ""
    alert_id: str = ""


_decode = msgspec.json.Decoder(_Body).decode


@dataclass(kw_only=True)
class Sender:
    session: aiohttp.ClientSession
    webhooks: Mapping[str, str]
    elapsed_s: Callable[[], float]
    """Since the run began."""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """By the signal's key."""
    counts: Counter[str] = field(default_factory=Counter)

    async def send_all(self, signals: Sequence[Sendable]) -> None:
        """Each at its time, whether or not the answers keep up."""
        async with asyncio.TaskGroup() as group:
            for signal in signals:
                await asyncio.sleep(max(0.0, signal.due_s - self.elapsed_s()))
                group.create_task(self._deliver(signal))

    async def _deliver(self, signal: Sendable) -> None:
        self.counts["alerts"] += 1
        for number in range(TRIES_MAX):
            if number:
                await asyncio.sleep(AGAIN_AFTER_S)
                self.counts["resends"] += 1
            answer = await self._post(signal)
            if 0 < answer.status < 500:
                break
        else:
            self.counts["given up"] += 1
            return
        if signal.again_after_s is not None:
            await asyncio.sleep(signal.again_after_s)
            self.counts["sent again though answered"] += 1
            await self._post(signal)

    async def _post(self, signal: Sendable) -> Answer:
        sent_s = self.elapsed_s()
        status, told = 0, _Body()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                async with self.session.post(
                    self.webhooks[signal.route], data=signal.body(), headers=_HEADERS
                ) as reply:
                    content = await reply.read()
                    status = reply.status
            if status == 200:
                told = _decode(content)
        except (aiohttp.ClientError, TimeoutError, OSError):
            status = 0
        answer = Answer(
            sent_s=sent_s,
            answered_s=self.elapsed_s(),
            status=status,
            said=str(told.status),
            alert_id=told.alert_id,
        )
        self.counts[answer.said or f"HTTP {status}" if status else "no answer"] += 1
        self.answers.setdefault(signal.key, []).append(answer)
        return answer


def stopwatch() -> Callable[[], float]:
    """Seconds from now on."""
    began = time.monotonic()
    return lambda: time.monotonic() - began
