"""Feeds the index of recent alerts from the log: what this ingest did not store itself, because
another one did or because it was stored before the start.

Until the index holds everything that the log held at the start, or at the last reconnect, ingest
is not ready: it might take a resend for new.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import nats.errors
import nats.js.errors
import structlog
from nats.js import api

from libs.common.arrival import Arrival
from libs.common.bus import HEADER_ALERT, HEADER_EVENT_ID, Bus
from libs.common.contracts import subjects
from libs.common.contracts.words import AlertId
from libs.common.pulling import pulling
from services.ingest.duplicates import MEMORY_S, KnownAlert, RecentAlerts

_BATCH = 500
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
        self._left = 0
        """How many of the backlog are still to be read."""

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
        self._left = consumer.num_pending or 0
        self._note(reconnects)
        async with pulling(
            self._bus,
            durable=consumer.name,
            room=lambda: _BATCH,
            going=lambda: self._bus.client.is_connected,
            # A wake-up for each alert that this ingest has stored itself would cost as much as
            # parsing it; another one's may be learnt of a moment later.
            gather_s=lambda: 0.0 if self._left else _PAUSE_S,
        ) as batches:
            async for batch in batches:
                for came in batch:
                    self._remember(came)
                if batch:
                    self._left = batch[-1].waiting
                elif self._left:
                    # What was to come may have grown too old for the log meanwhile.
                    info = await self._bus.js.consumer_info(subjects.STREAM, consumer.name)
                    self._left = info.num_pending or 0
                self._note(reconnects)

    def _note(self, reconnects: int) -> None:
        if self._left == 0 and self._caught_up_at_reconnects != reconnects:
            self._caught_up_at_reconnects = reconnects
            _log.info("recent_alerts.read", alerts=len(self._recent))

    def _remember(self, came: Arrival) -> None:
        self._seen_at = came.stored_at
        key, chained, _ = came.headers.get(HEADER_EVENT_ID, "").partition(":")
        alert_id = came.headers.get(HEADER_ALERT)
        # A route without a window gives its alerts' own ids: they repeat nothing.
        if not chained or alert_id is None:
            return
        known = KnownAlert(alert_id=AlertId(alert_id), seq=came.seq, at=came.stored_at)
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
