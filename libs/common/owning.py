"""One process at a time does the work of a name: a lease in the `owners` bucket, renewed every
second. Who does not have it stands by, and takes over once it was not renewed for a while.

A lease is not a lock. A process that is stopped keeps believing until it wakes and looks, so what
must not happen twice has fences of its own (docs/decisions/0003, 0004 and 0010); `confirmed_at`
tells them how old the belief is.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from libs.common import metrics
from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.presence import Role
from libs.common.processes import Holder, is_certainly_dead, this_process

_log = structlog.get_logger()
_FAILURES = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)


@dataclass(frozen=True, kw_only=True)
class LeaseTiming:
    """Tests shorten it, nothing else changes it."""

    renew_s: float = 1.0
    take_over_s: float = 6.0
    """A lease that stood still for so long before a bystander's eyes is taken over. Whoever does
    something irreversible asks for a confirmation that is much younger than this."""


class Ownership:
    """What the work of one name knows of its lease."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.since: datetime | None = None
        """When this process became the owner; None while it does not work."""
        self.monotonic_since = float("-inf")
        """The same by the clock that nobody sets."""
        self.stands_by = False
        """Another owner was seen alive."""
        self._confirmed_at = datetime.min.replace(tzinfo=UTC)
        self._monotonic_at = float("-inf")

    def age_s(self, now: datetime) -> float:
        """Seconds since it was certain that nobody else is the owner."""
        # Either clock may have stood still or been set: the larger answer is the careful one.
        by_wall = (now - self._confirmed_at).total_seconds()
        return max(by_wall, time.monotonic() - self._monotonic_at)

    def confirm(self, *, asked_at: datetime, monotonic_at: float) -> None:
        """The log said so, in answer to what was asked then."""
        if self.since is None:
            self.since, self.monotonic_since = asked_at, monotonic_at
        self.stands_by = False
        self._confirmed_at, self._monotonic_at = asked_at, monotonic_at

    def role(self) -> tuple[Role, str]:
        """What this process is to the work, and its name."""
        if self.since is not None:
            return Role.OWNER, self.name
        return (Role.STANDS_BY if self.stands_by else Role.WAITS), self.name

    def lose(self) -> None:
        self.since = None


Barred = Callable[[], str | None]
"""Why this process must not be the owner, where that is so: it neither takes the lease then nor
keeps it, so that another can."""
Work = Callable[[Ownership, asyncio.Event], Awaitable[None]]
"""What the owner does until the event is set, to end it in order; cancelled where the lease is
lost."""


class Owner:
    """Contends for one name, and does the work while it has it."""

    def __init__(
        self,
        bus: Bus,
        *,
        name: str,
        timing: LeaseTiming | None = None,
        barred: Barred = lambda: None,
    ) -> None:
        self._bus = bus
        self._barred = barred
        self._timing = timing or LeaseTiming()
        self.ownership = Ownership(name)
        self._key = name
        self._revision: int | None = None
        self._metric = metrics.owner.labels(bus.service)

    async def run(self, work: Work, stop: asyncio.Event) -> None:
        """Until `stop`, as often as the lease is won; then it is given back at once."""
        while not stop.is_set():
            if not await self._acquire(stop):
                return
            _log.info("owner.began", name=self.ownership.name)
            self._metric.set(1)
            try:
                await self._tenure(work, stop)
            finally:
                self._metric.set(0)
                self.ownership.lose()
            await self._give_back()
            _log.info("owner.ended", name=self.ownership.name)

    async def _tenure(self, work: Work, stop: asyncio.Event) -> None:
        ending = asyncio.Event()
        working = asyncio.ensure_future(work(self.ownership, ending))
        renewing = asyncio.ensure_future(self._renew())
        lasting = asyncio.ensure_future(self._last(stop, ending))
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            renewing.cancel()
            lasting.cancel()
            if not working.done():
                working.cancel()
            results = await asyncio.gather(working, renewing, lasting, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _last(self, stop: asyncio.Event, ending: asyncio.Event) -> None:
        """Until the work has to end: the lease is kept until it has."""
        while not stop.is_set():
            why = self._barred()
            if why is not None:
                _log.warning("owner.stands_back", name=self._key, why=why)
                break
            await self._pause(stop)
        ending.set()

    async def _renew(self) -> None:
        """Returns when somebody else has the lease. While the log is away nobody can take it."""
        while True:
            await asyncio.sleep(self._timing.renew_s)
            asked_at, monotonic_at = datetime.now(UTC), time.monotonic()
            try:
                async with asyncio.timeout(self._timing.renew_s):
                    bucket = await self._bucket()
                    self._revision = await bucket.update(self._key, _ours(), last=self._revision)
            except KeyWrongLastSequenceError:
                if await self._is_superseded():
                    _log.warning("owner.superseded", name=self._key)
                    return
            except _FAILURES as error:
                _log.warning("owner.unconfirmed", error=f"{type(error).__name__}: {error}")
            else:
                self.ownership.confirm(asked_at=asked_at, monotonic_at=monotonic_at)

    async def _is_superseded(self) -> bool:
        # An update whose answer was lost has moved the revision too.
        try:
            entry = await _entry(await self._bucket(), self._key)
        except _FAILURES:
            return False
        if entry is None or _holder(entry) != this_process():
            return True
        self._revision = entry.revision
        return False

    async def _acquire(self, stop: asyncio.Event) -> bool:
        """Wait until the lease is ours; False where `stop` came first."""
        seen: tuple[int | None, float] = (None, 0.0)
        while not stop.is_set():
            if self._barred() is not None:
                self.ownership.stands_by = False
                await self._pause(stop)
                continue
            asked_at, monotonic_at = datetime.now(UTC), time.monotonic()
            try:
                bucket = await self._bucket()
                entry = await _entry(bucket, self._key)
                if entry is not None and seen[0] != entry.revision:
                    seen = (entry.revision, monotonic_at)
                if entry is None:
                    self._revision = await bucket.create(self._key, _ours())
                elif self._may_take(entry, seen_at=seen[1]):
                    self._revision = await bucket.update(self._key, _ours(), last=entry.revision)
                else:
                    self._revision = None
            except (KeyWrongLastSequenceError, *_FAILURES) as error:
                self._revision = None
                _log.warning("owner.waiting", error=f"{type(error).__name__}: {error}")
            if self._revision is not None:
                self.ownership.confirm(asked_at=asked_at, monotonic_at=monotonic_at)
                return True
            self.ownership.stands_by = seen[0] is not None
            await self._pause(stop)
        return False

    async def _pause(self, stop: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.renew_s / 2):
                await stop.wait()

    def _may_take(self, entry: KeyValue.Entry, *, seen_at: float) -> bool:
        holder = _holder(entry)
        if holder is None or holder == this_process() or is_certainly_dead(holder):
            return True
        return time.monotonic() - seen_at > self._timing.take_over_s

    async def _give_back(self) -> None:
        with contextlib.suppress(*_FAILURES):
            async with asyncio.timeout(self._timing.renew_s):
                await (await self._bucket()).delete(self._key, last=self._revision)

    async def _bucket(self) -> KeyValue:
        return await self._bus.js.key_value(subjects.BUCKET_OWNERS)


async def _entry(bucket: KeyValue, key: str) -> KeyValue.Entry | None:
    try:
        return await bucket.get(key)
    except KeyNotFoundError:
        return None


def _ours() -> bytes:
    return msgspec.json.encode(this_process())


def _holder(entry: KeyValue.Entry) -> Holder | None:
    try:
        return msgspec.json.decode(entry.value or b"", type=Holder)
    except msgspec.DecodeError:
        return None
