"""Sends alerts and notes when each left and what came back: open loop at a rate, all at once, or
closed loop with so many in flight. Knows neither the stack nor the exchange.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import aiohttp
import msgspec

from bench.alerts import Shot, due_times

ANSWER_TIMEOUT_S = 30.0
_HEADERS = {"Content-Type": "application/json"}


class _Answer(msgspec.Struct):
    status: str
    alert_id: str = ""


_decode = msgspec.json.Decoder(_Answer).decode


@dataclass(kw_only=True)
class Load:
    """What was sent and answered; times by the wall clock, as the exchange tells its own."""

    sent_ns: dict[str, int] = field(default_factory=dict)
    """By the id of the accepted alert."""
    ack_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    """How long after its time each was sent: what the driver itself could not keep up with."""
    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    began_ns: int = field(default_factory=time.time_ns)
    ended_ns: int = 0

    @property
    def accepted(self) -> int:
        return len(self.sent_ns)

    @property
    def seconds(self) -> float:
        return (self.ended_ns - self.began_ns) / 1e9


@dataclass(frozen=True, kw_only=True)
class Driver:
    session: aiohttp.ClientSession
    shots: Iterator[Shot]

    async def open_loop(self, *, rate: float, seconds: float) -> Load:
        """At the rate, whether or not the answers keep up."""
        return await self._at(due_times(rate=rate, seconds=seconds))

    async def burst(self, count: int) -> Load:
        """All at once."""
        return await self._at([0.0] * count)

    async def closed_loop(self, *, in_flight: int, seconds: float) -> Load:
        """Each answer makes room for the next alert."""
        load = Load()
        ends = time.monotonic() + seconds

        async def keep_sending() -> None:
            while time.monotonic() < ends:
                await self._send(next(self.shots), load)

        async with asyncio.TaskGroup() as group:
            for _ in range(in_flight):
                group.create_task(keep_sending())
        load.ended_ns = time.time_ns()
        return load

    async def one_by_one(self, count: int) -> Load:
        load = Load()
        for shot in islice(self.shots, count):
            await self._send(shot, load)
        load.ended_ns = time.time_ns()
        return load

    async def _at(self, due: Sequence[float]) -> Load:
        load = Load()
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for at, shot in zip(due, self.shots, strict=False):
                wait = began + at - time.monotonic()
                if wait > 0:
                    await asyncio.sleep(wait)
                load.late_ms.append((time.monotonic() - began - at) * 1000)
                group.create_task(self._send(shot, load))
        load.ended_ns = time.time_ns()
        return load

    async def _send(self, shot: Shot, load: Load) -> None:
        load.sent += 1
        sent_ns = time.time_ns()
        began = time.perf_counter()
        try:
            async with self.session.post(shot.url, data=shot.body, headers=_HEADERS) as answer:
                content = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            load.failed[type(error).__name__] += 1
            return
        load.ack_ms.append((time.perf_counter() - began) * 1000)
        if status != 200:
            load.refused[str(status)] += 1
            return
        told = _decode(content)
        if told.status == "accepted":
            load.sent_ns[told.alert_id] = sent_ns
        else:
            load.refused[told.status] += 1
