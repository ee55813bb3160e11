"""What the exchange tells of an account by itself: a port in the house's words, without a venue's
numbers. Pushes are hints; what the exchange answers when it is asked is the authority.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from libs.common.contracts.order import ExchangeCall, Holding
from libs.common.contracts.words import ClientOrderId, PositionMode, PositionSide, VenueSymbol
from services.executor.exchange import Found


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderPushed:
    """An order as it is now."""

    symbol: VenueSymbol
    client_order_id: ClientOrderId | None
    found: Found


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionPushed:
    """One side of a position as it is now."""

    symbol: VenueSymbol
    side: PositionSide
    position_id: str
    holding: Holding | None
    """None where nothing is held any more."""
    version: int | None
    """Counts the position's changes."""
    call: ExchangeCall


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionModePushed:
    mode: PositionMode


Pushed = OrderPushed | PositionPushed | PositionModePushed


class FeedLost(Exception):  # noqa: N818 - says what happened, as `QueryFailed` does
    """The connection has ended, and what would have been pushed is not known."""

    def __init__(self, why: str, *, refused: bool = False) -> None:
        super().__init__(why)
        self.refused = refused
        """The exchange did not let us in: trying again at once makes no sense."""


class Feed(Protocol):
    """The private pushes of one account."""

    heard_at: float
    """Monotonic seconds of the last sign of life of the connection."""

    async def listen(
        self, *, on_open: Callable[[], None], on_push: Callable[[Pushed], None]
    ) -> None:
        """One connection, until it is lost: `on_open` is called once pushes come, then `on_push`
        for each in its order. Always ends with `FeedLost`, or cancelled.
        """
