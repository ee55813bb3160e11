"""What a halt has closed, as the API shows it: pure. A halt's journey is a list per account of
alerts that have journeys of their own; its status is theirs together.
"""

from collections.abc import Mapping, Sequence

from libs.common.contracts.flattening import Flattening
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import Action, AlertId, AlertStatus
from libs.common.domain.journey import Journey, Outcome, TrailEvent, folded, journey
from services.console.documents import Document
from services.console.trail import Row

Closed = Mapping[AlertId, Sequence[Row]]
"""The rows of the alerts that a halt lists."""


def journey_of(rows: Sequence[Row]) -> Journey:
    return journey(events_of(rows))


def events_of(rows: Sequence[Row]) -> list[TrailEvent]:
    return [
        TrailEvent(
            seq=row.seq,
            stage=row.stage,
            service=row.service,
            at=row.at,
            stored_at=row.stored_at,
            message=row.message,
        )
        for row in rows
        if row.message is not None
    ]


def flattenings(rows: Sequence[Row]) -> list[Flattening]:
    return [row.message for row in rows if isinstance(row.message, Flattening)]


def listed_alerts(rows: Sequence[Row]) -> list[AlertId]:
    """The alerts that a halt's rows list; none of an alert."""
    return [
        alert
        for flattening in flattenings(rows)
        for lane in flattening.lanes
        for alert in (lane.cancel, lane.close)
        if alert is not None
    ]


def halt_outcome(rows: Sequence[Row], closed: Closed, *, found: Journey) -> Outcome:
    """Of a halt what its alerts come to together; of anything else its journey's."""
    outcomes = [_outcome(closed.get(alert, ())) for alert in listed_alerts(rows)]
    if any(flattening.unlisted for flattening in flattenings(rows)):
        outcomes.append((AlertStatus.DENIED, Reason.SYMBOL_UNKNOWN.value))
    return folded(outcomes) if outcomes else (found.status, found.reason)


def halt_alerts(rows: Sequence[Row], closed: Closed) -> list[Document]:
    shown: list[Document] = []
    for flattening in flattenings(rows):
        for lane in flattening.lanes:
            for action, alert in ((Action.CANCEL, lane.cancel), (Action.CLOSE_ALL, lane.close)):
                if alert is None:
                    continue
                status, reason = _outcome(closed.get(alert, ()))
                shown.append(
                    {
                        "alert_id": alert,
                        "account": flattening.account,
                        "symbol": lane.symbol,
                        "action": action.value,
                        "status": status.value,
                        "reason": reason,
                    }
                )
    return shown


def _outcome(rows: Sequence[Row]) -> Outcome:
    found = journey_of(rows)
    return found.status, found.reason
