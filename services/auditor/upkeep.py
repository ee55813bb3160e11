"""What the auditor does beside its messages: partitions made ahead, and a look at Postgres, so that
readiness tells of its absence while the log is silent too.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from services.auditor.metrics import audit_months_ahead
from services.auditor.store import PostgresAway, Store

AHEAD = timedelta(days=93)
"""Three months; fewer than two ahead means that this has not run for weeks."""
DAY_S = 86_400.0
LOOK_S = 10.0
LOOK_AGAIN_S = 1.0


def _today() -> date:
    return datetime.now(UTC).date()


def tell_partitions(last: date | None, *, today: Callable[[], date] = _today) -> None:
    """Counted when Prometheus asks: the number falls by itself where none are made any more."""

    def ahead() -> int:
        if last is None:
            return 0
        now = today()
        return max(0, (last.year - now.year) * 12 + last.month - now.month)

    audit_months_ahead.set_function(ahead)


async def keep(store: Store) -> None:
    """Until cancelled."""
    ahead_until = time.monotonic()
    while True:
        try:
            if time.monotonic() >= ahead_until:
                today = _today()
                await store.ensure_partitions(today, today + AHEAD)
                tell_partitions(await store.last_partition())
                ahead_until = time.monotonic() + DAY_S
            else:
                await store.ping()
        except PostgresAway:
            await asyncio.sleep(LOOK_AGAIN_S)  # the store has logged it, and is not ready
        else:
            await asyncio.sleep(LOOK_S)
