"""An alert's rows as the API shows them: pure. What is stored is passed on to the byte, and what
it means comes from the journey.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from libs.common.contracts.checkup import AccountChecked
from libs.common.contracts.words import AccountId, AlertId
from libs.common.domain.diagnosis.diagnosing import diagnose, needs_diagnosis
from libs.common.domain.journey import JourneyChange, JourneyOrder
from services.console.documents import Document, moment, plain
from services.console.flattened import (
    Closed,
    events_of,
    halt_alerts,
    halt_outcome,
    journey_of,
)
from services.console.lines import NOTHING, elapsed_ms, route_of
from services.console.trail import Row


def alert_document(
    alert: AlertId,
    rows: Sequence[Row],
    *,
    closed: Closed = NOTHING,
    checkups: Sequence[AccountChecked] = (),
) -> Document:
    """One alert, whole; `closed` are the rows of what a halt has closed, `checkups` those of the
    accounts that `to_diagnose` names.
    """
    found = journey_of(rows)
    status, reason = halt_outcome(rows, closed, found=found)
    return {
        "alert_id": alert,
        "trace_id": alert.replace("-", ""),
        "route": route_of(rows),
        "status": status.value,
        "reason": reason,
        "events": [_event(row, first=rows[0]) for row in rows],
        "orders": [_order(order) for order in found.orders],
        "changes": [_change(change) for change in found.changes],
        "alerts": halt_alerts(rows, closed),
        "diagnosis": [
            {
                "check": line.check.value,
                "state": line.state.value,
                "evidence": line.evidence,
                "mend": line.mend,
            }
            for line in diagnose(events_of(rows), checkups=checkups)
        ],
    }


def to_diagnose(rows: Sequence[Row]) -> list[AccountId]:
    """The accounts whose checkups may tell why not all was done; none where all was."""
    found = journey_of(rows)
    if not needs_diagnosis(found):
        return []
    return [part.account for part in found.parts if part.account is not None]


def _event(row: Row, *, first: Row) -> Document:
    return {
        "seq": row.seq,
        "stage": row.stage,
        "service": row.service,
        "at": moment(row.at),
        "stored_at": moment(row.stored_at),
        "elapsed_ms": elapsed_ms(row.at, since=first.at),
        "data": _data(row),
    }


def _data(row: Row) -> Any:
    # A message that was decoded is JSON; what was not may be anything.
    if row.message is not None:
        return msgspec.Raw(row.body)
    return row.body.decode("utf-8", "replace")


def _order(order: JourneyOrder) -> Document:
    return {
        "client_order_id": order.client_order_id,
        "account": order.account,
        "symbol": order.symbol,
        "effect": order.effect.value,
        "position_side": order.position_side.value,
        "contracts": plain(order.contracts),
        "state": order.state.value,
        "exchange_order_id": order.exchange_order_id,
        "request": _parsed(order.request),
        "response": _parsed(order.response),
        "filled_contracts": plain(order.filled_contracts),
        "average_price": plain(order.average_price),
        "fee": plain(order.fee),
        "words": order.words,
    }


def _change(change: JourneyChange) -> Document:
    asked = change.change
    return {
        "change_id": change.client_order_id,
        "account": change.account,
        "symbol": change.symbol,
        "kind": change.kind.value,
        "exchange_ids": list(asked.exchange_ids),
        "position_side": asked.position_side.value if asked.position_side else None,
        "contracts": plain(asked.contracts),
        "stop_price": plain(asked.stop_price),
        "target_price": plain(asked.target_price),
        "trail_distance": plain(asked.trail_distance),
        "state": change.state.value,
        "exchange_id": change.exchange_order_id,
        "request": _parsed(change.request),
        "response": _parsed(change.response),
        "words": change.words,
    }


def _parsed(text: str | None) -> Any:
    # Raw, so that its numbers stay as they were written.
    if text is None:
        return None
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return text
    return msgspec.Raw(text.encode())
