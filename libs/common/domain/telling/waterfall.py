"""The times of a journey: what follows what, how long each step and each of the exchange's round
trips took, and where that lies on one axis. Pure; documents may come from any release.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Event = Mapping[str, Any]

_LATER_FACTOR = 10
_LATER_MS = 1_000.0
_AFTERWARDS = ("alert.duplicate", "position.", "dead.replayed", "account.")
"""What is told in a journey and is none of its steps."""
_WORDS_MAX = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """An event, or a round trip to the exchange, from when to when since the alert came."""

    begin_ms: float
    end_ms: float
    event: Event | None = None
    call: Mapping[str, Any] | None = None
    count: int = 1
    """So many equal round trips in a row."""
    waited_ms: float = 0.0
    """For the exchange, without the pauses between them."""

    @property
    def took_ms(self) -> float:
        return self.end_ms - self.begin_ms


def steps_of(events: Sequence[Event]) -> list[Step]:
    """Each event behind the round trips that led to it. An event's step begins where its account's
    last one ended, since accounts do not wait for each other.
    """
    steps: list[Step] = []
    came: datetime | None = _time(events[0].get("at")) if events else None
    ended: dict[str | None, float] = {}
    for event in events:
        data = event.get("data")
        fields = data if isinstance(data, dict) else {}
        account = fields.get("account")
        end_ms = _ms(event.get("elapsed_ms"))
        begin_ms = min(ended.get(account, ended.get(None, 0.0)), end_ms)
        ended[account] = end_ms
        if came is not None:
            steps += _folded(_round_trips(fields, came=came))
        steps.append(Step(begin_ms=begin_ms, end_ms=end_ms, event=event))
    return steps


def call_words(step: Step) -> str:
    """What was asked, and what came back: the status, the exchange's code and words, untouched."""
    call = step.call or {}
    asked = f"{call.get('method')} {call.get('path')}"
    if step.count > 1:
        asked = f"{step.count} x {asked}"
    if call.get("http_status") is None:
        return f"{asked}: no reply, {call.get('error') or 'and nobody knows why'}"
    return f"{asked}: {call['http_status']}{_reply(str(call.get('response_body') or ''))}"


def axis_end_ms(steps: Iterable[Step]) -> float:
    """Where the axis ends: at the last step, or before a long wait, which would leave nothing to be
    seen of what came before it.
    """
    end_ms = 0.0
    for step in steps:
        waited_ms = step.end_ms - end_ms
        if waited_ms > max(_LATER_MS, _LATER_FACTOR * end_ms) and end_ms > 0:
            break
        end_ms = max(end_ms, step.end_ms)
    return end_ms


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """How long the way took, in parts; None where it did not come so far."""

    to_order_ms: float | None
    """From the alert to the first order that left."""
    to_fill_ms: float | None
    """From there to the last fill."""
    in_all_ms: float
    calls: int
    """Round trips to the exchange, and what they took together."""
    calls_ms: float


def taken(steps: Sequence[Step]) -> Taken:
    events = [step for step in steps if step.event is not None]
    sent = next(_ends(events, "execution.sent"), None)
    filled = max(_ends(events, "execution.filled"), default=None)
    calls = [step for step in steps if step.call is not None]
    return Taken(
        to_order_ms=sent,
        to_fill_ms=filled - sent if sent is not None and filled is not None else None,
        in_all_ms=max((step.end_ms for step in events if _is_of_the_way(step)), default=0.0),
        calls=sum(step.count for step in calls),
        calls_ms=sum(step.waited_ms for step in calls),
    )


def durations(steps: Sequence[Step]) -> str:
    """In one line how long the way took; empty where there was none."""
    found = taken(steps)
    told = []
    if found.to_order_ms is not None:
        told.append(f"alert to order {found.to_order_ms:.1f} ms")
    if found.to_fill_ms is not None:
        told.append(f"order to fill {found.to_fill_ms:.1f} ms")
    if found.in_all_ms > 0:
        told.append(f"in all {found.in_all_ms:.1f} ms")
    if found.calls:
        trips = f"{found.calls} round trip{'s' * (found.calls > 1)}"
        told.append(f"{found.calls_ms:.1f} ms in {trips}")
    return ", ".join(told)


def _ends(steps: Iterable[Step], stage: str) -> Iterator[float]:
    return (step.end_ms for step in steps if step.event and step.event.get("stage") == stage)


def _is_of_the_way(step: Step) -> bool:
    stage = str(step.event.get("stage")) if step.event else ""
    return not stage.startswith(_AFTERWARDS)


def _round_trips(data: Mapping[str, Any], *, came: datetime) -> Iterator[Step]:
    calls = data.get("calls")
    for call in calls if isinstance(calls, list) else ():
        sent = _time(call.get("sent_at")) if isinstance(call, dict) else None
        # One that was just sent has no end yet: it comes again with what came back.
        if sent is None or call.get("elapsed_ms") is None:
            continue
        begin_ms = (sent - came).total_seconds() * 1000
        waited_ms = _ms(call["elapsed_ms"])
        yield Step(begin_ms=begin_ms, end_ms=begin_ms + waited_ms, call=call, waited_ms=waited_ms)


def _folded(steps: Iterable[Step]) -> Iterator[Step]:
    """Questions that were asked again and again, with the same answer, as one."""
    last: Step | None = None
    for step in steps:
        if last is not None and _same(last, step):
            last = Step(
                begin_ms=last.begin_ms,
                end_ms=step.end_ms,
                call=step.call,
                count=last.count + 1,
                waited_ms=last.waited_ms + step.waited_ms,
            )
            continue
        if last is not None:
            yield last
        last = step
    if last is not None:
        yield last


def _same(one: Step, other: Step) -> bool:
    names = ("method", "path", "http_status", "response_body", "error")
    first, second = one.call or {}, other.call or {}
    return all(first.get(name) == second.get(name) for name in names)


def _reply(body: str) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict) or "code" not in found:
        return f" {body[:_WORDS_MAX]}" if body else ""
    words = found.get("message") or found.get("msg") or ""
    return f", code {found['code']}" + (f": {str(words)[:_WORDS_MAX]}" if words else "")


def _ms(value: object) -> float:
    return value if isinstance(value, int | float) else 0.0


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
