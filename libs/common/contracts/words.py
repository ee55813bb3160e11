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
    MODIFY = "modify"
    BREAKEVEN = "breakeven"


class PositionSide(StrEnum):
    LONG = "long"
    SHORT = "short"


class Effect(StrEnum):
    OPEN = "open"
    CLOSE = "close"


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"


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


class AlertStatus(StrEnum):
    PENDING = "pending"
    EXECUTED = "executed"
    PARTIAL = "partial"
    REFUSED = "refused"
    DENIED = "denied"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    DEAD = "dead"
