"""What orders of this process have moved, and what every lane must hold since.

An exchange may show a position a moment after the order that made it is filled, and a plan made in
that moment would close nothing, or too much. Later on, a position that is not what our orders made
it was moved by something else.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from libs.common.contracts.order import Holding, Leg, Plan
from libs.common.contracts.words import (
    AccountId,
    ClientOrderId,
    Effect,
    PositionSide,
    VenueSymbol,
)

Lane = tuple[AccountId, VenueSymbol]
Sizes = Mapping[PositionSide, Decimal]


@dataclass(kw_only=True, slots=True)
class Move:
    """The last plan of a lane that filled anything."""

    plan: Plan
    at: datetime
    """When the last fill was learnt of, or the last drift told."""
    filled: dict[ClientOrderId, tuple[Leg, Decimal]] = field(default_factory=dict)
    drifted: Sizes | None = None
    """What was held when that was last told to be something else."""
    is_muted: bool = False
    """An order that rests has perhaps moved it since: what is held then is no drift."""
    believed: Sizes | None = None
    """What the exchange has answered since, where it is something else than expected."""

    def expected(self) -> Sizes:
        if self.drifted is not None:
            return self.drifted
        held = defaultdict(Decimal, sizes(self.plan.holdings))
        for leg, filled in self.filled.values():
            held[leg.position_side] += filled if leg.effect is Effect.OPEN else -filled
        return {side: contracts for side, contracts in held.items() if contracts > 0}


class Moved:
    """Knows of each lane what its last plan must have led to."""

    def __init__(self, *, visible_after_s: float) -> None:
        self._visible_after = timedelta(seconds=visible_after_s)
        self._moves: dict[Lane, Move] = {}
        self._busy: set[Lane] = set()
        self._entered: defaultdict[Lane, int] = defaultdict(int)

    @contextlib.contextmanager
    def busy(self, lane: Lane) -> Iterator[None]:
        """While a plan of the lane is made or carried out, its position says nothing."""
        self._busy.add(lane)
        self._entered[lane] += 1
        try:
            yield
        finally:
            self._busy.discard(lane)

    def is_busy(self, lane: Lane) -> bool:
        return lane in self._busy

    def entered(self, lane: Lane) -> int:
        """How often the lane was busy: who remembers it can tell whether it was since."""
        return self._entered.get(lane, 0)

    def note(self, plan: Plan, leg: Leg, *, filled: Decimal, at: datetime) -> None:
        """So much of a leg was filled, as was learnt just now. Repeatable."""
        if filled <= 0:
            return
        lane = (plan.account, plan.symbol)
        move = self._moves.get(lane)
        if move is None or move.plan.intent_id != plan.intent_id:
            self._moves[lane] = move = Move(plan=plan, at=at)
        move.at, move.believed = at, None
        move.filled[leg.client_order_id] = (leg, filled)

    def moves(self) -> list[tuple[Lane, Move]]:
        return list(self._moves.items())

    def is_expected(self, holdings: Iterable[Holding], *, lane: Lane) -> bool:
        """Whether what was pushed is what must be held. However long ago the last fill was: a push
        that was lost comes no more, and only an answer of the exchange may say something else.
        """
        move = self._moves.get(lane)
        if move is None:
            return True
        return sizes(holdings) == (move.expected() if move.believed is None else move.believed)

    def believe(self, holdings: Iterable[Holding], *, lane: Lane) -> None:
        """The exchange has answered so."""
        move = self._moves.get(lane)
        if move is not None:
            move.believed = sizes(holdings)

    def is_shown(
        self,
        holdings: Iterable[Holding],
        *,
        account: AccountId,
        symbol: VenueSymbol,
        now: datetime,
    ) -> bool:
        """Whether holdings are what they must be, or by now are whatever something else has made
        of them.
        """
        move = self._moves.get((account, symbol))
        if move is None or now - move.at > self._visible_after:
            return True
        return sizes(holdings) == move.expected()


def sizes(holdings: Iterable[Holding]) -> Sizes:
    return {holding.side: holding.contracts for holding in holdings}
