"""Everything the exchange remembers: accounts with their wallets, positions and orders, access
keys, prices, and the counters that ids come from. Plain structs, so that a snapshot is one encode.
"""

from decimal import Decimal

import msgspec

from tools.paper_exchange.engine.restrictions import ContractChanges, Restrictions
from tools.paper_exchange.engine.triggers.state import Triggers, Waiting
from tools.paper_exchange.engine.words import (
    Category,
    OpenType,
    OrderError,
    OrderState,
    OrderType,
    PositionMode,
    PositionType,
    Side,
)

ZERO = Decimal(0)
FINISHED_ORDERS_KEPT = 2_000
CLIENT_IDS_KEPT = 50_000
CLOSED_POSITIONS_KEPT = 1_000
FUNDING_RECORDS_KEPT = 1_000
_CLOSING_SIDES = frozenset({Side.CLOSE_SHORT, Side.CLOSE_LONG})


class Price(msgspec.Struct, kw_only=True):
    last: Decimal
    fair: Decimal
    index: Decimal


class Depth(msgspec.Struct, kw_only=True):
    """What the market offers, best first: `[price, volume]`. Takers use it up."""

    bids: list[list[Decimal]] = []
    asks: list[list[Decimal]] = []


class Wallet(msgspec.Struct, kw_only=True):
    """Money of one currency. `cash` is always `deposit + profit - fees + funding + insured`.

    `funding` is what funding brought (below zero: cost); `insured` is what the insurance fund paid
    when a liquidation lost more than there was.
    """

    deposit: Decimal
    cash: Decimal
    frozen: Decimal = ZERO
    profit: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    insured: Decimal = ZERO


# Orders and deals pile up and hold no cycles: the collector need not walk through them. (It never
# leaves lists alone, but tuples of what it leaves alone.)
class Deal(msgspec.Struct, kw_only=True, gc=False):
    id: int
    vol: Decimal
    price: Decimal
    fee: Decimal
    profit: Decimal
    taker: bool
    at_ms: int


class Order(msgspec.Struct, kw_only=True, gc=False):
    id: int
    symbol: str
    side: Side
    type: OrderType
    vol: Decimal
    price: Decimal
    leverage: int
    open_type: OpenType
    position_mode: PositionMode
    reduce_only: bool
    external_oid: str
    created_ms: int
    updated_ms: int
    attached: dict[str, Decimal | int]
    category: Category = Category.LIMIT
    state: OrderState = OrderState.OPEN
    error: int = OrderError.NORMAL
    position_id: int = 0
    deal_vol: Decimal = ZERO
    deal_value: Decimal = ZERO
    frozen: Decimal = ZERO
    frozen_currency: str = ""
    used_margin: Decimal = ZERO
    taker_fee: Decimal = ZERO
    maker_fee: Decimal = ZERO
    profit: Decimal = ZERO
    hidden_until_ms: int = 0
    bbo_type: int = 0
    version: int = 1
    deals: tuple[Deal, ...] = ()

    @property
    def remaining(self) -> Decimal:
        return self.vol - self.deal_vol

    @property
    def is_net(self) -> bool:
        """One-way orders that may both reduce what is held and open the other side."""
        opens = self.side not in _CLOSING_SIDES
        return self.position_mode is PositionMode.ONE_WAY and opens and not self.reduce_only

    @property
    def closes_only(self) -> bool:
        if self.side in _CLOSING_SIDES:
            return True
        return self.position_mode is PositionMode.ONE_WAY and self.reduce_only

    @property
    def target(self) -> PositionType:
        """The position that the order closes, when it only closes, or else may open."""
        bought = PositionType.LONG if self.side.is_buy else PositionType.SHORT
        return bought.opposite if self.closes_only else bought


class Position(msgspec.Struct, kw_only=True):
    """Held contracts of one side. `cost` is the sum of price times volume of what is still held,
    kept instead of an average so that closing in parts loses nothing to rounding.
    """

    id: int
    symbol: str
    type: PositionType
    open_type: OpenType
    leverage: int
    created_ms: int
    updated_ms: int
    hold_vol: Decimal = ZERO
    frozen_vol: Decimal = ZERO
    cost: Decimal = ZERO
    open_vol: Decimal = ZERO
    open_value: Decimal = ZERO
    close_vol: Decimal = ZERO
    close_value: Decimal = ZERO
    profit: Decimal = ZERO
    fees: Decimal = ZERO
    # What was added to an isolated position's initial margin, and whether that happens by itself.
    extra_margin: Decimal = ZERO
    auto_add: bool = False
    # Funding received, below zero when paid.
    funding: Decimal = ZERO
    # Whether its owner was told that it is near to liquidation.
    warned: bool = False
    version: int = 0

    @property
    def free_vol(self) -> Decimal:
        return self.hold_vol - self.frozen_vol


class FundingRecord(msgspec.Struct, kw_only=True, frozen=True):
    """What one settlement brought (below zero: cost) for one position."""

    id: int
    position_id: int
    symbol: str
    type: PositionType
    value: Decimal
    rate: Decimal
    amount: Decimal
    at_ms: int


class LeverageChoice(msgspec.Struct, kw_only=True):
    open_type: OpenType
    leverage: int


class Account(msgspec.Struct, kw_only=True):
    id: int
    start_balance: Decimal
    start_mode: PositionMode
    position_mode: PositionMode
    wallets: dict[str, Wallet]
    positions: dict[str, Position] = {}
    closed_positions: list[Position] = []
    funding_records: list[FundingRecord] = []
    leverages: dict[str, LeverageChoice] = {}
    open_orders: dict[int, Order] = {}
    finished_orders: dict[int, Order] = {}
    client_ids: dict[str, int] = {}
    restrictions: Restrictions | None = None
    triggers: Triggers = msgspec.field(default_factory=Triggers)

    def wallet(self, currency: str) -> Wallet:
        found = self.wallets.get(currency)
        return found if found is not None else Wallet(deposit=ZERO, cash=ZERO)

    def position(self, symbol: str, kind: PositionType) -> Position | None:
        return self.positions.get(slot(symbol, kind))

    def position_by_id(self, position_id: int) -> Position | None:
        held = self.positions.values()
        return next((position for position in held if position.id == position_id), None)

    def order(self, order_id: int) -> Order | None:
        return self.open_orders.get(order_id) or self.finished_orders.get(order_id)

    def order_by_client_id(self, symbol: str, external_oid: str) -> Order | None:
        """The first order that carried the id, also where duplicates are let through."""
        order = self.order(self.client_ids.get(external_oid, 0))
        return order if order is not None and order.symbol == symbol else None


class Key(msgspec.Struct, kw_only=True, frozen=True):
    access_key: str
    secret_key: str
    account_id: int
    permissions: list[str]
    ip_whitelist: list[str]
    created_ms: int
    expires_ms: int | None

    def __repr__(self) -> str:
        return f"Key({self.access_key})"


class State(msgspec.Struct, kw_only=True):
    prices: dict[str, Price]
    # Symbols that are not here have unlimited depth at the last price.
    depths: dict[str, Depth] = {}
    accounts: dict[int, Account] = {}
    keys: dict[str, Key] = {}
    contract_changes: dict[str, ContractChanges] = {}
    # Resting orders by symbol, oldest first: order id to account id.
    resting: dict[str, dict[int, int]] = {}
    # Triggers that wait for the price of a symbol.
    waiting: dict[str, Waiting] = {}
    last_account_id: int = 0
    last_order_id: int = 0
    last_position_id: int = 1_000_000_000
    last_deal_id: int = 9_000_000_000
    last_funding_id: int = 5_000_000_000
    last_stop_id: int = 350_000_000


def slot(symbol: str, kind: PositionType) -> str:
    """Where a position or a leverage of one symbol and side is kept."""
    return f"{symbol}:{int(kind)}"
