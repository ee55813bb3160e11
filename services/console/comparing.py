"""What was decided about an alert beside what would be decided today, field by field: pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

import msgspec

from libs.common.contracts.alert import Alert, AlertRefused
from libs.common.contracts.intent import Denial, Intent, IntentDenied
from libs.common.contracts.order import Plan
from libs.common.contracts.words import AccountId
from services.console.documents import Document, plain
from services.console.trail import Row

NOTHING = "-"
DIFFERENCES_MAX = 60
"""A split order has hundreds of parts, and what differs in one differs in all."""
# What tells orders and moments apart, and sentences, which may be said in other words today.
_LEFT_OUT = frozenset(
    {
        *("intent_id", "alert_id", "at", "received_at", "client_order_id", "change_id"),
        *("position_id", "steps", "summary", "message", "type"),
    }
)


@dataclass(kw_only=True)
class _Then:
    # What was recorded of one account.
    intent: Intent | None = None
    plan: Plan | None = None
    denial: Denial | None = None

    @property
    def outcome(self) -> str:
        if self.plan is not None:
            return "partial" if self.plan.withheld else "planned"
        if self.denial is not None:
            return "denied"
        return "not planned" if self.intent is not None else "nothing decided"


def arrival_of(rows: Sequence[Row]) -> Alert | AlertRefused | None:
    """What came from outside; a halt's closing did not."""
    found = (row.message for row in rows)
    return next((each for each in found if isinstance(each, Alert | AlertRefused)), None)


def compared(rows: Sequence[Row], explanation: Document) -> Document:
    """`explanation`: as `Explaining` makes it of the same body under today's settings."""
    arrived = arrival_of(rows)
    assert arrived is not None  # noqa: S101 - the caller looked
    arrival = list(_of_arrival(arrived, explanation))
    then, whole = _recorded(rows)
    now = {each["account"]: each for each in explanation["accounts"]}
    accounts = [
        _of_account(name, then.get(name) or _Then(denial=whole), now.get(name))
        for name in dict.fromkeys([*then, *now])
    ]
    found = {each["outcome"] for each in accounts} | ({"differs"} if arrival else set())
    if explanation.get("problem"):
        found.add("untold")
    return {
        "alert_id": arrived.alert_id,
        "route": arrived.route,
        "outcome": next((each for each in ("differs", "untold") if each in found), "same"),
        "sent": False,
        "problem": explanation.get("problem"),
        "differences": arrival,
        "accounts": accounts,
        "assumptions": [
            *explanation.get("assumptions", ()),
            "age and trading windows are judged at the time when it came",
            "what is held is what is held now",
        ],
    }


def _recorded(rows: Sequence[Row]) -> tuple[dict[AccountId, _Then], Denial | None]:
    found: dict[AccountId, _Then] = {}
    whole: Denial | None = None
    for row in rows:
        match row.message:
            case Intent(account=account):
                found.setdefault(account, _Then()).intent = row.message
            case Plan(account=account):
                one = found.setdefault(account, _Then())
                one.plan = one.plan or row.message
            case IntentDenied(account=None, denial=denial):
                whole = denial
            case IntentDenied(account=str() as account, denial=denial):
                found.setdefault(AccountId(account), _Then()).denial = denial
    return found, whole


def _of_arrival(arrived: Alert | AlertRefused, explanation: Document) -> Iterator[Document]:
    refusal = explanation.get("refusal")
    if explanation.get("problem"):
        return
    was = "accepted" if isinstance(arrived, Alert) else _refused(plain(arrived))
    becomes = _refused(refusal) if refusal else "accepted"
    if was != becomes:
        yield {"what": "arrival", "then": was, "now": becomes}
    if isinstance(arrived, Alert) and explanation.get("order"):
        yield from _fields("order", plain(arrived.order), explanation["order"])


def _refused(refused: Document) -> str:
    reason = refused["reason"]
    told = f"refused, {refused['status']} {getattr(reason, 'value', reason)}"
    return f"{told}, field {refused['field']}" if refused.get("field") else told


def _of_account(name: str, then: _Then, now: Document | None) -> Document:
    is_untold = now is not None and now.get("problem") is not None
    becomes = "not traded" if now is None else "not known" if is_untold else now["outcome"]
    differences = list(islice(_differences(then, now, becomes=becomes), DIFFERENCES_MAX + 1))
    outcome = "differs" if differences else "untold" if is_untold else "same"
    return {
        "account": name,
        "outcome": outcome,
        "was": then.outcome,
        "becomes": becomes,
        "differences": differences[:DIFFERENCES_MAX],
        "has_more": len(differences) > DIFFERENCES_MAX,
        "problem": now.get("problem") if now else None,
    }


def _differences(then: _Then, now: Document | None, *, becomes: str) -> Iterator[Document]:
    if becomes not in {"not known", then.outcome}:
        yield {"what": "outcome", "then": then.outcome, "now": becomes}
    if now is None:
        return
    if then.intent is not None and now.get("intent"):
        yield from _fields("intent", plain(then.intent), now["intent"])
    if now.get("problem") is not None:
        return
    yield from _denials("denied", None if then.plan else then.denial, now.get("denial"))
    if then.plan is None or now["outcome"] == "denied":
        return
    for kind, was, comes in (
        ("order", then.plan.legs, now["legs"]),
        ("change", then.plan.changes, now["changes"]),
    ):
        for number, (one, other) in enumerate(zip_longest(plain(was), comes), start=1):
            yield from _fields(f"{kind} {number}", one, other)
    yield from _denials("withheld", then.plan.withheld, now.get("withheld"))


def _denials(what: str, then: Denial | None, now: Document | None) -> Iterator[Document]:
    was = plain(then) if then is not None else None
    if (was is None) != (now is None):
        yield {"what": what, "then": _told(was), "now": _told(now)}
    elif was is not None and now is not None:
        yield from _fields(what, was, now)


def _told(denial: Document | None) -> str:
    if denial is None:
        return NOTHING
    return f"{_text(denial['reason'])}: {denial['message']}"


def _fields(what: str, then: Any, now: Any) -> Iterator[Document]:
    was, becomes = dict(_flat(then)), dict(_flat(now))
    for name in dict.fromkeys([*was, *becomes]):
        before, after = was.get(name, NOTHING), becomes.get(name, NOTHING)
        if before != after:
            yield {"what": f"{what}{name}", "then": before, "now": after}


def _flat(value: Any, *, at: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            for name, inner in value.items():
                if name not in _LEFT_OUT:
                    yield from _flat(inner, at=f"{at}.{name}")
        case list() | tuple():
            for number, inner in enumerate(value, start=1):
                yield from _flat(inner, at=f"{at}[{number}]")
        case None:
            pass
        case _:
            yield at, _text(value)


def _text(value: Any) -> str:
    found = msgspec.to_builtins(value)
    return found if isinstance(found, str) else msgspec.json.encode(found).decode()
