"""The auditor's loop: messages in batches out of the log, rows into the trail, then the
acknowledgement.

One of these loops runs per stream, so that a stream which is gone or slow delays no other. A
Postgres that is away delays rows and nothing else: the batch is held, and the log keeps the rest.

One acknowledgement says that everything up to a message is stored. That is true because the
consumer is reset to its floor before the first message, so that nothing is missing before it, and
because it counts what it delivers: a gap in that count means that something was lost on the way,
and begins anew from the floor.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence

import nats.errors
import nats.js.errors
import structlog

from libs.common import metrics as shared
from libs.common.arrival import Arrival
from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.pulling import pulling
from libs.common.topology import AUDITOR
from services.auditor import metrics
from services.auditor.changes import to_change
from services.auditor.rows import Row, to_row
from services.auditor.spans import batch_span
from services.auditor.store import PostgresAway, Store
from services.auditor.storing import Stored, store_rows

HOLD_S = 15.0
"""A held batch is redelivered after 60 s of silence (libs/common/topology.py)."""
RETRY_FIRST_S = 0.2
RETRY_MAX_S = 5.0
REPORT_S = 60.0
_LOG_RETRY_S = 0.5
_STORED, _IN_WORK, _GIVEN_BACK = b"+ACK", b"+WPI", b"-NAK"

_log = structlog.get_logger()


class _Gap(Exception):  # noqa: N818 - what has happened to the deliveries
    """A delivery is missing: begin anew from what is acknowledged."""


class Auditor:
    """Follows one stream with its durable consumer `auditor`: the log, or a bucket's changes."""

    def __init__(
        self,
        *,
        bus: Bus,
        store: Store,
        batch_max: int,
        flush_s: float,
        stream: str = subjects.STREAM,
    ) -> None:
        self._bus = bus
        self._store = store
        self._batch_max = batch_max
        self._flush_s = flush_s
        self._stream = stream
        self._project = to_row if stream == subjects.STREAM else to_change
        # Shown as 0 from the beginning, not from the first message on.
        self._lag = metrics.audit_lag_messages.labels(stream)
        self._trouble: str | None = None
        self._oldest_ns: int | None = None
        """When the oldest message that is not stored yet was put into the log, at the latest."""
        metrics.audit_lag_seconds.labels(stream).set_function(self._lag_s)
        self._unreported = 0
        self._reported_at = time.monotonic()

    def missing(self) -> str | None:
        """A readiness check."""
        return self._trouble

    async def run(self, stop: asyncio.Event) -> None:
        """Audit until `stop` is set; a batch that is held then goes back to the log."""
        while not stop.is_set():
            try:
                await self._begin()
                await self._follow(stop)
            except _Gap as gap:
                _log.warning("audit.gap", stream=self._stream, error=str(gap))
            except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
                self._listening(
                    f"consumer {AUDITOR} of {self._stream} does not answer: {type(error).__name__}"
                )
                await asyncio.sleep(_LOG_RETRY_S)

    async def _begin(self) -> None:
        """At what is acknowledged; or where the trail ends, if that is earlier: a database that was
        restored lacks what it had stored since, and the log may have it still.
        """
        info = await self._bus.js.consumer_info(self._stream, AUDITOR)
        floor = info.ack_floor.stream_seq if info.ack_floor is not None else 0
        head = await self._head()
        if head is None or head >= floor:
            await self._bus.js.reset_consumer(self._stream, AUDITOR)
            return
        _log.warning("audit.behind", stream=self._stream, trail_seq=head, acknowledged_seq=floor)
        await self._bus.js.reset_consumer(self._stream, AUDITOR, seq=head + 1)

    async def _head(self) -> int | None:
        """Where the trail ends; None where Postgres does not say."""
        try:
            heads = await self._store.heads()
        except PostgresAway:
            return None
        return next((head.seq for head in heads if head.stream == self._stream), 0)

    async def _follow(self, stop: asyncio.Event) -> None:
        """From a reset of the consumer until the connection is lost."""
        delivered = 0
        async with pulling(
            self._bus,
            stream=self._stream,
            durable=AUDITOR,
            room=lambda: self._batch_max,
            going=lambda: not stop.is_set(),
            gather_s=lambda: self._flush_s,
        ) as batches:
            async for batch in batches:
                self._listening(None)
                if batch:
                    delivered = _contiguous(batch, after=delivered)
                    await self._audit(batch, stop)
                self._report()

    async def _audit(self, batch: Sequence[Arrival], stop: asyncio.Event) -> None:
        started = time.monotonic()
        waiting = batch[-1].waiting
        self._lag.set(waiting + len(batch))
        self._oldest_ns = batch[0].stored_ns
        rows = [self._row(came) for came in batch]
        with batch_span(batch, consumer=AUDITOR):
            async with asyncio.TaskGroup() as group:
                hold = group.create_task(self._hold(batch))
                stored = await self._until_stored(rows, stop)
                hold.cancel()
        if stored is None:
            self._say(_GIVEN_BACK, batch)
            return
        self._say(_STORED, [max(batch, key=lambda came: came.seq)])
        elapsed_s = time.monotonic() - started
        self._lag.set(waiting)
        self._oldest_ns = batch[-1].stored_ns if waiting else None
        self._count(batch, stored, elapsed_s=elapsed_s)
        _log.debug(
            "audit.stored",
            stream=self._stream,
            rows=len(rows),
            new=stored.new,
            first_seq=rows[0].seq,
            last_seq=rows[-1].seq,
            lag_messages=waiting,
            elapsed_ms=round(elapsed_s * 1000, 1),
        )

    def _lag_s(self) -> float:
        return 0.0 if self._oldest_ns is None else max(0.0, time.time() - self._oldest_ns / 1e9)

    async def _hold(self, batch: Sequence[Arrival]) -> None:
        while True:
            await asyncio.sleep(HOLD_S)
            self._say(_IN_WORK, batch)
            await self._look()

    async def _look(self) -> None:
        """What waits behind a batch that is held: nothing that is given to us tells it."""
        with contextlib.suppress(nats.errors.Error, nats.js.errors.Error, OSError):
            found = await self._bus.js.consumer_info(self._stream, AUDITOR)
            self._lag.set((found.num_pending or 0) + (found.num_ack_pending or 0))

    def _say(self, word: bytes, batch: Sequence[Arrival]) -> None:
        # What is not said is redelivered, and a row that comes twice changes nothing.
        try:
            for came in batch:
                self._bus.client.post(came.reply, word)
        except nats.errors.Error as error:
            _log.info("audit.unsaid", messages=len(batch), error=type(error).__name__)

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

    def _row(self, came: Arrival) -> Row:
        return self._project(
            stream=came.stream,
            seq=came.seq,
            subject=came.subject,
            stored_at=came.stored_at,
            headers=came.headers,
            data=came.data,
        )

    def _listening(self, trouble: str | None) -> None:
        if trouble is not None and trouble != self._trouble:
            _log.warning("audit.deaf", error=trouble)
        self._trouble = trouble

    def _count(self, batch: Sequence[Arrival], stored: Stored, *, elapsed_s: float) -> None:
        again = sum(came.deliveries > 1 for came in batch)
        metrics.audit_rows.labels("new").inc(stored.new - stored.degraded)
        metrics.audit_rows.labels("degraded").inc(stored.degraded)
        metrics.audit_rows.labels("known").inc(len(batch) - stored.new)
        metrics.audit_batch_rows.observe(len(batch))
        metrics.audit_batch_seconds.observe(elapsed_s)
        shared.handled.labels(self._bus.service, "ack").inc(len(batch))
        shared.redelivered.labels(self._bus.service).inc(again)
        self._unreported += stored.new

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._reported_at < REPORT_S:
            return
        if self._unreported:
            _log.info(
                "audit.progress",
                stream=self._stream,
                rows=self._unreported,
                seconds=round(now - self._reported_at),
            )
        self._unreported = 0
        self._reported_at = now


def _contiguous(batch: Sequence[Arrival], *, after: int) -> int:
    """The consumer's count after the batch; raises `_Gap`."""
    for came in batch:
        if came.consumer_seq != after + 1:
            raise _Gap(f"delivery {came.consumer_seq} came after {after}")
        after = came.consumer_seq
    return after


async def _stopped_within(stop: asyncio.Event, delay_s: float) -> bool:
    try:
        async with asyncio.timeout(delay_s):
            await stop.wait()
    except TimeoutError:
        return False
    return True
