"""The log as it grows, for whoever follows it (docs/decisions/0021-a-feed-from-the-log.md).

One consumer of the log serves all followers, and only while there are any. Each begins at a place
of its own: what lies between that place and the consumer's is read from the log directly, at the
follower's pace, and from there on it takes what the consumer brings. Nothing is acknowledged, and
Postgres is not needed.
"""

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import nats.errors
import nats.js.errors
import structlog
from nats.js import api

from libs.common.arrival import Arrival
from libs.common.bus import Bus, LogUnavailable
from libs.common.contracts import subjects
from libs.common.pulling import pulling
from services.console.history import History
from services.console.log_events import LogEvent, Wanted

HEARTBEAT_S = 15.0
QUEUE_EVENTS = 2_000
QUEUE_BYTES = 8 * 1024 * 1024
_ROOM = 1_000
_RETRY_S = 0.5
_BEHIND_S = 0.05
_BEHIND_TRIES = 40
"""A replica may show a moment late what its leader has stored; after two seconds it is a hole."""
_IDLE_S = 30

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Beat:
    """Nothing has come for a while, and the stream lives."""

    after: int | None
    """Nothing that was wanted is left up to here; None where the log was away from the start."""


@dataclass(frozen=True, slots=True)
class Lagging:
    """The last of a stream: it takes less than comes."""


Item = LogEvent | Beat | Lagging


class Feed:
    """Run it beside its followers; `close` ends it and every stream."""

    def __init__(
        self,
        bus: Bus,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        queue_events: int = QUEUE_EVENTS,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        self.history = History(bus)
        self._bus = bus
        self._heartbeat_s = heartbeat_s
        self._queue_events = queue_events
        self._queue_bytes = queue_bytes
        self._following = 0
        self._someone = asyncio.Event()
        self._closing = asyncio.Event()
        self._queues: set[_Queue] = set()
        self._seq: int | None = None
        """Up to here the consumer has brought everything; None while it stands still."""

    @property
    def followers(self) -> int:
        return self._following

    @property
    def is_connected(self) -> bool:
        """False while the log is away."""
        return self._bus.client.is_connected

    def close(self) -> None:
        """End every stream once it has given out what it has."""
        self._closing.set()
        self._someone.set()
        for queue in self._queues:
            queue.news.set()

    async def run(self) -> None:
        """Bring what is stored until closed, whatever happens to the connection."""
        # A cancellation may be lost in the client library, so it is not what ends this.
        while not self._closing.is_set():
            await self._someone.wait()
            try:
                await self._bring()
            except (nats.errors.Error, nats.js.errors.Error, OSError, LogUnavailable) as error:
                _log.warning("feed.lost", error=f"{type(error).__name__}: {error}")
                await self._pause(_RETRY_S)
            if not self._following:
                self._seq = None

    async def follow(self, *, wanted: Wanted, after: int | None) -> AsyncGenerator[Item, None]:
        """What is wanted of everything stored behind `after`; None: from when the log can be read.
        Ends when the feed is closed.
        """
        self._following += 1
        self._someone.set()
        try:
            heart = _Heart(self._heartbeat_s)
            place = after
            while not self._closing.is_set():
                if place is None:
                    place = self._seq
                if place is None or self._seq is None:
                    # The log is away, or the consumer is about to start.
                    await self._pause(_BEHIND_S)
                elif place < self._seq:
                    events, place = await self._stretch(place, until=self._seq)
                    for event in filter(wanted.matches, events):
                        heart.beat()
                        yield event
                else:
                    break
                if heart.is_due():
                    yield Beat(place)
            # Between the last look at the consumer's place and this line nobody else has run.
            async with contextlib.aclosing(self._live(wanted, after=place or 0)) as live:
                async for item in live:
                    yield item
        finally:
            self._following -= 1
            if not self._following and not self._closing.is_set():
                self._someone.clear()

    async def _stretch(self, place: int, *, until: int) -> tuple[list[LogEvent], int]:
        """Some of what stands between two places, and the place that was reached by it."""
        for _ in range(_BEHIND_TRIES):
            try:
                events = await self.history.after(place)
                if events:
                    return events, events[-1].seq
                first, last = await self.history.ends()
            except LogUnavailable:
                await self._pause(_RETRY_S)
                return [], place
            if first > last:
                # What stood there has grown too old meanwhile.
                return [], until
            await self._pause(_BEHIND_S)
        _log.warning("feed.hole", after=place, until=until)
        return [], until

    async def _live(self, wanted: Wanted, *, after: int) -> AsyncGenerator[Item, None]:
        queue = _Queue(
            wanted, after=after, events_max=self._queue_events, bytes_max=self._queue_bytes
        )
        self._queues.add(queue)
        try:
            while True:
                queue.news.clear()
                while queue.events:
                    yield queue.take()
                if queue.is_over:
                    yield Lagging()
                    return
                if self._closing.is_set():
                    return
                try:
                    async with asyncio.timeout(self._heartbeat_s):
                        await queue.news.wait()
                except TimeoutError:
                    if not queue.news.is_set():
                        yield Beat(max(after, self._seq or 0))
        finally:
            self._queues.discard(queue)

    async def _bring(self) -> None:
        """From a new consumer until its connection is lost, or nobody follows any more."""
        _, last = await self.history.ends()
        if self._seq is None or last < self._seq:
            # In the second case the log was made anew, and counts from the start again.
            self._seq = last
            for queue in self._queues:
                queue.after = min(queue.after, last)
        consumer = await self._consumer(after=self._seq)
        try:
            async with pulling(
                self._bus,
                durable=consumer,
                room=lambda: _ROOM,
                going=lambda: self._following > 0 and not self._closing.is_set(),
            ) as batches:
                brought = 0
                async for batch in batches:
                    for came in batch:
                        brought += 1
                        if came.consumer_seq != brought:
                            _log.warning("feed.gap", seq=self._seq)
                            return
                        self._hand_out(came)
        finally:
            with contextlib.suppress(nats.errors.Error, nats.js.errors.Error, OSError):
                await self._bus.js.delete_consumer(subjects.STREAM, consumer)

    async def _consumer(self, *, after: int) -> str:
        name = f"console-feed-{secrets.token_hex(6)}"
        config = api.ConsumerConfig(
            name=name,
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
            ack_policy=api.AckPolicy.NONE,
            mem_storage=True,
            num_replicas=1,
            inactive_threshold=_IDLE_S,
        )
        await self._bus.js.add_consumer(subjects.STREAM, config)
        return name

    def _hand_out(self, came: Arrival) -> None:
        event = LogEvent(
            seq=came.seq,
            subject=came.subject,
            stored_at=came.stored_at,
            headers=came.headers,
            data=came.data,
        )
        self._seq = event.seq
        for queue in self._queues:
            queue.offer(event)

    async def _pause(self, delay_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._closing.wait()


class _Queue:
    """What one follower has not taken yet. Whoever takes less than comes is cut off, and what
    waits for it is given up: the log has it all.
    """

    def __init__(self, wanted: Wanted, *, after: int, events_max: int, bytes_max: int) -> None:
        self.events: deque[LogEvent] = deque()
        self.news = asyncio.Event()
        self.is_over = False
        self._wanted = wanted
        self.after = after
        self._bytes = 0
        self._events_max = events_max
        self._bytes_max = bytes_max

    def offer(self, event: LogEvent) -> None:
        if self.is_over or event.seq <= self.after or not self._wanted.matches(event):
            return
        self.events.append(event)
        self._bytes += len(event.data)
        if len(self.events) > self._events_max or self._bytes > self._bytes_max:
            self.is_over = True
            self.events.clear()
        self.news.set()

    def take(self) -> LogEvent:
        event = self.events.popleft()
        self._bytes -= len(event.data)
        return event


class _Heart:
    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self.beat()

    def beat(self) -> None:
        self._due = time.monotonic() + self._every_s

    def is_due(self) -> bool:
        if time.monotonic() < self._due:
            return False
        self.beat()
        return True
