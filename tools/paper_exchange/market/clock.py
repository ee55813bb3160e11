"""The exchange's clock: real time unless a test drives it.

Whoever signs with the real time after a jump is answered 513, as anyone is whose clock is wrong;
the exchange's time is what `ping` tells. The record of requests keeps the real time.
"""

from collections.abc import Callable

FARTHEST_JUMP_MS = 366 * 86_400_000
_NS = 1_000_000


class ClockError(ValueError):
    """The clock cannot be set so; the message says why."""


class Clock:
    """Jumps ahead, stands still, runs on; never goes back."""

    def __init__(self, source_ns: Callable[[], int]) -> None:
        self._source_ns = source_ns
        self._offset_ns = 0
        self._standing_ns: int | None = None

    @property
    def stands(self) -> bool:
        return self._standing_ns is not None

    @property
    def ahead_ms(self) -> int:
        """How far it is from the real time."""
        return (self.now_ns() - self._source_ns()) // _NS

    def now_ns(self) -> int:
        if self._standing_ns is not None:
            return self._standing_ns
        return self._source_ns() + self._offset_ns

    def now_ms(self) -> int:
        return self.now_ns() // _NS

    def advance(self, by_ms: int) -> None:
        """Jump ahead, and stand or run as before."""
        if not 0 <= by_ms <= FARTHEST_JUMP_MS:
            raise ClockError(f"advance_ms lies between 0 and {FARTHEST_JUMP_MS}")
        if self._standing_ns is not None:
            self._standing_ns += by_ms * _NS
        else:
            self._offset_ns += by_ms * _NS

    def stand_at(self, at_ms: int) -> None:
        now = self.now_ms()
        if not now <= at_ms <= now + FARTHEST_JUMP_MS:
            raise ClockError(f"at_ms is not before now ({now}), nor more than a year after it")
        # Within the same millisecond it would otherwise go back by a fraction of one.
        self._standing_ns = max(at_ms * _NS, self.now_ns())

    def run(self) -> None:
        """Run on from where it stands."""
        if self._standing_ns is not None:
            self._offset_ns = self._standing_ns - self._source_ns()
            self._standing_ns = None
