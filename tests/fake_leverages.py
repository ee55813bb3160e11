"""What the sides of a contract are set to at the fake exchange."""

from libs.common.contracts.causes import Cause
from libs.common.contracts.order import Leg
from libs.common.contracts.words import Effect, MarginMode, PositionSide, VenueSymbol
from libs.common.domain.leverages import SideLeverage
from tests.fake_orders import Refusal
from tests.fake_venue import FakeVenue

Leverages = dict[tuple[VenueSymbol, PositionSide], SideLeverage]


def told(leverages: Leverages, symbol: VenueSymbol) -> tuple[SideLeverage, ...]:
    """Isolated 20x until anything is set."""
    return tuple(
        leverages.get(
            (symbol, side),
            SideLeverage(side=side, leverage=20, margin_mode=MarginMode.ISOLATED),
        )
        for side in PositionSide
    )


def refused(venue: FakeVenue, symbol: VenueSymbol, wanted: SideLeverage) -> Refusal | None:
    instrument = venue.instruments.get(symbol)
    if instrument is None:
        return Refusal(code=1001, message="Contract does not exist", kind=Cause.SYMBOL)
    if wanted.leverage > instrument.leverage_maximum:
        return Refusal(code=2006, message="Leverage error", kind=Cause.LEVERAGE)
    for order in venue.open_orders(symbol):
        leg = order.leg
        if leg.effect is Effect.OPEN and leg.position_side is wanted.side:
            return Refusal(code=2019, message="There are open orders", kind=Cause.LEVERAGE)
    return None


def opened(leverages: Leverages, symbol: VenueSymbol, leg: Leg) -> None:
    """An order brings its own, and that stays."""
    if leg.effect is Effect.OPEN:
        side = leg.position_side
        leverages[symbol, side] = SideLeverage(
            side=side, leverage=leg.leverage, margin_mode=leg.margin_mode
        )
