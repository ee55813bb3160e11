"""What the auditor does beside its messages: partitions made ahead, and a look at Postgres, so that
readiness tells of its absence while the log is silent too.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from services.auditor.store import PostgresAway, Store

AHEAD = timedelta(days=93)
"""Three months; fewer than two ahead means that this has not run for weeks."""
DAY_S = 86_400.0
LOOK_S = 10.0
LOOK_AGAIN_S = 1.0


async def keep(store: Store) -> None:
    """Until cancelled."""
    ahead_until = time.monotonic()
    while True:
        try:
            if time.monotonic() >= ahead_until:
                today = datetime.now(UTC).date()
                await store.ensure_partitions(today, today + AHEAD)
                ahead_until = time.monotonic() + DAY_S
            else:
                await store.ping()
        except PostgresAway:
            await asyncio.sleep(LOOK_AGAIN_S)  # the store has logged it, and is not ready
        else:
            await asyncio.sleep(LOOK_S)
