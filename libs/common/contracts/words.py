"""The closed words of the house (see docs/glossary.md) and the types of its identifiers."""

from enum import StrEnum
from typing import NewType

AlertId = NewType("AlertId", str)
"""UUIDv7 with dashes; without them it is the OpenTelemetry trace id."""
RouteId = NewType("RouteId", str)
AccountId = NewType("AccountId", str)
IntentId = NewType("IntentId", str)
ClientOrderId = NewType("ClientOrderId", str)
"""At most 32 characters of [A-Za-z0-9]; MEXC calls it externalOid."""
VenueSymbol = NewType("VenueSymbol", str)
"""MEXC's name of a contract: BTC_USDT."""


class Action(StrEnum):
    """What an alert asks for, aliases folded: long is buy, short is sell, close is flat."""

    BUY = "buy"
    SELL = "sell"
    FLAT = "flat"
    CLOSE_ALL = "closeall"
    CLOSE_LONG = "closelong"
    CLOSE_SHORT = "closeshort"
    REVERSE = "reverse"
    """Close what is held and open as much on the other side."""
    MODIFY = "modify"
    """Change protective prices."""
    BREAKEVEN = "breakeven"
    """Move the stop to the entry."""
    CANCEL = "cancel"
    """Remove pending orders of the symbol."""
    TARGET = "target"
    """Move to the position that the alert carries; never a word of `order_action`."""


class PositionSide(StrEnum):
    LONG = "long"
    SHORT = "short"


class MarketPosition(StrEnum):
    """A whole position, as TradingView tells it: of which side, or none."""

    LONG = "long"
    SHORT = "short"
    FLAT = "flat"


class Effect(StrEnum):
    OPEN = "open"
    CLOSE = "close"


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    POST_ONLY = "post_only"
    """A limit order that is canceled rather than filled at once."""
    IOC = "ioc"
    """A limit order whose rest is canceled where it cannot be filled at once."""
    FOK = "fok"
    """A limit order that is filled whole and at once, or canceled."""
    STOP = "stop"
    """A market order that waits at the exchange for a trigger price."""


RESTING_TYPES = frozenset({OrderType.LIMIT, OrderType.POST_ONLY, OrderType.STOP})
"""Order types that may wait at the exchange for hours."""


class TriggerSource(StrEnum):
    """The price that triggers a stop, a target or a stop order."""

    LAST = "last"
    MARK = "mark"
    """MEXC calls it the fair price."""
    INDEX = "index"


class TradeMode(StrEnum):
    """How a signal meets the position that is held; the table is in domain/planning.py."""

    NETTING = "netting"
    OPPOSITE = "opposite"
    REVERSE = "reverse"
    HEDGE = "hedge"
    TARGET = "target"


class MarginMode(StrEnum):
    CROSS = "cross"
    ISOLATED = "isolated"


class PositionMode(StrEnum):
    """A setting of the account at the exchange: may long and short be held at once?"""

    HEDGE = "hedge"
    ONE_WAY = "one_way"


class SizingMode(StrEnum):
    """What a size counts; docs/alert-format.md has each with its formula."""

    BASE = "base"
    CONTRACTS = "contracts"
    QUOTE = "quote"
    PERCENT_EQUITY = "percent_equity"
    PERCENT_POSITION = "percent_position"
    RISK_PERCENT = "risk_percent"
    FIXED = "fixed"


class DistanceUnit(StrEnum):
    """The unit of a protective distance; `pips` in an alert means ticks."""

    PRICE = "price"
    TICKS = "ticks"
    PERCENT = "percent"


class RouteState(StrEnum):
    LIVE = "live"
    PAUSED = "paused"


class ExecutionKind(StrEnum):
    """What the exchange said about an order; also the second word of the event's subject."""

    SENT = "sent"
    ACCEPTED = "accepted"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    RESTING = "resting"
    """It waits at the exchange: in the book, or for its trigger price."""
    CHANGED = "changed"
    """A change that makes no order of its own was done."""


class ChangeKind(StrEnum):
    """What is changed at the exchange without making an order of its own: one call each."""

    PROTECT = "protect"
    """Put a stop, a target or both on a whole position."""
    MOVE_PROTECTION = "move_protection"
    """Give a stop and target that are there other prices."""
    AMEND_ORDER = "amend_order"
    """Change the attached prices of a resting order."""
    AMEND_TRIGGER = "amend_trigger"
    """Change the attached prices of a waiting stop order."""
    CANCEL_ORDERS = "cancel_orders"
    CANCEL_TRIGGERS = "cancel_triggers"
    TRAIL = "trail"
    """Put a trailing stop on a position."""
    CANCEL_TRAILS = "cancel_trails"


class PendingKind(StrEnum):
    ORDER = "order"
    """It rests in the book."""
    TRIGGER = "trigger"
    """It waits for its trigger price."""


class SecretSource(StrEnum):
    """Where an account's secret key comes from."""

    SEALED = "sealed"
    """The `secrets` bucket: entered at the console, sealed for the executor."""
    MOUNTED = "mounted"
    """A file that is mounted at the executor."""


class AlertStatus(StrEnum):
    PENDING = "pending"
    EXECUTED = "executed"
    PARTIAL = "partial"
    REFUSED = "refused"
    DENIED = "denied"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    DEAD = "dead"
