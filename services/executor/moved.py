"""What orders of this process have just moved. An exchange may show a position a moment after the
order that made it is filled, and a plan made in that moment would close nothing, or too much.
"""

from collections import defaultdict
from collections.abc import Iterable
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

_Lane = tuple[AccountId, VenueSymbol]


@dataclass(kw_only=True, slots=True)
class _Move:
    plan: Plan
    at: datetime
    filled: dict[ClientOrderId, tuple[Leg, Decimal]] = field(default_factory=dict)

    def expected(self) -> dict[PositionSide, Decimal]:
        held = defaultdict(Decimal, _contracts(self.plan.holdings))
        for leg, filled in self.filled.values():
            held[leg.position_side] += filled if leg.effect is Effect.OPEN else -filled
        return {side: contracts for side, contracts in held.items() if contracts > 0}


class Moved:
    """Knows of each lane what its last plan must have led to, for as long as that may not show."""

    def __init__(self, *, visible_after_s: float) -> None:
        self._visible_after = timedelta(seconds=visible_after_s)
        self._moves: dict[_Lane, _Move] = {}

    def note(self, plan: Plan, leg: Leg, *, filled: Decimal, at: datetime) -> None:
        """So much of a leg was filled, as was learnt just now. Repeatable."""
        if filled <= 0:
            return
        lane = (plan.account, plan.symbol)
        move = self._moves.get(lane)
        if move is None or move.plan.intent_id != plan.intent_id:
            self._moves[lane] = move = _Move(plan=plan, at=at)
        move.at = at
        move.filled[leg.client_order_id] = (leg, filled)

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
            self._moves.pop((account, symbol), None)
            return True
        return _contracts(holdings) == move.expected()


def _contracts(holdings: Iterable[Holding]) -> dict[PositionSide, Decimal]:
    return {holding.side: holding.contracts for holding in holdings}
