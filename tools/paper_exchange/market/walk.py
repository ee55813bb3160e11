"""A seeded random walk of one price: the same seed gives the same steps."""

import random
from decimal import Decimal

from tools.paper_exchange.numbers import to_tick

BASIS_POINT = Decimal("0.0001")
WIDEST_STEP_BPS = 1_000
# Draws beyond this many deviations are cut, so that no step halves a price.
_WIDEST_DRAW = 4
_DRAW_DIGITS = Decimal("0.000001")
# The walk itself is finer than the ticks it is shown in, or small steps would all round to none.
_FINER = 1_000


class Walk:
    """Ask it for the next price, given the last; it goes on from there if somebody moved it."""

    def __init__(self, *, seed: int, symbol: str, tick: Decimal, volatility_bps: Decimal) -> None:
        self._chance = random.Random(f"{seed}:{symbol}")  # noqa: S311 - prices are no secrets
        self._tick = tick
        self._step = volatility_bps * BASIS_POINT
        self._shown: Decimal | None = None
        self._value = tick

    def next_price(self, last: Decimal) -> Decimal:
        if last != self._shown:
            self._value = last
        moved = self._value * (1 + self._step * self._draw())
        self._value = max(to_tick(moved, self._tick / _FINER), self._tick)
        self._shown = to_tick(self._value, self._tick)
        return self._shown

    def _draw(self) -> Decimal:
        # Normally distributed, and a decimal from here on.
        drawn = max(min(self._chance.gauss(0, 1), _WIDEST_DRAW), -_WIDEST_DRAW)
        return Decimal(drawn).quantize(_DRAW_DIGITS)
