"""The lines of `alertwire tail --alerts`: one for an alert when it has ended. What it came to is
folded from its events as they pass, as the console does it from the trail: nobody is asked.
"""

import json
from collections import OrderedDict
from datetime import datetime
from typing import Any

from libs.common.contracts import codec
from libs.common.contracts.alert import Alert, AlertRefused
from libs.common.contracts.words import AlertStatus
from libs.common.domain.journey import Journey, TrailEvent, journey
from libs.common.domain.telling.summaries import moved, runs, summary, times
from tools.cli.event_stream import Event
from tools.cli.showing import clean, print_json_line, style_of, terminal

_REMEMBERED = 5_000
OPEN = frozenset({AlertStatus.PENDING, AlertStatus.UNKNOWN})
"""No ends: more is to come."""
_STATUS_CHARS = max(map(len, AlertStatus))


class Alerts:
    """Tells each alert whose beginning has passed by, again where something later changes its end:
    an order that rested is filled, or what was given up on is replayed.
    """

    def __init__(self, *, statuses: frozenset[str], as_json: bool) -> None:
        self._statuses = statuses
        self._as_json = as_json
        self._passed: OrderedDict[str, list[TrailEvent]] = OrderedDict()
        self._told: dict[str, tuple[str, str | None]] = {}

    def show(self, event: Event) -> bool:
        """False where nothing was to be told."""
        alert, message = str(event.get("alert_id")), _trail_event(event)
        if message is None:
            return False
        if isinstance(message.message, Alert | AlertRefused):
            self._passed.setdefault(alert, [])
        events = self._passed.get(alert)
        if events is None:
            return False
        events.append(message)
        self._forget_old()
        found = journey(events)
        end = (found.status.value, found.reason)
        if found.status in OPEN or self._told.get(alert) == end:
            return False
        self._told[alert] = end
        if self._statuses and end[0] not in self._statuses:
            return False
        self._print(alert, events, found)
        return True

    def _print(self, alert: str, events: list[TrailEvent], found: Journey) -> None:
        first, last = events[0], events[-1]
        elapsed_ms = round((last.at - first.at).total_seconds() * 1000, 3)
        data = json.loads(codec.encode(first.message))
        document: dict[str, Any] = {
            "alert_id": alert,
            "route": data.get("route"),
            "status": found.status.value,
            "reason": found.reason,
            "at": first.at.isoformat().replace("+00:00", "Z"),
            "elapsed_ms": elapsed_ms,
            "orders": [
                f"{moved(vars(order))} {order.symbol} {order.state.value}" for order in found.orders
            ],
        }
        if self._as_json:
            print_json_line(document)
            return
        from rich.text import Text  # noqa: PLC0415 - see showing.terminal

        what = summary(first.stage, data) if isinstance(first.message, Alert) else ""
        done = [times(words, number) for words, number in runs(document["orders"])]
        status = found.status.value
        parts = (
            (document["at"][11:23], "dim"),
            (f"{status:<{_STATUS_CHARS}}", style_of(status)),
            (alert, "dim"),
            (clean(str(data.get("route"))), "bold"),
            (clean("; ".join(part for part in (what, *done, found.reason) if part)), ""),
            (f"{elapsed_ms:.0f} ms", "dim"),
        )
        line = Text("  ").join(Text(text, style=style) for text, style in parts if text)
        terminal().print(line, soft_wrap=True)

    def _forget_old(self) -> None:
        while len(self._passed) > _REMEMBERED:
            alert, _ = self._passed.popitem(last=False)
            self._told.pop(alert, None)


def _trail_event(event: Event) -> TrailEvent | None:
    try:
        message = codec.decode(json.dumps(event.get("data")).encode())
        at = datetime.fromisoformat(str(event.get("at")))
    except (codec.UndecodableError, ValueError):
        return None
    return TrailEvent(
        seq=int(event["seq"]),
        stage=str(event["stage"]),
        service=str(event.get("service") or ""),
        at=at,
        stored_at=None,
        message=message,
    )
