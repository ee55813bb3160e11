"""Keeps what strangers can cause as often as they like from filling a log. Time is an argument."""


class Seldom:
    """Lets through `burst` at once and `per_s` in the long run, and counts what it held back."""

    def __init__(self, *, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._at_s: float | None = None
        self._held_back = 0

    def take(self, *, now_s: float) -> int | None:
        """How many were held back before this one, which may be told; None: this one is, too."""
        since_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._at_s = now_s
        self._left = min(self._burst, self._left + since_s * self._per_s)
        if self._left < 1:
            self._held_back += 1
            return None
        self._left -= 1
        held_back, self._held_back = self._held_back, 0
        return held_back
