"""`POST /api/alerts/{id}/replay`: an old alert as it would be understood, decided and planned now,
beside what was decided then, as the trail has it. Nothing is sent.

Its body is explained as if it came now, on the route as it is now. So what depends on the moment is
not compared field by field: how old it was, what was held, what the market's price was. The plan of
today is shown beside that of then, each with the picture that it was made with.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from libs.common.contracts.alert import Alert, AlertRefused
from libs.common.contracts.intent import Intent, IntentDenied
from libs.common.contracts.order import Plan
from libs.common.contracts.reasons import Reason
from services.console.alerts import rows_of
from services.console.documents import Document, moment, plain
from services.console.explaining import Explaining, shown
from services.console.problems import Problem
from services.console.registry import Registry
from services.console.trail import Row, Trail

_OF_THE_SENDER = frozenset(
    {
        *(Reason.BODY_SECRET_WRONG, Reason.ADDRESS_NOT_ALLOWED),
        *(Reason.CLIENT_CERTIFICATE_WRONG, Reason.RATE_EXCEEDED, Reason.BODY_TOO_LARGE),
    }
)
"""What ingest refuses for something that no body shows."""
_WORDING = frozenset({"steps", "opening_denied"})
"""Said in other words today, or of the moment."""
_NOTES = (
    "It is explained as if it came now: it is no resend, and as fresh as can be.",
    "Each plan is made with what the account held at its time: the two are shown, not compared.",
)


@post("/{alert_id:str}/replay", status_code=200)
async def replay_alert(
    trail: NamedDependency[Trail],
    registry: NamedDependency[Registry],
    explaining: NamedDependency[Explaining],
    alert_id: FromPath[str],
) -> Document:
    return await replayed(trail, registry, explaining, alert_id=alert_id)


async def replayed(
    trail: Trail, registry: Registry, explaining: Explaining, *, alert_id: str
) -> Document:
    """Raises a `Problem` where there is nothing to decide again, or no route to do it by."""
    alert, rows = await rows_of(trail, alert_id)
    arrived = arrival_of(rows)
    if arrived is None:
        raise Problem(409, "It came from no alert of a route, so there is no body to decide on.")
    route = (await registry.routes.find(arrived.route)).value
    then, notes = then_of(rows), list(_NOTES)
    if isinstance(arrived, AlertRefused) and arrived.reason in _OF_THE_SENDER:
        notes.append(
            f"Then it was refused as {arrived.reason.value}, for something that its body does not"
            " show: today that is taken for right."
        )
    now = await explaining.explain(arrived.body.encode(), route)
    return {
        "alert_id": alert,
        "route": arrived.route,
        "at": moment(arrived.at),
        "body": arrived.body,
        "then": then,
        "now": now,
        "differences": list(differences(then, now)),
        "notes": notes,
    }


def arrival_of(rows: Sequence[Row]) -> Alert | AlertRefused | None:
    """What came in; of a halt's orders nothing did."""
    found = (row.message for row in rows if isinstance(row.message, Alert | AlertRefused))
    return next(found, None)


def then_of(rows: Sequence[Row]) -> Document:
    """What was decided then, in the shape of an explanation."""
    arrived = arrival_of(rows)
    refused = arrived if isinstance(arrived, AlertRefused) else None
    accounts: dict[str | None, Document] = {}
    for row in rows:
        match row.message:
            case Intent(account=account) as intent:
                accounts.setdefault(account, _account(account)).update(intent=shown(intent))
            case Plan(account=account) as plan:
                accounts.setdefault(account, _account(account)).update(_planned(plan))
            case IntentDenied(account=account) as denied:
                accounts.setdefault(account, _account(account)).update(_denied(denied, row))
    return {
        "order": plain(arrived.order) if isinstance(arrived, Alert) else None,
        "refusal": _refusal(refused),
        "accounts": list(accounts.values()),
    }


def differences(then: Document, now: Document) -> Iterator[Document]:
    """What was understood and decided otherwise, field by field, as far as it is told now."""
    if now["problem"] is not None:
        return
    yield from _fields("refusal", _key(then["refusal"]), _key(now["refusal"]))
    if then["order"] and now["order"]:
        yield from _fields("order", then["order"], now["order"])
    before = {one["account"]: one for one in then["accounts"]}
    after = {one["account"]: one for one in now["accounts"]}
    # What was denied for all accounts names none.
    for name in dict.fromkeys(name for name in (*before, *after) if name is not None):
        yield from _of_account(name, before.get(name), after.get(name))


def _of_account(
    name: str | None, then: Document | None, now: Document | None
) -> Iterator[Document]:
    told = {"account": name}
    if now is None or then is None:
        words = ("traded", "not traded") if now is None else ("not traded", "traded")
        yield {**told, "what": "account", "then": words[0], "now": words[1]}
        return
    if now["problem"] is not None and now["intent"] is None:
        return
    pair = _by_router(then), _by_router(now)
    if pair[0] != pair[1]:
        yield {**told, "what": "denied by the router", "then": pair[0], "now": pair[1]}
    if then["intent"] and now["intent"]:
        for each in _fields("intent", then["intent"], now["intent"]):
            yield {**told, **each}


def _by_router(account: Document) -> str | None:
    denial = account["denial"] if account["denied_by"] == "router" else None
    return None if denial is None else str(denial["reason"])


def _key(refusal: Document | None) -> Document:
    # Its sentence may be said in other words today.
    return {} if refusal is None else {n: refusal[n] for n in ("status", "reason", "field")}


def _fields(what: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Document]:
    for name in dict.fromkeys([*then, *now]):
        if name in _WORDING:
            continue
        was, becomes = then.get(name), now.get(name)
        if isinstance(was, dict) and isinstance(becomes, dict):
            yield from _fields(f"{what}.{name}", was, becomes)
        elif was != becomes:
            yield {"what": f"{what}.{name}", "then": was, "now": becomes}


def _account(account: str | None) -> Document:
    return {
        "account": account,
        "outcome": "undecided",
        "denied_by": None,
        "denial": None,
        "intent": None,
        "legs": [],
        "changes": [],
        "withheld": None,
        "summary": None,
        "steps": [],
        "holdings": None,
    }


def _planned(plan: Plan) -> Document:
    return {
        "outcome": "partial" if plan.withheld else "planned",
        "legs": shown(plan.legs),
        "changes": shown(plan.changes),
        "withheld": plain(plan.withheld),
        "summary": plan.summary,
        "steps": list(plan.steps),
        "holdings": plain(plan.holdings),
    }


def _denied(denied: IntentDenied, row: Row) -> Document:
    return {"outcome": "denied", "denied_by": row.service, "denial": plain(denied.denial)}


def _refusal(refused: AlertRefused | None) -> Document | None:
    if refused is None:
        return None
    names = ("status", "reason", "message", "field", "value")
    return {name: plain(getattr(refused, name)) for name in names}


replay_router = Router("/alerts", route_handlers=[replay_alert])
