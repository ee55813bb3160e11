"""The venue's numbers about triggers, with their names."""

from enum import IntEnum


class Trend(IntEnum):
    """Which price a trigger looks at."""

    LAST = 1
    FAIR = 2
    INDEX = 3


class Condition(IntEnum):
    AT_LEAST = 1
    AT_MOST = 2


class Cycle(IntEnum):
    """For how long a plan waits."""

    DAY = 1
    WEEK = 2

    @property
    def lasts_ms(self) -> int:
        return 86_400_000 * (1 if self is Cycle.DAY else 7)


class TriggerState(IntEnum):
    """Of plans and stops."""

    WAITING = 1
    CANCELED = 2
    EXECUTED = 3
    EXPIRED = 4
    FAILED = 5


class TrackState(IntEnum):
    INACTIVE = 0
    ACTIVE = 1
    EXECUTED = 2
    FAILED = 3
    CANCELED = 4


class Leg(IntEnum):
    """Which side of a stop has fired."""

    NONE = 0
    PROFIT = 1
    LOSS = 2


class BackType(IntEnum):
    """How far a price must come back: as a share of the extreme, or in units of the price."""

    SHARE = 1
    DISTANCE = 2
