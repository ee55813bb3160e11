"""The connection to the log: publishing with a proof of storage, and reading single messages back.

Nothing else publishes to PIPELINE. A `Stored` means that the log has synced the message to disk.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import nats.errors
import nats.js.errors
import structlog
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg

from libs.common import metrics
from libs.common.confirming import Confirmation, Confirmed
from libs.common.connecting import Access, connect
from libs.common.contracts import codec, subjects
from libs.common.contracts.codec import AnyMessage, UndecodableError
from libs.common.contracts.dead_letter import DeadLetter
from libs.common.describing import about
from libs.common.express import ExpressClient, encoded_headers
from libs.common.grouping import Groups, Outgoing
from libs.common.health import Health
from libs.common.telemetry import Sending, handing_over, is_recorded, sending

PUBLISH_TIMEOUT_S = 2.0
HEADER_EVENT_ID = "Nats-Msg-Id"
HEADER_SERVICE = "Alertwire-Service"
HEADER_ALERT = "Alertwire-Alert"
HEADER_MADE_BY = "Alertwire-By"
"""Who made a change by hand, where a message or an entry of a bucket tells of one."""
HEADER_REPLAY_OF = "Alertwire-Replay-Of"
"""The first place in the log of a message that was put there again."""
_KEPT_HEADERS = (HEADER_SERVICE, HEADER_ALERT, "traceparent", "tracestate")
_PLACE = re.compile(r"[1-9][0-9]{0,17}")
_RECONNECT_WAIT_S = 0.25

_log = structlog.get_logger()


class LogUnavailable(Exception):  # noqa: N818 - a state of the log, met by every service
    """The log did not confirm in time. The message may or may not be stored: publishing it again
    under the same event id is safe.
    """


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The log's confirmation."""

    seq: int
    """Of the message, or of the earlier one with the same event id."""
    duplicate: bool


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """Where a message stands that was put into the log again, and where it stood first."""

    seq: int
    origin_seq: int
    duplicate: bool


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One message as it stands in the log."""

    seq: int
    subject: str
    stored_at: datetime | None
    message: AnyMessage


class Bus:
    """One connection to NATS, shared by everything in a process."""

    def __init__(self, *, client: ExpressClient, service: str) -> None:
        self.client = client
        self.js: JetStreamContext = client.jetstream(timeout=PUBLISH_TIMEOUT_S)
        self.service = service
        self._confirmed = Confirmed(client, timeout_s=PUBLISH_TIMEOUT_S)
        self._groups = Groups(self._confirmed)

    async def open(self) -> None:
        """Once, before the first message; raises `nats.errors.Error`."""
        await self._confirmed.open()

    async def publish(self, *, subject: str, message: AnyMessage, event_id: str) -> Stored:
        """Store a message once; raises `LogUnavailable`."""
        way = self._way(subject=subject, message=message, event_id=event_id)
        confirmed = self._confirmed.publish(
            subject, codec.encode(message), headers=encoded_headers(way.headers)
        )
        return await self._stored(confirmed, way)

    def publish_soon(
        self, *, subject: str, message: AnyMessage, event_id: str
    ) -> asyncio.Future[Stored]:
        """Publish within a few milliseconds, together with what else is handed over by then and in
        that order. For what nobody waits for at once: a process that wakes once for ten messages
        has more time for orders. The future's result is as of `publish`.
        """
        confirmed: asyncio.Future[Confirmation] = asyncio.get_running_loop().create_future()
        stage = subjects.parse(subject).stage
        way = handing_over(stage, {"messaging.message.id": event_id})
        self._address(way, message=message, event_id=event_id)
        self._groups.hand(
            Outgoing(
                subject=subject,
                payload=codec.encode(message),
                headers=way.headers,
                confirmed=confirmed,
            )
        )
        return self._stored(confirmed, way)

    def _way(self, *, subject: str, message: AnyMessage, event_id: str) -> Sending:
        stage = subjects.parse(subject).stage
        if is_recorded():
            told = {"messaging.destination.name": subject, "messaging.message.id": event_id}
            way = sending(stage, told, about=about(message))
        else:
            way = sending(stage, {})
        self._address(way, message=message, event_id=event_id)
        return way

    def _address(self, way: Sending, *, message: AnyMessage, event_id: str) -> None:
        way.headers[HEADER_EVENT_ID] = event_id
        way.headers[HEADER_SERVICE] = self.service
        if message.alert_id is not None:
            way.headers[HEADER_ALERT] = message.alert_id

    def _stored(
        self, confirmed: asyncio.Future[Confirmation], way: Sending
    ) -> asyncio.Future[Stored]:
        stored: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()

        def conclude(confirmed: asyncio.Future[Confirmation]) -> None:
            error = _unavailable(confirmed)
            way.end(error)
            if stored.done():
                return
            if error is not None:
                stored.set_exception(error)
                return
            confirmation = confirmed.result()
            stored.set_result(Stored(seq=confirmation.seq, duplicate=confirmation.duplicate))

        confirmed.add_done_callback(conclude)
        return stored

    async def replay(self, letter: DeadLetter, *, event_id: str) -> Replayed:
        """Put a dead letter's message into the log again, as it was; raises `LogUnavailable`."""
        headers = {name: letter.headers[name] for name in _KEPT_HEADERS if name in letter.headers}
        origin_seq = origin_of(letter.headers, seq=letter.seq)
        headers |= {HEADER_REPLAY_OF: str(origin_seq), HEADER_EVENT_ID: event_id}
        confirmed = self._confirmed.publish(
            letter.subject, letter.data, headers=encoded_headers(headers)
        )
        stored = await self._stored(confirmed, Sending(headers))
        return Replayed(seq=stored.seq, origin_seq=origin_seq, duplicate=stored.duplicate)

    async def entry(self, seq: int) -> Entry:
        """Read one message; raises `LogUnavailable` when it is gone or the log does not answer."""
        try:
            raw = await self.js.get_msg(subjects.STREAM, seq=seq)
        except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
            raise LogUnavailable(f"{type(error).__name__}: {error}") from error
        return _entry(raw)

    async def last(self, subject: str) -> Entry | None:
        """The newest message of a subject, where there is one; raises `LogUnavailable`."""
        try:
            raw = await self.js.get_last_msg(subjects.STREAM, subject)
        except nats.js.errors.NotFoundError:
            return None
        except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
            raise LogUnavailable(f"{type(error).__name__}: {error}") from error
        try:
            return _entry(raw)
        except UndecodableError:
            return None

    async def subjects(self, pattern: str) -> list[str]:
        """Which subjects of a pattern the log has messages of; raises `LogUnavailable`."""
        try:
            info = await self.js.stream_info(subjects.STREAM, subjects_filter=pattern)
        except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
            raise LogUnavailable(f"{type(error).__name__}: {error}") from error
        return sorted(info.state.subjects or {})

    async def first_seq(self) -> int:
        """The place where the log begins now: what stood before it is gone. Raises
        `LogUnavailable`.
        """
        try:
            info = await self.js.stream_info(subjects.STREAM)
        except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
            raise LogUnavailable(f"{type(error).__name__}: {error}") from error
        return info.state.first_seq

    async def last_seq(self) -> int:
        """The place where the log ends now; raises `LogUnavailable`."""
        try:
            info = await self.js.stream_info(subjects.STREAM)
        except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
            raise LogUnavailable(f"{type(error).__name__}: {error}") from error
        return info.state.last_seq

    async def handled_up_to(self, durable: str) -> int:
        """The place in the log up to which a consumer has handled everything; raises
        `LogUnavailable`.
        """
        try:
            info = await self.js.consumer_info(subjects.STREAM, durable)
        except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
            raise LogUnavailable(f"{type(error).__name__}: {error}") from error
        return info.ack_floor.stream_seq if info.ack_floor is not None else 0

    async def entries_after(self, *, subject: str, seq: int) -> AsyncIterator[Entry]:
        """The messages of a subject (wildcards allowed) stored after `seq`, oldest first."""
        while True:
            try:
                raw = await self.js.get_msg(
                    subjects.STREAM, seq=seq + 1, subject=subject, next=True
                )
            except nats.js.errors.NotFoundError:
                return
            except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
                raise LogUnavailable(f"{type(error).__name__}: {error}") from error
            assert raw.seq is not None  # noqa: S101 - the server always tells
            seq = raw.seq
            try:
                found = _entry(raw)
            except UndecodableError:
                # No message of ours: whoever consumes it buries it, and it is nobody's history.
                continue
            yield found


def origin_of(headers: Mapping[str, str] | None, *, seq: int) -> int:
    """The first place of a message that stands at `seq`, as its headers name it. What names no
    earlier place is nothing: taken for true it would hide what was done about the message.
    """
    named = (headers or {}).get(HEADER_REPLAY_OF, "")
    return min(int(named), seq) if _PLACE.fullmatch(named) else seq


@contextlib.asynccontextmanager
async def connected(access: Access, *, service: str, health: Health) -> AsyncIterator[Bus]:
    """Connect, for as long as it takes, and stay connected; readiness says when it is not. Raises
    `SettingsError`.
    """

    async def on_error(error: Exception) -> None:
        metrics.log_errors.labels(service).inc()
        _log.warning("log.failed", error=f"{type(error).__name__}: {error}")

    async def on_reconnected() -> None:
        _log.info("log.reconnected")

    # Begun at 0: a rate is not told of a count that begins at 1.
    metrics.log_errors.labels(service)
    client = ExpressClient()
    await connect(
        client,
        access,
        user=service,
        name=f"alertwire-{service}",
        allow_reconnect=True,
        max_reconnect_attempts=-1,
        reconnect_time_wait=_RECONNECT_WAIT_S,
        error_cb=on_error,
        reconnected_cb=on_reconnected,
        # Nothing is buffered while away: it would be sent after we had said that it failed.
        pending_size=0,
    )
    health.add("log", lambda: None if client.is_connected else "not connected to NATS")
    bus = Bus(client=client, service=service)
    try:
        await bus.open()
        yield bus
    finally:
        await client.close()


def _unavailable(confirmed: asyncio.Future[Confirmation]) -> LogUnavailable | None:
    error = confirmed.exception()
    if error is None:
        return None
    if isinstance(error, nats.errors.OutboundBufferLimitError):
        found = LogUnavailable("not connected to NATS")
    else:
        found = LogUnavailable(f"{type(error).__name__}: {error}")
    found.__cause__ = error
    return found


def _entry(raw: RawStreamMsg) -> Entry:
    assert raw.seq is not None  # noqa: S101 - the server always tells
    assert raw.subject is not None  # noqa: S101
    return Entry(
        seq=raw.seq,
        subject=raw.subject,
        stored_at=raw.time,
        message=codec.decode(raw.data or b""),
    )
