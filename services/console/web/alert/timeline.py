"""The journey's times as bars on one axis: pure.

The axis is broken evenly: what lies between two neighbouring moments is drawn by its logarithm, so
that half a millisecond stands beside five seconds, and moments keep their order. The exact numbers
stand beside every bar.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from libs.common.domain.telling.summaries import asked_of, summary
from libs.common.domain.telling.waterfall import Step, call_words, steps_of
from services.console.documents import moment

Event = Mapping[str, Any]

_FULL = 100.0
_UNIT_MS = 0.1
"""What is much shorter is drawn as long as it is; what is much longer by its logarithm."""
_WIDTH_MIN = 0.6
_TICKS_MS = (0.1, 1, 10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 360_000_000)
_TICKS_APART = 9.0
WORDS = {
    "alert.received": "received",
    "alert.refused": "refused",
    "alert.duplicate": "resent",
    "intent.accepted": "decided",
    "intent.denied": "denied",
    "intent.flattened": "listed",
    "order.planned": "planned",
    "execution.sent": "sent",
    "execution.accepted": "accepted",
    "execution.filled": "filled",
    "execution.rejected": "rejected",
    "execution.canceled": "canceled",
    "execution.unknown": "unknown",
    "execution.resting": "waits there",
    "execution.changed": "changed",
    "account.checked": "checked",
    "account.called": "account asked",
    "position.drifted": "moved since",
    "dead.replayed": "put in again",
}
_BAD = frozenset({"refused", "denied", "rejected", "canceled", "unknown"})
_TONES = frozenset({"ingest", "router", "executor", "exchange"})


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One line: when it began and ended since the alert came, and where that lies in percent."""

    word: str
    stage: str
    by: str
    account: str
    what: str
    at: str
    """When it ended, as the documents show times."""
    begin_ms: float
    end_ms: float
    is_call: bool
    is_bad: bool
    x: float = 0.0
    width: float = 0.0

    @property
    def took_ms(self) -> float:
        return self.end_ms - self.begin_ms

    @property
    def tone(self) -> str:
        return self.by if self.by in _TONES else "other"


@dataclass(frozen=True, kw_only=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Timeline:
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


def timeline(events: Sequence[Event]) -> Timeline:
    """Every event and round trip, in the order of the log."""
    bars = list(_bars(events))
    axis = _Axis([each for bar in bars for each in (bar.begin_ms, bar.end_ms)])
    return Timeline(bars=tuple(_placed(bar, axis) for bar in bars), ticks=tuple(_ticks(axis)))


class _Axis:
    def __init__(self, moments_ms: Sequence[float]) -> None:
        self.marks = sorted({0.0, *(max(each, 0.0) for each in moments_ms)})
        self._places = [0.0]
        for before, after in pairwise(self.marks):
            self._places.append(self._places[-1] + _length(after - before))
        self._scale = _FULL / self._places[-1] if self._places[-1] > 0 else 0.0

    def place(self, at_ms: float) -> float:
        """In percent of the axis."""
        at_ms = min(max(at_ms, 0.0), self.marks[-1])
        for number, (before, after) in enumerate(pairwise(self.marks)):
            if at_ms <= after:
                part = _length(at_ms - before) / _length(after - before)
                low, high = self._places[number], self._places[number + 1]
                return (low + part * (high - low)) * self._scale
        return 0.0


def _length(duration_ms: float) -> float:
    return math.log1p(duration_ms / _UNIT_MS)


def _placed(bar: Bar, axis: _Axis) -> Bar:
    begin, end = axis.place(bar.begin_ms), axis.place(bar.end_ms)
    width = max(end - begin, _WIDTH_MIN)
    return replace(bar, x=round(min(begin, _FULL - width), 2), width=round(width, 2))


def _ticks(axis: _Axis) -> Iterator[Tick]:
    yield Tick(x=0.0, label="0")
    last = 0.0
    for at_ms in _TICKS_MS:
        place = round(axis.place(at_ms), 2)
        if at_ms < axis.marks[-1] and last + _TICKS_APART <= place <= _FULL - _TICKS_APART / 2:
            yield Tick(x=place, label=short(at_ms))
            last = place


def short(duration_ms: float) -> str:
    """For an axis: `100 ms`, `10 s`, `1 h`."""
    for length_ms, unit in ((3_600_000, "h"), (60_000, "min"), (1_000, "s")):
        if duration_ms >= length_ms:
            return f"{duration_ms / length_ms:g} {unit}"
    return f"{duration_ms:g} ms"


def _bars(events: Sequence[Event]) -> Iterator[Bar]:
    plans = (each["data"] for each in events if each.get("stage") == "order.planned")
    asked = asked_of(plan for plan in plans if isinstance(plan, dict))
    for step, account in _with_accounts(steps_of(events)):
        yield _bar(step, account=account, asked=asked, came=_came(events))
        stored = _stored(step)
        if stored is not None:
            yield stored


def _with_accounts(steps: Sequence[Step]) -> list[tuple[Step, str]]:
    # A round trip stands before the event that it led to.
    found: list[tuple[Step, str]] = []
    account = ""
    for step in reversed(steps):
        if step.event is not None:
            data = step.event.get("data")
            account = str(data.get("account") or "") if isinstance(data, dict) else ""
        found.append((step, account))
    return found[::-1]


def _bar(step: Step, *, account: str, asked: Mapping[str, str], came: datetime | None) -> Bar:
    if step.event is None:
        ended = came + timedelta(milliseconds=step.end_ms) if came is not None else None
        return Bar(
            word="round trip",
            stage="",
            by="exchange",
            account=account,
            what=call_words(step),
            at=moment(ended) if ended is not None else "",
            begin_ms=step.begin_ms,
            end_ms=step.end_ms,
            is_call=True,
            is_bad=(step.call or {}).get("http_status") != 200,
        )
    stage = str(step.event.get("stage"))
    word = WORDS.get(stage) or ("given up" if stage.startswith("dead") else stage)
    return Bar(
        word=word,
        stage=stage,
        by=str(step.event.get("service") or ""),
        account=account,
        what=summary(stage, step.event.get("data"), asked=asked),
        at=str(step.event.get("at") or ""),
        begin_ms=step.begin_ms,
        end_ms=step.end_ms,
        is_call=False,
        is_bad=word in _BAD or stage.startswith("dead."),
    )


def _stored(step: Step) -> Bar | None:
    """When the log had the alert: before that its sender was not answered."""
    event = step.event or {}
    stored, came = _time(event.get("stored_at")), _time(event.get("at"))
    if event.get("stage") != "alert.received" or stored is None or came is None:
        return None
    took_ms = (stored - came).total_seconds() * 1000
    if took_ms < 0:
        # Two clocks that differ by more than that.
        return None
    return Bar(
        word="stored",
        stage="",
        by="log",
        account="",
        what="in the log; the sender is answered 200 behind it",
        at=moment(stored),
        begin_ms=step.end_ms,
        end_ms=step.end_ms + took_ms,
        is_call=False,
        is_bad=False,
    )


def _came(events: Sequence[Event]) -> datetime | None:
    return _time(events[0].get("at")) if events else None


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
