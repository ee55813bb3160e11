"""What a position has won or lost at a price, in the currency that the contract is settled in."""

from decimal import Decimal

from libs.common.contracts.instrument import Instrument
from libs.common.contracts.words import PositionSide

_DECIMALS = 12
_SETTLED_IN_BASE = "USD"
"""The quote of contracts that are worth a fixed sum of dollars and are settled in their base coin:
what they win is no product of contracts and price."""


def is_linear(instrument: Instrument) -> bool:
    """Whether a contract is so many base units, settled in its quote currency."""
    return instrument.quote != _SETTLED_IN_BASE


def base_quantity(contracts: Decimal, *, instrument: Instrument) -> Decimal:
    """Of a linear contract."""
    return contracts * instrument.contract_size


def unrealised_profit(
    side: PositionSide,
    contracts: Decimal,
    *,
    average_price: Decimal,
    mark_price: Decimal,
    instrument: Instrument,
) -> Decimal:
    """Of a linear contract; fees and funding left out."""
    won_per_unit = mark_price - average_price
    if side is PositionSide.SHORT:
        won_per_unit = -won_per_unit
    won = contracts * instrument.contract_size * won_per_unit
    # An average price may have any number of decimals; of a sum nobody wants more than these.
    rounded = round(won, _DECIMALS)
    return won if won == rounded else rounded
