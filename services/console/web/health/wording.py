"""Lengths of time, sizes and counts as people say them: pure."""

import re

_MS_IN_S = 1_000
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_UNITS = ("B", "kB", "MB", "GB", "TB")
_STEP = 1_000
_NO_ID = re.compile(r"[^A-Za-z0-9_-]+")


def lasting(seconds: float | None) -> str:
    """A length of time, no finer than anybody needs; empty where it is not known."""
    if seconds is None:
        return ""
    if seconds < 1:
        return "under 1 s"
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    for unit_s, unit, until_s in ((_MINUTE_S, "min", 2 * _HOUR_S), (_HOUR_S, "h", 2 * _DAY_S)):
        if seconds < until_s:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds / _DAY_S:,.0f} days"


def spent(milliseconds: float | None) -> str:
    """How long something took, with two or three digits; empty where it is not known."""
    if milliseconds is None:
        return ""
    if milliseconds >= _MS_IN_S:
        return f"{milliseconds / _MS_IN_S:,.1f} s"
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"


def sized(size: int) -> str:
    """Bytes, in the unit that leaves few digits."""
    value, unit = float(size), _UNITS[0]
    for unit in _UNITS:
        if value < _STEP or unit == _UNITS[-1]:
            break
        value /= _STEP
    return f"{value:.0f} {unit}" if unit == _UNITS[0] else f"{value:.3g} {unit}"


def counted(count: int, one: str, many: str = "") -> str:
    """`1 message`, `1,200 messages`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def waits(messages: int, oldest_s: float | None) -> str:
    """What is still to be done, in a sentence's part."""
    if not messages:
        return "nothing waits"
    told = f"{counted(messages, 'message')} {'waits' if messages == 1 else 'wait'}"
    age = lasting(oldest_s)
    return f"{told}, the oldest for {age}" if age else told


def element_id(*parts: object) -> str:
    """An id that means the same element in every answer, whatever the parts hold."""
    return "-".join(_NO_ID.sub("_", str(part)) for part in parts)
