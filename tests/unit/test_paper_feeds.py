"""Prices to play: the seeded walk, and bars from outside made into steps."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.paper_exchange.market.klines import KlinesError, klines_of, klines_of_text, steps_of
from tools.paper_exchange.market.walk import Walk

TICK = Decimal("0.5")
ONE = Decimal(1)


def walk(seed=7, symbol="BTC_USDT", tick=TICK, bps=5) -> Walk:
    return Walk(seed=seed, symbol=symbol, tick=tick, volatility_bps=Decimal(bps))


def walked(made: Walk, start="50000", steps=200) -> list[Decimal]:
    prices = [Decimal(start)]
    for _ in range(steps):
        prices.append(made.next_price(prices[-1]))
    return prices


def played(rows, *, speed="1", tick=TICK, vol_unit=ONE):
    steps = steps_of(klines_of(rows), tick=tick, vol_unit=vol_unit, speed=Decimal(speed))
    return [(step.after_ms, step.price, step.vol) for step in steps]


def test_a_seed_gives_the_same_walk_and_another_seed_or_symbol_another():
    assert walked(walk()) == walked(walk())
    assert walked(walk()) != walked(walk(seed=8))
    assert walked(walk()) != walked(walk(symbol="ETH_USDT"))


def test_a_walk_goes_on_from_where_somebody_else_moved_the_price():
    made = walk()
    walked(made)
    assert abs(made.next_price(Decimal(100)) - 100) < 1


def test_steps_smaller_than_a_tick_add_up():
    made = walk(tick=Decimal(10), bps="0.1")
    prices = walked(made, steps=2000)
    assert len(set(prices)) > 2


def test_the_steps_are_as_wide_as_asked():
    prices = walked(walk(tick=Decimal("0.0001"), bps=100), steps=3000)
    moves = [float(after / before - 1) for before, after in pairwise(prices)]
    deviation = (sum(move * move for move in moves) / len(moves)) ** 0.5
    assert 0.009 < deviation < 0.011


@given(
    seed=st.integers(),
    ticks=st.integers(1, 10**9),
    scale=st.integers(-10, 1),
    bps=st.decimals("0.001", 1000, places=3),
)
def test_a_walk_stays_positive_and_on_its_ticks(seed, ticks, scale, bps):
    tick = Decimal(5).scaleb(scale)
    made = walk(seed=seed, tick=tick, bps=bps)
    for price in walked(made, start=ticks * tick, steps=50):
        assert price >= tick
        assert price % tick == 0


def test_a_rising_bar_goes_low_first_and_a_falling_one_high():
    rising, falling = [0, 100, 120, 90, 110], [60, 110, 125, 95, 100]
    assert [price for _, price, _ in played([rising])] == [100, 90, 120, 110]
    assert [price for _, price, _ in played([falling])] == [110, 125, 95, 100]


def test_bars_are_played_in_their_time_over_the_speed_and_gaps_are_kept():
    rows = [[1000, 1, 1, 1, 1], [1060, 2, 2, 2, 2], [1180, 3, 3, 3, 3]]
    assert [after for after, _, _ in played(rows, speed="60")] == [
        *(0, 250, 500, 750, 1000, 1250, 1500, 1750, 3000, 3250, 3500, 3750)
    ]
    assert [after for after, _, _ in played(rows[:1])] == [0, 15_000, 30_000, 45_000]


def test_times_may_be_milliseconds():
    seconds, milliseconds = 1_700_000_000, 1_700_000_000_000
    assert klines_of([[seconds, 1, 1, 1, 1]]) == klines_of([[milliseconds, 1, 1, 1, 1]])


def test_volume_is_spread_over_the_steps_and_adds_up():
    assert [vol for _, _, vol in played([[0, 1, 1, 1, 1, 11]])] == [2, 2, 2, 5]
    assert [vol for _, _, vol in played([[0, 1, 1, 1, 1, "0.4"]])] == [0, 0, 0, 0]


@given(volume=st.decimals(0, 10**6, places=2), unit=st.sampled_from(["1", "0.1", "10"]))
def test_no_volume_is_lost_but_by_rounding(volume, unit):
    step = Decimal(unit)
    parts = [vol for _, _, vol in played([[0, 1, 1, 1, 1, str(volume)]], vol_unit=step)]
    assert all(part >= 0 and part % step == 0 for part in parts)
    assert abs(sum(parts) - volume) <= step / 2


def test_prices_are_rounded_to_the_tick_and_stay_above_zero():
    assert [price for _, price, _ in played([[0, "1.1", "1.4", "0.1", "1.3"]])] == [
        *(Decimal("1.0"), Decimal("0.5"), Decimal("1.5"), Decimal("1.5"))
    ]


@pytest.mark.parametrize(
    "text",
    [
        "time,open,high,low,close,volume\n60,1,4,0.5,2,10\n120,2,2,2,2,0\n",
        "60,1,4,0.5,2,10\r\n\r\n120,2,2,2,2,0",
        '[[60,1,4,0.5,2,10],["120","2","2","2","2","0"]]',
    ],
)
def test_files_are_csv_or_json(text):
    first, second = klines_of_text(text)
    assert (first.at_ms, first.open, first.high, first.low) == (60_000, 1, 4, Decimal("0.5"))
    assert (first.close, first.volume) == (2, 10)
    assert (second.at_ms, second.close) == (120_000, 2)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "between 1 and"),
        ([[0, 1, 1, 1]], "row 1: time,open,high,low,close,volume, not 4 values"),
        ([[0, 1, 1, 1, 1, 1, 1]], "not 7 values"),
        ([[0, 1, 1, 1, 1], [60, 1, 1, "x", 1]], "row 2: 'x' is no number"),
        ([[0, 1, 1, 1, True]], "row 1: True is no number"),
        ([[0, 1, 1, None, 1]], "row 1: None is no number"),
        ([[0, "NaN", 1, 1, 1]], "row 1: 'NaN' is no number"),
        ([[0, "1e40", 1, 1, 1]], "row 1: '1e40' is no number"),
        ([[0, 1, 1, 0, 1]], "row 1: a price is above 0"),
        ([[0, 1, 2, 1, 3]], "row 1: high and low must hold open and close"),
        ([[0, 3, 3, 2, 1]], "row 1: high and low must hold open and close"),
        ([[0, 1, 3, 2, 3]], "row 1: high and low must hold open and close"),
        ([[0, 1, 1, 1, 1, -1]], "row 1: volume is not below 0"),
        ([[0.5, 1, 1, 1, 1]], "row 1: its time is no whole number"),
        ([[-1, 1, 1, 1, 1]], "row 1: its time is no whole number"),
        ([[60, 1, 1, 1, 1], [60, 1, 1, 1, 1]], "row 2: its time is not after"),
    ],
)
def test_rows_that_make_no_sense_are_named(rows, reason):
    with pytest.raises(KlinesError) as caught:
        klines_of(rows)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[1,2", "no JSON array of rows"),
        ("time,close\n1,2", "the columns are time,open,high,low,close,volume, not time,close"),
        ("hello", "row 1: time,open,high,low,close,volume, not 1 values"),
        ("", "between 1 and"),
    ],
)
def test_files_that_make_no_sense_are_explained(text, reason):
    with pytest.raises(KlinesError) as caught:
        klines_of_text(text)
    assert reason in str(caught.value)
