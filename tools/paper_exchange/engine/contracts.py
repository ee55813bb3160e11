"""What the engine needs to know of a contract; the full row stays in the catalogue."""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

import msgspec


class Contract(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    symbol: str
    id: int
    settle_coin: str
    contract_size: Decimal
    price_unit: Decimal
    vol_unit: Decimal
    min_vol: Decimal
    max_vol: Decimal
    limit_max_vol: Decimal
    min_leverage: int
    max_leverage: int
    bid_limit_price_rate: Decimal
    ask_limit_price_rate: Decimal
    maintenance_margin_rate: Decimal
    initial_margin_rate: Decimal
    liquidation_fee_rate: Decimal
    position_open_type: int
    state: int
    api_allowed: bool
    # How many price levels a market order may go through.
    market_order_max_level: int

    def max_bid_price(self, index: Decimal) -> Decimal:
        return self._floor_to_tick(index * (1 + self.bid_limit_price_rate))

    def min_ask_price(self, index: Decimal) -> Decimal:
        return self._floor_to_tick(index * (1 - self.ask_limit_price_rate))

    def _floor_to_tick(self, price: Decimal) -> Decimal:
        return (price / self.price_unit).to_integral_value(ROUND_FLOOR) * self.price_unit


Contracts = Mapping[str, Contract]
