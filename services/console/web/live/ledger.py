"""What the log said lately about each alert, in memory: pure, time is an argument.

It covers everything behind the place `since` up to the place `place`. What grows too large forgets
the alerts that were quiet for longest, and then covers less. An alert whose beginning lies further
back is completed by whoever can read the trail, and is shown as far as it is known until then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from libs.common.bus import HEADER_REPLAY_OF
from libs.common.contracts import codec
from libs.common.contracts.words import AlertId
from services.console.documents import Document
from services.console.flattened import listed_alerts
from services.console.lines import BEGINNINGS, alert_line
from services.console.log_events import LogEvent
from services.console.trail import Row

DEBOUNCE_S = 0.1
ALERTS_MAX = 2_000
BYTES_MAX = 64 * 1024 * 1024
_KEPT_SHARE = 0.9
"""Forgetting goes down to so much, so that it is not done for every new alert."""


@dataclass(eq=False, kw_only=True, slots=True)
class Change:
    """An alert as it is now."""

    alert: AlertId
    line: Document
    rows: Sequence[Row]
    last_seq: int
    html: str | None = None
    """As whoever shows it has rendered it, once for all who look."""


@dataclass(kw_only=True, slots=True)
class _Entry:
    rows: dict[int, Row] = field(default_factory=dict)
    size: int = 0
    last_seq: int = 0
    whole: bool = False
    """Nothing of it is missing before what is known."""
    change: Change | None = None


@dataclass(kw_only=True, slots=True)
class _Mark:
    # Something came that nobody was told yet.
    seq: int
    due_at: float


class Ledger:
    def __init__(
        self,
        *,
        debounce_s: float = DEBOUNCE_S,
        alerts_max: int = ALERTS_MAX,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        self._debounce_s = debounce_s
        self._alerts_max = alerts_max
        self._bytes_max = bytes_max
        self.begin(0)

    def begin(self, place: int) -> None:
        """Know nothing, and cover nothing but what comes behind this place."""
        self.since = self.place = place
        self._entries: dict[AlertId, _Entry] = {}
        self._marks: dict[AlertId, _Mark] = {}
        self._halts: dict[AlertId, AlertId] = {}
        self._size = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def told(self) -> int:
        """Up to this place everything was told: a place to come back to."""
        waiting = min((mark.seq for mark in self._marks.values()), default=self.place + 1)
        return min(waiting - 1, self.place)

    def reached(self, place: int) -> None:
        self.place = max(self.place, place)

    def hear(self, event: LogEvent, *, alert: AlertId | None, now: float) -> None:
        """One message of the log; of one that concerns no alert only its place is noted."""
        self.reached(event.seq)
        if alert is None:
            return
        entry = self._entries.setdefault(alert, _Entry())
        row = _row(event)
        if row.stage in BEGINNINGS and HEADER_REPLAY_OF not in event.headers:
            entry.whole = True
        self._add(entry, row)
        for closed in listed_alerts([row]):
            self._halts[closed] = alert
        self._mark(alert, seq=event.seq, now=now)
        halt = self._halts.get(alert)
        if halt in self._entries:
            self._mark(halt, seq=event.seq, now=now)
        self._forget()

    def lower(self, since: int) -> None:
        """What lies behind this place is being heard now, too."""
        self.since = min(self.since, since)

    def next_due(self) -> float | None:
        return next((mark.due_at for mark in self._marks.values()), None)

    def due(self, now: float) -> list[AlertId]:
        """Whom something is to be told of, in the order in which it came."""
        return [alert for alert, mark in self._marks.items() if mark.due_at <= now]

    def missing(self, alert: AlertId) -> list[AlertId]:
        """The alerts of which the trail may know more: itself, or what a halt has closed."""
        entry = self._entries[alert]
        closed = listed_alerts(list(entry.rows.values()))
        return [
            *([] if entry.whole else [alert]),
            *(each for each in closed if each not in self._entries),
        ]

    def unfinished(self) -> list[AlertId]:
        """Alerts that were told of though their beginning is not known."""
        return [
            alert
            for alert, entry in self._entries.items()
            if not entry.whole and entry.change is not None
        ]

    def complete(self, alert: AlertId, rows: Sequence[Row]) -> None:
        """What the trail knows of it."""
        if not rows:
            return
        entry = self._entries.setdefault(alert, _Entry())
        for row in rows:
            self._add(entry, row)
        entry.whole = True

    def settle(self, alert: AlertId) -> Change | None:
        """The alert as it is now, which is thereby told; None where it stands in no list."""
        self._marks.pop(alert, None)
        entry = self._entries.get(alert)
        if entry is None:
            return None
        rows = [row for _, row in sorted(entry.rows.items())]
        if not self._is_listed(alert, entry):
            entry.change = None
            return None
        closed = {
            each: [row for _, row in sorted(self._entries[each].rows.items())]
            for each in listed_alerts(rows)
            if each in self._entries
        }
        line = alert_line(rows[0].seq, alert, rows, closed=closed)
        entry.change = Change(alert=alert, line=line, rows=rows, last_seq=line["last_seq"])
        return entry.change

    def changed_after(self, place: int) -> list[Change]:
        """What was told and has changed behind a place, oldest change first."""
        found = (entry.change for entry in self._entries.values() if entry.change is not None)
        changed = (change for change in found if change.last_seq > place)
        return sorted(changed, key=lambda change: change.last_seq)

    def _is_listed(self, alert: AlertId, entry: _Entry) -> bool:
        if any(row.stage in BEGINNINGS for row in entry.rows.values()):
            return True
        # Of one whose beginning nobody knows, what is known is shown.
        return not entry.whole and alert not in self._halts

    def _mark(self, alert: AlertId, *, seq: int, now: float) -> None:
        mark = self._marks.get(alert)
        if mark is None:
            self._marks[alert] = _Mark(seq=seq, due_at=now + self._debounce_s)
        else:
            mark.seq = min(mark.seq, seq)

    def _add(self, entry: _Entry, row: Row) -> None:
        if row.seq in entry.rows:
            return
        entry.rows[row.seq] = row
        entry.size += len(row.body)
        entry.last_seq = max(entry.last_seq, row.seq)
        self._size += len(row.body)

    def _forget(self) -> None:
        if len(self._entries) <= self._alerts_max and self._size <= self._bytes_max:
            return
        alerts_kept = int(self._alerts_max * _KEPT_SHARE)
        bytes_kept = int(self._bytes_max * _KEPT_SHARE)
        quiet = sorted(self._entries.items(), key=lambda item: item[1].last_seq)
        for alert, entry in quiet:
            if len(self._entries) <= alerts_kept and self._size <= bytes_kept:
                break
            self._drop(alert, entry)

    def _drop(self, alert: AlertId, entry: _Entry) -> None:
        del self._entries[alert]
        self._marks.pop(alert, None)
        self._size -= entry.size
        self.since = max(self.since, entry.last_seq)
        for closed in listed_alerts(list(entry.rows.values())):
            self._halts.pop(closed, None)


def _row(event: LogEvent) -> Row:
    try:
        message = codec.decode(event.data)
    except codec.UndecodableError:
        message = None
    return Row(
        seq=event.seq,
        stage=event.stage,
        service=event.service,
        at=event.at,
        stored_at=event.stored_at,
        body=event.data,
        message=message,
    )
