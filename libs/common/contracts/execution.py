"""Executions: what was asked of the exchange about one leg or change, and what it said."""

from datetime import datetime
from decimal import Decimal

from libs.common.contracts.causes import Cause
from libs.common.contracts.messages import Message, guard
from libs.common.contracts.order import ExchangeCall, Leg
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    AccountId,
    AlertId,
    ClientOrderId,
    ExecutionKind,
    IntentId,
    RouteId,
    VenueSymbol,
)


class Execution(Message, frozen=True, kw_only=True, tag="execution"):
    alert_id: AlertId
    intent_id: IntentId
    route: RouteId
    account: AccountId
    symbol: VenueSymbol
    client_order_id: ClientOrderId
    """Of a leg; of a change its `change_id`."""
    kind: ExecutionKind
    at: datetime
    exchange_order_id: str | None = None
    filled_contracts: Decimal | None = None
    average_price: Decimal | None = None
    fee: Decimal | None = None
    fee_currency: str | None = None
    profit: Decimal | None = None
    code: int | None = None
    """The exchange's code: of the reply, or for an order that died later its errorCode."""
    cause: Cause | None = None
    """What `code` is about; None where there is none."""
    reason: Reason | None = None
    """On `canceled`, why we held back what the exchange never had; None where it did that itself.
    """
    message: str = ""
    """The exchange's words, untouched; ours, saying what is not known, for `unknown`, and why it
    was not sent, for what the exchange never had.
    """
    calls: tuple[ExchangeCall, ...] = ()
    order_id: str | None = None
    """The alert's labels, on `resting`: by them a later alert finds the order."""
    comment: str | None = None
    leg: Leg | None = None
    """On `resting`: the order that waits, so that it can be followed after a restart."""

    def __post_init__(self) -> None:
        for name in ("filled_contracts", "average_price", "fee", "profit"):
            guard(name, getattr(self, name))
