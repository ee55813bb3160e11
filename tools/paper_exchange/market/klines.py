"""Price bars from outside, made into steps to play: rows of time, open, high, low, close and,
where it is known, volume in contracts. Times are Unix seconds or milliseconds.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

import msgspec

from tools.paper_exchange.engine.refusals import Refused
from tools.paper_exchange.numbers import sane, to_tick

MOST_ROWS = 1_000_000
_COLUMNS = ("time", "open", "high", "low", "close", "volume")
_FEWEST_COLUMNS = 5
# Seconds do not get so large before the year 5138.
_MILLISECONDS_ABOVE = 100_000_000_000
_ONLY_BAR_MS = 60_000
_QUARTERS = 4
ZERO = Decimal(0)


class KlinesError(ValueError):
    """The rows make no sense; the message names the first wrong one, counting from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kline:
    at_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A price to play so long after the beginning, and what the market trades at it."""

    after_ms: int
    price: Decimal
    vol: Decimal


def klines_of_text(text: str) -> list[Kline]:
    """A JSON array of arrays, or CSV with or without a first line of names."""
    if text.lstrip().startswith("["):
        try:
            return klines_of(msgspec.json.decode(text, type=list[list[Any]]))
        except msgspec.DecodeError as error:
            raise KlinesError(f"no JSON array of rows: {error}") from None
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if rows and rows[0][0].strip().lower() == _COLUMNS[0]:
        named = tuple(name.strip().lower() for name in rows[0])
        if named not in {_COLUMNS, _COLUMNS[:_FEWEST_COLUMNS]}:
            raise KlinesError(f"the columns are {','.join(_COLUMNS)}, not {','.join(named)}")
        del rows[0]
    return klines_of(rows)


def klines_of(rows: Sequence[Sequence[Any]]) -> list[Kline]:
    if not 1 <= len(rows) <= MOST_ROWS:
        raise KlinesError(f"between 1 and {MOST_ROWS} rows, not {len(rows)}")
    klines: list[Kline] = []
    for place, row in enumerate(rows, start=1):
        kline = _kline(row, place=place)
        if klines and kline.at_ms <= klines[-1].at_ms:
            raise KlinesError(f"row {place}: its time is not after the one before it")
        klines.append(kline)
    return klines


def steps_of(
    klines: Sequence[Kline], *, tick: Decimal, vol_unit: Decimal, speed: Decimal
) -> Iterator[Step]:
    """Four steps a bar: open, the extremes, close. A bar that rises goes to its low first, one that
    falls to its high. Gaps between bars are waited for.
    """
    length = _length_ms(klines)
    for kline in klines:
        begin = kline.at_ms - klines[0].at_ms
        extremes = (kline.low, kline.high)
        if kline.close < kline.open:
            extremes = (kline.high, kline.low)
        share = (kline.volume / _QUARTERS / vol_unit).to_integral_value(ROUND_FLOOR) * vol_unit
        rest = to_tick(kline.volume, vol_unit, least=0) - (_QUARTERS - 1) * share
        for quarter, price in enumerate((kline.open, *extremes, kline.close)):
            after = (begin + Decimal(length * quarter) / _QUARTERS) / speed
            yield Step(
                after_ms=int(after),
                price=to_tick(price, tick),
                vol=share if quarter < _QUARTERS - 1 else rest,
            )


def _length_ms(klines: Sequence[Kline]) -> int:
    gaps = (after.at_ms - before.at_ms for before, after in pairwise(klines))
    return min(gaps, default=_ONLY_BAR_MS)


def _kline(row: Sequence[Any], *, place: int) -> Kline:
    if not _FEWEST_COLUMNS <= len(row) <= len(_COLUMNS):
        raise KlinesError(f"row {place}: {','.join(_COLUMNS)}, not {len(row)} values")
    time, *prices = [_number(value, place=place) for value in row]
    if time < 0 or time != time.to_integral_value():
        raise KlinesError(f"row {place}: its time is no whole number of seconds or milliseconds")
    first, high, low, close, *volume = prices
    if min(first, high, low, close) <= 0:
        raise KlinesError(f"row {place}: a price is above 0")
    if high < max(first, close, low) or low > min(first, close):
        raise KlinesError(f"row {place}: high and low must hold open and close")
    if volume and volume[0] < 0:
        raise KlinesError(f"row {place}: volume is not below 0")
    return Kline(
        at_ms=int(time) if time > _MILLISECONDS_ABOVE else int(time) * 1000,
        open=first,
        high=high,
        low=low,
        close=close,
        volume=volume[0] if volume else ZERO,
    )


def _number(value: Any, *, place: int) -> Decimal:
    if not isinstance(value, (str, int, float)):
        raise KlinesError(f"row {place}: {value!r} is no number")
    try:
        # The shortest digits of a JSON number are the ones that were written.
        return sane(Decimal(str(value).strip()))
    except (InvalidOperation, Refused):
        raise KlinesError(f"row {place}: {value!r} is no number") from None
