"""What a halt has closed, and what became of halts, for people: pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from libs.common.contracts.control import Control
from libs.common.contracts.words import Action, AlertId, AlertStatus
from libs.common.domain.journey import Journey
from libs.common.domain.quantity import plain
from services.console.differences import How, how
from services.console.flattened import Closed, flattenings, halt_alerts, journey_of
from services.console.trail import ChangeRow, Row

_UNDER_WAY = frozenset({AlertStatus.PENDING.value, AlertStatus.UNKNOWN.value})
_DEEDS = {Action.CANCEL.value: "cancel what waits", Action.CLOSE_ALL.value: "close what is held"}
_HOWS = {How.CREATED: "halted", How.CHANGED: "halted anew", How.DELETED: "resumed"}
_TOLD_WITHIN = timedelta(minutes=1)
_decode = msgspec.json.Decoder(Control).decode


@dataclass(frozen=True, kw_only=True)
class FlatLine:
    """One symbol of one account."""

    account: str
    symbol: str
    deed: str
    status: str
    reason: str | None
    done: str
    """What the exchange filled, in words; empty where nothing was."""
    alert_id: AlertId


@dataclass(frozen=True, kw_only=True)
class Flat:
    """What a halt with flatten came to."""

    halt_id: AlertId
    lines: tuple[FlatLine, ...]
    empty: tuple[str, ...]
    """Accounts that held nothing."""
    awaited: tuple[str, ...]
    """Accounts whose executor has not told yet what they hold."""
    unlisted: tuple[str, ...]
    """Left alone, since the exchange does not list the contract."""

    @property
    def is_under_way(self) -> bool:
        return bool(self.awaited) or any(line.status in _UNDER_WAY for line in self.lines)

    @property
    def upshot(self) -> str:
        if self.is_under_way:
            return "closing"
        failed = self.unlisted or any(
            line.status != AlertStatus.EXECUTED.value for line in self.lines
        )
        return "not all closed" if failed else "all closed" if self.lines else "nothing was held"


@dataclass(frozen=True, kw_only=True)
class Event:
    """A halt or a resume, as the history tells it."""

    at: datetime
    made_by: str
    how: str
    what: str
    reason: str
    flat: Flat | None = None

    @property
    def is_halted(self) -> bool:
        return self.how != _HOWS[How.DELETED]


def halts_of(rows: Iterable[ChangeRow]) -> list[Control | None]:
    """What each change wrote; of a resume what it took back. None where nobody can read it."""
    return [_control(row) for row in rows]


def history(
    rows: Sequence[ChangeRow], *, journeys: Mapping[AlertId, Sequence[Row]], closed: Closed
) -> list[Event]:
    """`journeys` are the rows of the halts that flattened, `closed` those of what they closed."""
    events: list[Event] = []
    for row, control in zip(rows, halts_of(rows), strict=True):
        done = how(row.now, row.before)
        began = control is not None and done is not How.DELETED
        flat = None
        if control is not None and began and control.flatten:
            flat = flat_of(control, journeys.get(control.halt_id, ()), closed)
        events.append(
            Event(
                at=row.place.stored_at,
                made_by=row.made_by or "",
                how=_HOWS[done],
                what=control.what if control is not None else row.subject,
                reason=control.reason if control is not None and began else "",
                flat=flat,
            )
        )
    return events


def is_behind(events: Sequence[Event], halts: Sequence[Control], *, now: datetime) -> bool:
    """Whether the trail does not tell yet what the log does; it follows within a second."""
    newest: dict[str, bool] = {}
    for event in events:
        newest.setdefault(event.what, event.is_halted)
    standing = {control.what for control in halts}
    fresh = {control.what for control in halts if now - control.at < _TOLD_WITHIN}
    is_told = all(newest[what] == (what in standing) for what in newest)
    return not is_told or not fresh <= newest.keys()


def flat_of(control: Control, rows: Sequence[Row], closed: Closed) -> Flat:
    """Of one halt, by the rows of its journey."""
    told = {flattening.account: flattening for flattening in flattenings(rows)}
    return Flat(
        halt_id=control.halt_id,
        lines=tuple(
            FlatLine(
                account=line["account"],
                symbol=line["symbol"],
                deed=_DEEDS[line["action"]],
                status=line["status"],
                reason=line["reason"],
                done=_filled(journey_of(closed.get(line["alert_id"], ()))),
                alert_id=line["alert_id"],
            )
            for line in halt_alerts(rows, closed)
        ),
        empty=tuple(
            account for account, each in told.items() if not each.lanes and not each.unlisted
        ),
        awaited=tuple(account for account in control.accounts if account not in told),
        unlisted=tuple(
            f"{symbol} on {account}" for account, each in told.items() for symbol in each.unlisted
        ),
    )


def _filled(found: Journey) -> str:
    parts = [
        f"{plain(order.filled_contracts)} at {plain(order.average_price)}"
        if order.average_price is not None
        else f"{plain(order.filled_contracts)}"
        for order in found.orders
        if order.filled_contracts
    ]
    return ", ".join(parts)


def _control(row: ChangeRow) -> Control | None:
    body = row.before.body if row.now.deleted and row.before is not None else row.now.body
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
