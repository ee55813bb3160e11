"""What a checkup asks of an exchange besides what trading asks: a port of its own, since nothing on
the way of an order needs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.words import ClientOrderId, PositionMode, VenueSymbol
from services.executor.exchange import Submitted, Told


@dataclass(frozen=True, kw_only=True, slots=True)
class Ping:
    offset_ms: int
    """The exchange's clock less ours; half of the round trip is taken to have passed."""
    elapsed_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyInfo:
    """What the exchange tells about the key that asks."""

    permissions: tuple[str, ...]
    """In the exchange's words."""
    linked: tuple[str, ...]
    """The addresses that it may be used from; empty is any."""
    days_left: int | None
    """None where it is not told."""
    status: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Funds:
    """Of one settlement currency."""

    equity: Decimal
    available: Decimal
    """What new positions may take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """A contract as the exchange lists it at this moment."""

    instrument: Instrument
    is_open: bool
    """It is traded now, by hand at least."""
    api_allowed: bool
    state: str


class Checkable(Protocol):
    """Each method is one request, and raises `QueryFailed` where it was not answered."""

    async def ping(self) -> Told[Ping]: ...

    async def key_info(self) -> Told[KeyInfo]:
        """Many keys may not ask this: then `kind` is a missing permission."""

    async def position_mode(self) -> Told[PositionMode]: ...

    async def funds(self) -> Told[Mapping[str, Funds]]:
        """By currency."""

    async def listing(self, symbol: VenueSymbol) -> Told[Listing | None]:
        """None where there is no such contract."""

    async def probe_order(
        self,
        client_order_id: ClientOrderId,
        *,
        symbol: VenueSymbol,
        price: Decimal,
        position_mode: PositionMode,
    ) -> Submitted:
        """Open 0 contracts long at a limit, at once or not at all: nothing can come of it but a
        refusal, whose cause tells whether the key may place orders. Raises nothing.
        """
