"""Who trades with orders that wait, and what they are sent. Pure.

Each account and symbol tries one thing only, so that its end can be told whatever died in between.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle
from random import Random
from typing import Any

from chaos.world import QUOTED, Act, ActKind, Mode, Purpose, Route, Side, Step, StepWord

SWEEP = (Decimal("0.99"), Decimal("1.01"))
"""How far prices fall and rise, of what they stand at."""
_NEAR = (Decimal("0.995"), Decimal("1.005"))
"""Reached by a sweep."""
_FAR_BELOW = tuple(Decimal(part) for part in ("0.9", "0.92", "0.95"))
_FAR_ABOVE = tuple(Decimal(part) for part in ("1.05", "1.08", "1.1"))
_MAX_AGE_S = 3_600
_SIZES = (1, 2, 3, 5)
_STEPS_MAX = 60
"""Of one account and symbol: fifty stops may wait there."""
_CANCELED_SHARE = 0.75
_MODIFIED_SHARE = 0.5
_AGAIN_SHARE = 0.05


def waiting_routes(count: int) -> tuple[Route, ...]:
    names = [f"waiting-{number:03}" for number in range(count)]
    return tuple(
        Route(
            name=name,
            mode=Mode.HEDGE,
            accounts=((name, 1),),
            symbols=tuple(sorted(QUOTED)),
            inverse=False,
            max_age_s=_MAX_AGE_S,
        )
        for name in names
    )


def steps(
    routes: tuple[Route, ...], *, seed: int, each: int, seconds: float, chance: Random
) -> tuple[Step, ...]:
    """`each`: how many an account and symbol gets, about."""
    made: list[Step] = []
    lanes = [(route.name, symbol) for route in routes for symbol in route.symbols]
    for (route, symbol), purpose in zip(lanes, cycle(Purpose), strict=False):
        lane = _Lane(route=route, symbol=symbol, purpose=purpose, seed=seed, chance=chance)
        for at in sorted(chance.uniform(0, seconds) for _ in range(min(each, _STEPS_MAX))):
            made += lane.steps(at, seconds=seconds)
    return tuple(sorted(made, key=lambda step: step.due_s))


def sweeps(*, seconds: float, chance: Random) -> list[Act]:
    return [
        Act(at_s=round(chance.uniform(0.02, 0.98) * seconds, 2), kind=ActKind.SWEEP)
        for _ in range(max(2, round(seconds / 8)))
    ]


class _Lane:
    def __init__(
        self, *, route: str, symbol: str, purpose: Purpose, seed: int, chance: Random
    ) -> None:
        self._route = route
        self._symbol = symbol
        self._purpose = purpose
        self._seed = seed
        self._chance = chance
        # Which side a change of prices means is plain only where one of them is held.
        self._side = chance.choice(list(Side))
        self._number = 0

    def steps(self, at: float, *, seconds: float) -> Iterator[Step]:
        chance = self._chance
        match self._purpose:
            case Purpose.FILL:
                side = chance.choice(list(Side))
                yield self._rest(at, side=side, part=_NEAR[side is Side.SHORT])
            case Purpose.CANCEL:
                side = chance.choice(list(Side))
                part = chance.choice(_FAR_BELOW if side is Side.LONG else _FAR_ABOVE)
                placed = self._rest(at, side=side, part=part)
                yield placed
                if chance.random() < _CANCELED_SHARE:
                    later = min(at + chance.uniform(0.5, 8), max(at, seconds))
                    yield self._step(later, StepWord.CANCEL, side=side, label=placed.label)
            case Purpose.FIRE:
                yield self._protected(at, StepWord.ENTER, below=_NEAR[0], above=_NEAR[1])
            case Purpose.MODIFY:
                word = StepWord.MODIFY if chance.random() < _MODIFIED_SHARE else StepWord.ENTER
                below, above = chance.choice(_FAR_BELOW), chance.choice(_FAR_ABOVE)
                yield self._protected(at, word, below=below, above=above)

    def _rest(self, at: float, *, side: Side, part: Decimal) -> Step:
        return self._step(
            at,
            StepWord.REST,
            side=side,
            contracts=self._chance.choice(_SIZES),
            price=QUOTED[self._symbol][1] * part,
            label=f"{self._symbol}-{self._number}",
        )

    def _protected(self, at: float, word: StepWord, *, below: Decimal, above: Decimal) -> Step:
        standing = QUOTED[self._symbol][1]
        stop, target = below * standing, above * standing
        if self._side is Side.SHORT:
            stop, target = target, stop
        entering = word is StepWord.ENTER
        # A price that a change does not name stays.
        only = self._chance.choice(("both", "both", "stop", "target"))
        return self._step(
            at,
            word,
            side=self._side,
            contracts=self._chance.choice(_SIZES) if entering else 0,
            stop=stop if entering or only != "target" else Decimal(0),
            target=target if entering or only != "stop" else Decimal(0),
        )

    def _step(self, at: float, word: StepWord, **asked: Any) -> Step:
        again = self._chance.random() < _AGAIN_SHARE
        step = Step(
            key=f"waiting-{self._seed}-{self._route}-{self._symbol}-{self._number}",
            route=self._route,
            symbol=self._symbol,
            purpose=self._purpose,
            word=word,
            due_s=round(at, 3),
            again_after_s=self._chance.uniform(0.05, 4) if again else None,
            **asked,
        )
        self._number += 1
        return step
