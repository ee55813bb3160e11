"""An order's life cycle, and a change's, as a table: what each word makes of each state.

It is read by the journey. The executor publishes the words in the order in which they came, but a
redelivery may repeat one and a push may come after the reply that already told more.
"""

from decimal import Decimal
from enum import StrEnum

from libs.common.contracts.words import ExecutionKind


class OrderState(StrEnum):
    PLANNED = "planned"
    SENT = "sent"
    ACCEPTED = "accepted"
    FILLED = "filled"
    PARTLY_FILLED = "partly_filled"
    """Ended with a part of it filled; what is still being filled is `accepted`."""
    CANCELED = "canceled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    ABANDONED = "abandoned"
    """Never sent, because a leg before it did not go through."""
    RESTING = "resting"
    """It waits at the exchange, in the book or for its trigger price, perhaps partly filled."""
    CHANGED = "changed"
    """Of a change: done."""


GOOD_ENDS = frozenset({OrderState.FILLED, OrderState.CHANGED})
BAD_ENDS = frozenset({OrderState.PARTLY_FILLED, OrderState.CANCELED, OrderState.REJECTED})
FINAL = GOOD_ENDS | BAD_ENDS

_S, _K = OrderState, ExecutionKind

ORDER_TRANSITIONS: dict[tuple[OrderState, ExecutionKind], OrderState] = {
    (_S.PLANNED, _K.SENT): _S.SENT,
    (_S.PLANNED, _K.ACCEPTED): _S.ACCEPTED,
    (_S.PLANNED, _K.FILLED): _S.FILLED,
    (_S.PLANNED, _K.CANCELED): _S.CANCELED,
    (_S.PLANNED, _K.REJECTED): _S.REJECTED,
    (_S.PLANNED, _K.UNKNOWN): _S.UNKNOWN,
    (_S.PLANNED, _K.RESTING): _S.RESTING,
    (_S.PLANNED, _K.CHANGED): _S.CHANGED,
    (_S.SENT, _K.SENT): _S.SENT,
    (_S.SENT, _K.ACCEPTED): _S.ACCEPTED,
    (_S.SENT, _K.FILLED): _S.FILLED,
    (_S.SENT, _K.CANCELED): _S.CANCELED,
    (_S.SENT, _K.REJECTED): _S.REJECTED,
    (_S.SENT, _K.UNKNOWN): _S.UNKNOWN,
    (_S.SENT, _K.RESTING): _S.RESTING,
    (_S.SENT, _K.CHANGED): _S.CHANGED,
    (_S.ACCEPTED, _K.SENT): _S.ACCEPTED,
    (_S.ACCEPTED, _K.ACCEPTED): _S.ACCEPTED,
    (_S.ACCEPTED, _K.FILLED): _S.FILLED,
    (_S.ACCEPTED, _K.CANCELED): _S.CANCELED,
    # The exchange takes an order and finds it invalid afterwards.
    (_S.ACCEPTED, _K.REJECTED): _S.REJECTED,
    # It was taken, and then nobody could tell what became of it.
    (_S.ACCEPTED, _K.UNKNOWN): _S.UNKNOWN,
    (_S.ACCEPTED, _K.RESTING): _S.RESTING,
    (_S.ACCEPTED, _K.CHANGED): _S.CHANGED,
    (_S.RESTING, _K.SENT): _S.RESTING,
    (_S.RESTING, _K.ACCEPTED): _S.RESTING,
    (_S.RESTING, _K.FILLED): _S.FILLED,
    (_S.RESTING, _K.CANCELED): _S.CANCELED,
    # A stop order may be refused once its price has come.
    (_S.RESTING, _K.REJECTED): _S.REJECTED,
    (_S.RESTING, _K.UNKNOWN): _S.UNKNOWN,
    (_S.RESTING, _K.RESTING): _S.RESTING,
    (_S.RESTING, _K.CHANGED): _S.CHANGED,
    # Asked for, proven never to have arrived, and sent again under the same id.
    (_S.UNKNOWN, _K.SENT): _S.SENT,
    (_S.UNKNOWN, _K.ACCEPTED): _S.ACCEPTED,
    (_S.UNKNOWN, _K.FILLED): _S.FILLED,
    (_S.UNKNOWN, _K.CANCELED): _S.CANCELED,
    (_S.UNKNOWN, _K.REJECTED): _S.REJECTED,
    (_S.UNKNOWN, _K.UNKNOWN): _S.UNKNOWN,
    (_S.UNKNOWN, _K.RESTING): _S.RESTING,
    (_S.UNKNOWN, _K.CHANGED): _S.CHANGED,
    (_S.FILLED, _K.SENT): _S.FILLED,
    (_S.FILLED, _K.ACCEPTED): _S.FILLED,
    (_S.FILLED, _K.FILLED): _S.FILLED,
    (_S.FILLED, _K.CANCELED): _S.FILLED,
    (_S.FILLED, _K.REJECTED): _S.FILLED,
    (_S.FILLED, _K.UNKNOWN): _S.FILLED,
    (_S.FILLED, _K.RESTING): _S.FILLED,
    (_S.FILLED, _K.CHANGED): _S.FILLED,
    (_S.PARTLY_FILLED, _K.SENT): _S.PARTLY_FILLED,
    (_S.PARTLY_FILLED, _K.ACCEPTED): _S.PARTLY_FILLED,
    # The last part was filled while the cancel was under way.
    (_S.PARTLY_FILLED, _K.FILLED): _S.FILLED,
    (_S.PARTLY_FILLED, _K.CANCELED): _S.PARTLY_FILLED,
    (_S.PARTLY_FILLED, _K.REJECTED): _S.PARTLY_FILLED,
    (_S.PARTLY_FILLED, _K.UNKNOWN): _S.PARTLY_FILLED,
    (_S.PARTLY_FILLED, _K.RESTING): _S.PARTLY_FILLED,
    (_S.PARTLY_FILLED, _K.CHANGED): _S.PARTLY_FILLED,
    (_S.CANCELED, _K.SENT): _S.CANCELED,
    (_S.CANCELED, _K.ACCEPTED): _S.CANCELED,
    # Money that has moved is never overlooked, whatever was said before.
    (_S.CANCELED, _K.FILLED): _S.FILLED,
    (_S.CANCELED, _K.CANCELED): _S.CANCELED,
    (_S.CANCELED, _K.REJECTED): _S.CANCELED,
    (_S.CANCELED, _K.UNKNOWN): _S.CANCELED,
    (_S.CANCELED, _K.RESTING): _S.CANCELED,
    (_S.CANCELED, _K.CHANGED): _S.CANCELED,
    (_S.REJECTED, _K.SENT): _S.REJECTED,
    (_S.REJECTED, _K.ACCEPTED): _S.REJECTED,
    # A repeat refused as a duplicate id, while the first one was filled.
    (_S.REJECTED, _K.FILLED): _S.FILLED,
    (_S.REJECTED, _K.CANCELED): _S.REJECTED,
    (_S.REJECTED, _K.REJECTED): _S.REJECTED,
    (_S.REJECTED, _K.UNKNOWN): _S.REJECTED,
    (_S.REJECTED, _K.RESTING): _S.REJECTED,
    (_S.REJECTED, _K.CHANGED): _S.REJECTED,
    # We had concluded that it would not be sent, and it was: the exchange's word holds.
    (_S.ABANDONED, _K.SENT): _S.SENT,
    (_S.ABANDONED, _K.ACCEPTED): _S.ACCEPTED,
    (_S.ABANDONED, _K.FILLED): _S.FILLED,
    (_S.ABANDONED, _K.CANCELED): _S.CANCELED,
    (_S.ABANDONED, _K.REJECTED): _S.REJECTED,
    (_S.ABANDONED, _K.UNKNOWN): _S.UNKNOWN,
    (_S.ABANDONED, _K.RESTING): _S.RESTING,
    (_S.ABANDONED, _K.CHANGED): _S.CHANGED,
    (_S.CHANGED, _K.SENT): _S.CHANGED,
    (_S.CHANGED, _K.ACCEPTED): _S.CHANGED,
    (_S.CHANGED, _K.FILLED): _S.FILLED,
    (_S.CHANGED, _K.CANCELED): _S.CHANGED,
    (_S.CHANGED, _K.REJECTED): _S.CHANGED,
    (_S.CHANGED, _K.UNKNOWN): _S.CHANGED,
    (_S.CHANGED, _K.RESTING): _S.CHANGED,
    (_S.CHANGED, _K.CHANGED): _S.CHANGED,
}


def next_state(
    state: OrderState, kind: ExecutionKind, *, filled_contracts: Decimal | None
) -> OrderState:
    """The state after one more word; `filled_contracts` is all that is known to be filled."""
    following = ORDER_TRANSITIONS[state, kind]
    if following is OrderState.CANCELED and filled_contracts:
        return OrderState.PARTLY_FILLED
    return following
