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
from typing import Protocol

import msgspec
import nats.errors
import nats.js.errors
import structlog
from nats.js.errors import BadRequestError, KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from libs.common import metrics
from libs.common.bus import Bus
from libs.common.cancelling import cancelled
from libs.common.contracts import subjects
from libs.common.contracts.presence import Role
from libs.common.processes import Holder, is_certainly_dead, this_process

_log = structlog.get_logger()
_FAILURES = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)


CERTAIN_FOR_S = 4.0
"""So long after it was confirmed a lease is held for certain: what leaves then has come, or has
expired, before a bystander may take it over."""


@dataclass(frozen=True, kw_only=True)
class LeaseTiming:
    """Tests shorten it, nothing else changes it."""

    answer_s: float = 1.0
    """How long somebody who ends waits for the log to take the lease back."""
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

    def is_certain(self) -> bool:
        """Whether nobody else can be the owner for the next two seconds."""
        return self.since is not None and self.age_s(datetime.now(UTC)) < CERTAIN_FOR_S

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


class Sharing(Protocol):
    """Which of several leases a process takes, where others of its kind take the rest."""

    def takes(self, name: str, *, free_s: float, gone: str | None) -> bool:
        """Whether it takes one that nobody has, for so many seconds by now; from then on it counts
        as taken. `gone`: the token of the process that had it and is gone, where one did not give
        it back.
        """
        ...

    def leaves(self, name: str) -> None:
        """It was not got, or it has ended."""
        ...

    def gives(self, name: str) -> str | None:
        """Why one that it has should be another's, where that is so."""
        ...


class Unshared:
    """There is one lease, and whoever can takes it."""

    def takes(self, name: str, *, free_s: float, gone: str | None) -> bool:  # noqa: ARG002
        return True

    def leaves(self, name: str) -> None:
        pass

    def gives(self, name: str) -> str | None:  # noqa: ARG002
        return None


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
        sharing: Sharing | None = None,
    ) -> None:
        self._bus = bus
        self._barred = barred
        self._sharing = sharing or Unshared()
        self._timing = timing or LeaseTiming()
        self.ownership = Ownership(name)
        self._key = name
        self._revision: int | None = None
        self._metrics = (
            metrics.owner.labels(bus.service),
            metrics.lease.labels(bus.service, name),
        )

    async def run(self, work: Work, stop: asyncio.Event) -> None:
        """Until `stop`, as often as the lease is won; then it is given back at once."""
        while not stop.is_set():
            if not await self._acquire(stop):
                return
            _log.info("owner.began", name=self.ownership.name)
            for metric in self._metrics:
                metric.inc()
            try:
                await self._tenure(work, stop)
            finally:
                for metric in self._metrics:
                    metric.dec()
                self.ownership.lose()
                self._sharing.leaves(self._key)
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
            # For certain, or the lease would be renewed for ever and nobody could have it.
            await cancelled((renewing, lasting))
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
            why = self._sharing.gives(self._key)
            if why is not None:
                _log.info("owner.hands_over", name=self._key, why=why)
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
        free_since: float | None = None
        while not stop.is_set():
            if self._barred() is not None:
                self.ownership.stands_by = False
                await self._pause(stop)
                continue
            asked_at, monotonic_at = datetime.now(UTC), time.monotonic()
            wanted, self._revision = False, None
            try:
                bucket = await self._bucket()
                entry = await _entry(bucket, self._key)
                if entry is not None and seen[0] != entry.revision:
                    seen = (entry.revision, monotonic_at)
                if entry is None or may_take(entry, seen_at=seen[1], timing=self._timing):
                    free_since = monotonic_at if free_since is None else free_since
                    wanted = self._sharing.takes(
                        self._key, free_s=monotonic_at - free_since, gone=_token_of(entry)
                    )
                else:
                    free_since = None
                if wanted:
                    self._revision = await self._take(bucket, entry)
            except (KeyWrongLastSequenceError, *_FAILURES) as error:
                _log.warning("owner.waiting", error=f"{type(error).__name__}: {error}")
            if self._revision is not None:
                self.ownership.confirm(asked_at=asked_at, monotonic_at=monotonic_at)
                return True
            if wanted:
                self._sharing.leaves(self._key)
            # One that is free, and left to another, is that one's in a moment.
            left = free_since is not None and not wanted
            self.ownership.stands_by = seen[0] is not None or left
            await self._pause(stop)
        return False

    async def _take(self, bucket: KeyValue, entry: KeyValue.Entry | None) -> int:
        if entry is None:
            return await bucket.create(self._key, _ours())
        return await bucket.update(self._key, _ours(), last=entry.revision)

    async def _pause(self, stop: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.renew_s / 2):
                await stop.wait()

    async def _give_back(self) -> None:
        with contextlib.suppress(*_FAILURES):
            async with asyncio.timeout(self._timing.answer_s):
                bucket = await self._bucket()
                try:
                    await bucket.delete(self._key, last=self._revision)
                except BadRequestError:
                    # A renewal that was cut off at the end may have been stored all the same.
                    if not await self._is_superseded():
                        await bucket.delete(self._key, last=self._revision)

    async def _bucket(self) -> KeyValue:
        return await self._bus.js.key_value(subjects.BUCKET_OWNERS)


def may_take(entry: KeyValue.Entry, *, seen_at: float, timing: LeaseTiming) -> bool:
    """Whether whoever has it is gone, where it was seen to change last at that time."""
    holder = _holder(entry)
    if holder is None or holder == this_process() or is_certainly_dead(holder):
        return True
    return time.monotonic() - seen_at > timing.take_over_s


async def abandoned(
    bus: Bus,
    *,
    concerns: Callable[[str], bool],
    stop: asyncio.Event,
    timing: LeaseTiming | None = None,
) -> bool:
    """Wait until nobody is seen alive who has a lease whose name `concerns` the caller, and take
    away what the dead have left: who only slept loses it. False where `stop` came first.
    """
    waits = timing or LeaseTiming()
    seen: dict[str, tuple[int | None, float]] = {}
    while not stop.is_set():
        try:
            held = await _held(bus, concerns)
        except _FAILURES as error:
            _log.warning("owner.waiting", error=f"{type(error).__name__}: {error}")
        else:
            for name, entry in held.items():
                if name not in seen or seen[name][0] != entry.revision:
                    seen[name] = (entry.revision, time.monotonic())
            if not held:
                return True
            for name, entry in held.items():
                if may_take(entry, seen_at=seen[name][1], timing=waits):
                    await _take_away(bus, name, entry)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(waits.renew_s / 2):
                await stop.wait()
    return False


async def _take_away(bus: Bus, name: str, entry: KeyValue.Entry) -> None:
    # Where its owner has woken meanwhile, this comes too late.
    with contextlib.suppress(KeyWrongLastSequenceError, *_FAILURES):
        await (await bus.js.key_value(subjects.BUCKET_OWNERS)).delete(name, last=entry.revision)


async def _held(bus: Bus, concerns: Callable[[str], bool]) -> dict[str, KeyValue.Entry]:
    bucket = subjects.BUCKET_OWNERS
    every = subjects.bucket_subject(bucket=bucket, key=">")
    info = await bus.js.stream_info(subjects.bucket_stream(bucket), subjects_filter=every)
    leases = await bus.js.key_value(bucket)
    found: dict[str, KeyValue.Entry] = {}
    for subject in info.state.subjects or {}:
        _, name = subjects.parse_bucket_subject(subject)
        entry = await _entry(leases, name) if concerns(name) else None
        if entry is not None:
            found[name] = entry
    return found


async def _entry(bucket: KeyValue, key: str) -> KeyValue.Entry | None:
    try:
        return await bucket.get(key)
    except KeyNotFoundError:
        return None


def _token_of(entry: KeyValue.Entry | None) -> str | None:
    holder = None if entry is None else _holder(entry)
    return None if holder is None else holder.token


def _ours() -> bytes:
    return msgspec.json.encode(this_process())


def _holder(entry: KeyValue.Entry) -> Holder | None:
    try:
        return msgspec.json.decode(entry.value or b"", type=Holder)
    except msgspec.DecodeError:
        return None
