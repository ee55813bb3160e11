"""Plans: the ordered legs that take the present position to the wanted one. A plan is made once
and stored before its first leg leaves; a redelivery resumes it.
"""

from datetime import datetime
from decimal import Decimal

from libs.common.contracts.messages import Message, Part, guard
from libs.common.contracts.words import (
    AccountId,
    AlertId,
    ClientOrderId,
    Effect,
    IntentId,
    MarginMode,
    PositionMode,
    PositionSide,
    RouteId,
    VenueSymbol,
)


class Holding(Part, frozen=True, kw_only=True):
    """One side of a position, as the exchange tells it."""

    side: PositionSide
    contracts: Decimal
    free_contracts: Decimal
    """What may still be closed: held less what resting orders have frozen."""
    average_price: Decimal
    margin_mode: MarginMode
    leverage: int
    position_id: str

    def __post_init__(self) -> None:
        for name in ("contracts", "free_contracts", "average_price"):
            guard(name, getattr(self, name))


class Leg(Part, frozen=True, kw_only=True):
    """One market order of a plan."""

    client_order_id: ClientOrderId
    effect: Effect
    position_side: PositionSide
    contracts: Decimal
    margin_mode: MarginMode
    leverage: int
    position_mode: PositionMode
    position_id: str | None = None
    """The exchange's id of the position to close; None for an opening leg."""

    def __post_init__(self) -> None:
        guard("contracts", self.contracts)
        if self.contracts <= 0:
            raise ValueError(f"a leg needs contracts, not {self.contracts}")


class ExchangeCall(Part, frozen=True, kw_only=True):
    """One request to the exchange and what came back, to the byte, without headers or keys."""

    method: str
    path: str
    query: str = ""
    request_body: str = ""
    sent_at: datetime
    elapsed_ms: float | None = None
    http_status: int | None = None
    """None where no reply arrived."""
    response_body: str = ""
    error: str = ""
    """Why no reply arrived, in the client's words."""


class Plan(Message, frozen=True, kw_only=True, tag="order.planned"):
    intent_id: IntentId
    alert_id: AlertId
    route: RouteId
    account: AccountId
    symbol: VenueSymbol
    at: datetime
    holdings: tuple[Holding, ...]
    legs: tuple[Leg, ...]
    """In the order in which they are sent; empty where the wanted position is held already."""
    summary: str = ""
    calls: tuple[ExchangeCall, ...] = ()
    """How the position was learnt."""
