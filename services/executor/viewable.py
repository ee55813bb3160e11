"""What an exchange is asked only to show an account to people: a port of its own, since nothing
that trades needs it, and what is odd in it must be in nobody's way.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from libs.common.contracts.account_picture import WaitingOrder
from libs.common.contracts.order import Holding
from libs.common.contracts.words import VenueSymbol
from services.executor.exchange import Told


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldPosition:
    """One side of one contract, with what the exchange counts of it."""

    symbol: VenueSymbol
    holding: Holding
    liquidation_price: Decimal | None = None
    """None where there is none, as of cross margin."""
    realised_profit: Decimal | None = None


class Viewable(Protocol):
    """Each method is one question, of as many requests as its list has pages, for the whole
    account; lists are told oldest first. Raises `QueryFailed` where it was not answered.
    """

    async def positions(self) -> Told[tuple[HeldPosition, ...]]: ...

    async def orders(self) -> Told[tuple[WaitingOrder, ...]]:
        """What rests in the book."""

    async def triggers(self) -> Told[tuple[WaitingOrder, ...]]:
        """Trigger orders that wait for their price."""

    async def protections(self) -> Told[tuple[WaitingOrder, ...]]:
        """Stops and targets of positions."""

    async def trails(self) -> Told[tuple[WaitingOrder, ...]]:
        """Trailing orders that wait or run."""

    async def mark_price(self, symbol: VenueSymbol) -> Told[Decimal]:
        """By a public question, whose limit no order's question shares."""
