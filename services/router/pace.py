"""How often a route has opened on an account lately: kept in memory, and read from the log the
first time that a route is asked about, so that a restart forgets nothing.
"""

from datetime import datetime

from libs.common.bus import Bus, Entry
from libs.common.contracts import subjects
from libs.common.contracts.alert import Alert
from libs.common.contracts.intent import Intent
from libs.common.contracts.words import AccountId, AlertId, RouteId
from libs.common.domain.guarding import MINUTE
from services.router.deciding import opens

_Openings = dict[AlertId, datetime]


class Pace:
    """Counts the intents that open, by the time of their alerts; one alert counts once."""

    def __init__(self, *, bus: Bus) -> None:
        self._bus = bus
        self._openings: dict[tuple[RouteId, AccountId], _Openings] = {}

    async def recent(self, alert: Alert, *, account: AccountId, seq: int) -> int:
        """How many were made in the minute before `alert`, whose place in the log is `seq`."""
        since = alert.at - MINUTE
        key = (alert.route, account)
        openings = self._openings.get(key)
        if openings is None:
            # Not kept before all is read: what fails half-way is read anew.
            openings = await self._read(alert.route, account, since=since, seq=seq)
            self._openings[key] = openings
        for old in [other for other, at in openings.items() if at <= since - MINUTE]:
            del openings[old]
        return sum(at > since for other, at in openings.items() if other != alert.alert_id)

    def note(self, intent: Intent) -> None:
        """An intent was accepted, now or before; whoever is not asked about is not kept."""
        openings = self._openings.get((intent.route, intent.account))
        if openings is not None and _counts(intent):
            openings[intent.alert_id] = intent.received_at

    async def _read(
        self, route: RouteId, account: AccountId, *, since: datetime, seq: int
    ) -> _Openings:
        found: _Openings = {}
        async for entry in self._bus.entries_after(
            subject=subjects.intents_on(account),
            seq=await self._last_before(since, seq=seq),
        ):
            intent = entry.message
            if isinstance(intent, Intent) and intent.route == route and _counts(intent):
                found[intent.alert_id] = intent.received_at
        return found

    async def _last_before(self, moment: datetime, *, seq: int) -> int:
        """A place in the log, at most `seq`, behind which is everything stored since `moment`.

        By halving: the log has places that are empty, and no index by time.
        """
        low, high = 0, seq
        while low < high:
            middle = (low + high) // 2
            entry = await self._first_after(middle)
            if entry is None or entry.stored_at is None or entry.stored_at >= moment:
                high = middle
            else:
                low = entry.seq
        return low

    async def _first_after(self, seq: int) -> Entry | None:
        return await anext(self._bus.entries_after(subject=">", seq=seq), None)


def _counts(intent: Intent) -> bool:
    return opens(intent) and intent.opening_denied is None
