"""What happens to alerts, for all browsers that look (docs/decisions/0026-a-board-in-memory.md).

The board follows the feed once, and only while somebody looks. It tells each follower of every
alert that has changed behind the place from which they come, and then of what changes, a moment
later and once. It knows no HTML.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog

from libs.common.bus import LogUnavailable
from libs.common.contracts.words import AlertId
from services.console.feed import HEARTBEAT_S, Beat, Feed, Lagging
from services.console.lines import Filters
from services.console.log_events import LogEvent, Wanted
from services.console.problems import Problem
from services.console.trail import Trail
from services.console.web.live.ledger import Change, Ledger

REACH = 5_000
"""So many messages of the log are read to learn what somebody has missed; else they look anew."""
QUEUE_CHANGES = 2_000
_AT_ONCE = 200
_TICK_S = 1.0
_RETRY_S = 0.5
_TRAIL_S = 1.0
_AGAIN_S = 5.0

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """Alerts as they are now, and some that match no longer."""

    changes: Sequence[Change] = ()
    gone: Sequence[AlertId] = ()
    place: int | None = None
    """To come back to; None: more of the same moment follows."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing has come for a while."""

    place: int


@dataclass(frozen=True, slots=True)
class LogAway:
    """Nothing new can be told since then."""

    since: datetime


@dataclass(frozen=True, slots=True)
class LogBack:
    pass


@dataclass(frozen=True, slots=True)
class TooFar:
    """More was missed than is told one by one."""


@dataclass(frozen=True, slots=True)
class TooSlow:
    """The last of a stream: it takes less than comes."""


Item = Update | Silence | LogAway | LogBack | TooFar | TooSlow


class Board:
    """Run it beside the feed; `close` ends it and every stream."""

    def __init__(
        self,
        feed: Feed,
        trail: Trail,
        *,
        ledger: Ledger | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        queue_changes: int = QUEUE_CHANGES,
        reach: int = REACH,
    ) -> None:
        self._feed = feed
        self._trail = trail
        self._ledger = Ledger() if ledger is None else ledger
        self._heartbeat_s = heartbeat_s
        self._queue_changes = queue_changes
        self._reach = reach
        self._following = 0
        self._someone = asyncio.Event()
        self._news = asyncio.Event()
        self._ready = asyncio.Event()
        self._closing = asyncio.Event()
        self._reaching = asyncio.Lock()
        self._queues: set[_Queue] = set()
        self._end: int | None = None
        """Of the log, when the board last began to follow it."""
        self._away_since: datetime | None = None
        self._asked_again_at = 0.0

    @property
    def followers(self) -> int:
        return self._following

    def close(self) -> None:
        self._closing.set()
        for event in (self._someone, self._news, self._ready):
            event.set()
        for queue in self._queues:
            queue.news.set()

    async def run(self) -> None:
        while not self._closing.is_set():
            await self._someone.wait()
            if await self._begin():
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._hear())
                    group.create_task(self._tell())
            self._ready.clear()

    async def recent_place(self, messages: int) -> int | None:
        """The place so many messages before the log's end; None while it is away."""
        try:
            first, last = await self._feed.history.ends()
        except LogUnavailable:
            return None
        return max(last - messages, first - 1, 0)

    async def follow(self, *, filters: Filters, after: int | None) -> AsyncGenerator[Item, None]:
        """`after`: from where in the log on changes are told; None: from now on."""
        self._following += 1
        self._someone.set()
        queue = _Queue(filters, changes_max=self._queue_changes)
        try:
            if self._away_since is not None:
                yield LogAway(self._away_since)
            while not await self._wait_for(self._ready, timeout_s=_TICK_S):
                if self._away_since is not None:
                    yield LogAway(self._away_since)
            if self._closing.is_set():
                return
            # A log that was made anew counts from the start again.
            end = max(self._end or 0, self._ledger.place)
            place = end if after is None else min(after, end)
            if not await self._cover(place):
                yield TooFar()
                place = self._ledger.place
            # From here to the first wait nobody else runs: neither a gap nor a double.
            self._queues.add(queue)
            queue.put(LogBack() if self._away_since is None else LogAway(self._away_since))
            queue.begin(self._ledger.changed_after(place), after=place, place=self._ledger.told)
            async for item in self._told(queue):
                yield item
        finally:
            self._queues.discard(queue)
            self._following -= 1
            if not self._following and not self._closing.is_set():
                self._someone.clear()
                self._news.set()

    async def _told(self, queue: "_Queue") -> AsyncGenerator[Item, None]:
        while True:
            queue.news.clear()
            while queue.items:
                yield queue.take()
            if queue.is_over or self._closing.is_set():
                return
            if not await self._wait_for(queue.news, timeout_s=self._heartbeat_s):
                yield Silence(self._ledger.told)

    async def _begin(self) -> bool:
        """Whether there is a log to follow, and from which place is known."""
        try:
            _, last = await self._feed.history.ends()
        except LogUnavailable:
            self._away_since = self._away_since or datetime.now(UTC)
            await self._wait_for(self._closing, timeout_s=_RETRY_S)
            return False
        behind = last - self._ledger.place
        if self._end is None or not 0 <= behind <= self._reach:
            # Nobody has looked for long, or the log was made anew.
            self._ledger.begin(last)
            self._put_to_all(TooFar())
        self._end = last
        self._look_at_log()
        self._ready.set()
        return not self._closing.is_set()

    async def _hear(self) -> None:
        stream = self._feed.follow(wanted=Wanted(), after=self._ledger.place)
        async with contextlib.aclosing(stream) as items:
            async for item in items:
                match item:
                    case LogEvent() if item.seq <= self._ledger.place:
                        # The log was made anew, and counts from the start again.
                        self._ledger.begin(item.seq - 1)
                        self._put_to_all(TooFar())
                        self._note(item)
                    case LogEvent():
                        self._note(item)
                    case Beat(after=int(place)):
                        self._ledger.reached(place)
                    case Lagging():
                        _log.warning("board.lagging", place=self._ledger.place)
                        break
                if not self._following:
                    break
        self._ready.clear()
        self._news.set()

    def _note(self, event: LogEvent) -> None:
        self._ledger.hear(event, alert=_alert_of(event), now=time.monotonic())
        self._news.set()

    async def _tell(self) -> None:
        """Until hearing has ended."""
        while self._ready.is_set() and not self._closing.is_set():
            due_at = self._ledger.next_due()
            if due_at is None:
                self._news.clear()
                await self._wait_for(self._news, timeout_s=_TICK_S)
            elif (delay_s := due_at - time.monotonic()) > 0:
                await self._wait_for(self._closing, timeout_s=delay_s)
            self._look_at_log()
            await self._tell_due()
            await self._ask_again()

    async def _tell_due(self) -> None:
        due = self._ledger.due(time.monotonic())
        wanting = {alert: self._ledger.missing(alert) for alert in due}
        self._settle(alert for alert in due if not wanting[alert])
        left = [alert for alert in due if wanting[alert]]
        await self._complete(each for alert in left for each in wanting[alert])
        self._settle(left)

    async def _ask_again(self) -> None:
        """Of what the trail did not tell, since it was away or had not come so far."""
        now = time.monotonic()
        if now < self._asked_again_at + _AGAIN_S:
            return
        self._asked_again_at = now
        unfinished = self._ledger.unfinished()[-_AT_ONCE:]
        self._settle(await self._complete(unfinished))

    async def _complete(self, alerts: Iterable[AlertId]) -> list[AlertId]:
        """Those that the trail knew."""
        wanted = list(dict.fromkeys(alerts))
        if not wanted or self._trail.missing() is not None:
            return []
        try:
            async with asyncio.timeout(_TRAIL_S):
                found = await self._trail.events(wanted)
        except (Problem, TimeoutError):
            return []
        for alert, rows in found.items():
            self._ledger.complete(alert, rows)
        return [alert for alert, rows in found.items() if rows]

    def _settle(self, alerts: Iterable[AlertId]) -> None:
        settled = [change for alert in alerts if (change := self._ledger.settle(alert))]
        for queue in self._queues:
            queue.offer(settled, place=self._ledger.told)

    async def _cover(self, place: int) -> bool:
        """Whether the ledger knows all behind a place, or could be told so by the log."""
        async with self._reaching:
            until = self._ledger.since
            if until - place > self._reach:
                return False
            self._ledger.lower(place)
            reached = place
            try:
                while reached < until:
                    events = await self._feed.history.after(reached)
                    if not events:
                        break
                    for event in events:
                        if event.seq <= until:
                            self._note(event)
                    reached = events[-1].seq
            except LogUnavailable:
                self._ledger.since = until
            return self._ledger.since <= place

    def _look_at_log(self) -> None:
        if self._feed.is_connected == (self._away_since is None):
            return
        self._away_since = None if self._feed.is_connected else datetime.now(UTC)
        self._put_to_all(LogBack() if self._away_since is None else LogAway(self._away_since))

    def _put_to_all(self, item: Item) -> None:
        for queue in self._queues:
            queue.put(item)

    async def _wait_for(self, event: asyncio.Event, *, timeout_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await event.wait()
        return event.is_set()


class _Queue:
    """What one follower was not told yet. Whoever takes less than comes is cut off."""

    def __init__(self, filters: Filters, *, changes_max: int) -> None:
        self.items: deque[Item] = deque()
        self.news = asyncio.Event()
        self.is_over = False
        self._filters = filters
        self._changes_max = changes_max
        self._waiting = 0
        self._after = 0

    def begin(self, changes: Iterable[Change], *, after: int, place: int) -> None:
        """What has changed until now behind the place `after`; nothing older is told later."""
        self._after = after
        self._sort_in(changes, place=place)
        # However much that is, it is told.
        self._changes_max += self._waiting
        self.put(Update(place=place))

    def offer(self, changes: Iterable[Change], *, place: int) -> None:
        """Of all changes those that concern this follower."""
        if self.is_over:
            return
        self._sort_in(changes, place=place)
        if self._waiting > self._changes_max:
            self.items.clear()
            self.is_over = True
            self.put(TooSlow())

    def _sort_in(self, changes: Iterable[Change], *, place: int) -> None:
        matching: list[Change] = []
        gone: list[AlertId] = []
        for change in (change for change in changes if change.last_seq > self._after):
            if self._filters.matches(change.line, change.rows):
                matching.append(change)
            elif self._filters.concerns(change.line, change.rows):
                gone.append(change.alert)
        parts = [matching[at : at + _AT_ONCE] for at in range(0, len(matching), _AT_ONCE)]
        for part in parts[:-1]:
            self.put(Update(changes=part))
        if parts or gone:
            self.put(Update(changes=parts[-1] if parts else (), gone=gone, place=place))
        self._waiting += len(matching) + len(gone)

    def put(self, item: Item) -> None:
        self.items.append(item)
        self.news.set()

    def take(self) -> Item:
        item = self.items.popleft()
        if isinstance(item, Update):
            self._waiting -= len(item.changes) + len(item.gone)
        return item


def _alert_of(event: LogEvent) -> AlertId | None:
    try:
        return AlertId(str(UUID(event.alert_id))) if event.alert_id is not None else None
    except ValueError:
        return None
