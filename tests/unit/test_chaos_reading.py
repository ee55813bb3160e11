"""What the suite takes from the log's messages, which it reads as plain JSON: made here by the
codec that the services write with.
"""

from datetime import UTC, datetime, timedelta

from chaos.evidence import Evidence
from chaos.trail_reading import note
from libs.common.contracts import codec
from libs.common.contracts.execution import Execution
from libs.common.contracts.intent import Denial, IntentDenied
from libs.common.contracts.order import Plan
from libs.common.contracts.reasons import Reason
from libs.common.contracts.words import ExecutionKind
from tests.factories import make_alert, make_intent, make_leg

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def read(*messages) -> Evidence:
    seen = Evidence()
    for seq, message in enumerate(messages, start=1):
        note(codec.encode(message), subject=f"subject.{seq}", seq=seq, into=seen)
    return seen


def make_plan(**fields) -> Plan:
    intent = make_intent()
    return Plan(
        intent_id=intent.intent_id,
        alert_id=intent.alert_id,
        route=intent.route,
        account=intent.account,
        symbol=intent.symbol,
        at=NOW,
        holdings=(),
        legs=(make_leg(),),
        **fields,
    )


def make_execution(kind: ExecutionKind, **fields) -> Execution:
    plan = make_plan()
    return Execution(
        alert_id=plan.alert_id,
        intent_id=plan.intent_id,
        route=plan.route,
        account=plan.account,
        symbol=plan.symbol,
        client_order_id="x" * 30,
        kind=kind,
        at=NOW,
        **fields,
    )


def test_a_stored_alert_with_its_own_id():
    alert = make_alert(explicit_id="mine", at=NOW)
    (stored,) = read(alert).stored
    assert (stored.alert_id, stored.key, stored.seq) == (alert.alert_id, "mine", 1)
    assert stored.received_s == NOW.timestamp()


def test_a_denial_and_what_a_plan_withholds():
    denial = Denial(reason=Reason.STALE, message="old")
    alert = make_alert()
    denied = IntentDenied(alert_id=alert.alert_id, route="r", at=NOW, denial=denial, account="a")
    plan = make_plan(withheld=denial)
    seen = read(denied, plan, make_plan())
    assert [(each.account, each.reason) for each in seen.denials] == [
        ("a", "stale"),
        (plan.account, "stale"),
    ]
    assert "asked nobody" in seen.plans[plan.alert_id, plan.account]


def test_an_order_given_up_before_the_exchange_had_it():
    later = NOW + timedelta(seconds=1)
    given_up = make_execution(ExecutionKind.CANCELED, reason=Reason.STALE, message="not sent")
    by_exchange = make_execution(ExecutionKind.CANCELED, exchange_order_id="7")
    seen = read(given_up, by_exchange)
    assert [each.at_s < later.timestamp() for each in seen.denials] == [True]
    assert [each.reason for each in seen.denials] == ["stale"]


def test_requests_that_were_stored():
    seen = read(make_execution(ExecutionKind.SENT), make_execution(ExecutionKind.FILLED))
    assert seen.sent == {"x" * 30}
    assert set(seen.log) == {1, 2}
