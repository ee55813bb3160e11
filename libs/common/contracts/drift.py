"""A position that is not what our orders made it: somebody or something else has moved it."""

from datetime import datetime
from decimal import Decimal

from libs.common.contracts.calls import ExchangeCall
from libs.common.contracts.messages import Message, Part, guard
from libs.common.contracts.words import (
    AccountId,
    AlertId,
    IntentId,
    PositionSide,
    RouteId,
    VenueSymbol,
)


class Held(Part, frozen=True, kw_only=True):
    """So much of one side."""

    side: PositionSide
    contracts: Decimal

    def __post_init__(self) -> None:
        guard("contracts", self.contracts)


class PositionDrifted(Message, frozen=True, kw_only=True, tag="position.drifted"):
    """Told in the journey of the last alert that moved the position."""

    alert_id: AlertId
    intent_id: IntentId
    route: RouteId
    account: AccountId
    symbol: VenueSymbol
    at: datetime
    expected: tuple[Held, ...]
    """What that alert's plan and its fills have led to; empty is flat."""
    held: tuple[Held, ...]
    """What the exchange tells."""
    calls: tuple[ExchangeCall, ...] = ()
    """In which it does."""
