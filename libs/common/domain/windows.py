"""Trading windows: pure. `mon-fri 08:00-20:00` says when a route may open, in UTC; without days it
is every day's, and one that ends before it begins runs past midnight, on the day of its start.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES_OF_DAY = 24 * 60
_MINUTES_OF_WEEK = 7 * _MINUTES_OF_DAY
_FORM = re.compile(
    r"(?:(?P<days>[a-z,-]+) +)?(?P<start>[0-9]{2}:[0-9]{2})-(?P<end>[0-9]{2}:[0-9]{2})"
)
_RIGHT = "write it like `mon-fri 08:00-20:00`, `sat,sun 10:00-24:00` or `22:00-06:00`, in UTC"


class WindowError(ValueError):
    """The text is no window; the message says what would be right."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    days: frozenset[int]
    """Of its starts; Monday is 0."""
    start: int
    """Minutes from midnight, included."""
    minutes: int

    def holds(self, at: datetime) -> bool:
        moment = at.astimezone(UTC)
        minute = moment.weekday() * _MINUTES_OF_DAY + moment.hour * 60 + moment.minute
        return any(
            (minute - day * _MINUTES_OF_DAY - self.start) % _MINUTES_OF_WEEK < self.minutes
            for day in self.days
        )


def parse_window(text: str) -> Window:
    """A window as a route has it; raises `WindowError`."""
    form = _FORM.fullmatch(text.strip().lower())
    if form is None:
        raise WindowError(f"`{text}` is no trading window: {_RIGHT}")
    start, end = (_minute(form[name], text=text) for name in ("start", "end"))
    if start in {end, _MINUTES_OF_DAY}:
        raise WindowError(
            f"`{text}` must begin before 24:00 and end at another time; a whole day is 00:00-24:00"
        )
    days = frozenset(range(7)) if form["days"] is None else _days(form["days"], text=text)
    return Window(
        days=days, start=start, minutes=(end - start) % _MINUTES_OF_DAY or _MINUTES_OF_DAY
    )


def _minute(clock: str, *, text: str) -> int:
    hour, minute = int(clock[:2]), int(clock[3:])
    total = hour * 60 + minute
    if minute >= 60 or total > _MINUTES_OF_DAY:
        raise WindowError(f"`{text}` names {clock}, which no clock shows: {_RIGHT}")
    return total


def _days(named: str, *, text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in named.split(","):
        first, dash, last = part.partition("-")
        for day in (first, last) if dash else (first,):
            if day not in DAYS:
                raise WindowError(f"`{text}` names `{day}`, which is none of {', '.join(DAYS)}")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        # `fri-mon` runs past the week's end.
        found |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return frozenset(found)
