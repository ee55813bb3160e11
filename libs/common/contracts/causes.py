"""What a refusal of the exchange is about, in the house's words: the adapter turns each of the
exchange's codes into one of these, and whatever explains a refusal goes by it.
"""

from enum import StrEnum


class Cause(StrEnum):
    """One word for all codes that ask for the same mend."""

    IP = "ip"
    KEY = "key"
    PERMISSION = "permission"
    SIGNATURE = "signature"
    TIMESTAMP = "timestamp"
    RATE_LIMIT = "rate_limit"
    SYSTEM = "system"
    """The exchange's own trouble, or no answer at all."""
    MAINTENANCE = "maintenance"
    PARAMS = "params"
    SYMBOL = "symbol"
    QUANTITY = "quantity"
    PRICE = "price"
    LIQUIDITY = "liquidity"
    MARGIN = "margin"
    LEVERAGE = "leverage"
    POSITION_MODE = "position_mode"
    MARGIN_MODE = "margin_mode"
    POSITION = "position"
    RISK_LIMIT = "risk_limit"
    ORDER_COUNT = "order_count"
    CLIENT_ID = "client_id"
    ORDER_STATE = "order_state"
    TRIGGER = "trigger"
    REGION = "region"
    OTHER = "other"


PASSING_CAUSES = frozenset({Cause.RATE_LIMIT, Cause.SYSTEM, Cause.MAINTENANCE, Cause.TIMESTAMP})
"""Refusals that may be gone when the same question is asked again."""
