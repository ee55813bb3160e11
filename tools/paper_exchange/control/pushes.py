"""How long a private push waits after the command that caused it. The real exchange sends pushes
before the reply about as often as after it; unless told otherwise half of them go out at once,
which is before the reply, and half a few milliseconds later.
"""

import random

import msgspec

LATEST_MS = 5
LONGEST_MS = 60_000


class PushDelay(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """`delay_ms` is a number, a range to draw from, or None for the mixture."""

    delay_ms: int | float | tuple[int | float, int | float] | None = None

    def __post_init__(self) -> None:
        shortest, longest = self._range()
        if not 0 <= shortest <= longest <= LONGEST_MS:
            raise ValueError(f"delay_ms is n or [low, high] between 0 and {LONGEST_MS}, or null")

    def draw_s(self, chance: random.Random) -> float:
        shortest, longest = self._range()
        if self.delay_ms is None and chance.random() < 0.5:
            return 0.0
        if shortest == longest:
            return shortest / 1000
        return chance.uniform(shortest, longest) / 1000

    def _range(self) -> tuple[float, float]:
        if self.delay_ms is None:
            return 1, LATEST_MS
        if isinstance(self.delay_ms, tuple):
            return self.delay_ms
        return self.delay_ms, self.delay_ms
