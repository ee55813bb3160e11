"""Intents: what is wanted of one account, in our words and the exchange's symbol, before any
position is known; and denials, by which we refuse before anything is sent.
"""

from datetime import datetime
from decimal import Decimal

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.messages import Message, Part, guard
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    AccountId,
    Action,
    AlertId,
    IntentId,
    MarginMode,
    PositionSide,
    RouteId,
    TradeMode,
    VenueSymbol,
)


class Intent(Message, frozen=True, kw_only=True, tag="intent.accepted"):
    intent_id: IntentId
    alert_id: AlertId
    route: RouteId
    account: AccountId
    symbol: VenueSymbol
    at: datetime
    received_at: datetime
    """When ingest received the alert: an entry's age counts from here."""
    action: Action
    contracts: Decimal | None
    """Whole steps of the instrument; None where the action needs no size."""
    trade_mode: TradeMode
    margin_mode: MarginMode
    leverage: int
    max_age_s: int
    close_side: PositionSide | None = None
    instrument: Instrument
    """As it was when the size was computed, so that the decision can be repeated."""
    steps: tuple[str, ...] = ()
    """How ticker and quantity became symbol and contracts, one sentence each."""

    def __post_init__(self) -> None:
        guard("contracts", self.contracts)


class Denial(Part, frozen=True, kw_only=True):
    """We refuse: a code of the closed list, one sentence for people, and the numbers behind it."""

    reason: Reason
    message: str
    context: dict[str, str] = {}


class IntentDenied(Message, frozen=True, kw_only=True, tag="intent.denied"):
    alert_id: AlertId
    route: RouteId
    at: datetime
    denial: Denial
    account: AccountId | None = None
    symbol: VenueSymbol | None = None
    intent_id: IntentId | None = None
