"""The question what became of one order, by our own id, or as a stop order, which has none; and
what the exchange's time is, where it finds ours wrong.
"""

import contextlib
from datetime import datetime

from libs.common.contracts.causes import Cause
from libs.common.contracts.order import Leg
from libs.common.contracts.words import ExecutionKind, OrderType, VenueSymbol
from services.executor.exchange import Exchange, Failed, OrderQuery, OrderState, QueryFailed

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
        query = await exchange.order(symbol, leg.client_order_id)
    else:
        query = await exchange.stop_order(
            leg,
            symbol=symbol,
            sent_after=sent_after,
            exchange_order_id=exchange_order_id,
            apart_from=apart_from,
        )
    if isinstance(query, Failed) and query.kind is Cause.TIMESTAMP:
        await mend_clock(exchange)
    return query


async def mend_clock(exchange: Exchange) -> None:
    """After a request that came too old or too early: a clock was set, or the process slept. Where
    the exchange does not tell its time, what was measured before goes on to count.
    """
    with contextlib.suppress(QueryFailed):
        await exchange.sync_clock()
