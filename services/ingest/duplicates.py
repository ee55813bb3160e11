"""The alerts of the last minutes by what makes two alerts the same, so that a resend is known.

The log decides between requests at the same moment; this index remembers for longer than the log
compares ids, and saves asking it. It may lag or forget under load: the log's answer then puts it
right (see recording.py).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.common.contracts.route import DUPLICATE_WINDOW_MAX_S
from libs.common.contracts.words import AlertId

MEMORY_S = DUPLICATE_WINDOW_MAX_S + 17
"""Longer than any window, by more than clocks of machines differ and a request lasts."""
ALERTS_MAX = 250_000


@dataclass(frozen=True, slots=True)
class KnownAlert:
    alert_id: AlertId
    seq: int
    at: datetime
    """When the log stored it."""

    def is_within(self, *, window_s: int, now: datetime) -> bool:
        return now - self.at < timedelta(seconds=window_s)


class RecentAlerts:
    """The latest alert per key. Forgets what is older than `MEMORY_S`, and the oldest beyond
    `alerts_max`.
    """

    def __init__(self, *, alerts_max: int = ALERTS_MAX) -> None:
        self._alerts_max = alerts_max
        self._by_key: dict[str, KnownAlert] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def latest(self, key: str, *, now: datetime) -> KnownAlert | None:
        """None after `MEMORY_S` to the second, so that all ingests say the same at any time."""
        known = self._by_key.get(key)
        if known is None or not known.is_within(window_s=MEMORY_S, now=now):
            return None
        return known

    def remember(self, key: str, alert: KnownAlert, *, now: datetime) -> None:
        """Keep the later of two alerts of a key, by their places in the log."""
        known = self._by_key.get(key)
        if known is not None and known.seq >= alert.seq:
            return
        # Taken out first, so that the dictionary's order is the order of remembering.
        self._by_key.pop(key, None)
        self._by_key[key] = alert
        self._prune(now)

    def _prune(self, now: datetime) -> None:
        # Few at a time, with every alert: no request waits for a sweep.
        for _ in range(2):
            key, oldest = next(iter(self._by_key.items()))
            full = len(self._by_key) > self._alerts_max
            if not full and (
                len(self._by_key) == 1 or oldest.is_within(window_s=MEMORY_S, now=now)
            ):
                return
            del self._by_key[key]
