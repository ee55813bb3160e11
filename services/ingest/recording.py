"""Putting alerts into the log once, and refusals and resends beside them.

The log decides who was first: two requests with the same body make the same event id, and the log
keeps one. The index of recent alerts answers for it where it can.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from libs.common.bus import Entry, LogUnavailable, Stored
from libs.common.contracts import subjects
from libs.common.contracts.alert import Alert, AlertDuplicate, AlertRefused
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.words import AlertId
from libs.common.domain import identity
from services.ingest.duplicates import KnownAlert, RecentAlerts

BY_THE_WAY_TIMEOUT_S = 0.4
"""For what is recorded beside the answer: the sender does not wait longer for it."""
_PREDECESSORS_MAX = 5

_log = structlog.get_logger()


class Log(Protocol):
    """What recording needs of the log; `Bus` is one."""

    async def publish(self, *, subject: str, message: AnyMessage, event_id: str) -> Stored: ...

    async def entry(self, seq: int) -> Entry: ...


@dataclass(frozen=True, kw_only=True)
class Recorded:
    alert_id: AlertId
    """The sender's alert; of a resend the first one's."""
    first_at: datetime | None = None
    """When the first one was stored; None for an alert that is new."""

    @property
    def duplicate(self) -> bool:
        return self.first_at is not None


class Recorder:
    def __init__(self, *, log: Log, recent: RecentAlerts, now: Callable[[], datetime]) -> None:
        self._log = log
        self._recent = recent
        self._now = now

    async def record(self, alert: Alert, *, key: str, window_s: int) -> Recorded:
        """Store the alert, or find the one that it repeats; raises `LogUnavailable`.

        Calling it again with the same alert after that is safe.
        """
        if window_s == 0:
            await self._publish(alert, event_id=alert.alert_id)
            return Recorded(alert_id=alert.alert_id)
        for _ in range(_PREDECESSORS_MAX):
            known = self._recent.latest(key, now=alert.at)
            if known is not None and known.alert_id == alert.alert_id:
                return Recorded(alert_id=alert.alert_id)
            if known is not None and known.is_within(window_s=window_s, now=alert.at):
                return Recorded(alert_id=known.alert_id, first_at=known.at)
            event_id = identity.received_event_id(
                key=key, predecessor=known.alert_id if known is not None else None
            )
            earlier = await self._publish(alert, event_id=event_id)
            if earlier is None:
                return Recorded(alert_id=alert.alert_id)
            # Another alert holds this id: the next turn meets it in the index.
            self._recent.remember(key, earlier, now=alert.at)
        raise LogUnavailable("the log knows more alerts with this body than can be followed")

    async def record_duplicate(
        self, recorded: Recorded, *, received: Alert, stage_id: AlertId
    ) -> None:
        """Note a resend in the first alert's journey. `stage_id` is the resend's own id."""
        message = AlertDuplicate(
            alert_id=recorded.alert_id,
            route=received.route,
            at=received.at,
            source_address=received.source_address,
            first_at=recorded.first_at,
            test_by=received.test_by,
        )
        subject = subjects.alert_duplicate(received.route)
        await self._by_the_way(message, subject=subject, event_id=f"duplicate:{stage_id}")

    async def record_refused(self, refused: AlertRefused) -> None:
        subject = subjects.alert_refused(refused.route)
        await self._by_the_way(refused, subject=subject, event_id=f"refused:{refused.alert_id}")

    async def _publish(self, alert: Alert, *, event_id: str) -> KnownAlert | None:
        # None where the alert was stored, else the earlier alert that the log keeps for this id.
        stored = await self._log.publish(
            subject=subjects.alert_received(alert.route), message=alert, event_id=event_id
        )
        if stored.duplicate:
            return _known(await self._log.entry(stored.seq))
        key, chained, _ = event_id.partition(":")
        if chained:
            known = KnownAlert(alert_id=alert.alert_id, seq=stored.seq, at=self._now())
            self._recent.remember(key, known, now=alert.at)
        return None

    async def _by_the_way(
        self, message: AlertDuplicate | AlertRefused, *, subject: str, event_id: str
    ) -> None:
        try:
            async with asyncio.timeout(BY_THE_WAY_TIMEOUT_S):
                await self._log.publish(subject=subject, message=message, event_id=event_id)
        except (LogUnavailable, TimeoutError) as error:
            _log.warning("record.lost", subject=subject, error=f"{type(error).__name__}: {error}")


def _known(entry: Entry) -> KnownAlert:
    if not isinstance(entry.message, Alert):
        raise LogUnavailable(f"entry {entry.seq} is no alert, though the log took it for one")
    return KnownAlert(
        alert_id=entry.message.alert_id,
        seq=entry.seq,
        at=entry.stored_at or entry.message.at,
    )
