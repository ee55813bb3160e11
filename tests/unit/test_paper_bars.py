"""Bars of the paper exchange's tape: minutes as they happen, and longer bars made of them."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.paper_exchange.market.bars import MINUTES_KEPT, Interval, Series, bars_of

# A Wednesday, on the full hour.
NOON_S = int(datetime(2026, 7, 15, 12, tzinfo=UTC).timestamp())


def D(text) -> Decimal:  # noqa: N802 - as short as the literal it stands for
    return Decimal(str(text))


def ms(minutes: float) -> int:
    return int((NOON_S + minutes * 60) * 1000)


def series(*ticks, price=100) -> Series:
    made = Series(D(price), at_ms=ms(0))
    for minutes, last in ticks:
        made.tick(D(last), at_ms=ms(minutes))
    return made


def rows(made: Series, interval="Min1", *, first=0, last):
    found = bars_of(
        made.minutes, Interval(interval), first_s=NOON_S + first * 60, last_s=NOON_S + last * 60
    )
    return [
        (int(b.begin_s - NOON_S) // 60, *map(int, (b.open, b.high, b.low, b.close))) for b in found
    ]


def test_a_bar_opens_at_the_close_before_it_and_knows_its_first_price():
    made = series((0.5, 104), (0.9, 102), (1.1, 110), (1.2, 108))
    assert rows(made, last=1) == [(0, 100, 104, 100, 102), (1, 102, 110, 102, 108)]
    assert [bar.first for bar in made.minutes] == [100, 110]


def test_minutes_without_a_price_are_flat():
    made = series((3.5, 90))
    assert rows(made, last=4) == [
        *[(minute, 100, 100, 100, 100) for minute in range(3)],
        (3, 100, 100, 90, 90),
        (4, 90, 90, 90, 90),
    ]
    assert rows(made, first=2, last=3) == [(2, 100, 100, 100, 100), (3, 100, 100, 90, 90)]
    assert rows(made, first=-60, last=-1) == []


def test_what_comes_late_counts_for_the_running_minute():
    made = series((2, 110), (1, 95))
    assert rows(made, last=2)[-1] == (2, 100, 110, 95, 95)
    assert [int(bar.begin_s - NOON_S) for bar in made.minutes] == [0, 120]


def test_a_trade_beside_the_last_price_widens_the_bar_and_leaves_its_close():
    made = series()
    made.trade(D(97), vol=D(3), amount=D("0.5"), at_ms=ms(1))
    made.trade(D(103), vol=D(2), amount=D("0.25"), at_ms=ms(1.5))
    assert rows(made, last=1)[-1] == (1, 100, 103, 97, 100)
    assert (made.minutes[-1].vol, made.minutes[-1].amount) == (5, D("0.75"))


@pytest.mark.parametrize(
    ("interval", "begin", "after"),
    [
        ("Min5", "2026-07-15T12:35", "2026-07-15T12:40"),
        ("Min15", "2026-07-15T12:30", "2026-07-15T12:45"),
        ("Min60", "2026-07-15T12:00", "2026-07-15T13:00"),
        ("Hour4", "2026-07-15T12:00", "2026-07-15T16:00"),
        ("Hour8", "2026-07-15T08:00", "2026-07-15T16:00"),
        ("Day1", "2026-07-15T00:00", "2026-07-16T00:00"),
        ("Week1", "2026-07-13T00:00", "2026-07-20T00:00"),
        ("Month1", "2026-07-01T00:00", "2026-08-01T00:00"),
    ],
)
def test_where_bars_begin(interval, begin, after):
    def at(text):
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())

    assert Interval(interval).floor(NOON_S + 38 * 60) == at(begin)
    assert Interval(interval).after(at(begin)) == at(after)


def test_february_is_followed_by_march():
    begin = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())
    months = []
    for _ in range(3):
        months.append(datetime.fromtimestamp(begin, UTC).strftime("%m-%d"))
        begin = Interval.MONTH1.after(begin)
    assert months == ["01-01", "02-01", "03-01"]


def test_the_figures_of_a_day_forget_what_is_older():
    made = series((1, 150), (2, 100))
    made.trade(D(100), vol=D(7), amount=D(1), at_ms=ms(2))
    assert made.day(NOON_S + 180) == made.day(NOON_S + 180)
    assert (made.day(NOON_S + 180).high, made.day(NOON_S + 180).open) == (150, 100)
    made.tick(D(120), at_ms=ms(600))
    made.trade(D(120), vol=D(5), amount=D(2), at_ms=ms(600))
    day = made.day(NOON_S + 600 * 60)
    assert (day.open, day.high, day.low, day.vol, day.amount) == (100, 150, 100, 12, 3)
    assert made.day(NOON_S + 24 * 3600).open == 100
    assert made.day(NOON_S + (24 * 60 + 1) * 60).open == 150
    day = made.day(NOON_S + (24 * 60 + 5) * 60)
    assert (day.open, day.high, day.low, day.vol, day.amount) == (100, 120, 100, 5, 2)
    day = made.day(NOON_S + 3 * 24 * 3600)
    assert (day.open, day.high, day.low, day.vol) == (120, 120, 120, 0)


def test_a_minute_that_begins_after_the_day_was_asked_counts():
    made = series((2, 150))
    made.tick(D(100), at_ms=ms(2.5))
    assert made.day(NOON_S + 300).high == 150
    made.tick(D(130), at_ms=ms(5))
    assert made.day(NOON_S + 300).high == 150


def test_the_minutes_are_bounded():
    made = series(*((minute, 100 + minute % 2) for minute in range(1, MINUTES_KEPT + 50)))
    assert len(made.minutes) == MINUTES_KEPT
    assert rows(made, last=60)[0][0] == 50


_TICKS = st.lists(
    st.tuples(st.integers(0, 20_000), st.integers(1, 1000), st.integers(0, 50)), max_size=60
)


@given(ticks=_TICKS, interval=st.sampled_from(Interval), late=st.integers(0, 3000))
def test_bars_hang_together_and_nothing_is_lost(ticks, interval, late):
    made = Series(D(100), at_ms=ms(0))
    for seconds, price, vol in sorted(ticks):
        at_ms = (NOON_S + seconds) * 1000
        made.tick(D(price), at_ms=at_ms)
        made.trade(D(price), vol=D(vol), amount=D(vol) * price, at_ms=at_ms)
    end = made.minutes[-1].begin_s + late
    bars = list(bars_of(made.minutes, interval, first_s=0, last_s=end))
    for bar in bars:
        assert bar.low <= min(bar.open, bar.first, bar.close)
        assert bar.high >= max(bar.open, bar.first, bar.close)
        assert bar.begin_s == interval.floor(bar.begin_s)
    for before, after in pairwise(bars):
        assert after.open == before.close
        assert after.begin_s == interval.after(before.begin_s)
    assert sum(bar.vol for bar in bars) == sum(vol for _, _, vol in ticks)
    assert sum(bar.amount for bar in bars) == sum(vol * price for _, price, vol in ticks)
    assert max(bar.high for bar in bars) == max([100, *(price for _, price, _ in ticks)])
    assert min(bar.low for bar in bars) == min([100, *(price for _, price, _ in ticks)])
    assert bars[-1].close == made.close
    assert bars[-1].begin_s <= end < interval.after(bars[-1].begin_s)
