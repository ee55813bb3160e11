"""What an account holds at this moment, as the executor that owns it tells it to whoever asks: the
answer to `ask.picture.<account>`, and no message of the log. Of what is not known there is None,
and `missing` says why; nothing in it is a guess.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from libs.common.contracts.drift import Held
from libs.common.contracts.messages import Message, Part, guard
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    AccountId,
    AlertId,
    ClientOrderId,
    Effect,
    MarginMode,
    OrderType,
    PositionMode,
    PositionSide,
    RouteId,
    VenueSymbol,
)


class PictureState(StrEnum):
    """How far the positions can be trusted."""

    LIVE = "live"
    """The exchange pushes what happens."""
    ASKED = "asked"
    """It does not, or not all of it, and has just answered a question."""
    UNTRUSTED = "untrusted"
    """Neither: what is shown is what was known last, if anything was."""


class Doubt(StrEnum):
    """Why the pushes alone are not to be trusted."""

    NOT_CONNECTED = "not_connected"
    """The account cannot trade at all: its key was not entered, or cannot be read."""
    SOCKET_DOWN = "socket_down"
    NEVER_READ = "never_read"
    """No whole picture was read since the connection is open."""
    SILENT = "silent"
    """The connection is open, and gives no sign of life."""
    OLD = "old"
    """Nothing has confirmed the picture for too long."""
    DEAF = "deaf"
    """Positions have moved more than once without a push."""
    GAP = "gap"
    """A push is missing in its order."""
    UNCONFIRMED = "unconfirmed"
    """An order of ours has moved a position, and the exchange has not told what it led to."""


class WaitingKind(StrEnum):
    """What waits at the exchange."""

    ORDER = "order"
    """It rests in the book."""
    TRIGGER = "trigger"
    """It waits for its trigger price, and becomes an order then."""
    PROTECTION = "protection"
    """The stop, the target or both of a position."""
    TRAILING = "trailing"


class EgressMatch(StrEnum):
    """Our own address beside the expected ones."""

    MATCHING = "matching"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """Ours was not told, or none is expected."""


class Balance(Part, frozen=True, kw_only=True):
    """Of one settlement currency."""

    currency: str
    equity: Decimal
    """Unrealised profit included."""
    available: Decimal
    """What new positions may take."""

    def __post_init__(self) -> None:
        guard("equity", self.equity)
        guard("available", self.available)


class PositionSeen(Part, frozen=True, kw_only=True):
    """One side of one contract."""

    symbol: VenueSymbol
    side: PositionSide
    contracts: Decimal
    free_contracts: Decimal
    """What may still be closed: held less what resting orders have frozen."""
    average_price: Decimal
    margin_mode: MarginMode
    leverage: int
    position_id: str
    base_quantity: Decimal | None = None
    """In units of the contract's base."""
    mark_price: Decimal | None = None
    marked_at: datetime | None = None
    liquidation_price: Decimal | None = None
    """None also where the exchange tells none, as of cross margin."""
    unrealised_profit: Decimal | None = None
    """At the mark price, in `profit_currency`, fees and funding left out."""
    realised_profit: Decimal | None = None
    """As the exchange tells it: what was closed, fees and funding included."""
    profit_currency: str | None = None

    def __post_init__(self) -> None:
        for name in _DECIMALS_OF_POSITION:
            guard(name, getattr(self, name))


class WaitingOrder(Part, frozen=True, kw_only=True):
    """Something that waits at the exchange, ours or not."""

    kind: WaitingKind
    symbol: VenueSymbol
    exchange_id: str
    effect: Effect
    position_side: PositionSide
    order_type: OrderType | None = None
    """What it is in the book, or becomes there; None where that is not told."""
    contracts: Decimal | None = None
    """Still to be filled; None for all of the position, however large that is by then."""
    filled_contracts: Decimal | None = None
    """None of what is in no book yet."""
    price: Decimal | None = None
    """Its limit."""
    trigger_price: Decimal | None = None
    """Of a trailing order the price at which it begins to follow."""
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    trail_distance: Decimal | None = None
    """In units of price."""
    since: datetime | None = None
    position_id: str | None = None
    client_order_id: ClientOrderId | None = None
    alert_id: AlertId | None = None
    """Where it is ours: whose order it is."""
    route: RouteId | None = None
    order_id: str | None = None
    """The label that the alert gave it."""

    def __post_init__(self) -> None:
        for name in _DECIMALS_OF_ORDER:
            guard(name, getattr(self, name))


class DriftSeen(Part, frozen=True, kw_only=True):
    """The last position that something else than our orders has moved."""

    symbol: VenueSymbol
    at: datetime
    expected: tuple[Held, ...]
    held: tuple[Held, ...]
    alert_id: AlertId
    """The last alert that had moved it, in whose journey the drift is told."""
    route: RouteId


class StopSeen(Part, frozen=True, kw_only=True):
    """Why nothing is opened on the account from here, apart from any halt."""

    reason: Reason
    message: str
    since: datetime | None = None
    code: int | None = None
    """The exchange's."""


class EgressSeen(Part, frozen=True, kw_only=True):
    """Our own address, which the account's key is to be linked to."""

    seen: tuple[str, ...] = ()
    """As echo services told it."""
    expected: tuple[str, ...] = ()
    """By the account, as addresses or networks."""
    state: EgressMatch = EgressMatch.UNKNOWN
    at: datetime | None = None
    """When it was seen last."""


class Missing(Part, frozen=True, kw_only=True):
    """Something that could not be told, or is older than it should be."""

    what: str
    """`positions`, `balances`, `position_mode`, `orders`, `triggers`, `protections`, `trails`,
    `mark_price`, `contract_size`, `drift` or `key_days`.
    """
    why: str
    symbol: VenueSymbol | None = None


class AccountPicture(Message, frozen=True, kw_only=True, tag="account.picture"):
    account: AccountId
    at: datetime
    state: PictureState
    doubt: Doubt | None = None
    """Why the pushes alone are not to be trusted; also beside `asked`."""
    why: str = ""
    """The same in one sentence, with its numbers."""
    age_ms: int | None = None
    """Since a push or an answer has last told of the positions; None where nothing ever has."""
    confirmed_ms: int | None = None
    """Since an answer of the exchange has last told all of them."""
    position_mode: PositionMode | None = None
    """As the exchange has it."""
    expected_position_mode: PositionMode
    """As the account is set up here."""
    positions: tuple[PositionSeen, ...] | None = None
    balances: tuple[Balance, ...] | None = None
    """Of the currencies in which there is anything."""
    balances_age_ms: int | None = None
    orders: tuple[WaitingOrder, ...] | None = None
    """Whatever waits, oldest first. Where only a part of it is told, `missing` says which is not.
    """
    orders_age_ms: int | None = None
    """Of the oldest of the answers that `orders` was put together from."""
    drift: DriftSeen | None = None
    stops: tuple[StopSeen, ...] = ()
    order_calls_per_2s: int
    order_calls_left: int | None = None
    """Of the order budget, right now."""
    order_calls_waiting: int | None = None
    key_days_left: int | None = None
    """As the latest checkup has found it; None also where the key does not run out."""
    key_checked_at: datetime | None = None
    egress: EgressSeen = EgressSeen()
    missing: tuple[Missing, ...] = ()


class EgressTold(Message, frozen=True, kw_only=True, tag="egress.told"):
    """The answer of one executor to `ask.egress`; one that stands by answers as well, since it may
    take over, and keys must be linked to its address too.
    """

    shard: int
    shards: int
    owner: bool
    """It works now."""
    seen: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    """By the executor's configuration, else by its accounts together."""
    at: datetime | None = None
    """When `seen` was told last; None where nobody is asked or none has answered."""
    problem: str | None = None
    """Why it must not work from there."""


_DECIMALS_OF_POSITION = (
    *("contracts", "free_contracts", "average_price", "base_quantity", "mark_price"),
    *("liquidation_price", "unrealised_profit", "realised_profit"),
)
_DECIMALS_OF_ORDER = (
    *("contracts", "filled_contracts", "price", "trigger_price", "stop_price", "target_price"),
    "trail_distance",
)
