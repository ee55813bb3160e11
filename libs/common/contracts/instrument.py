"""A contract's specification, as the executor learns it and the router uses it."""

from decimal import Decimal

from libs.common.contracts.messages import Part, guard
from libs.common.contracts.words import VenueSymbol


class Instrument(Part, frozen=True, kw_only=True):
    """Sizes are in contracts, except `contract_size`: base units per contract."""

    symbol: VenueSymbol
    base: str
    quote: str
    contract_size: Decimal
    step_contracts: Decimal
    minimum_contracts: Decimal
    maximum_contracts: Decimal
    """The most that one market order may hold."""
    tick_price: Decimal
    leverage_maximum: int
    tradable: bool
    """False where the exchange has the contract paused, or closed to its API."""

    def __post_init__(self) -> None:
        for name in ("contract_size", "step_contracts", "minimum_contracts", "tick_price"):
            value: Decimal = getattr(self, name)
            guard(name, value)
            if value <= 0:
                raise ValueError(f"{name} must be positive, not {value}")
        guard("maximum_contracts", self.maximum_contracts)
