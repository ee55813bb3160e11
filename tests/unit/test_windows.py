"""Trading windows: which minutes of the week they hold, and which texts are none."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from libs.common.domain.windows import WindowError, parse_window

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def at(text):
    day, clock = text.split()
    hour, minute, second = (int(part) for part in f"{clock}:00".split(":")[:3])
    return MONDAY + timedelta(days=DAYS.index(day), hours=hour, minutes=minute, seconds=second)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        (
            "mon-fri 08:00-20:00",
            ["mon 08:00", "fri 19:59:59", "wed 12:00"],
            ["mon 07:59:59", "fri 20:00", "sat 12:00", "sun 12:00"],
        ),
        ("08:00-20:00", ["sun 08:00", "sat 19:59"], ["sun 07:59", "mon 20:00"]),
        (
            "mon,wed 00:00-24:00",
            ["mon 00:00", "mon 23:59:59", "wed 12:00"],
            ["tue 00:00", "sun 23:59", "thu 00:00"],
        ),
        # Past midnight: the day is that of the start, and Sunday's runs into Monday.
        ("fri 22:00-06:00", ["fri 22:00", "sat 05:59"], ["fri 05:00", "sat 06:00", "sat 22:00"]),
        ("sun 23:00-01:00", ["sun 23:30", "mon 00:59"], ["mon 01:00", "sun 22:59", "mon 23:30"]),
        ("22:00-00:00", ["mon 23:59"], ["mon 00:00", "mon 21:59"]),
        ("fri-mon 10:00-11:00", ["fri 10:00", "sun 10:30", "mon 10:59"], ["tue 10:30"]),
        ("mon-tue,sat 10:00-11:00", ["tue 10:00", "sat 10:30"], ["wed 10:00", "sun 10:00"]),
        (" MON-FRI  08:00-20:00 ", ["mon 08:00"], ["sat 08:00"]),
    ],
)
def test_what_a_window_holds(window, inside, outside):
    parsed = parse_window(window)
    assert [text for text in inside if not parsed.holds(at(text))] == []
    assert [text for text in outside if parsed.holds(at(text))] == []


def test_windows_are_in_utc():
    elsewhere = datetime(2026, 11, 23, 1, 0, tzinfo=timezone(timedelta(hours=8)))
    assert parse_window("sun 17:00-18:00").holds(elsewhere)


@pytest.mark.parametrize(
    "window",
    [
        *("", "mon-fri", "08:00", "08:00-", "8:00-20:00", "08:00 - 20:00", "mon-fri 0800-2000"),
        *("25:00-26:00", "08:60-09:00", "24:01-25:00", "24:00-06:00", "08:00-08:00"),
        *("monday 08:00-20:00", "mon- 08:00-20:00", "mon,,fri 08:00-20:00", "- 08:00-20:00"),
        *("mon-wed-fri 08:00-20:00", "mon 08:00-20:00 UTC", "\u0660\u0668:00-20:00"),
    ],
)
def test_what_is_no_window_says_what_would_be_right(window):
    with pytest.raises(WindowError) as caught:
        parse_window(window)
    assert f"`{window}`" in str(caught.value)
