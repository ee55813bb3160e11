"""The exchange's clock: real time unless a test drives it.

Whoever signs with the real time after a jump is answered 513, as anyone is whose clock is wrong;
the exchange's time is what `ping` tells. The record of requests keeps the real time.

The time that is told and that callers' times are compared with may besides be off from the books'
own, which never goes back: so it is between two machines when one of them sets its clock.
"""

from collections.abc import Callable

FARTHEST_JUMP_MS = 366 * 86_400_000
FARTHEST_OFFSET_MS = 3_600_000
_NS = 1_000_000


class ClockError(ValueError):
    """The clock cannot be set so; the message says why."""


class Clock:
    """Jumps ahead, stands still, runs on; never goes back."""

    def __init__(self, source_ns: Callable[[], int]) -> None:
        self._source_ns = source_ns
        self._offset_ns = 0
        self._standing_ns: int | None = None
        self._told_offset_ms = 0

    @property
    def told_offset_ms(self) -> int:
        return self._told_offset_ms

    def told_ms(self) -> int:
        return self.now_ms() + self._told_offset_ms

    def tell_off_by(self, offset_ms: int) -> None:
        """From now on tell a time that is so far ahead, or behind where it is negative."""
        if abs(offset_ms) > FARTHEST_OFFSET_MS:
            raise ClockError(
                f"offset_ms lies between {-FARTHEST_OFFSET_MS} and {FARTHEST_OFFSET_MS}"
            )
        self._told_offset_ms = offset_ms

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
