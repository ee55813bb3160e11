"""The venue's numbers with their names."""

from enum import IntEnum


class Side(IntEnum):
    OPEN_LONG = 1
    CLOSE_SHORT = 2
    OPEN_SHORT = 3
    CLOSE_LONG = 4

    @property
    def is_buy(self) -> bool:
        return self in _BUYS


_BUYS = frozenset({Side.OPEN_LONG, Side.CLOSE_SHORT})


class OrderType(IntEnum):
    LIMIT = 1
    POST_ONLY = 2
    IOC = 3
    FOK = 4
    MARKET = 5
    MARKET_TO_LIMIT = 6


class BookPrice(IntEnum):
    """Where an order takes its price from, instead of naming one."""

    NONE = 0
    OPPOSITE_1 = 1
    OPPOSITE_5 = 2
    SAME_1 = 3
    SAME_5 = 4


class OpenType(IntEnum):
    ISOLATED = 1
    CROSS = 2


class Category(IntEnum):
    """What an order is for: a trader's own, or the venue's."""

    LIMIT = 1
    LIQUIDATION = 2


class PositionMode(IntEnum):
    HEDGE = 1
    ONE_WAY = 2


class PositionType(IntEnum):
    LONG = 1
    SHORT = 2

    @property
    def sign(self) -> int:
        return 1 if self is PositionType.LONG else -1

    @property
    def opposite(self) -> "PositionType":
        return PositionType.SHORT if self is PositionType.LONG else PositionType.LONG


class OrderState(IntEnum):
    PENDING = 1
    OPEN = 2
    FILLED = 3
    CANCELED = 4
    INVALID = 5


class OrderError(IntEnum):
    """Why an accepted order died: a namespace of its own, beside the reply's `code`."""

    NORMAL = 0
    INSUFFICIENT_BALANCE = 2
    POSITION_NOT_ENOUGH = 4
    ORDER_LIQUIDATED = 6
    RISK_LIMIT = 7
    POSITION_LIQUIDATED = 13
    FUNDING_CANCEL = 16
    IOC_CANCEL = 18
    FOK_CANCEL = 19
    POST_ONLY_CANCEL = 20
    MARKET_CANCEL = 21
    CLIENT_ID_DUPLICATE = 23
