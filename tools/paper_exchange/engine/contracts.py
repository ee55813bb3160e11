"""What the engine needs to know of a contract; the full row stays in the catalogue."""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

import msgspec


class Tier(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Up to `max_vol` contracts, what margin must stand behind them and the highest leverage."""

    level: int
    max_vol: Decimal
    mmr: Decimal
    imr: Decimal
    max_leverage: int


class Suspension(StrEnum):
    """What may not be done at a contract for now."""

    OPEN = "open"
    # Opening, too, but for reasons of risk.
    RISK = "risk"
    CLOSE = "close"
    ALL = "all"
    MARKET_CLOSED = "market_closed"


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
    # See `tiers`: either a list, or a first level and what each further one adds.
    risk_limit_mode: str
    risk_base_vol: Decimal
    risk_incr_vol: Decimal
    risk_incr_mmr: Decimal
    risk_incr_imr: Decimal
    risk_level_limit: int
    risk_limit_custom: tuple[Tier, ...] = ()
    position_open_type: int
    state: int
    api_allowed: bool
    # How many price levels a market order may go through.
    market_order_max_level: int
    # How many orders may rest at once: in hedge mode, in one-way mode.
    max_num_orders: tuple[int, int] = (200, 50)
    opening_time: int = 0
    stop_only_fair: bool = False
    # Zero is none.
    country_config_contract_max_leverage: int = 0
    # The catalogue knows none of these; the control side may set them.
    suspend: Suspension | None = None
    min_order_value: Decimal | None = None
    max_order_value: Decimal | None = None

    def max_bid_price(self, index: Decimal) -> Decimal:
        return self._floor_to_tick(index * (1 + self.bid_limit_price_rate))

    def min_ask_price(self, index: Decimal) -> Decimal:
        return self._floor_to_tick(index * (1 - self.ask_limit_price_rate))

    def _floor_to_tick(self, price: Decimal) -> Decimal:
        return (price / self.price_unit).to_integral_value(ROUND_FLOOR) * self.price_unit


Contracts = Mapping[str, Contract]
