"""The question what became of one order: by our own id, or as a stop order, which has none."""

from datetime import datetime

from libs.common.contracts.order import Leg
from libs.common.contracts.words import ExecutionKind, OrderType, VenueSymbol
from services.executor.exchange import Exchange, OrderQuery, OrderState

WAITING = frozenset({OrderState.PENDING, OrderState.OPEN})
ENDS = {
    OrderState.FILLED: ExecutionKind.FILLED,
    OrderState.CANCELED: ExecutionKind.CANCELED,
    OrderState.INVALID: ExecutionKind.REJECTED,
}
"""How each final state is told."""


async def ask_for(
    exchange: Exchange,
    leg: Leg,
    *,
    symbol: VenueSymbol,
    sent_after: datetime,
    exchange_order_id: str | None = None,
    apart_from: frozenset[str] = frozenset(),
) -> OrderQuery:
    """Ask once. What follows `symbol` matters to stop orders alone; see the port."""
    if leg.order_type is not OrderType.STOP:
        return await exchange.order(symbol, leg.client_order_id)
    return await exchange.stop_order(
        leg,
        symbol=symbol,
        sent_after=sent_after,
        exchange_order_id=exchange_order_id,
        apart_from=apart_from,
    )
