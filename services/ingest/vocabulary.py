"""The alert format's words: the names that each field goes by, and what closed fields may say.

Names of fields are in lower case, since they are compared without case.
"""

from libs.common.contracts.words import (
    Action,
    DistanceUnit,
    MarginMode,
    MarketPosition,
    OrderType,
    PositionSide,
    TradeMode,
    TriggerSource,
)
from services.ingest.fields import Names, Words

TICKER: Names = ("ticker", "symbol")
ACTION: Names = ("order_action", "action", "side")
QUANTITY: Names = ("order_contracts", "quantity", "qty", "volume", "q")
POSITION: Names = ("market_position",)
POSITION_SIZE: Names = ("market_position_size",)
SIGNED_SIZE: Names = ("position_size",)
PREVIOUS: Names = ("prev_market_position",)
PREVIOUS_SIZE: Names = ("prev_market_position_size",)
TRADE_TYPE: Names = ("trade_type",)
CLOSE_SIDE: Names = ("close_side",)

ACTIONS = Words(
    {
        "buy": Action.BUY,
        "sell": Action.SELL,
        "long": Action.BUY,
        "short": Action.SELL,
        "flat": Action.FLAT,
        "close": Action.FLAT,
        "closeall": Action.CLOSE_ALL,
        "closelong": Action.CLOSE_LONG,
        "closeshort": Action.CLOSE_SHORT,
        "reverse": Action.REVERSE,
        "modify": Action.MODIFY,
        "breakeven": Action.BREAKEVEN,
        "cancel": Action.CANCEL,
    }
)
POSITIONS = Words({word.value: word for word in MarketPosition})
PLATFORMS = Words({"mexc": "mexc"})
ORDER_TYPES = Words({word.value: word for word in OrderType} | {"stop_market": OrderType.STOP})
MARGIN_MODES = Words({word.value: word for word in MarginMode})
TRIGGERS = Words({word.value: word for word in TriggerSource} | {"fair": TriggerSource.MARK})
DISTANCE_UNITS = Words(
    {
        "pips": DistanceUnit.TICKS,
        "ticks": DistanceUnit.TICKS,
        "percent": DistanceUnit.PERCENT,
        "price": DistanceUnit.PRICE,
    }
)
SIDES = Words(
    {
        "long": PositionSide.LONG,
        "buy": PositionSide.LONG,
        "short": PositionSide.SHORT,
        "sell": PositionSide.SHORT,
    }
)
INVERSE = "inverse"
TRADE_TYPES: Words[TradeMode | str] = Words({**{m.value: m for m in TradeMode}, INVERSE: INVERSE})
