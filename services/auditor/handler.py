"""The auditor's loop: messages in batches out of the log, rows into the trail, then the acks.

A Postgres that is away delays rows and nothing else: the batch is held, and the log keeps the rest.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from libs.common import metrics as shared
from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.topology import AUDITOR
from services.auditor import metrics
from services.auditor.rows import Row, time_of, to_row
from services.auditor.spans import batch_span
from services.auditor.store import PostgresAway, Store
from services.auditor.storing import Stored, store_rows

IDLE_S = 1.0
"""How long an empty log is listened to before the stop signal is looked at."""
HOLD_S = 15.0
"""A held batch is redelivered after 60 s of silence (libs/common/topology.py)."""
RETRY_FIRST_S = 0.2
RETRY_MAX_S = 5.0
REPORT_S = 60.0
_LOG_RETRY_S = 0.5
_GROWING = 0.8
"""The part of the flush time before the batch is fetched; the rest is for fetching it."""

_log = structlog.get_logger()


class Auditor:
    """Follows the log with the durable consumer `auditor`."""

    def __init__(self, *, bus: Bus, store: Store, batch_max: int, flush_s: float) -> None:
        self._bus = bus
        self._store = store
        self._batch_max = batch_max
        self._flush_s = flush_s
        self._trouble: str | None = None
        self._unreported = 0
        self._reported_at = time.monotonic()

    def missing(self) -> str | None:
        """A readiness check."""
        return self._trouble

    async def run(self, stop: asyncio.Event) -> None:
        """Audit until `stop` is set; a batch that is held then goes back to the log."""
        subscription = await self._bus.js.pull_subscribe_bind(
            durable=AUDITOR, stream=subjects.STREAM
        )
        while not stop.is_set():
            messages = await self._fetch(subscription)
            if messages:
                await self._audit(messages, stop)
            self._report()

    async def _fetch(self, subscription: JetStreamContext.PullSubscription) -> list[Msg]:
        # One message is waited for long, the others of its batch briefly.
        try:
            messages: list[Msg] = await subscription.fetch(1, timeout=IDLE_S)
        except TimeoutError:
            self._listening(None)
            return []
        except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
            self._listening(f"consumer {AUDITOR} does not answer: {type(error).__name__}")
            await asyncio.sleep(_LOG_RETRY_S)
            return []
        self._listening(None)
        room = self._batch_max - 1
        if room == 0:
            return messages
        # A fetch takes what is there and returns, so a batch that can still grow is given time.
        timeout_s = self._flush_s
        if messages[0].metadata.num_pending < room:
            await asyncio.sleep(self._flush_s * _GROWING)
            timeout_s *= 1 - _GROWING
        try:
            messages += await subscription.fetch(room, timeout=timeout_s)
        except (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError):
            _log.debug("audit.batch_of_one")
        return messages

    async def _audit(self, messages: Sequence[Msg], stop: asyncio.Event) -> None:
        started = time.monotonic()
        waiting = messages[-1].metadata.num_pending
        metrics.audit_lag_messages.set(waiting + len(messages))
        rows = [_row(message) for message in messages]
        with batch_span([message.headers for message in messages], consumer=AUDITOR):
            async with asyncio.TaskGroup() as group:
                hold = group.create_task(_hold(messages))
                stored = await self._until_stored(rows, stop)
                hold.cancel()
        if stored is None:
            await _say(Msg.nak, messages)
            return
        await _say(Msg.ack, messages)
        elapsed_s = time.monotonic() - started
        metrics.audit_lag_messages.set(waiting)
        self._count(messages, stored, elapsed_s=elapsed_s)
        _log.debug(
            "audit.stored",
            rows=len(rows),
            new=stored.new,
            first_seq=rows[0].seq,
            last_seq=rows[-1].seq,
            lag_messages=waiting,
            elapsed_ms=round(elapsed_s * 1000, 1),
        )

    async def _until_stored(self, rows: Sequence[Row], stop: asyncio.Event) -> Stored | None:
        """None: stopped before Postgres came back."""
        delay_s = RETRY_FIRST_S
        while True:
            try:
                return await store_rows(self._store, rows)
            except PostgresAway as error:
                _log.debug("audit.waiting", rows=len(rows), delay_s=delay_s, error=str(error))
            if await _stopped_within(stop, delay_s):
                return None
            delay_s = min(delay_s * 2, RETRY_MAX_S)

    def _listening(self, trouble: str | None) -> None:
        if trouble is not None and trouble != self._trouble:
            _log.warning("audit.deaf", error=trouble)
        self._trouble = trouble

    def _count(self, messages: Sequence[Msg], stored: Stored, *, elapsed_s: float) -> None:
        again = sum(message.metadata.num_delivered > 1 for message in messages)
        metrics.audit_rows.labels("new").inc(stored.new - stored.degraded)
        metrics.audit_rows.labels("degraded").inc(stored.degraded)
        metrics.audit_rows.labels("known").inc(len(messages) - stored.new)
        metrics.audit_batch_rows.observe(len(messages))
        metrics.audit_batch_seconds.observe(elapsed_s)
        shared.handled.labels(self._bus.service, "ack").inc(len(messages))
        shared.redelivered.labels(self._bus.service).inc(again)
        self._unreported += stored.new

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._reported_at < REPORT_S:
            return
        if self._unreported:
            _log.info(
                "audit.progress", rows=self._unreported, seconds=round(now - self._reported_at)
            )
        self._unreported = 0
        self._reported_at = now


def _row(message: Msg) -> Row:
    metadata = message.metadata
    return to_row(
        stream=metadata.stream,
        seq=metadata.sequence.stream,
        subject=message.subject,
        stored_at=time_of(_stored_ns(message.reply)),
        headers=message.headers,
        data=message.data,
    )


# The client's own `metadata.timestamp` passes through a float, which another reader may round
# differently. Nine words, or (with a domain) eleven and more, of which the ninth is the time.
def _stored_ns(reply: str) -> int:
    words = reply.split(".")
    return int(words[7] if len(words) == 9 else words[9])


async def _hold(messages: Sequence[Msg]) -> None:
    while True:
        await asyncio.sleep(HOLD_S)
        await _say(Msg.in_progress, messages)


# All at once, so that they leave in a few packets. What is not said here is redelivered, and a row
# that comes twice changes nothing.
async def _say(word: Callable[[Msg], Awaitable[None]], messages: Sequence[Msg]) -> None:
    results = await asyncio.gather(*map(word, messages), return_exceptions=True)
    unsaid = [result for result in results if isinstance(result, BaseException)]
    for error in unsaid:
        if not isinstance(error, nats.errors.Error | OSError):
            raise error
    if unsaid:
        _log.info("audit.unsaid", messages=len(unsaid), error=type(unsaid[0]).__name__)


async def _stopped_within(stop: asyncio.Event, delay_s: float) -> bool:
    try:
        async with asyncio.timeout(delay_s):
            await stop.wait()
    except TimeoutError:
        return False
    return True
