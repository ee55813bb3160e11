"""What the log holds of what was decided, for alerts that may have been decided before. Each
subject is read once and then only what has come since: after a stop of some minutes thousands of
alerts may wait, and their decisions lie behind each other.
"""

import asyncio
from collections.abc import Hashable

from libs.common.bus import Bus
from libs.common.contracts import subjects
from libs.common.contracts.codec import AnyMessage
from libs.common.contracts.intent import Intent, IntentDenied
from libs.common.contracts.words import AccountId, AlertId, RouteId
from libs.common.domain import identity


class Decisions:
    """Of one tenure. Everything raises `LogUnavailable`."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._readings: dict[str, _Reading] = {}

    async def find(
        self, *, alert: AlertId, route: RouteId, account: AccountId, after: int
    ) -> Intent | IntentDenied | None:
        """The log's own dedup forgets after some minutes; the log itself does not. `after` is the
        alert's place.
        """
        for subject, key in (
            (subjects.intents_on(account), identity.intent_id(alert=alert, account=account)),
            (subjects.intent_denied(route), (alert, account)),
        ):
            place = await self._reading(subject).place(key, after=after)
            found = None if place is None else (await self._bus.entry(place)).message
            if isinstance(found, Intent | IntentDenied):
                return found
        return None

    def _reading(self, subject: str) -> "_Reading":
        found = self._readings.get(subject)
        if found is None:
            found = self._readings[subject] = _Reading(self._bus, subject)
        return found


class _Reading:
    """The places of one subject's decisions, from some place on to the log's end."""

    def __init__(self, bus: Bus, subject: str) -> None:
        self._bus = bus
        self._subject = subject
        self._places: dict[Hashable, int] = {}
        self._behind: int | None = None
        self._until = 0
        self._turn = asyncio.Lock()

    async def place(self, key: Hashable, *, after: int) -> int | None:
        async with self._turn:
            if self._behind is None or after >= self._until:
                # What lies between was never asked for, and may be days of it.
                self._places.clear()
                self._behind = self._until = after
            elif after < self._behind:
                await self._read(after, until=self._behind)
                self._behind = after
            await self._read(self._until, until=None)
            return self._places.get(key)

    async def _read(self, after: int, *, until: int | None) -> None:
        async for entry in self._bus.entries_after(subject=self._subject, seq=after):
            if until is not None and entry.seq > until:
                return
            key = _key(entry.message)
            if key is not None:
                self._places.setdefault(key, entry.seq)
            if until is None:
                self._until = entry.seq


def _key(message: AnyMessage) -> Hashable:
    if isinstance(message, Intent):
        return message.intent_id
    if isinstance(message, IntentDenied):
        return (message.alert_id, message.account)
    return None
