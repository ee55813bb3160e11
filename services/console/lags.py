"""How far those who read the log are behind it, and what the log holds, asked of JetStream. Nothing
is read but one message each that waits, and none of the sealed keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec
import nats.errors

from libs.common.asking import NobodyAnswers, ask
from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.executor_shards import executor_consumer, number_told, shard_named
from libs.common.router_shards import order_of, shards_named
from libs.common.topology import AUDITED_STREAMS, AUDITOR, ROUTER

TIMEOUT_S = 1.0
_API = "$JS.API"
_NANOSECONDS = 1_000_000_000

T = TypeVar("T")


class _Error(msgspec.Struct):
    description: str = "no reason given"


class _Config(msgspec.Struct):
    max_age: int = 0
    """Nanoseconds; 0 is without end."""
    max_bytes: int = -1
    num_replicas: int = 1


class _State(msgspec.Struct):
    messages: int
    bytes: int
    first_seq: int
    last_seq: int
    first_ts: datetime
    last_ts: datetime


class _Stream(msgspec.Struct):
    config: _Config
    state: _State


class _Names(msgspec.Struct):
    consumers: list[str] | None = None


class _Floor(msgspec.Struct):
    stream_seq: int = 0


class _Settings(msgspec.Struct):
    filter_subject: str = ""
    metadata: dict[str, str] | None = None


class _Consumer(msgspec.Struct):
    config: _Settings
    ack_floor: _Floor
    num_pending: int = 0
    num_ack_pending: int = 0
    num_redelivered: int = 0


class _Answer(msgspec.Struct):
    error: _Error | None = None


@dataclass(frozen=True, kw_only=True)
class LogState:
    messages: int
    bytes: int
    first_seq: int
    last_seq: int
    first_at: datetime | None
    """None where nothing is stored."""
    last_at: datetime | None
    retention_s: int | None
    """None: without end."""
    bytes_max: int | None
    replicas: int


@dataclass(frozen=True, kw_only=True)
class ConsumerLag:
    stream: str
    name: str
    waiting: int
    """Not given to anybody yet."""
    unacknowledged: int
    """Given to somebody, and not done."""
    redelivered: int
    handled_up_to: int
    oldest_at: datetime | None
    """When the oldest message was stored that is not done; None where there is none, and of the
    streams behind the buckets."""


class Lags:
    """Every call raises `NobodyAnswers`."""

    def __init__(self, bus: Bus, *, timeout_s: float = TIMEOUT_S) -> None:
        self._bus = bus
        self._timeout_s = timeout_s

    async def log(self) -> LogState:
        found = await self._ask(f"STREAM.INFO.{subjects.STREAM}", _Stream)
        state, config = found.state, found.config
        return LogState(
            messages=state.messages,
            bytes=state.bytes,
            first_seq=state.first_seq,
            last_seq=state.last_seq,
            first_at=state.first_ts if state.messages else None,
            last_at=state.last_ts if state.messages else None,
            retention_s=config.max_age // _NANOSECONDS or None,
            bytes_max=config.max_bytes if config.max_bytes > 0 else None,
            replicas=config.num_replicas,
        )

    async def names(self) -> list[tuple[str, str]]:
        """Stream and name of each consumer of ours: the shards are those that were made, but of
        executors without those that are no more and have nothing.
        """
        found = await self._ask(f"CONSUMER.NAMES.{subjects.STREAM}", _Names)
        made = found.consumers or ()
        routers = sorted((name for name in made if shards_named(name) is not None), key=order_of)
        shards = await self._executors(made)
        on_log = [(subjects.STREAM, name) for name in (*(routers or (ROUTER,)), *shards)]
        return [*on_log, *((stream, AUDITOR) for stream in AUDITED_STREAMS)]

    async def _executors(self, made: Iterable[str]) -> list[str]:
        numbers = sorted(found for name in made if (found := shard_named(name)) is not None)
        names = [executor_consumer(number) for number in numbers]
        if len(names) < 2:
            return names
        first = await self._info(subjects.STREAM, executor_consumer(0))
        told = number_told(first.config.metadata)
        return [
            name
            for number, name in zip(numbers, names, strict=True)
            if told is None or number < told or await self._has_any(name)
        ]

    async def _has_any(self, name: str) -> bool:
        found = await self._info(subjects.STREAM, name)
        return found.num_pending + found.num_ack_pending > 0

    async def _info(self, stream: str, name: str) -> _Consumer:
        return await self._ask(f"CONSUMER.INFO.{stream}.{name}", _Consumer)

    async def consumer(self, stream: str, name: str) -> ConsumerLag:
        found = await self._info(stream, name)
        floor = found.ack_floor.stream_seq
        oldest_at = None
        if stream == subjects.STREAM and found.num_pending + found.num_ack_pending > 0:
            oldest_at = await self.stored_after(floor, subject=found.config.filter_subject or ">")
        return ConsumerLag(
            stream=stream,
            name=name,
            waiting=found.num_pending,
            unacknowledged=found.num_ack_pending,
            redelivered=found.num_redelivered,
            handled_up_to=floor,
            oldest_at=oldest_at,
        )

    async def stored_after(self, seq: int, *, subject: str = ">") -> datetime | None:
        """When the log stored its first message of a subject behind a place."""
        wanted = msgspec.json.encode({"seq": seq + 1, "next_by_subj": subject})
        where = f"{_API}.DIRECT.GET.{subjects.STREAM}"
        try:
            found = await self._bus.client.request(where, wanted, timeout=self._timeout_s)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise NobodyAnswers(f"{type(error).__name__}") from None
        at = (found.headers or {}).get("Nats-Time-Stamp")
        return None if at is None else msgspec.convert(at, datetime)

    async def _ask(self, what: str, kind: type[T]) -> T:
        payload = await ask(self._bus, f"{_API}.{what}", timeout_s=self._timeout_s)
        try:
            refused = msgspec.json.decode(payload, type=_Answer).error
            if refused is not None:
                raise NobodyAnswers(refused.description)
            return msgspec.json.decode(payload, type=kind)
        except msgspec.MsgspecError as error:
            raise NobodyAnswers(f"the log has answered something else: {error}") from None
