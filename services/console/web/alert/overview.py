"""What stands at the head of an alert's page: pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from libs.common.domain.telling.outcome import outcome
from libs.common.domain.telling.upshot import Line, upshot
from libs.common.domain.telling.waterfall import Taken, steps_of, taken
from services.console.documents import Document

Data = Mapping[str, Any]

QUIET = timedelta(seconds=60)
"""So long behind the last event something that belongs to it may still come: a checkup after a
refusal, a resend."""
_UUID_WITH_TIME = 7
_OPEN = frozenset({"pending", "unknown"})
_LINES_MAX = 30
_CODE = re.compile("[a-z]+(_[a-z]+)+|halted|stale|pyramiding")


@dataclass(frozen=True, kw_only=True)
class Overview:
    alert_id: str
    trace_id: str
    title: str
    """A stranger's words may be in it."""
    status: str
    reason: str | None
    """Of the closed list."""
    sentence: str
    route: str | None
    came_at: str | None
    taken: Taken
    accounts: tuple[str, ...]
    resent: int
    test_by: str | None
    """Who sent it from here; None of one that came to the webhook."""
    moved_since: bool
    """By something else than an alert."""
    has_letter: bool
    lines: tuple[Line, ...]
    more_lines: int
    is_awaited: bool
    """Nothing of it is in the trail yet."""
    is_halt: bool
    last_seq: int


def overview(document: Data) -> Overview:
    events: Sequence[Data] = document["events"]
    lines = upshot(document)
    sentence = outcome(document)
    reason = document.get("reason")
    stages = [str(event.get("stage")) for event in events]
    if not events:
        sentence = "Nothing of it is in the trail yet. It appears here as it comes."
    return Overview(
        alert_id=document["alert_id"],
        trace_id=document["trace_id"],
        title=_title(document),
        status=document["status"],
        reason=str(reason) if _CODE.fullmatch(str(reason)) else None,
        sentence=sentence,
        route=document.get("route"),
        came_at=events[0].get("at") if events else None,
        taken=taken(steps_of(events)),
        accounts=tuple(_accounts(events)),
        resent=stages.count("alert.duplicate"),
        test_by=_test_by(events),
        moved_since="position.drifted" in stages,
        has_letter=any(stage == "dead" or stage.startswith("dead.") for stage in stages),
        # One line says no more than the sentence does.
        lines=tuple(lines[:_LINES_MAX]) if len(lines) > 1 else (),
        more_lines=max(len(lines) - _LINES_MAX, 0),
        is_awaited=not events,
        is_halt="intent.flattened" in stages,
        last_seq=max((int(event.get("seq") or 0) for event in events), default=0),
    )


def awaited(alert: str) -> Document:
    """The document of an alert of which nothing has come into the trail yet."""
    empty: Document = {name: [] for name in ("events", "orders", "changes", "alerts", "diagnosis")}
    known = {"alert_id": alert, "trace_id": alert.replace("-", ""), "route": None}
    return {**known, "status": "pending", "reason": None, **empty}


def may_still_come(alert: str, *, now: datetime) -> bool:
    """Whether an id that the trail does not know may have been given just now: ids hold a time."""
    found = UUID(alert)
    made_ms = (found.int >> 80) - now.timestamp() * 1000
    return found.version == _UUID_WITH_TIME and abs(made_ms) < QUIET.total_seconds() * 1000


def is_open(document: Data, *, now: datetime) -> bool:
    """Whether anything may still come by itself."""
    states = {each.get("state") for each in (*document["orders"], *document["changes"])}
    if document["status"] in _OPEN or "resting" in states:
        return True
    stored = [datetime.fromisoformat(event["stored_at"]) for event in document["events"]]
    return not stored or now - max(stored) < QUIET


def _title(document: Data) -> str:
    for event in document["events"]:
        data = event.get("data")
        if not isinstance(data, dict):
            continue
        match event.get("stage"):
            case "alert.received":
                return _wanted(data.get("order") or {})
            case "alert.refused":
                return "Refused alert"
            case "intent.flattened":
                scope = str(data.get("scope") or "")
                which = {"all": "everything", "account": f"account {data.get('account')}"}
                named = which.get(scope, f"{scope} {data.get('route')}")
                return f"Halt of {named}: close what is held"
            case "intent.accepted":
                # A halt's intents come from no alert.
                words = "cancel orders" if data.get("action") == "cancel" else "close what is held"
                return f"Halt: {words} in {data.get('symbol')}"
    return "Alert"


def _wanted(order: Data) -> str:
    percent = order.get("quantity_percent")
    size = f"{percent} %" if percent is not None else order.get("quantity")
    parts = (order.get("action"), order.get("wanted"), order.get("close_side"), size)
    told = " ".join(str(part) for part in (*parts, order.get("ticker")) if part is not None)
    return told[:1].upper() + told[1:]


def _test_by(events: Sequence[Data]) -> str | None:
    for event in events:
        data = event.get("data")
        if isinstance(data, dict) and event.get("stage") in {"alert.received", "alert.refused"}:
            return str(data["test_by"]) if data.get("test_by") else None
    return None


def _accounts(events: Sequence[Data]) -> list[str]:
    found: dict[str, None] = {}
    for event in events:
        data = event.get("data")
        if isinstance(data, dict) and data.get("account"):
            found[str(data["account"])] = None
    return list(found)
