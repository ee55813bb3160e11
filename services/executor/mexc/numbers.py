"""MEXC's numbers with the house's words beside them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from libs.common.contracts.words import (
    Effect,
    MarginMode,
    OrderType,
    PositionMode,
    PositionSide,
    TriggerSource,
)
from services.executor.exchange import OrderState

Word = TypeVar("Word")

SIDES: Mapping[tuple[Effect, PositionSide], int] = MappingProxyType(
    {
        (Effect.OPEN, PositionSide.LONG): 1,
        (Effect.CLOSE, PositionSide.SHORT): 2,
        (Effect.OPEN, PositionSide.SHORT): 3,
        (Effect.CLOSE, PositionSide.LONG): 4,
    }
)
"""MEXC's `side`: what is done to which position, not whether something is bought or sold."""

MOVES: Mapping[int, tuple[Effect, PositionSide]] = MappingProxyType(
    {number: move for move, number in SIDES.items()}
)
ORDER_TYPES: Mapping[OrderType, int] = MappingProxyType(
    {
        OrderType.LIMIT: 1,
        OrderType.POST_ONLY: 2,
        OrderType.IOC: 3,
        OrderType.FOK: 4,
        OrderType.MARKET: 5,
    }
)
OPEN_TYPES: Mapping[MarginMode, int] = MappingProxyType(
    {MarginMode.ISOLATED: 1, MarginMode.CROSS: 2}
)
MARGIN_MODES: Mapping[int, MarginMode] = MappingProxyType(
    {number: mode for mode, number in OPEN_TYPES.items()}
)
POSITION_MODES: Mapping[PositionMode, int] = MappingProxyType(
    {PositionMode.HEDGE: 1, PositionMode.ONE_WAY: 2}
)
POSITION_TYPES: Mapping[int, PositionSide] = MappingProxyType(
    {1: PositionSide.LONG, 2: PositionSide.SHORT}
)
TYPES_OF_POSITION: Mapping[PositionSide, int] = MappingProxyType(
    {side: number for number, side in POSITION_TYPES.items()}
)
ORDER_STATES: Mapping[int, OrderState] = MappingProxyType(
    {
        1: OrderState.PENDING,
        2: OrderState.OPEN,
        3: OrderState.FILLED,
        4: OrderState.CANCELED,
        5: OrderState.INVALID,
    }
)
WHOLE_POSITION = 2
"""The `volType` of a stop that is for all of its position."""
TRENDS: Mapping[TriggerSource, int] = MappingProxyType(
    {TriggerSource.LAST: 1, TriggerSource.MARK: 2, TriggerSource.INDEX: 3}
)
"""Which price a trigger looks at."""

AT_LEAST = 1
AT_MOST = 2
"""The two values of a plan's `triggerType`."""

BACK_BY_SHARE = 1
BACK_BY_DISTANCE = 2
"""How a trailing order's `backValue` is meant."""

WAITING = 1
"""The `state` of a plan or a stop that waits."""

TRAILING = (0, 1)
"""The states of a trailing order that waits for its start, or runs."""


def word_of(words: Mapping[int, Word], number: int, what: str) -> Word:
    """Raises `ValueError` for a number that is not documented."""
    if number not in words:
        raise ValueError(f"MEXC sent {what} {number}, which is not documented")
    return words[number]
