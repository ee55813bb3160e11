"""How a step of a journey is drawn on the axis of the terminal."""

from libs.common.domain.telling.waterfall import Step

BAR = {"ingest": "░", "router": "▒", "executor": "▓", "exchange": "━"}
"""What fills the bar of each; anything else is a dot."""
_OTHER = "·"
_LATER = "»"


def bar(step: Step, *, axis_ms: float, chars: int) -> str:
    """The step on the axis, at least one character long."""
    if step.end_ms > axis_ms:
        return " " * (chars - 1) + _LATER
    scale = (chars - 1) / axis_ms if axis_ms > 0 else 0.0
    begin, end = round(max(step.begin_ms, 0.0) * scale), round(step.end_ms * scale)
    by = "exchange" if step.event is None else str(step.event.get("service"))
    return " " * begin + BAR.get(by, _OTHER) * max(end - begin, 1)
