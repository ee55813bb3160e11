"""When funding is settled, and how far its rate may go."""

from collections.abc import Iterator
from decimal import Decimal

COLLECT_CYCLE_HOURS = 8
CYCLE_MS = COLLECT_CYCLE_HOURS * 3_600_000
# Seen on the venue's BTC_USDT; the other contracts' bounds are not known.
MAX_RATE = Decimal("0.0018")
MIN_RATE = -MAX_RATE


def next_settlement(after_ms: int) -> int:
    """The first settlement after the moment: 00:00, 08:00 or 16:00 UTC."""
    return (after_ms // CYCLE_MS + 1) * CYCLE_MS


def settlements(*, after_ms: int, until_ms: int) -> Iterator[int]:
    """Every settlement after one moment and not after the other."""
    due = next_settlement(after_ms)
    while due <= until_ms:
        yield due
        due += CYCLE_MS
