"""What the fake venue keeps: orders, and what waits for a price."""

from dataclasses import dataclass, replace
from decimal import Decimal

from libs.common.contracts.causes import Cause
from libs.common.contracts.order import Leg
from libs.common.contracts.words import PositionSide, TriggerSource, VenueSymbol
from libs.common.domain.picture import Prices
from services.executor.exchange import Found, OrderState

_CAUSES = {
    "INSUFFICIENT_BALANCE": Cause.MARGIN,
    "POST_ONLY_CANCEL": Cause.PRICE,
    **dict.fromkeys(("IOC_CANCEL", "FOK_CANCEL", "MARKET_CANCEL"), Cause.LIQUIDITY),
}
_OPEN = frozenset({OrderState.PENDING, OrderState.OPEN})


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The exchange's no, for one submitted order or change, or for a number of questions."""

    code: int
    message: str
    kind: Cause


@dataclass(kw_only=True)
class FakeOrder:
    symbol: VenueSymbol
    leg: Leg
    client_order_id: str
    found: Found

    @property
    def is_open(self) -> bool:
        return self.found.state in _OPEN

    @property
    def left(self) -> Decimal:
        return self.leg.contracts - self.found.filled_contracts


@dataclass(kw_only=True)
class FakePlan:
    """A stop order: `made` is the order that it became."""

    id: str
    symbol: VenueSymbol
    leg: Leg
    created_ms: int
    found: Found
    made: FakeOrder | None = None

    @property
    def ids(self) -> set[str]:
        """Its own, and that of the order that it made."""
        return {self.id} | (set() if self.made is None else {self.made.found.exchange_order_id})


@dataclass(kw_only=True)
class FakeStop:
    """Stop and target of a position. Of the whole: whatever is held by then."""

    id: str
    symbol: VenueSymbol
    position_id: str
    side: PositionSide
    contracts: Decimal
    stop_price: Decimal | None
    target_price: Decimal | None
    trigger: TriggerSource
    whole: bool

    def is_reached(self, prices: Prices) -> bool:
        price = prices.of(self.trigger)
        above, below = self.target_price, self.stop_price
        if self.side is PositionSide.SHORT:
            above, below = below, above
        return (above is not None and price >= above) or (below is not None and price <= below)


@dataclass(kw_only=True)
class FakeTrail:
    id: str
    symbol: VenueSymbol
    side: PositionSide
    contracts: Decimal
    distance: Decimal
    trigger: TriggerSource
    created_ms: int
    extreme: Decimal

    def follow(self, prices: Prices) -> bool:
        """Whether the price has come back far enough."""
        price = prices.of(self.trigger)
        if self.side is PositionSide.LONG:
            self.extreme = max(self.extreme, price)
            return price <= self.extreme - self.distance
        self.extreme = min(self.extreme, price)
        return price >= self.extreme + self.distance


def died(
    found: Found, state: OrderState, *, error: tuple[int, str], cause: Cause | None = None
) -> Found:
    """Ended by itself, with the exchange's code and its name."""
    code, name = error
    why = cause or _CAUSES.get(name)
    return replace(found, state=state, error_code=code, error_name=name, error_cause=why)
