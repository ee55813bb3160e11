"""Price bars: the minutes of one price as they happen, and longer bars made of them when somebody
asks.

Minutes in which nothing happened are not kept; they are flat at the close before them. A bar opens
where the one before it closed, as the venue's do; the first price that was really paid in it is its
`first`. Weeks begin on Monday, days and months at midnight, all in UTC.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

MINUTE_S = 60
DAY_S = 86_400
WEEK_S = 7 * DAY_S
# The first Monday after the beginning of Unix time.
_MONDAY_S = 4 * DAY_S
MINUTES_KEPT = 10_080
ZERO = Decimal(0)


class Interval(StrEnum):
    MIN1 = "Min1"
    MIN5 = "Min5"
    MIN15 = "Min15"
    MIN30 = "Min30"
    MIN60 = "Min60"
    HOUR4 = "Hour4"
    HOUR8 = "Hour8"
    DAY1 = "Day1"
    WEEK1 = "Week1"
    MONTH1 = "Month1"

    def floor(self, at_s: int) -> int:
        """The beginning of the bar that holds the moment."""
        if self is Interval.MONTH1:
            day = datetime.fromtimestamp(at_s, UTC)
            return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp())
        shift = _MONDAY_S if self is Interval.WEEK1 else 0
        return at_s - (at_s - shift) % _LENGTH_S[self]

    def after(self, begin_s: int) -> int:
        """The beginning of the bar that follows the one which begins here."""
        if self is Interval.MONTH1:
            return self.floor(begin_s + 32 * DAY_S)
        return begin_s + _LENGTH_S[self]

    def back(self, begin_s: int, bars: int) -> int:
        """The beginning of the bar so many bars before; a month counts 31 days here."""
        return self.floor(max(begin_s - bars * _LENGTH_S[self], 0))


_LENGTH_S = {
    Interval.MIN1: MINUTE_S,
    Interval.MIN5: 5 * MINUTE_S,
    Interval.MIN15: 15 * MINUTE_S,
    Interval.MIN30: 30 * MINUTE_S,
    Interval.MIN60: 60 * MINUTE_S,
    Interval.HOUR4: 240 * MINUTE_S,
    Interval.HOUR8: 480 * MINUTE_S,
    Interval.DAY1: DAY_S,
    Interval.WEEK1: WEEK_S,
    Interval.MONTH1: 31 * DAY_S,
}


@dataclass(slots=True, kw_only=True)
class Bar:
    """What happened between `begin_s` and the end of its minute or interval."""

    begin_s: int
    open: Decimal
    first: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    vol: Decimal = ZERO
    amount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 hours."""

    open: Decimal
    high: Decimal
    low: Decimal
    vol: Decimal
    amount: Decimal


class Series:
    """The minutes of one price."""

    def __init__(self, price: Decimal, *, at_ms: int) -> None:
        self.minutes: deque[Bar] = deque(maxlen=MINUTES_KEPT)
        self.minutes.append(_flat(price, begin_s=Interval.MIN1.floor(at_ms // 1000)))
        self._day: tuple[int, int, Day | None] = (-1, -1, None)

    @property
    def close(self) -> Decimal:
        return self.minutes[-1].close

    def tick(self, price: Decimal, *, at_ms: int) -> None:
        """The price moved, or was seen to be the same."""
        bar = self._touched(price, at_ms=at_ms)
        bar.close = price

    def trade(self, price: Decimal, *, vol: Decimal, amount: Decimal, at_ms: int) -> None:
        """Something was traded, which need not be at the last price."""
        bar = self._touched(price, at_ms=at_ms)
        bar.vol += vol
        bar.amount += amount

    def day(self, now_s: int) -> Day:
        """The figures of the last 24 hours. What is over is reckoned once a minute."""
        minute = Interval.MIN1.floor(now_s)
        running = self.minutes[-1]
        if self._day[:2] != (minute, running.begin_s):
            self._day = (minute, running.begin_s, self._finished(since_s=minute - DAY_S))
        past = self._day[2]
        if running.begin_s <= minute - DAY_S:
            return Day(running.close, running.close, running.close, ZERO, ZERO)
        if past is None:
            return Day(running.open, running.high, running.low, running.vol, running.amount)
        return Day(
            past.open,
            max(past.high, running.high),
            min(past.low, running.low),
            past.vol + running.vol,
            past.amount + running.amount,
        )

    def _finished(self, *, since_s: int) -> Day | None:
        bars = [bar for bar in list(self.minutes)[:-1] if bar.begin_s > since_s]
        if not bars:
            return None
        return Day(
            bars[0].open,
            max(bar.high for bar in bars),
            min(bar.low for bar in bars),
            sum((bar.vol for bar in bars), ZERO),
            sum((bar.amount for bar in bars), ZERO),
        )

    def _touched(self, price: Decimal, *, at_ms: int) -> Bar:
        bar = self.minutes[-1]
        minute = at_ms // 60_000 * MINUTE_S
        # What comes late, as a settlement noticed after its time, counts for the running minute.
        if minute > bar.begin_s:
            bar = _flat(bar.close, begin_s=minute)
            bar.first = price
            self.minutes.append(bar)
        bar.high = max(bar.high, price)
        bar.low = min(bar.low, price)
        return bar


def bars_of(
    minutes: Sequence[Bar], interval: Interval, *, first_s: int, last_s: int
) -> Iterator[Bar]:
    """The bars of an interval, oldest first: from the one that holds `first_s`, or where the
    minutes begin, to the one that holds `last_s`.
    """
    begin = max(interval.floor(first_s), interval.floor(minutes[0].begin_s))
    place = bisect_left(minutes, begin, key=_begin)
    close = minutes[place - 1].close if place else minutes[0].open
    while begin <= last_s:
        bar = _flat(close, begin_s=begin)
        end = interval.after(begin)
        if place < len(minutes) and minutes[place].begin_s < end:
            bar.first = minutes[place].first
        while place < len(minutes) and minutes[place].begin_s < end:
            _absorb(bar, minutes[place])
            place += 1
        yield bar
        close = bar.close
        begin = end


def _absorb(bar: Bar, minute: Bar) -> None:
    bar.high = max(bar.high, minute.high)
    bar.low = min(bar.low, minute.low)
    bar.close = minute.close
    bar.vol += minute.vol
    bar.amount += minute.amount


def _flat(price: Decimal, *, begin_s: int) -> Bar:
    return Bar(begin_s=begin_s, open=price, first=price, high=price, low=price, close=price)


def _begin(bar: Bar) -> int:
    return bar.begin_s
