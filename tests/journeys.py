"""A table of journeys, one for each way in which an alert goes, and how its page is made of one."""

from datetime import UTC, datetime
from typing import Any

from libs.common.contracts.alert import AlertDuplicate, AlertRefused
from libs.common.contracts.causes import Cause
from libs.common.contracts.flattening import FlatLane
from libs.common.contracts.intent import Denial
from libs.common.contracts.order import Change, ExchangeCall
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import (
    AlertId,
    ChangeKind,
    ClientOrderId,
    OrderType,
    PositionSide,
)
from services.console.rendering import alert_document
from services.console.web.access.viewers import Role, Viewer
from services.console.web.alert.journeys import Section, sections_of
from services.console.web.assets import Assets
from services.console.web.rendering import Pages
from services.console.web.shell import Shell
from tests.factories import ALERT_ID, NOW, D, make_alert, make_holding, make_intent, make_leg
from tests.traced import rows_of
from tests.trail_messages import (
    SYMBOL,
    make_dead,
    make_denied,
    make_execution,
    make_flattening,
    make_plan,
)

PAUSED = Denial(
    reason=Reason.ROUTE_PAUSED, message="route demo is paused", context={"since": "12:00"}
)
TRAIL = Change(
    change_id=ClientOrderId("c1"),
    kind=ChangeKind.TRAIL,
    position_side=PositionSide.LONG,
    trail_distance=D(5),
)
CALL = ExchangeCall(
    method="POST",
    path="/api/v1/private/order/create",
    request_body='{"externalOid":"o1","vol":10}',
    sent_at=NOW,
    elapsed_ms=12.5,
    http_status=200,
    response_body='{"success":false,"code":2005,"message":"Balance insufficient"}',
)
PAGES = Pages(Assets())


def leg(order="o1", effect="open", **changes):
    return make_leg(effect, client_order_id=ClientOrderId(order), **changes)


def filled(order="o1", **changes):
    told = {"filled_contracts": D(10), "average_price": D(50000), "fee": D("0.04")}
    return make_execution("filled", order, **{**told, **changes})


def refused(body="{", **changes):
    known = {"alert_id": ALERT_ID, "route": "demo", "at": NOW, "status": 415, "body": body}
    told = {"reason": Reason.NOT_A_JSON_OBJECT, "message": "The body is not one JSON object."}
    return AlertRefused(**{**known, **told, **changes})


def rejected(**changes):
    told = {"code": 2005, "cause": Cause.MARGIN, "message": "Balance insufficient"}
    return make_execution("rejected", calls=(CALL,), **{**told, **changes})


_RESENT = AlertDuplicate(alert_id=ALERT_ID, route="demo", at=NOW)
_HALT = FlatLane(symbol=SYMBOL, close=AlertId("01a227bb-1009-7cf8-92c5-0ae5ced760ed"))

JOURNEYS: dict[str, tuple[list[Any], str]] = {
    "executed": (
        [
            make_alert(),
            make_intent(steps=("0.001 BTC is 10 contracts",)),
            make_plan(leg(), holdings=(make_holding(),), steps=("holding long 10",)),
            make_execution("sent"),
            filled(),
            _RESENT,
        ],
        "executed",
    ),
    "executed on two accounts": (
        [
            make_alert(),
            make_intent(),
            make_intent(account="other"),
            make_plan(leg()),
            make_plan(leg("o2"), account="other"),
            filled(),
            filled("o2", account="other"),
        ],
        "executed",
    ),
    "a change alone": (
        [make_alert(), make_plan(changes=(TRAIL,)), make_execution("changed", "c1")],
        "executed",
    ),
    "nothing to do": ([make_alert(), make_plan()], "executed"),
    "partial": (
        [make_alert(), make_plan(leg(effect="close"), withheld=PAUSED), filled()],
        "partial",
    ),
    "partly on accounts": (
        [make_alert(), make_plan(leg()), filled(), make_denied(account="other", denial=PAUSED)],
        "partial",
    ),
    "stored": ([make_alert()], "pending"),
    "sent": ([make_alert(), make_plan(leg()), make_execution("sent", calls=(CALL,))], "pending"),
    "resting": (
        [
            make_alert(),
            make_plan(leg(order_type=OrderType.LIMIT, price=D(40000))),
            make_execution("resting", exchange_order_id="77"),
        ],
        "pending",
    ),
    "refused": ([refused()], "refused"),
    "refused, body not kept": ([refused(body="")], "refused"),
    "denied by the router": ([make_alert(), make_denied(denial=PAUSED)], "denied"),
    "denied by the executor": (
        [make_alert(), make_intent(), make_denied(account="paper", denial=PAUSED, calls=(CALL,))],
        "denied",
    ),
    "rejected": (
        [
            make_alert(),
            make_intent(),
            make_plan(leg(), leg("o2")),
            make_execution("sent"),
            rejected(),
        ],
        "rejected",
    ),
    "unknown": (
        [make_alert(), make_plan(leg()), make_execution("unknown", message="no reply")],
        "unknown",
    ),
    "dead": ([make_alert(), make_dead("router", "alert.received.demo")], "dead"),
    "a halt": ([make_flattening(_HALT)], "pending"),
    "a halt with nothing held": ([make_flattening()], "executed"),
    "closed by a halt": (
        [make_intent(contracts=None), make_plan(leg(effect="close")), filled()],
        "executed",
    ),
}


def shell_of(role=Role.OPERATOR):
    viewer = Viewer(name="somebody", role=role, csrf="csrf", address="127.0.0.1")
    return Shell(viewer=viewer, path="/", halts=[], is_fragment=False)


def sections_of_messages(*messages: Any, **look: Any) -> dict[str, Section]:
    """The page's sections by their names."""
    document = alert_document(ALERT_ID, rows_of(*messages))
    found = sections_of(
        document, **{"pages": PAGES, "shell": shell_of(), "trace_link": None, "level": 1, **look}
    )
    return {section.name: section for section in found}


def shown(*messages: Any, **look: Any) -> str:
    """All of them as HTML."""
    return "\n".join(each.html for each in sections_of_messages(*messages, **look).values())


SOON = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
