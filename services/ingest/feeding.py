"""Feeds the index of recent alerts from the log: what this ingest did not store itself, because
another one did or because it was stored before the start.

Until the index holds everything that the log held at the start, or at the last reconnect, ingest
is not ready: it might take a resend for new.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api

from libs.common.bus import HEADER_ALERT, HEADER_EVENT_ID, Bus
from libs.common.contracts import subjects
from libs.common.contracts.words import AlertId
from services.ingest.duplicates import MEMORY_S, KnownAlert, RecentAlerts

_BATCH = 500
_FETCH_S = 0.5
_RETRY_S = 0.2
_PAUSE_S = 0.25
_OVERLAP_S = 5
"""Read again before the last alert seen: remembering twice changes nothing."""
_CONSUMER_IDLE_S = 30

_log = structlog.get_logger()


class RecentFeed:
    def __init__(self, *, bus: Bus, recent: RecentAlerts, now: Callable[[], datetime]) -> None:
        self._bus = bus
        self._recent = recent
        self._now = now
        self._seen_at: datetime | None = None
        self._caught_up_at_reconnects: int | None = None

    def missing(self) -> str | None:
        """A readiness check; also false between a reconnect and the reading that follows it."""
        if self._caught_up_at_reconnects == self._reconnects():
            return None
        return "recent alerts not read yet"

    async def follow(self) -> None:
        """Feed the index until cancelled, whatever happens to the connection."""
        while True:
            try:
                if self._bus.client.is_connected:
                    await self._follow_once()
            except (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError) as error:
                _log.warning("recent_alerts.lost", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(_RETRY_S)

    async def _follow_once(self) -> None:
        reconnects = self._reconnects()
        consumer = await self._bus.js.add_consumer(subjects.STREAM, self._consumer())
        subscription = await self._bus.js.pull_subscribe_bind(
            consumer=consumer.name, stream=subjects.STREAM
        )
        left = consumer.num_pending or 0
        try:
            while self._bus.client.is_connected and self._reconnects() == reconnects:
                if left == 0 and self._caught_up_at_reconnects != reconnects:
                    self._caught_up_at_reconnects = reconnects
                    _log.info("recent_alerts.read", alerts=len(self._recent))
                # A fetch waits to be filled, so the last of the backlog is asked for exactly.
                read = await self._read(subscription, batch=min(_BATCH, left or _BATCH))
                left = max(left - read, 0)
                if not left:
                    # A wake-up for each alert that this ingest has stored itself would cost as
                    # much as parsing it; another one's may be learnt of a moment later.
                    await asyncio.sleep(_PAUSE_S)
                elif not read:
                    left = (await subscription.consumer_info()).num_pending or 0
        finally:
            await _unsubscribe(subscription)

    async def _read(self, subscription: JetStreamContext.PullSubscription, *, batch: int) -> int:
        try:
            messages = await subscription.fetch(batch, timeout=_FETCH_S)
        except TimeoutError:
            return 0
        for message in messages:
            self._remember(message)
        return len(messages)

    def _remember(self, message: Msg) -> None:
        stored_at = message.metadata.timestamp
        self._seen_at = stored_at
        headers = message.headers or {}
        key, chained, _ = headers.get(HEADER_EVENT_ID, "").partition(":")
        alert_id = headers.get(HEADER_ALERT)
        # A route without a window gives its alerts' own ids: they repeat nothing.
        if not chained or alert_id is None:
            return
        seq = message.metadata.sequence.stream
        known = KnownAlert(alert_id=AlertId(alert_id), seq=seq, at=stored_at)
        self._recent.remember(key, known, now=self._now())

    def _consumer(self) -> api.ConsumerConfig:
        since = self._now() - timedelta(seconds=MEMORY_S)
        if self._seen_at is not None:
            since = max(since, self._seen_at - timedelta(seconds=_OVERLAP_S))
        return api.ConsumerConfig(
            deliver_policy=api.DeliverPolicy.BY_START_TIME,
            opt_start_time=since,
            filter_subject=subjects.ALERTS_RECEIVED,
            ack_policy=api.AckPolicy.NONE,
            headers_only=True,
            mem_storage=True,
            num_replicas=1,
            inactive_threshold=_CONSUMER_IDLE_S,
        )

    def _reconnects(self) -> int:
        return int(self._bus.client.stats["reconnects"])


async def _unsubscribe(subscription: JetStreamContext.PullSubscription) -> None:
    # The consumer itself goes away by its idle time: the connection may be the one that is lost.
    with contextlib.suppress(nats.errors.Error, OSError):
        await subscription.unsubscribe()
